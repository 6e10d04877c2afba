package resolvers

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// An action switches one flag of a target on or off.
type action struct {
	send func(*mixcloud.Client, context.Context, string) (*mixcloud.Result, error)
	flag upstream.Flag
	on   bool // the value of the flag after the action
}

var (
	follow      = action{(*mixcloud.Client).Follow, upstream.Following, true}
	unfollow    = action{(*mixcloud.Client).Unfollow, upstream.Following, false}
	favorite    = action{(*mixcloud.Client).Favorite, upstream.Favorited, true}
	unfavorite  = action{(*mixcloud.Client).Unfavorite, upstream.Favorited, false}
	repost      = action{(*mixcloud.Client).Repost, upstream.Reposted, true}
	unrepost    = action{(*mixcloud.Client).Unrepost, upstream.Reposted, false}
	listenLater = action{(*mixcloud.Client).AddToListenLater, upstream.ListenLater, true}
	removeLater = action{(*mixcloud.Client).RemoveFromListenLater, upstream.ListenLater, false}
)

// userAction performs an action on a user.
func (r *Resolver) userAction(ctx context.Context, a action, input model.UserActionInput) (*model.UserPayload, error) {
	if err := requireToken(ctx); err != nil {
		return nil, err
	}
	out := model.NewPayload(input.ClientMutationID, loadViewer)
	t := r.userTarget(ctx, input, &out)
	err := r.perform(ctx, a, t, &out, func(ctx context.Context) (*bool, error) {
		user, err := loaders.Users.Load(ctx, t.key)
		if err != nil {
			return nil, err
		}
		return user.Following, nil
	})
	if err != nil {
		return nil, err
	}
	user := func(ctx context.Context) (*model.User, error) {
		user, err := loaders.Users.Load(ctx, t.key)
		return model.NewFullUser(user), err
	}
	return model.NewUserPayload(out, user, changedEdge(a, t.key, user)), nil
}

// cloudcastAction performs an action on a cloudcast.
func (r *Resolver) cloudcastAction(ctx context.Context, a action, input model.CloudcastActionInput) (*model.CloudcastPayload, error) {
	if err := requireToken(ctx); err != nil {
		return nil, err
	}
	out := model.NewPayload(input.ClientMutationID, loadViewer)
	t := r.cloudcastTarget(ctx, input.CloudcastID, input.Key, &out)
	err := r.perform(ctx, a, t, &out, func(ctx context.Context) (*bool, error) {
		cloudcast, err := loaders.Cloudcasts.Load(ctx, t.key)
		if err != nil {
			return nil, err
		}
		return flagOf(cloudcast, a.flag), nil
	})
	if err != nil {
		return nil, err
	}
	cloudcast := changedCloudcast(t.key)
	return model.NewCloudcastPayload(out, cloudcast, changedEdge(a, t.key, cloudcast)), nil
}

// flagOf returns a flag of a cloudcast, or nil if it is unknown.
func flagOf(c *mixcloud.FullCloudcast, flag upstream.Flag) *bool {
	return map[upstream.Flag]*bool{
		upstream.Favorited: c.Favorited, upstream.Reposted: c.Reposted, upstream.ListenLater: c.IsListenLater,
	}[flag]
}

// changedCloudcast returns a function that loads a cloudcast after a write. The
// cloudcast is nil if it was uploaded so recently that it cannot be read yet.
func changedCloudcast(key mixcloud.Key) func(context.Context) (*model.Cloudcast, error) {
	return func(ctx context.Context) (*model.Cloudcast, error) {
		cloudcast, err := loaders.Cloudcasts.Load(ctx, key)
		return nullIfNew(ctx, key, model.NewFullCloudcast(cloudcast), err)
	}
}

// perform sends an action, unless the input was refused, and sets its result in
// out. State returns whether the flag is on. It is called before the write if the
// client selects changed.
func (r *Resolver) perform(ctx context.Context, a action, t target, out *model.Payload, state func(context.Context) (*bool, error)) error {
	if out.Refused() {
		return nil
	}
	l := loaders.From(ctx)
	var was *bool
	if selects(ctx, "changed") {
		was, _ = state(ctx) // after an error changed is null
	}
	result, err := upstream.Write(ctx, l.Session(), t.key.String()+a.flag.String(), func(ctx context.Context, c *mixcloud.Client) (*mixcloud.Result, error) {
		return a.send(c, ctx, t.key.String())
	})
	switch {
	case errors.Is(err, mixcloud.ErrNotFound) && a.on:
		t.notFound(out, err)
		return nil
	case errors.Is(err, mixcloud.ErrNotFound):
		// Mixcloud returns 404 if the flag was off, and if the target does not exist.
		if _, stateErr := state(ctx); errors.Is(stateErr, mixcloud.ErrNotFound) {
			t.notFound(out, err)
			return nil
		} else if stateErr != nil {
			return stateErr
		}
		out.Changed = new(bool)
	case err != nil && refuseWrite(out, err):
		return nil
	case err != nil:
		l.Forget() // Mixcloud may have executed the write
		return err
	case !result.Success:
		refuse(out, model.UserErrorCodeRefused, result.Message, result.Details)
		return nil
	default:
		out.Message = textOrNil(result.Message)
		if was != nil {
			changed := *was != a.on
			out.Changed = &changed
		}
	}
	l.Session().RecordWrite(a.flag, t.key, a.on)
	l.Forget()
	if !a.on {
		id := model.NodeID{Kind: model.Kind(t.kind), Key: t.key}.String()
		out.RemovedID = &id
	}
	return nil
}

// requireToken returns an error if the operation is anonymous.
func requireToken(ctx context.Context) error {
	if loaders.From(ctx).Anonymous() {
		return gqlerr.Unauthenticated("Authentication required: send a Mixcloud access token as \"Authorization: Bearer <token>\".")
	}
	return nil
}

// loadViewer loads the user whose token the operation has.
func loadViewer(ctx context.Context) (*model.User, error) {
	user, err := loaders.From(ctx).Viewer(ctx)
	if err != nil {
		return nil, err
	}
	return model.NewViewer(user), nil
}

// selects reports whether the operation selects a field of the payload.
func selects(ctx context.Context, field string) bool {
	payload := graphql.GetFieldContext(ctx).Field.Definition.Type.Name()
	for _, f := range graphql.CollectFieldsCtx(ctx, []string{payload}) {
		if f.Name == field {
			return true
		}
	}
	return false
}
