package loaders

import (
	"context"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// An Embed names one form of a cloudcast's player.
type Embed struct {
	Key, Width, Color string
	Height            int // 0 is not sent
}

func (e Embed) options() mixcloud.EmbedOptions {
	return mixcloud.EmbedOptions{Width: e.Width, Color: e.Color, Height: positive(e.Height)}
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

func positive(n int) *int {
	if n <= 0 {
		return nil
	}
	return &n
}

// embedded makes a loader of one form of embedding.
func embedded[K comparable, V any](l *Loaders, get func(context.Context, *mixcloud.Client, K) (V, error)) *Loader[K, V] {
	return newLoader(l.operation, func(ctx context.Context, key K) (V, error) {
		return upstream.Read(ctx, l.session, func(ctx context.Context, c *mixcloud.Client) (V, error) {
			return get(ctx, c, key)
		})
	})
}
