package resolvers

import (
	"context"
	"errors"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// lookUp answers a root look-up: what is not found is nil without an error.
func lookUp[T, N any](ctx context.Context, l *loaders.ResourceLoader[T], key mixcloud.Key, wrap func(*T) *N) (*N, error) {
	value, err := l.Load(ctx, key)
	if errors.Is(err, mixcloud.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return wrap(value), nil
}

// lookUpInput looks up what an argument names: after a 404 under the key that was
// received, if that is not the composed one.
func lookUpInput[T, N any](ctx context.Context, l *loaders.ResourceLoader[T], in mixcloud.Input, wrap func(*T) *N) (*N, error) {
	for _, key := range in.Keys() {
		found, err := lookUp(ctx, l, key, wrap)
		if found != nil || err != nil {
			return found, err
		}
	}
	return nil, nil
}

// keyed answers a root look-up by an argument "key" that must name one kind of
// resource.
func keyed[T, N any](ctx context.Context, r *Resolver, kind mixcloud.Kind, key string, l *loaders.ResourceLoader[T], wrap func(*T) *N) (*N, error) {
	in, err := r.store.Client().ParseInput(key)
	if err != nil {
		return nil, named(err, "key")
	}
	if in.Kind != kind {
		return nil, gqlerr.Invalid("key", "names a "+string(in.Kind)+", not a "+string(kind))
	}
	return lookUpInput(ctx, l, in, wrap)
}

// resourceOf looks up whatever kind of resource a client names.
func resourceOf(ctx context.Context, in mixcloud.Input) (model.Resource, error) {
	for _, key := range in.Keys() {
		found, err := resourceAt(ctx, model.Kind(in.Kind), key)
		if found != nil || err != nil {
			return found, err
		}
	}
	return nil, nil
}

// named gives a refusal of the client the name that the argument has here.
func named(err error, argument string) error {
	if invalid, ok := errors.AsType[*mixcloud.InvalidError](err); ok {
		return gqlerr.Invalid(argument, invalid.Reason)
	}
	return err
}

// resourceAt looks up whatever kind of resource stands at a key.
func resourceAt(ctx context.Context, kind model.Kind, key mixcloud.Key) (model.Resource, error) {
	switch kind {
	case model.KindUser:
		return resource(lookUp(ctx, loaders.Users, key, model.NewFullUser))
	case model.KindCloudcast:
		return resource(lookUp(ctx, loaders.Cloudcasts, key, model.NewFullCloudcast))
	case model.KindTag:
		return resource(lookUp(ctx, loaders.Tags, key, model.NewFullTag))
	case model.KindCity:
		return resource(lookUp(ctx, loaders.Tags, key, model.NewFullCity))
	case model.KindCategory:
		return resource(lookUp(ctx, loaders.Categories, key, model.NewFullCategory))
	case model.KindPlaylist:
		return resource(lookUp(ctx, loaders.Playlists, key, model.NewFullPlaylist))
	case model.KindArtist:
		return resource(lookUp(ctx, loaders.Artists, key, model.NewFullArtist))
	case model.KindTrack:
		return resource(lookUp(ctx, loaders.Tracks, key, model.NewFullTrack))
	default:
		return nil, gqlerr.Invalid("key", "names nothing that can be looked up")
	}
}

// resource keeps a nil pointer from becoming an interface that is not nil.
func resource[N any, P interface {
	*N
	model.Resource
}](value P, err error) (model.Resource, error) {
	if value == nil || err != nil {
		return nil, err
	}
	return value, nil
}

// nodeOf refetches what a global id names; nil when it is gone.
func nodeOf(ctx context.Context, id model.NodeID) (model.Node, error) {
	switch id.Kind {
	case model.KindComment:
		return listed(ctx, id, "comments/", loaders.CommentPages, func(c *mixcloud.Comment) (mixcloud.Key, model.Node) {
			return c.Key, model.NewComment(c, id.Owner)
		})
	case model.KindActivity:
		return listed(ctx, id, "feed/", loaders.ActivityPages, func(a *mixcloud.Activity) (mixcloud.Key, model.Node) {
			return a.Key, model.NewActivity(a, id.Owner)
		})
	default:
		found, err := resourceAt(ctx, id.Kind, id.Key)
		if found == nil || err != nil {
			return nil, err
		}
		return found, nil
	}
}

// listed finds an item that has no address of its own: it reads its owner's
// list at the second at which it stands there.
func listed[T any](ctx context.Context, id model.NodeID, list string, l *loaders.Loader[loaders.List, *mixcloud.Page[T]], open func(*T) (mixcloud.Key, model.Node)) (model.Node, error) {
	page, err := l.Load(ctx, loaders.Path(id.Owner.String()+list, mixcloud.Range{Limit: 100, Until: id.Time.Add(1e9)}))
	if errors.Is(err, mixcloud.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range page.Items {
		if key, node := open(&page.Items[i]); key.Equal(id.Key) {
			return node, nil
		}
	}
	return nil, nil
}
