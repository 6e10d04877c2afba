package loaders

import (
	"context"
	"encoding/json"
	"sync"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// Loaders are the loaders of one operation. Resources are keyed by their
// canonical key, so that one resource under several spellings is one load.
type Loaders struct {
	session   *upstream.Session
	operation context.Context //nolint:containedctx // the loaders live exactly as long as the operation

	Users      *ResourceLoader[mixcloud.FullUser]
	Cloudcasts *ResourceLoader[mixcloud.FullCloudcast]
	Tags       *ResourceLoader[mixcloud.Tag] // cities too
	Categories *ResourceLoader[mixcloud.Category]
	Playlists  *ResourceLoader[mixcloud.Playlist]
	Artists    *ResourceLoader[mixcloud.Artist]
	Tracks     *ResourceLoader[mixcloud.Track]

	UserPages      *Loader[List, *mixcloud.Page[mixcloud.User]]
	CloudcastPages *Loader[List, *mixcloud.Page[mixcloud.Cloudcast]]
	TagPages       *Loader[List, *mixcloud.Page[mixcloud.Tag]]
	CommentPages   *Loader[List, *mixcloud.Page[mixcloud.Comment]]
	ActivityPages  *Loader[List, *mixcloud.Page[mixcloud.Activity]]
	PlaylistPages  *Loader[List, *mixcloud.Page[mixcloud.Playlist]]

	EmbedHTML *Loader[Embed, string]
	EmbedJSON *Loader[Embed, json.RawMessage]
	OEmbed    *Loader[OEmbed, *mixcloud.OEmbed]
	OEmbedXML *Loader[OEmbed, string]

	viewer     *Loader[struct{}, *mixcloud.FullUser]
	categories *Loader[struct{}, *mixcloud.Page[mixcloud.Category]]

	forget []func() // of each loader whose answers a write can change
}

// New makes the loaders of an operation that ends with ctx.
func New(ctx context.Context, session *upstream.Session) *Loaders {
	l := &Loaders{session: session, operation: ctx}
	l.Users = resources(l, func(c *mixcloud.Client, ctx context.Context, key string) (*mixcloud.FullUser, error) {
		user, err := c.User(ctx, key)
		if err == nil && user.IsCurrentUser != nil && *user.IsCurrentUser {
			l.viewer.Prime(ctx, struct{}{}, user) // /me/ would be the same user again
		}
		return user, err
	}, (*upstream.Session).CorrectFullUser)
	l.Cloudcasts = resources(l, (*mixcloud.Client).Cloudcast, correctFullCloudcast)
	l.Tags = resources(l, func(c *mixcloud.Client, ctx context.Context, key string) (*mixcloud.Tag, error) {
		return c.Tag(ctx, mixcloud.Canonical(key)) // one of the three prefixes, whichever was pasted
	}, nil)
	l.Categories = resources(l, (*mixcloud.Client).Category, nil)
	l.Playlists = resources(l, (*mixcloud.Client).Playlist, correctPlaylist)
	l.Artists = resources(l, (*mixcloud.Client).Artist, nil)
	l.Tracks = resources(l, (*mixcloud.Client).Track, nil)
	l.UserPages = pages(l, (*mixcloud.Client).Users, (*mixcloud.Client).SearchUsers, (*upstream.Session).CorrectUser)
	l.CloudcastPages = pages(l, (*mixcloud.Client).Cloudcasts, (*mixcloud.Client).SearchCloudcasts, (*upstream.Session).CorrectCloudcast)
	l.TagPages = pages(l, (*mixcloud.Client).Tags, (*mixcloud.Client).SearchTags, nil)
	l.CommentPages = pages(l, (*mixcloud.Client).Comments, nil, correctComment)
	l.ActivityPages = pages(l, (*mixcloud.Client).Activities, nil, correctActivity)
	l.PlaylistPages = pages(l, (*mixcloud.Client).Playlists, nil, correctPlaylist)
	l.categories = single(l, (*mixcloud.Client).Categories)
	l.EmbedHTML = embedded(l, func(ctx context.Context, c *mixcloud.Client, e Embed) (string, error) {
		return c.EmbedHTML(ctx, e.Key, e.options())
	})
	l.EmbedJSON = embedded(l, func(ctx context.Context, c *mixcloud.Client, e Embed) (json.RawMessage, error) {
		return c.EmbedJSON(ctx, e.Key, e.options())
	})
	l.OEmbed = embedded(l, func(ctx context.Context, c *mixcloud.Client, o OEmbed) (*mixcloud.OEmbed, error) {
		return c.OEmbed(ctx, o.URL, o.options())
	})
	l.OEmbedXML = embedded(l, func(ctx context.Context, c *mixcloud.Client, o OEmbed) (string, error) {
		return c.OEmbedXML(ctx, o.URL, o.options())
	})
	l.viewer = single(l, (*mixcloud.Client).Me)
	return l
}

// Anonymous reports whether the operation acts for nobody.
func (l *Loaders) Anonymous() bool { return l.session.Anonymous() }

// Store is what stands behind the loaders.
func (l *Loaders) Store() *upstream.Store { return l.session.Store() }

// Session is the operation's own access to Mixcloud, for its writes.
func (l *Loaders) Session() *upstream.Session { return l.session }

// Forget makes everything that is asked for from now on be fetched anew: the
// operation has written.
func (l *Loaders) Forget() {
	for _, forget := range l.forget {
		forget()
	}
}

// Viewer loads the user whose token the operation bears, who is then known
// under their own key too. Anonymous operations must not ask.
func (l *Loaders) Viewer(ctx context.Context) (*mixcloud.FullUser, error) {
	viewer, err := l.viewer.Load(ctx, struct{}{})
	if err == nil {
		l.Users.Prime(ctx, viewer.Key, viewer)
	}
	return viewer, err
}

// AllCategories loads the list of all categories.
func (l *Loaders) AllCategories(ctx context.Context) (*mixcloud.Page[mixcloud.Category], error) {
	return l.categories.Load(ctx, struct{}{})
}

// A ResourceLoader loads the full form of one kind of resource. One resource
// under several spellings of its key is one load.
type ResourceLoader[T any] struct {
	loader    *Loader[string, *T]
	spellings sync.Map // canonical key to the first spelling asked for
}

// Load gives the resource that stands at key.
func (l *ResourceLoader[T]) Load(ctx context.Context, key string) (*T, error) {
	canonical := mixcloud.Canonical(key)
	l.spellings.LoadOrStore(canonical, key)
	return l.loader.Load(ctx, canonical)
}

// Prime makes a full resource known without a call.
func (l *ResourceLoader[T]) Prime(ctx context.Context, key string, full *T) {
	l.loader.Prime(ctx, mixcloud.Canonical(key), full)
}

// resources makes a loader of one kind of resource. It asks with the key as it
// was spelled: Mixcloud answers other cases too, but links in the answer would
// repeat them.
//
// Correct, unless it is nil, makes a fresh answer show the viewer's writes.
func resources[T any](l *Loaders, get func(*mixcloud.Client, context.Context, string) (*T, error), correct func(*upstream.Session, *T)) *ResourceLoader[T] {
	loader := new(ResourceLoader[T])
	loader.loader = newLoader(l.operation, func(ctx context.Context, canonical string) (*T, error) {
		key := canonical
		if spelling, ok := loader.spellings.Load(canonical); ok {
			key = spelling.(string)
		}
		value, err := upstream.Read(ctx, l.session, func(ctx context.Context, c *mixcloud.Client) (*T, error) {
			return get(c, ctx, key)
		})
		if err == nil && correct != nil {
			correct(l.session, value)
		}
		return value, err
	})
	l.forget = append(l.forget, loader.loader.forget)
	return loader
}

// single makes a loader of something that there is only one of.
func single[T any](l *Loaders, get func(*mixcloud.Client, context.Context) (*T, error)) *Loader[struct{}, *T] {
	loader := newLoader(l.operation, func(ctx context.Context, _ struct{}) (*T, error) {
		return upstream.Read(ctx, l.session, func(ctx context.Context, c *mixcloud.Client) (*T, error) {
			return get(c, ctx)
		})
	})
	l.forget = append(l.forget, loader.forget)
	return loader
}

type contextKey struct{}

// Into gives a context that carries the loaders of the operation.
func Into(ctx context.Context, l *Loaders) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
}

// From gives the loaders of the operation that ctx belongs to. A context
// without is a programming error and panics.
func From(ctx context.Context) *Loaders {
	l, ok := ctx.Value(contextKey{}).(*Loaders)
	if !ok {
		panic("loaders: the context belongs to no operation")
	}
	return l
}
