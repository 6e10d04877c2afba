package mixcloud

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
)

// A Resource is the result of [Client.Resource]: a *[FullUser],
// *[FullCloudcast], *[Tag] (also for a city), *[Category], *[Playlist],
// *[Artist] or *[Track].
type Resource interface {
	// Raw returns the JSON as it was received; see [Object.Raw].
	Raw() json.RawMessage
	identity() Key
}

// Resource returns the resource that a key or a URL names, of any kind; see
// [Client.ParseRef].
func (c *Client) Resource(ctx context.Context, key string) (Resource, error) {
	ref, err := c.ParseRef(key)
	if err != nil {
		return nil, err
	}
	switch ref.Kind {
	case KindUser:
		return resourceOrNil(c.User(ctx, ref.Key.text))
	case KindCloudcast:
		return resourceOrNil(c.Cloudcast(ctx, ref.Key.text))
	case KindCategory:
		return resourceOrNil(c.Category(ctx, ref.Key.text))
	case KindPlaylist:
		return resourceOrNil(c.Playlist(ctx, ref.Key.text))
	case KindArtist:
		return resourceOrNil(c.Artist(ctx, ref.Key.text))
	case KindTrack:
		return resourceOrNil(c.Track(ctx, ref.Key.text))
	}
	return resourceOrNil(c.Tag(ctx, ref.Key.text))
}

// resourceOrNil returns a nil Resource if there is an error, not one that contains
// a nil pointer.
func resourceOrNil[T any, P interface {
	Decodable[T]
	Resource
}](p P, err error) (Resource, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}

// User returns a user. key is a key such as "/spartacus/", a username, or any URL that
// [Client.ParseRef] accepts. The key of another kind of resource is an
// [*InvalidError]. If there is no such user the error is [ErrNotFound]. The other
// methods that take a key do the same.
func (c *Client) User(ctx context.Context, key string) (*FullUser, error) {
	return getKey[FullUser](ctx, c, "User", key, KindUser)
}

// Me returns the user who owns the client's token. Their Key is the real one, not
// "/me/". Without a token the error is [ErrUnauthenticated].
func (c *Client) Me(ctx context.Context) (*FullUser, error) {
	return get[FullUser](ctx, c, "Me", meKey)
}

// Cloudcast returns a cloudcast, with its description and tracklist.
func (c *Client) Cloudcast(ctx context.Context, key string) (*FullCloudcast, error) {
	return getKey[FullCloudcast](ctx, c, "Cloudcast", key, KindCloudcast)
}

// Tag returns a tag, a city or a combination of tags. Its key may have any of the
// prefixes genres, discover and tag; see [TagKey], [CityKey] and [DiscoverKey].
func (c *Client) Tag(ctx context.Context, key string) (*Tag, error) {
	return getKey[Tag](ctx, c, "Tag", key, KindTag, KindCity)
}

// Category returns a category.
func (c *Client) Category(ctx context.Context, key string) (*Category, error) {
	return getKey[Category](ctx, c, "Category", key, KindCategory)
}

// Playlist returns a playlist.
func (c *Client) Playlist(ctx context.Context, key string) (*Playlist, error) {
	return getKey[Playlist](ctx, c, "Playlist", key, KindPlaylist)
}

// Artist returns the artist of a track. Artists have not been documented since
// about 2015: expect [ErrNotFound] from the live service.
func (c *Client) Artist(ctx context.Context, key string) (*Artist, error) {
	return getKey[Artist](ctx, c, "Artist", key, KindArtist)
}

// Track returns a track. Tracks have not been documented since about 2015: expect
// [ErrNotFound] from the live service.
func (c *Client) Track(ctx context.Context, key string) (*Track, error) {
	return getKey[Track](ctx, c, "Track", key, KindTrack)
}

// keyOf returns the key that a text names, which must be of one of kinds.
func (c *Client) keyOf(key string, kinds ...Kind) (string, error) {
	ref, err := c.ParseRef(key)
	if err != nil {
		return "", err
	}
	if slices.Contains(kinds, ref.Kind) {
		return ref.Key.text, nil
	}
	return "", &InvalidError{Arg: "key", Reason: "names a " + string(ref.Kind) + ", not a " + string(kinds[0])}
}

func getKey[T any, P Decodable[T]](ctx context.Context, c *Client, op, key string, kinds ...Kind) (P, error) {
	key, err := c.keyOf(key, kinds...)
	if err != nil {
		return nil, err
	}
	return get[T, P](ctx, c, op, key)
}

// get fetches the object at path.
func get[T any, P Decodable[T]](ctx context.Context, c *Client, op, path string) (P, error) {
	one := P(new(T))
	err := c.fetch(ctx, op, path, c.baseQuery(), func(v value) string {
		if one.decode(v); one.identity().IsZero() {
			return noKey
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	return one, nil
}

// baseQuery returns the parameters that all reads of resources and lists have, or nil.
func (c *Client) baseQuery() url.Values {
	if !c.metadata {
		return nil
	}
	return url.Values{"metadata": {"1"}}
}
