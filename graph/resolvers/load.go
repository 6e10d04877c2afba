package resolvers

import (
	"context"
	"encoding/json"
	"errors"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/mixcloud"
)

// loadFull returns the full form of a resource: loaded, unless it is nil, otherwise
// by the one load that all fields of the resource share.
func loadFull[T any](ctx context.Context, loaded *T, l *loaders.ResourceLoader[T], key mixcloud.Key) (*T, error) {
	if loaded != nil {
		return loaded, nil
	}
	return l.Load(ctx, key)
}

// userMember returns a member that only a full user has.
func userMember[V any](ctx context.Context, u *model.User, member func(*mixcloud.FullUser) V) (V, error) {
	full, err := loadFull(ctx, u.Full(), loaders.Users, u.Key)
	if err != nil {
		return *new(V), err
	}
	return member(full), nil
}

// cloudcastMember returns a member that only a full cloudcast has.
func cloudcastMember[V any](ctx context.Context, c *model.Cloudcast, member func(*mixcloud.FullCloudcast) V) (V, error) {
	full, err := loadFull(ctx, c.Full(), loaders.Cloudcasts, c.Key)
	if err != nil {
		return nullIfNew(ctx, c.Key, *new(V), err)
	}
	return member(full), nil
}

// nullIfNew returns the zero value without an error if err says that a cloudcast
// was not found and the viewer has just uploaded it: Mixcloud does not show it yet.
// Otherwise it returns value and err.
func nullIfNew[V any](ctx context.Context, key mixcloud.Key, value V, err error) (V, error) {
	if errors.Is(err, mixcloud.ErrNotFound) && loaders.From(ctx).Session().JustUploaded(key) {
		return *new(V), nil
	}
	return value, err
}

// viewerFlag returns a flag that is relative to the viewer: the flag of the partial
// resource or, if that is nil, the flag of the full one. It is nil for an anonymous
// operation.
func viewerFlag(ctx context.Context, partial *bool, loadFull func() (*bool, error)) (*bool, error) {
	if partial != nil || loaders.From(ctx).Anonymous() {
		return partial, nil
	}
	return loadFull()
}

// isViewer reports whether a user is the viewer. The response for a full user contains this flag.
// For a partial user, isViewer loads the viewer and compares the keys.
func isViewer(ctx context.Context, u *model.User) (bool, error) {
	l := loaders.From(ctx)
	if l.Anonymous() || u.IsKnownViewer() {
		return u.IsKnownViewer(), nil
	}
	if u.Full() != nil {
		return false, nil // for the viewer, NewFullUser has set IsKnownViewer
	}
	viewer, err := l.Viewer(ctx)
	if err != nil {
		return false, err
	}
	return viewer.Key.Equal(u.Key), nil
}

// A rawObject is a value that keeps the JSON from which it was decoded.
type rawObject interface{ Raw() json.RawMessage }

// raw returns the REST JSON of a resource: that of the full resource if it is loaded
// or wantFull is true, otherwise that of the partial one.
func raw[T any, P interface {
	*T
	rawObject
}](ctx context.Context, partial rawObject, full P, l *loaders.ResourceLoader[T], key mixcloud.Key, wantFull bool) (json.RawMessage, error) {
	if full != nil {
		return model.WithoutMetadata(full.Raw()), nil
	}
	if !wantFull {
		return model.WithoutMetadata(partial.Raw()), nil
	}
	value, err := l.Load(ctx, key)
	if err != nil {
		return nil, err
	}
	return model.WithoutMetadata(P(value).Raw()), nil
}
