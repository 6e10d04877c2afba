package loaders

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// Loaders are the loaders of one operation. Resources are keyed by their
// canonical key, so that one resource under several spellings is one load.
type Loaders struct {
	session   *upstream.Session
	operation context.Context //nolint:containedctx // the loaders live exactly as long as the operation
	cutOff    atomic.Bool

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
	l.Users = resources(l, upstream.ClassUser, (*mixcloud.Client).User, mixcloud.Decode[mixcloud.FullUser], (*upstream.Session).CorrectFullUser)
	l.Users.loader.seen = func(user *mixcloud.FullUser) {
		if user.IsCurrentUser != nil && *user.IsCurrentUser {
			l.viewer.Prime(ctx, struct{}{}, user) // /me/ would be the same user again
		}
	}
	l.Cloudcasts = resources(l, upstream.ClassCloudcast, (*mixcloud.Client).Cloudcast, mixcloud.Decode[mixcloud.FullCloudcast], (*upstream.Session).CorrectFullCloudcast)
	l.Tags = resources(l, upstream.ClassTag, func(c *mixcloud.Client, ctx context.Context, key string) (*mixcloud.Tag, error) {
		return c.Tag(ctx, mixcloud.Canonical(key)) // one of the three prefixes, whichever was pasted
	}, mixcloud.Decode[mixcloud.Tag], nil)
	l.Categories = resources(l, upstream.ClassCategory, (*mixcloud.Client).Category, mixcloud.Decode[mixcloud.Category], nil)
	l.Playlists = resources(l, upstream.ClassPlaylist, (*mixcloud.Client).Playlist, mixcloud.Decode[mixcloud.Playlist], (*upstream.Session).CorrectPlaylist)
	l.Artists = resources(l, upstream.ClassArtist, (*mixcloud.Client).Artist, mixcloud.Decode[mixcloud.Artist], nil)
	l.Tracks = resources(l, upstream.ClassTrack, (*mixcloud.Client).Track, mixcloud.Decode[mixcloud.Track], nil)
	l.UserPages = pages(l, "user", (*mixcloud.Client).Users, (*mixcloud.Client).SearchUsers, mixcloud.DecodePage[mixcloud.User], (*upstream.Session).CorrectUser)
	l.CloudcastPages = pages(l, "cloudcast", (*mixcloud.Client).Cloudcasts, (*mixcloud.Client).SearchCloudcasts, mixcloud.DecodePage[mixcloud.Cloudcast], (*upstream.Session).CorrectCloudcast)
	l.TagPages = pages(l, "tag", (*mixcloud.Client).Tags, (*mixcloud.Client).SearchTags, mixcloud.DecodePage[mixcloud.Tag], nil)
	l.CommentPages = pages(l, "", (*mixcloud.Client).Comments, nil, mixcloud.DecodePage[mixcloud.Comment], (*upstream.Session).CorrectComment)
	l.ActivityPages = pages(l, "", (*mixcloud.Client).Activities, nil, mixcloud.DecodePage[mixcloud.Activity], (*upstream.Session).CorrectActivity)
	l.PlaylistPages = pages(l, "", (*mixcloud.Client).Playlists, nil, mixcloud.DecodePage[mixcloud.Playlist], (*upstream.Session).CorrectPlaylist)
	l.EmbedHTML = embedded(l, verbatim[string]("embed-html/"), func(ctx context.Context, c *mixcloud.Client, e Embed) (string, error) {
		return c.EmbedHTML(ctx, e.Key, e.options())
	})
	l.EmbedJSON = embedded(l, verbatim[json.RawMessage]("embed-json/"), func(ctx context.Context, c *mixcloud.Client, e Embed) (json.RawMessage, error) {
		return c.EmbedJSON(ctx, e.Key, e.options())
	})
	asJSON := form[*mixcloud.OEmbed]{
		"json", func(o *mixcloud.OEmbed) int { return 2 * len(o.Raw()) },
		func(o *mixcloud.OEmbed) []byte { return o.Raw() },
		func(raw []byte) (*mixcloud.OEmbed, error) { return mixcloud.DecodeOEmbed(raw) },
	}
	l.OEmbed = embedded(l, asJSON, func(ctx context.Context, c *mixcloud.Client, o OEmbed) (*mixcloud.OEmbed, error) {
		return c.OEmbed(ctx, o.URL, o.options())
	})
	l.OEmbedXML = embedded(l, verbatim[string]("xml"), func(ctx context.Context, c *mixcloud.Client, o OEmbed) (string, error) {
		return c.OEmbedXML(ctx, o.URL, o.options())
	})
	l.categories = single(l, upstream.ClassCategoryList, "/categories/", (*mixcloud.Client).Categories, mixcloud.DecodePage[mixcloud.Category])
	l.viewer = single(l, upstream.ClassViewer, "/me/", (*mixcloud.Client).Me, mixcloud.Decode[mixcloud.FullUser])
	return l
}

