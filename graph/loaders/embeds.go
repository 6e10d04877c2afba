package loaders

import (
	"context"
	"net/url"
	"strconv"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// An Embed names one form of a cloudcast's player. It is comparable: equal Embeds
// are one call.
type Embed struct {
	key          mixcloud.CanonicalKey
	path         string // the key as received
	Width, Color string
	Height       int // 0 is not sent
}

// NewEmbed names the default player of a cloudcast.
func NewEmbed(key mixcloud.Key) Embed { return Embed{key: key.Canonical(), path: key.String()} }

func (e Embed) options() mixcloud.EmbedOptions {
	return mixcloud.EmbedOptions{Width: e.Width, Color: e.Color, Height: positive(e.Height)}
}

func (e Embed) id(form string) string {
	return e.key.String() + form + "?" + url.Values{
		"width": {e.Width}, "color": {e.Color}, "height": {strconv.Itoa(e.Height)},
	}.Encode()
}

// An OEmbed names one oEmbed question.
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

func (o OEmbed) id(form string) string {
	return "/oembed/?" + url.Values{
		"url": {o.URL}, "color": {o.Color}, "light": {o.Light}, "format": {form},
		"width": {strconv.Itoa(o.Width)}, "height": {strconv.Itoa(o.Height)},
		"maxwidth": {strconv.Itoa(o.MaxWidth)}, "maxheight": {strconv.Itoa(o.MaxHeight)},
	}.Encode()
}

func positive(n int) *int {
	if n <= 0 {
		return nil
	}
	return &n
}

// A form is how the responses of one form of embedding are cached.
type form[V any] struct {
	name   string
	size   func(V) int
	encode func(V) []byte
	decode func([]byte) (V, error)
}

// verbatim returns a form whose responses are cached as they were received.
func verbatim[V ~string | ~[]byte](name string) form[V] {
	return form[V]{
		name, func(v V) int { return len(v) },
		func(v V) []byte { return []byte(v) },
		func(raw []byte) (V, error) { return V(raw), nil },
	}
}

// embedded returns a loader of one form of embedding. No write changes these.
func embedded[K interface {
	comparable
	id(form string) string
}, V any](f form[V], get func(context.Context, *mixcloud.Client, K) (V, error)) *Loader[K, V] {
	return &Loader[K, V]{
		resource: func(_ *Loaders, key K) upstream.Resource[V] {
			return upstream.Resource[V]{
				Class: upstream.ClassEmbed, ID: key.id(f.name), Size: f.size, Encode: f.encode, Decode: f.decode,
				Get: func(ctx context.Context, c *mixcloud.Client) (V, error) { return get(ctx, c, key) },
			}
		},
		keeps: true,
	}
}
