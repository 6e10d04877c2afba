package loaders

import (
	"context"
	"net/url"
	"strconv"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// An Embed is the key of a cloudcast's player with options. Equal Embeds share one call.
type Embed struct {
	key          mixcloud.CanonicalKey
	path         string // the key as received
	Width, Color string
	Height       int // 0 is not sent
}

// NewEmbed returns the key of a cloudcast's player with default options.
func NewEmbed(key mixcloud.Key) Embed { return Embed{key: key.Canonical(), path: key.String()} }

func (e Embed) options() mixcloud.EmbedOptions {
	return mixcloud.EmbedOptions{Width: e.Width, Color: e.Color, Height: positive(e.Height)}
}

// id returns the cache id of the player in a format.
func (e Embed) id(format string) string {
	return e.key.String() + format + "?" + url.Values{
		"width": {e.Width}, "color": {e.Color}, "height": {strconv.Itoa(e.Height)},
	}.Encode()
}

// An OEmbed is the key of an oEmbed response: the parameters of the call.
type OEmbed struct {
	URL, Color                         string
	Width, Height, MaxWidth, MaxHeight int    // 0 is not sent
	Light                              string // "", "true" or "false"
}

func (o OEmbed) options() mixcloud.OEmbedOptions {
	options := mixcloud.OEmbedOptions{
		Width: positive(o.Width), Height: positive(o.Height),
		MaxWidth: positive(o.MaxWidth), MaxHeight: positive(o.MaxHeight), Color: o.Color,
	}
	if o.Light != "" {
		light := o.Light == "true"
		options.Light = &light
	}
	return options
}

// id returns the cache id of the response in a format.
func (o OEmbed) id(format string) string {
	return "/oembed/?" + url.Values{
		"url": {o.URL}, "color": {o.Color}, "light": {o.Light}, "format": {format},
		"width": {strconv.Itoa(o.Width)}, "height": {strconv.Itoa(o.Height)},
		"maxwidth": {strconv.Itoa(o.MaxWidth)}, "maxheight": {strconv.Itoa(o.MaxHeight)},
	}.Encode()
}

// positive returns nil for a number that is not positive.
func positive(n int) *int {
	if n <= 0 {
		return nil
	}
	return &n
}

// A format determines how the responses in one embedding format are cached.
type format[V any] struct {
	name   string
	size   func(V) int
	encode func(V) []byte
	decode func([]byte) (V, error)
}

// rawFormat returns a format whose responses are cached as received.
func rawFormat[V ~string | ~[]byte](name string) format[V] {
	return format[V]{
		name, func(v V) int { return len(v) },
		func(v V) []byte { return []byte(v) },
		func(raw []byte) (V, error) { return V(raw), nil },
	}
}

// embeds returns a loader for one format of embedding. Writes do not change the values.
func embeds[K interface {
	comparable
	id(format string) string
}, V any](f format[V], get func(context.Context, *mixcloud.Client, K) (V, error)) *Loader[K, V] {
	return &Loader[K, V]{
		resource: func(_ *Loaders, key K) upstream.Resource[V] {
			return upstream.Resource[V]{
				Class: upstream.ClassEmbed, ID: key.id(f.name), Size: f.size, Encode: f.encode, Decode: f.decode,
				Get: func(ctx context.Context, c *mixcloud.Client) (V, error) { return get(ctx, c, key) },
			}
		},
		immutable: true,
	}
}
