package resolvers

import (
	"context"
	"encoding/json"
	"errors"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/mixcloud"
)

// full gives the full form of a value: at once when it is there, otherwise by
// the one load that all fields of the resource share.
func full[T any](ctx context.Context, have *T, l *loaders.ResourceLoader[T], key mixcloud.Key) (*T, error) {
	if have != nil {
		return have, nil
	}
	return l.Load(ctx, key)
}

// ofUser gives a member that only a full user has.
func ofUser[V any](ctx context.Context, u *model.User, member func(*mixcloud.FullUser) V) (V, error) {
	loaded, err := full(ctx, u.Full(), loaders.Users, u.Key)
	if err != nil {
		return *new(V), err
	}
	return member(loaded), nil
}

// ofCloudcast gives a member that only a full cloudcast has.
func ofCloudcast[V any](ctx context.Context, c *model.Cloudcast, member func(*mixcloud.FullCloudcast) V) (V, error) {
	loaded, err := full(ctx, c.Full(), loaders.Cloudcasts, c.Key)
	if err != nil {
		return unlessNew(ctx, c.Key, *new(V), err)
	}
	return member(loaded), nil
}

// unlessNew passes a value of a cloudcast on, and makes of "not found" nothing
// while that means "not yet": when the viewer has just uploaded it.
func unlessNew[V any](ctx context.Context, key mixcloud.Key, value V, err error) (V, error) {
	if errors.Is(err, mixcloud.ErrNotFound) && loaders.From(ctx).Session().JustUploaded(key) {
		return *new(V), nil
	}
	return value, err
}

// viewerFlag gives a member that is relative to the viewer: nil for nobody, as
// it came along if it did, else from the full resource.
func viewerFlag(ctx context.Context, have *bool, load func() (*bool, error)) (*bool, error) {
	if have != nil || loaders.From(ctx).Anonymous() {
		return have, nil
	}
	return load()
}

// isViewer tells whether a user is the viewer, by the viewer's own key unless
// the user was loaded and says so itself.
func isViewer(ctx context.Context, u *model.User) (bool, error) {
	l := loaders.From(ctx)
	if l.Anonymous() || u.KnownViewer() {
		return u.KnownViewer(), nil
	}
	if u.Full() != nil {
		return false, nil // NewFullUser would have known
	}
	viewer, err := l.Viewer(ctx)
	if err != nil {
		return false, err
	}
	return viewer.Key.Equal(u.Key), nil
}

// rawObject is anything that keeps its untouched REST object.
type rawObject interface{ Raw() json.RawMessage }

// raw gives the untouched object as it came along, or that of the full
// resource when it is asked for.
func raw[T any, P interface {
	*T
	rawObject
}](ctx context.Context, have rawObject, loaded P, l *loaders.ResourceLoader[T], key mixcloud.Key, wantFull bool) (json.RawMessage, error) {
	if loaded != nil {
		return model.Untouched(loaded.Raw()), nil
	}
	if !wantFull {
		return model.Untouched(have.Raw()), nil
	}
	value, err := l.Load(ctx, key)
	if err != nil {
		return nil, err
	}
	return model.Untouched(P(value).Raw()), nil
}
