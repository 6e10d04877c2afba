package loaders

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// A tap sees the paths that are asked for.
type tap struct {
	next  http.RoundTripper
	mu    sync.Mutex
	paths []string
}

func (t *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	t.mu.Lock()
	t.paths = append(t.paths, r.URL.Path)
	t.mu.Unlock()
	return t.next.RoundTrip(r)
}

func (t *tap) asked() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	paths := t.paths
	t.paths = nil
	slices.Sort(paths)
	return paths
}

// operation makes the context of an operation over an emulated Mixcloud.
func operation(t *testing.T, token string) (context.Context, *tap) {
	t.Helper()
	e, err := emulator.New()
	if err != nil {
		t.Fatal(err)
	}
	wire := &tap{next: e.Transport()}
	client, err := mixcloud.New(mixcloud.WithAPIURL("https://mixcloud.test"), mixcloud.WithHTTPClient(&http.Client{Transport: wire}))
	if err != nil {
		t.Fatal(err)
	}
	store := upstream.NewStore(client, upstream.Options{CacheBytes: -1})
	t.Cleanup(func() { _ = store.Close(context.WithoutCancel(t.Context())) })
	return Into(t.Context(), New(t.Context(), store.Session(token))), wire
}

// TestResources loads one of everything under every spelling: one call each,
// with the key as it was spelled first, and for a tag under today's path.
func TestResources(t *testing.T) {
	t.Parallel()
	ctx, wire := operation(t, "")
	load := func(want string, calls ...func() error) {
		t.Helper()
		for _, call := range calls {
			if err := call(); err != nil {
				t.Errorf("%s: %v", want, err)
			}
		}
		if got := strings.Join(wire.asked(), " "); got != want {
			t.Errorf("asked for %q, want %q", got, want)
		}
	}
	load("/Demo/", of(ctx, Users, "/Demo/"), of(ctx, Users, "/demo/"), of(ctx, Users, "/DEMO/"))
	load("/Spartacus/party-time/", of(ctx, Cloudcasts, "/Spartacus/party-time/"), of(ctx, Cloudcasts, "/spartacus/party-time/"))
	load("/genres/funk/", of(ctx, Tags, "/tag/funk/"), of(ctx, Tags, "/discover/funk/"), of(ctx, Tags, "/genres/funk/"))
	load("/genres/city:athens/", of(ctx, Tags, "/discover/city:athens/"), of(ctx, Tags, "/genres/city:athens/"))
	load("/categories/ambient/", of(ctx, Categories, "/categories/ambient/"), of(ctx, Categories, "/categories/ambient/"))
	load("/demo/playlists/things-to-hear-again/", of(ctx, Playlists, "/demo/playlists/things-to-hear-again/"))
}

func of[T any](ctx context.Context, l *ResourceLoader[T], key string) func() error {
	return func() error {
		_, err := l.Load(ctx, mixcloud.ParseKey(key))
		return err
	}
}

// TestViewer loads the viewer once, who is then known under their own key; but
// an operation without a token is anonymous.
func TestViewer(t *testing.T) {
	t.Parallel()
	ctx, wire := operation(t, "demo-token")
	if From(ctx).Anonymous() {
		t.Error("an operation with a token is anonymous")
	}
	for range 2 {
		viewer, err := From(ctx).Viewer(ctx)
		if err != nil || viewer.Key.String() != "/demo/" {
			t.Fatalf("%v, %v", show.Value(viewer), err)
		}
	}
	if _, err := Users.Load(ctx, mixcloud.ParseKey("/demo/")); err != nil {
		t.Error(err)
	}
	if got := strings.Join(wire.asked(), " "); got != "/me/" {
		t.Errorf("asked for %q", got)
	}
	byName, wire := operation(t, "demo-token")
	if _, err := Users.Load(byName, mixcloud.ParseKey("/Demo/")); err != nil {
		t.Error(err)
	}
	if viewer, err := From(byName).Viewer(byName); err != nil || viewer.Key.String() != "/demo/" {
		t.Errorf("%v, %v", show.Value(viewer), err)
	}
	if got := strings.Join(wire.asked(), " "); got != "/Demo/" {
		t.Errorf("asked for %q, though that is the viewer", got)
	}
	if anonymous, _ := operation(t, ""); !From(anonymous).Anonymous() {
		t.Error("an operation without a token is not anonymous")
	}
}

// TestPages loads a page of every kind of list.
func TestPages(t *testing.T) {
	t.Parallel()
	ctx, wire := operation(t, "")
	r := mixcloud.Range{Limit: 3}
	for range 2 {
		for path, n := range map[string]int{
			"/demo/followers/":  items(t, ctx, UserPages, ListPage("/demo/followers/", r)),
			"/demo/favorites/":  items(t, ctx, CloudcastPages, ListPage("/demo/favorites/", r)),
			"/demo/comments/":   items(t, ctx, CommentPages, ListPage("/demo/comments/", r)),
			"/demo/feed/":       items(t, ctx, ActivityPages, ListPage("/demo/feed/", r)),
			"/demo/playlists/":  items(t, ctx, PlaylistPages, ListPage("/demo/playlists/", r)),
			"search cloudcasts": items(t, ctx, CloudcastPages, SearchPage("night", r)),
			"search users":      items(t, ctx, UserPages, SearchPage("a", r)),
			"search tags":       items(t, ctx, TagPages, SearchPage("funk", r)),
		} {
			if n != 3 {
				t.Errorf("%s: %d items", path, n)
			}
		}
	}
	if got := wire.asked(); len(got) != 8 {
		t.Errorf("asked for %q", got)
	}
}

func items[T any](t *testing.T, ctx context.Context, l *Loader[PageKey, *mixcloud.Page[T]], of PageKey) int { //nolint:revive // a test comes first
	t.Helper()
	page, err := l.Load(ctx, of)
	if err != nil {
		t.Errorf("%+v: %v", of, err)
		return -1
	}
	return len(page.Items)
}

// TestFrom checks that From returns what Into was called with, and panics without.
func TestFrom(t *testing.T) {
	t.Parallel()
	l := new(Loaders)
	if From(Into(t.Context(), l)) != l {
		t.Error("other loaders come back")
	}
	defer func() {
		if recover() == nil {
			t.Error("a context of no operation has loaders")
		}
	}()
	From(context.Background())
}
