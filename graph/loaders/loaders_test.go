package loaders

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

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

// operation makes the loaders of an operation over an emulated Mixcloud.
func operation(t *testing.T, token string) (*Loaders, *tap) {
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
	return New(t.Context(), store.Session(token)), wire
}

// TestResources loads one of everything under every spelling: one call each,
// with the key as it was spelled first, and for a tag under today's path.
func TestResources(t *testing.T) {
	t.Parallel()
	l, wire := operation(t, "")
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
	load("/Demo/", of(t, l.Users, "/Demo/"), of(t, l.Users, "/demo/"), of(t, l.Users, "/DEMO/"))
	load("/Spartacus/party-time/", of(t, l.Cloudcasts, "/Spartacus/party-time/"), of(t, l.Cloudcasts, "/spartacus/party-time/"))
	load("/genres/funk/", of(t, l.Tags, "/tag/funk/"), of(t, l.Tags, "/discover/funk/"), of(t, l.Tags, "/genres/funk/"))
	load("/genres/city:athens/", of(t, l.Tags, "/discover/city:athens/"), of(t, l.Tags, "/genres/city:athens/"))
	load("/categories/ambient/", of(t, l.Categories, "/categories/ambient/"), of(t, l.Categories, "/categories/ambient/"))
	load("/demo/playlists/things-to-hear-again/", of(t, l.Playlists, "/demo/playlists/things-to-hear-again/"))
}

func of[T any](t *testing.T, l *ResourceLoader[T], key string) func() error {
	return func() error {
		_, err := l.Load(t.Context(), key)
		return err
	}
}

// TestViewer loads the viewer once, who is then known under their own key; but
// nobody's operation is anonymous, and says so.
func TestViewer(t *testing.T) {
	t.Parallel()
	l, wire := operation(t, "demo-token")
	if l.Anonymous() {
		t.Error("an operation with a token is anonymous")
	}
	for range 2 {
		viewer, err := l.Viewer(t.Context())
		if err != nil || viewer.Key != "/demo/" {
			t.Fatalf("%v, %v", viewer, err)
		}
	}
	if _, err := l.Users.Load(t.Context(), "/demo/"); err != nil {
		t.Error(err)
	}
	if got := strings.Join(wire.asked(), " "); got != "/me/" {
		t.Errorf("asked for %q", got)
	}
	byName, wire := operation(t, "demo-token")
	if _, err := byName.Users.Load(t.Context(), "/Demo/"); err != nil {
		t.Error(err)
	}
	if viewer, err := byName.Viewer(t.Context()); err != nil || viewer.Key != "/demo/" {
		t.Errorf("%v, %v", viewer, err)
	}
	if got := strings.Join(wire.asked(), " "); got != "/Demo/" {
		t.Errorf("asked for %q, though that is the viewer", got)
	}
	if nobody, _ := operation(t, ""); !nobody.Anonymous() {
		t.Error("an operation without a token is not anonymous")
	}
}

// TestPages loads a page of every kind of list.
func TestPages(t *testing.T) {
	t.Parallel()
	l, wire := operation(t, "")
	r := mixcloud.Range{Limit: 3}
	for range 2 {
		for path, n := range map[string]int{
			"/demo/followers/":  items(t, l.UserPages, Path("/demo/followers/", r)),
			"/demo/favorites/":  items(t, l.CloudcastPages, Path("/demo/favorites/", r)),
			"/demo/comments/":   items(t, l.CommentPages, Path("/demo/comments/", r)),
			"/demo/feed/":       items(t, l.ActivityPages, Path("/demo/feed/", r)),
			"/demo/playlists/":  items(t, l.PlaylistPages, Path("/demo/playlists/", r)),
			"search cloudcasts": items(t, l.CloudcastPages, Search("night", r)),
			"search users":      items(t, l.UserPages, Search("a", r)),
			"search tags":       items(t, l.TagPages, Search("funk", r)),
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

func items[T any](t *testing.T, l *Loader[List, *mixcloud.Page[T]], of List) int {
	t.Helper()
	page, err := l.Load(t.Context(), of)
	if err != nil {
		t.Errorf("%+v: %v", of, err)
		return -1
	}
	return len(page.Items)
}

// TestFrom gives back what Into was given, and panics without.
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
