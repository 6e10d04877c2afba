package mixcloud

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
)

// A Resource is what [Client.Resource] returns: a *[FullUser],
// *[FullCloudcast], *[Tag] (for cities too), *[Category], *[Playlist],
// *[Artist] or *[Track].
type Resource interface {
	// Raw returns the object as it was received.
	Raw() json.RawMessage
	identity() string
}

// Resource fetches whatever a key or a pasted address names: see
// [Client.ParseRef].
func (c *Client) Resource(ctx context.Context, key string) (Resource, error) {
	ref, err := c.ParseRef(key)
	if err != nil {
		return nil, err
	}
	switch ref.Kind {
	case KindUser:
		return some(c.User(ctx, ref.Key))
	case KindCloudcast:
		return some(c.Cloudcast(ctx, ref.Key))
	case KindCategory:
		return some(c.Category(ctx, ref.Key))
	case KindPlaylist:
		return some(c.Playlist(ctx, ref.Key))
	case KindArtist:
		return some(c.Artist(ctx, ref.Key))
	case KindTrack:
		return some(c.Track(ctx, ref.Key))
	}
	return some(c.Tag(ctx, ref.Key))
}

// some keeps a nil pointer from becoming a Resource that is not nil.
func some[T any, P interface {
	decodable[T]
	Resource
}](p P, err error) (Resource, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}

// User fetches a user. This and the other getters take a key as received, or
// any address that [Client.ParseRef] reads; one of another kind is an
// [*InvalidError]. An object that does not exist is an [ErrNotFound].
func (c *Client) User(ctx context.Context, key string) (*FullUser, error) {
	return getKey[FullUser](ctx, c, "User", key, KindUser)
}

// Me fetches the holder of the client's token; without one it is
// [ErrUnauthenticated]. The object has the real key, not "/me/".
func (c *Client) Me(ctx context.Context) (*FullUser, error) {
	return get[FullUser](ctx, c, "Me", meKey)
}

// Cloudcast fetches a cloudcast.
func (c *Client) Cloudcast(ctx context.Context, key string) (*FullCloudcast, error) {
	return getKey[FullCloudcast](ctx, c, "Cloudcast", key, KindCloudcast)
}

// Tag fetches a tag, a city or a combination of tags, by any of the three
// prefixes: see [TagKey], [CityKey] and [DiscoverKey].
func (c *Client) Tag(ctx context.Context, key string) (*Tag, error) {
	return getKey[Tag](ctx, c, "Tag", key, KindTag, KindCity)
}

// Category fetches a category.
func (c *Client) Category(ctx context.Context, key string) (*Category, error) {
	return getKey[Category](ctx, c, "Category", key, KindCategory)
}

// Playlist fetches a playlist.
func (c *Client) Playlist(ctx context.Context, key string) (*Playlist, error) {
	return getKey[Playlist](ctx, c, "Playlist", key, KindPlaylist)
}

// Artist fetches an artist. Their pages left the documentation in about 2015:
// expect [ErrNotFound] of the live service.
func (c *Client) Artist(ctx context.Context, key string) (*Artist, error) {
	return getKey[Artist](ctx, c, "Artist", key, KindArtist)
}

// Track fetches a track. Their pages left the documentation in about 2015:
// expect [ErrNotFound] of the live service.
func (c *Client) Track(ctx context.Context, key string) (*Track, error) {
	return getKey[Track](ctx, c, "Track", key, KindTrack)
}

// keyOf reads the key of one of kinds.
func (c *Client) keyOf(key string, kinds ...Kind) (string, error) {
	ref, err := c.ParseRef(key)
	if err != nil {
		return "", err
	}
	if slices.Contains(kinds, ref.Kind) {
		return ref.Key, nil
	}
	return "", &InvalidError{Arg: "key", Reason: "names a " + string(ref.Kind) + ", not a " + string(kinds[0])}
}

func getKey[T any, P decodable[T]](ctx context.Context, c *Client, op, key string, kinds ...Kind) (P, error) {
	key, err := c.keyOf(key, kinds...)
	if err != nil {
		return nil, err
	}
	return get[T, P](ctx, c, op, key)
}

// get fetches the one object at path.
func get[T any, P decodable[T]](ctx context.Context, c *Client, op, path string) (P, error) {
	one := P(new(T))
	err := c.fetch(ctx, op, path, c.baseQuery(), func(v value) string {
		if one.decode(v); one.identity() == "" {
			return noKey
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	return one, nil
}

// baseQuery is what every query of a resource or a list begins with.
func (c *Client) baseQuery() url.Values {
	query := url.Values{}
	if c.metadata {
		query.Set("metadata", "1")
	}
	return query
}
