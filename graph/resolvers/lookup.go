package resolvers

import (
	"context"
	"errors"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// lookUp loads the resource at a key. It returns nil without an error if there is
// no such resource.
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

// lookUpInput looks up the resource that an argument names. If the argument has
// two forms of the key (see [mixcloud.Input]), it looks up the second one after a 404.
func lookUpInput[T, N any](ctx context.Context, l *loaders.ResourceLoader[T], in mixcloud.Input, wrap func(*T) *N) (*N, error) {
	for _, key := range in.Keys() {
		found, err := lookUp(ctx, l, key, wrap)
		if found != nil || err != nil {
			return found, err
		}
	}
	return nil, nil
}

// lookUpKey looks up the resource that an argument "key" names. It returns an error
// if the key is not one of that kind.
func lookUpKey[T, N any](ctx context.Context, r *Resolver, kind mixcloud.Kind, key string, l *loaders.ResourceLoader[T], wrap func(*T) *N) (*N, error) {
	in, err := r.store.Client().ParseInput(key)
	if err != nil {
		return nil, renameArgument(err, "key")
	}
	if in.Kind != kind {
		return nil, gqlerr.Invalid("key", "names a "+string(in.Kind)+", not a "+string(kind))
	}
	return lookUpInput(ctx, l, in, wrap)
}

// resourceOf looks up the resource of any kind that an argument names.
func resourceOf(ctx context.Context, in mixcloud.Input) (model.Resource, error) {
	for _, key := range in.Keys() {
		found, err := resourceAt(ctx, model.Kind(in.Kind), key)
		if found != nil || err != nil {
			return found, err
		}
	}
	return nil, nil
}

// renameArgument returns the client's error for an invalid argument with the name that
// the argument has in the schema.
func renameArgument(err error, argument string) error {
	if invalid, ok := errors.AsType[*mixcloud.InvalidError](err); ok {
		return gqlerr.Invalid(argument, invalid.Reason)
	}
	return err
}

// resourceAt looks up the resource of one kind at a key.
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
		return nil, gqlerr.Invalid("key", "is not the key of a user, cloudcast, tag, city, category, playlist, artist or track")
	}
}

// resource converts a nil pointer to a nil interface.
func resource[N any, P interface {
	*N
	model.Resource
}](value P, err error) (model.Resource, error) {
	if value == nil || err != nil {
		return nil, err
	}
	return value, nil
}

// nodeOf loads the node that a global id names. It returns nil if there is no such
// node any more.
func nodeOf(ctx context.Context, id model.NodeID) (model.Node, error) {
	switch id.Kind {
	case model.KindComment:
		return findListed(ctx, id, "comments/", loaders.CommentPages, func(c *mixcloud.Comment) model.Node {
			return model.NewComment(c, id.Owner)
		})
	case model.KindActivity:
		return findListed(ctx, id, "feed/", loaders.ActivityPages, func(a *mixcloud.Activity) model.Node {
			return model.NewActivity(a, id.Owner)
		})
	default:
		found, err := resourceAt(ctx, id.Kind, id.Key)
		if found == nil || err != nil {
			return nil, err
		}
		return found, nil
	}
}

// findListed finds a comment or an activity. These have no URL of their own, so it reads the page
// of the owner's list that contains the item's time.
func findListed[T any](ctx context.Context, id model.NodeID, list string, l *loaders.Loader[loaders.PageKey, *loaders.Page[T]], newNode func(*T) model.Node) (model.Node, error) {
	page, err := l.Load(ctx, loaders.ListPage(id.Owner.String()+list, mixcloud.Range{Limit: 100, Until: id.Time.Add(1e9)}))
	if errors.Is(err, mixcloud.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range page.Items {
		if item := &page.Items[i]; item.Key.Equal(id.Key) {
			return newNode(item.Value()), nil
		}
	}
	return nil, nil
}
