package resolvers

import (
	"context"
	"errors"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/mixcloud"
)

// A target is what a write is about, and which member of the input names it.
type target struct {
	key   mixcloud.Key
	field string
	kind  mixcloud.Kind
}

// unknown refuses an input whose target does not exist.
func (t target) unknown(out *model.Outcome) {
	out.Refuse(model.UserErrorCodeNotFound, "There is no such "+word(t.kind)+".", t.field)
}

// notFound is unknown after Mixcloud's answer to the write, whose words are passed on.
func (t target) notFound(out *model.Outcome, err error) {
	if answer, ok := errors.AsType[*mixcloud.Error](err); ok && answer.Answered {
		out.Message = textOrNil(answer.Message)
	}
	t.unknown(out)
}

func word(kind mixcloud.Kind) string {
	if kind == mixcloud.KindUser {
		return "user"
	}
	return "cloudcast"
}

// userTarget finds out which user an input names, or refuses it.
func (r *Resolver) userTarget(ctx context.Context, input model.UserTarget, out *model.Outcome) target {
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

// cloudcastTarget finds out which cloudcast an input names, or refuses it.
func (r *Resolver) cloudcastTarget(ctx context.Context, id, key *string, out *model.Outcome) target {
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

// byInput takes the key out of an input that was not refused. A write is sent
// only once, so the form of the key that exists is looked up before, if there are
// two.
func (t *target) byInput(ctx context.Context, in mixcloud.Input, out *model.Outcome) {
	t.key = in.Key
	if in.Received.IsZero() || out.Refused() {
		return
	}
	if errors.Is(t.load(ctx, in.Key), mixcloud.ErrNotFound) && t.load(ctx, in.Received) == nil {
		t.key = in.Received
	}
}

// load looks up what stands at a key.
func (t *target) load(ctx context.Context, key mixcloud.Key) (err error) {
	if t.kind == mixcloud.KindUser {
		_, err = loaders.Users.Load(ctx, key)
	} else {
		_, err = loaders.Cloudcasts.Load(ctx, key)
	}
	return err
}

// byID takes the key out of a global id.
func (t *target) byID(text, field string, out *model.Outcome) {
	t.field = field
	id, err := model.ParseID(text)
	switch {
	case err != nil:
		out.Refuse(model.UserErrorCodeInvalid, "This "+err.Error()+".", field)
	case id.Kind != model.Kind(t.kind):
		out.Refuse(model.UserErrorCodeInvalid, "This is the id of a "+string(id.Kind)+", not of a "+word(t.kind)+".", field)
	}
	t.key = id.Key
}

// notEmpty returns nil for an empty text: generated clients send one for a
// member that their user left out.
func notEmpty(text *string) *string {
	if text == nil || *text == "" {
		return nil
	}
	return text
}

// exactlyOne refuses an input that names its target in no way or in both.
func exactlyOne(a, b *string, nameA, nameB string, out *model.Outcome) bool {
	switch {
	case a == nil && b == nil:
		out.Refuse(model.UserErrorCodeRequired, "Give "+nameA+" or "+nameB+".", nameB)
	case a != nil && b != nil:
		out.Refuse(model.UserErrorCodeConflict, "Give "+nameA+" or "+nameB+", not both.", nameB)
	default:
		return true
	}
	return false
}

// refuseInvalid turns the client's refusal of an argument into one of the
// input.
func refuseInvalid(out *model.Outcome, err error, field string) {
	if invalid, ok := errors.AsType[*mixcloud.InvalidError](err); ok {
		out.Refuse(model.UserErrorCodeInvalid, "This "+invalid.Reason+".", field)
	}
}
