package resolvers

import (
	"context"
	"errors"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/mixcloud"
)

// A target is the user or the cloudcast that a write changes.
type target struct {
	key   mixcloud.Key
	field string // the input field that names the target
	kind  mixcloud.Kind
}

// notFound adds the user error for a target that does not exist. If err is a
// response of Mixcloud, its message becomes the message of the payload.
func (t target) notFound(out *model.Payload, err error) {
	if response, ok := errors.AsType[*mixcloud.Error](err); ok && response.FromAPI {
		out.Message = textOrNil(response.Message)
	}
	out.Refuse(model.UserErrorCodeNotFound, "There is no such "+t.noun()+".", t.field)
}

// noun returns the word for the target in messages.
func (t target) noun() string {
	if t.kind == mixcloud.KindUser {
		return "user"
	}
	return "cloudcast"
}

// userTarget returns the user that an input names, or refuses the input.
func (r *Resolver) userTarget(ctx context.Context, input model.UserActionInput, out *model.Payload) target {
	t := target{kind: mixcloud.KindUser}
	input.UserID, input.Username = notEmpty(input.UserID), notEmpty(input.Username)
	if !exactlyOne(input.UserID, input.Username, "userId", "username", out) {
		return t
	}
	if input.UserID != nil {
		t.byID(*input.UserID, "userId", out)
		return t
	}
	t.field = "username"
	in, err := mixcloud.UserInput(*input.Username)
	refuseInvalid(out, err, t.field)
	t.byInput(ctx, in, out)
	return t
}

// cloudcastTarget returns the cloudcast that an input names, or refuses the input.
func (r *Resolver) cloudcastTarget(ctx context.Context, id, key *string, out *model.Payload) target {
	t := target{kind: mixcloud.KindCloudcast}
	id, key = notEmpty(id), notEmpty(key)
	if !exactlyOne(id, key, "cloudcastId", "key", out) {
		return t
	}
	if id != nil {
		t.byID(*id, "cloudcastId", out)
		return t
	}
	t.field = "key"
	in, err := r.store.Client().ParseInput(*key)
	if err == nil && in.Kind != mixcloud.KindCloudcast {
		out.Refuse(model.UserErrorCodeInvalid, "This is the key of a "+string(in.Kind)+", not of a cloudcast.", t.field)
	}
	refuseInvalid(out, err, t.field)
	t.byInput(ctx, in, out)
	return t
}

// byInput sets the key from an input that was not refused. If the input has two
// forms of the key, it loads them to find the one that exists, because a write is
// sent only once.
func (t *target) byInput(ctx context.Context, in mixcloud.Input, out *model.Payload) {
	t.key = in.Key
	if in.Received.IsZero() || out.Refused() {
		return
	}
	if errors.Is(t.load(ctx, in.Key), mixcloud.ErrNotFound) && t.load(ctx, in.Received) == nil {
		t.key = in.Received
	}
}

// load loads the resource at a key and returns the error.
func (t *target) load(ctx context.Context, key mixcloud.Key) (err error) {
	if t.kind == mixcloud.KindUser {
		_, err = loaders.Users.Load(ctx, key)
	} else {
		_, err = loaders.Cloudcasts.Load(ctx, key)
	}
	return err
}

// byID sets the key from a global id.
func (t *target) byID(text, field string, out *model.Payload) {
	t.field = field
	id, err := model.ParseID(text)
	switch {
	case err != nil:
		out.Refuse(model.UserErrorCodeInvalid, "This "+err.Error()+".", field)
	case id.Kind != model.Kind(t.kind):
		out.Refuse(model.UserErrorCodeInvalid, "This is the id of a "+string(id.Kind)+", not of a "+t.noun()+".", field)
	}
	t.key = id.Key
}

// notEmpty returns nil for an empty string: generated clients send one for a
// field that their user left out.
func notEmpty(text *string) *string {
	if text == nil || *text == "" {
		return nil
	}
	return text
}

// exactlyOne reports whether one of two fields is set. Otherwise it refuses the input.
func exactlyOne(a, b *string, nameA, nameB string, out *model.Payload) bool {
	switch {
	case a == nil && b == nil:
		out.Refuse(model.UserErrorCodeRequired, "Set "+nameA+" or "+nameB+".", nameB)
	case a != nil && b != nil:
		out.Refuse(model.UserErrorCodeConflict, "Set either "+nameA+" or "+nameB+", not both.", nameB)
	default:
		return true
	}
	return false
}

// refuseInvalid adds a user error if err says that a value is not valid.
func refuseInvalid(out *model.Payload, err error, field string) {
	if invalid, ok := errors.AsType[*mixcloud.InvalidError](err); ok {
		out.Refuse(model.UserErrorCodeInvalid, "This "+invalid.Reason+".", field)
	}
}
