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
	want bool
}

var (
	follow      = action{(*mixcloud.Client).Follow, upstream.Following, true}
	unfollow    = action{(*mixcloud.Client).Unfollow, upstream.Following, false}
	favorite    = action{(*mixcloud.Client).Favorite, upstream.Favorited, true}
	unfavorite  = action{(*mixcloud.Client).Unfavorite, upstream.Favorited, false}
	repost      = action{(*mixcloud.Client).Repost, upstream.Reposted, true}
	unrepost    = action{(*mixcloud.Client).Unrepost, upstream.Reposted, false}
	listenLater = action{(*mixcloud.Client).AddToListenLater, upstream.ListenLater, true}
	notLater    = action{(*mixcloud.Client).RemoveFromListenLater, upstream.ListenLater, false}
)

// onUser does an action to a user.
func (r *Resolver) onUser(ctx context.Context, a action, input model.UserTarget) (*model.UserAction, error) {
	if err := signedIn(ctx); err != nil {
		return nil, err
	}
	out := model.NewOutcome(input.ClientMutationID, viewer)
	t := r.userTarget(input, &out)
	err := r.act(ctx, a, t, &out, func(ctx context.Context) (*bool, error) {
		user, err := loaders.From(ctx).Users.Load(ctx, t.key)
		if err != nil {
			return nil, err
		}
		return user.Following, nil
	})
	if err != nil {
		return nil, err
	}
	return model.NewUserAction(out, func(ctx context.Context) (*model.User, error) {
		user, err := loaders.From(ctx).Users.Load(ctx, t.key)
		return model.NewFullUser(user), err
	}), nil
}

// onCloudcast does an action to a cloudcast.
func (r *Resolver) onCloudcast(ctx context.Context, a action, input model.CloudcastTarget) (*model.CloudcastAction, error) {
	if err := signedIn(ctx); err != nil {
		return nil, err
	}
	out := model.NewOutcome(input.ClientMutationID, viewer)
	t := r.cloudcastTarget(input.CloudcastID, input.Key, &out)
	err := r.act(ctx, a, t, &out, func(ctx context.Context) (*bool, error) {
		cloudcast, err := loaders.From(ctx).Cloudcasts.Load(ctx, t.key)
		if err != nil {
			return nil, err
		}
		return map[upstream.Flag]*bool{
			upstream.Favorited: cloudcast.Favorited, upstream.Reposted: cloudcast.Reposted,
			upstream.ListenLater: cloudcast.IsListenLater,
		}[a.flag], nil
	})
	if err != nil {
		return nil, err
	}
	return model.NewCloudcastAction(out, func(ctx context.Context) (*model.Cloudcast, error) {
		cloudcast, err := loaders.From(ctx).Cloudcasts.Load(ctx, t.key)
		return model.NewFullCloudcast(cloudcast), err
	}), nil
}

// act sends an action, unless the input was refused, and puts what came of it
// into out. State looks up whether the flag is on.
func (r *Resolver) act(ctx context.Context, a action, t target, out *model.Outcome, state func(context.Context) (*bool, error)) error {
	if out.Refused() {
		return nil
	}
	l := loaders.From(ctx)
	var was *bool
	var unread error
	if selects(ctx, "changed") {
		if was, unread = state(ctx); errors.Is(unread, mixcloud.ErrNotFound) {
			t.unknown(out)
			return nil
		}
	}
	result, err := upstream.Write(ctx, l.Session(), func(ctx context.Context, c *mixcloud.Client) (*mixcloud.Result, error) {
		return a.send(c, ctx, t.key)
	})
	switch {
	case errors.Is(err, mixcloud.ErrNotFound):
		return undone(ctx, a, t, out, was, state)
	case err != nil:
		return err
	case !result.Success:
		out.Refuse(model.UserErrorCodeRefused, refusal(result.Message))
		return nil
	}
	l.Session().Wrote(a.flag, t.key, a.want)
	l.Forget()
	if result.Message != "" {
		out.Message = &result.Message
	}
	if was != nil {
		changed := *was != a.want
		out.Changed = &changed
	}
	return nil
}

// undone judges an action that Mixcloud answered with "not found". For the
// undoing of something that was not done that is success, if the target
// exists.
func undone(ctx context.Context, a action, t target, out *model.Outcome, was *bool, state func(context.Context) (*bool, error)) error {
	if !a.want && was == nil {
		if _, err := state(ctx); err != nil && !errors.Is(err, mixcloud.ErrNotFound) {
			return err
		} else if err == nil {
			was = new(bool)
		}
	}
	if a.want || was == nil {
		t.unknown(out)
		return nil
	}
	out.Changed = new(bool)
	return nil
}

// refusal is what people are told when Mixcloud says no.
func refusal(message string) string {
	if message == "" {
		return "Mixcloud refused it without saying why."
	}
	return message
}

// signedIn refuses whoever has no token.
func signedIn(ctx context.Context) error {
	if loaders.From(ctx).Anonymous() {
		return gqlerr.Unauthenticated("This needs a Mixcloud account: send its token as \"Authorization: Bearer <token>\".")
	}
	return nil
}

// viewer looks up whose token the operation bears.
func viewer(ctx context.Context) (*model.User, error) {
	user, err := loaders.From(ctx).Viewer(ctx)
	if err != nil {
		return nil, err
	}
	return model.NewViewer(user), nil
}

// selects reports whether a field of the payload is asked for.
func selects(ctx context.Context, field string) bool {
	payload := graphql.GetFieldContext(ctx).Field.Definition.Type.Name()
	for _, f := range graphql.CollectFieldsCtx(ctx, []string{payload}) {
		if f.Name == field {
			return true
		}
	}
	return false
}

// ownCount corrects the viewer's own count for writes that reads do not show
// yet: by as much as the counts of what was written to are behind.
func ownCount(ctx context.Context, u *model.User, flag upstream.Flag, member func(*mixcloud.FullUser) *int) (*int, error) {
	count, err := ofUser(ctx, u, member)
	if err != nil || count == nil || !u.KnownViewer() {
		return count, err
	}
	l := loaders.From(ctx)
	corrected := *count
	for _, key := range l.Session().Pending(flag) {
		if flag == upstream.Following {
			_, err = l.Users.Load(ctx, key)
		} else {
			_, err = l.Cloudcasts.Load(ctx, key)
		}
		if err == nil {
			corrected += l.Session().Behind(flag, key)
		}
	}
	corrected = max(corrected, 0)
	return &corrected, nil
}