// Anonymous reports whether the operation acts for nobody.
func (l *Loaders) Anonymous() bool { return l.session.Anonymous() }

// Store is what stands behind the loaders.
func (l *Loaders) Store() *upstream.Store { return l.session.Store() }

// CutOff reports whether a load was waiting for Mixcloud when its context ended.
func (l *Loaders) CutOff() bool { return l.cutOff.Load() }

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

// raw is a value that keeps the bytes that it was made of.
type raw interface{ Raw() json.RawMessage }

// resources makes a loader of one kind of resource. It asks with the key as it
// was spelled: Mixcloud answers other cases too, but links in the answer would
// repeat them.
//
// Decode reads what was kept elsewhere. Correct, unless it is nil, makes an
// answer show the viewer's writes.
func resources[T any, P interface {
	*T
	raw
}](l *Loaders, class upstream.Class, get func(*mixcloud.Client, context.Context, string) (P, error),
	decode func(json.RawMessage) (*T, error), correct func(*upstream.Session, T) T,
) *ResourceLoader[T] {
	loader := new(ResourceLoader[T])
	loader.loader = newLoader(l, func(canonical string) upstream.Resource[*T] {
		key := canonical
		if spelling, ok := loader.spellings.Load(canonical); ok {
			key = spelling.(string)
		}
		return kept[T, P](class, canonical, decode, func(ctx context.Context, c *mixcloud.Client) (*T, error) {
			return get(c, ctx, key)
		})
	}, corrected(correct))
	l.forget = append(l.forget, loader.loader.forget)
	return loader
}

// corrected corrects a copy.
func corrected[T any](correct func(*upstream.Session, T) T) func(*upstream.Session, *T) *T {
	if correct == nil {
		return nil
	}
	return func(s *upstream.Session, value *T) *T {
		copied := correct(s, *value)
		return &copied
	}
}

// single makes a loader of something that there is only one of.
func single[T any, P interface {
	*T
	raw
}](l *Loaders, class upstream.Class, id string, get func(*mixcloud.Client, context.Context) (P, error), decode func(json.RawMessage) (*T, error)) *Loader[struct{}, *T] {
	loader := newLoader(l, func(struct{}) upstream.Resource[*T] {
		return kept[T, P](class, id, decode, func(ctx context.Context, c *mixcloud.Client) (*T, error) {
			return get(c, ctx)
		})
	}, nil)
	l.forget = append(l.forget, loader.forget)
	return loader
}

// kept is a resource that is kept as the bytes that it was made of.
func kept[T any, P interface {
	*T
	raw
}](class upstream.Class, id string, decode func(json.RawMessage) (*T, error), get func(context.Context, *mixcloud.Client) (*T, error)) upstream.Resource[*T] {
	return upstream.Resource[*T]{
		Class: class, ID: id, Get: get,
		Encode: func(value *T) []byte { return P(value).Raw() },
		Decode: func(raw []byte) (*T, error) { return decode(raw) },
	}
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
