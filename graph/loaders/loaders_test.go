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

// A callRecorder records the paths of calls.
type callRecorder struct {
	next     http.RoundTripper
	mu       sync.Mutex
	recorded []string
}

func (c *callRecorder) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.recorded = append(c.recorded, r.URL.Path)
	c.mu.Unlock()
	return c.next.RoundTrip(r)
}

// paths returns the sorted paths of the calls since the last call of paths.
func (c *callRecorder) paths() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	paths := c.recorded
	c.recorded = nil
	slices.Sort(paths)
	return paths
}

// newOperation returns the context of an operation that calls the emulator.
func newOperation(t *testing.T, token string) (context.Context, *callRecorder) {
	t.Helper()
	e, err := emulator.New()
	if err != nil {
		t.Fatal(err)
	}
	calls := &callRecorder{next: e.Transport()}
	client, err := mixcloud.New(mixcloud.WithAPIURL("https://mixcloud.test"), mixcloud.WithHTTPClient(&http.Client{Transport: calls}))
	if err != nil {
		t.Fatal(err)
	}
	store := upstream.NewStore(client, upstream.Options{CacheBytes: -1})
	t.Cleanup(func() { _ = store.Close(context.WithoutCancel(t.Context())) })
	return Into(t.Context(), New(t.Context(), store.Session(token))), calls
}

// All spellings of a key share one call. The call has the first spelling; for a tag it
// has the canonical key.
func TestResources(t *testing.T) {
	t.Parallel()
	ctx, calls := newOperation(t, "")
	load := func(want string, loads ...func() error) {
		t.Helper()
		for _, load := range loads {
			if err := load(); err != nil {
				t.Errorf("load for the call %s returned the error %v", want, err)
			}
		}
		if got := strings.Join(calls.paths(), " "); got != want {
			t.Errorf("got calls %q, want %q", got, want)
		}
	}
	load("/Demo/", loadOf(ctx, Users, "/Demo/"), loadOf(ctx, Users, "/demo/"), loadOf(ctx, Users, "/DEMO/"))
	load("/Spartacus/party-time/", loadOf(ctx, Cloudcasts, "/Spartacus/party-time/"), loadOf(ctx, Cloudcasts, "/spartacus/party-time/"))
	load("/genres/funk/", loadOf(ctx, Tags, "/tag/funk/"), loadOf(ctx, Tags, "/discover/funk/"), loadOf(ctx, Tags, "/genres/funk/"))
	load("/genres/city:athens/", loadOf(ctx, Tags, "/discover/city:athens/"), loadOf(ctx, Tags, "/genres/city:athens/"))
	load("/categories/ambient/", loadOf(ctx, Categories, "/categories/ambient/"), loadOf(ctx, Categories, "/categories/ambient/"))
	load("/demo/playlists/things-to-hear-again/", loadOf(ctx, Playlists, "/demo/playlists/things-to-hear-again/"))
}

// loadOf returns a function that loads the resource at a key.
func loadOf[T any](ctx context.Context, l *ResourceLoader[T], key string) func() error {
	return func() error {
		_, err := l.Load(ctx, mixcloud.ParseKey(key))
		return err
	}
}

// The viewer is loaded once: by /me/, which primes Users, or by Users, which primes the
// viewer.
func TestViewer(t *testing.T) {
	t.Parallel()
	ctx, calls := newOperation(t, "demo-token")
	if From(ctx).Anonymous() {
		t.Error("an operation with a token is anonymous")
	}
	for range 2 {
		viewer, err := From(ctx).Viewer(ctx)
		if err != nil || viewer.Key.String() != "/demo/" {
			t.Fatalf("Viewer returned %v, %v, want /demo/", show.Value(viewer), err)
		}
	}
	if _, err := Users.Load(ctx, mixcloud.ParseKey("/demo/")); err != nil {
		t.Error(err)
	}
	if got := strings.Join(calls.paths(), " "); got != "/me/" {
		t.Errorf("got calls %q, want /me/", got)
	}
	byName, calls := newOperation(t, "demo-token")
	if _, err := Users.Load(byName, mixcloud.ParseKey("/Demo/")); err != nil {
		t.Error(err)
	}
	if viewer, err := From(byName).Viewer(byName); err != nil || viewer.Key.String() != "/demo/" {
		t.Errorf("Viewer returned %v, %v, want /demo/", show.Value(viewer), err)
	}
	if got := strings.Join(calls.paths(), " "); got != "/Demo/" {
		t.Errorf("got calls %q, want /Demo/ and no call for the viewer", got)
	}
	if anonymous, _ := newOperation(t, ""); !From(anonymous).Anonymous() {
		t.Error("an operation without a token is not anonymous")
	}
}

// Each list page is loaded once.
func TestPages(t *testing.T) {
	t.Parallel()
	ctx, calls := newOperation(t, "")
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
				t.Errorf("%s: got %d items, want 3", path, n)
			}
		}
	}
	if got := calls.paths(); len(got) != 8 {
		t.Errorf("got calls %q, want 8", got)
	}
}

// items returns the number of items of a page.
func items[T any](t *testing.T, ctx context.Context, l *Loader[PageKey, *mixcloud.Page[T]], key PageKey) int { //nolint:revive // a test comes first
	t.Helper()
	page, err := l.Load(ctx, key)
	if err != nil {
		t.Errorf("Load(%+v) returned the error %v", key, err)
		return -1
	}
	return len(page.Items)
}

// From returns the loaders of a context, and panics if it has none.
func TestFrom(t *testing.T) {
	t.Parallel()
	l := new(Loaders)
	if From(Into(t.Context(), l)) != l {
		t.Error("From did not return the loaders of Into")
	}
	defer func() {
		if recover() == nil {
			t.Error("From did not panic for a context without loaders")
		}
	}()
	From(context.Background())
}
