package loaders

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// bodies is a transport that responds to each kind of path with one body.
type bodies map[string][]byte

// RoundTrip implements [http.RoundTripper].
func (b bodies) RoundTrip(r *http.Request) (*http.Response, error) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	body := b[parts[len(parts)-1]]
	if strings.HasPrefix(parts[0], "small") {
		body = b["small"]
	}
	if body == nil {
		body = b[fmt.Sprint(len(parts))]
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}, nil
}

// TestLoad_CountedSize fills the cache through the loaders. The size that the cache counts must be
// within 25% of the memory that it occupies. Otherwise the process would exceed its memory limit.
func TestLoad_CountedSize(t *testing.T) {
	e, err := emulator.New()
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) []byte {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK {
			t.Fatalf("GET %s: status %d, want 200", path, w.Code)
		}
		return w.Body.Bytes()
	}
	listed, err := mixcloud.DecodePage[mixcloud.Cloudcast](get("/popular/?limit=1"))
	if err != nil {
		t.Fatal(err)
	}
	client, err := mixcloud.New(mixcloud.WithAPIURL("https://mixcloud.test"), mixcloud.WithHTTPClient(&http.Client{Transport: bodies{
		"cloudcasts": get("/popular/?limit=100"),
		"followers":  get("/demo/following/?limit=20"),
		"comments":   get("/demo/comments/"),
		"1":          get("/demo/"),
		"small":      []byte(`{"key": "/small/", "url": "https://www.mixcloud.com/small/", "name": "small", "username": "small"}`),
		"2":          get(listed.Items[0].Key.String()),
	}}))
	if err != nil {
		t.Fatal(err)
	}
	path := func(i int, list string) PageKey {
		return ListPage(fmt.Sprintf("/user-%d/%s/", i, list), mixcloud.Range{Limit: 20})
	}
	kinds := []struct {
		name string
		load func(ctx context.Context, i int) error
	}{
		{"pages of cloudcasts", func(ctx context.Context, i int) error {
			_, err := CloudcastPages.Load(ctx, path(i, "cloudcasts"))
			return err
		}},
		{"pages of users", func(ctx context.Context, i int) error {
			_, err := UserPages.Load(ctx, path(i, "followers"))
			return err
		}},
		{"pages of comments", func(ctx context.Context, i int) error {
			_, err := CommentPages.Load(ctx, path(i, "comments"))
			return err
		}},
		{"users", func(ctx context.Context, i int) error {
			_, err := Users.Load(ctx, mixcloud.ParseKey(fmt.Sprintf("/user-%d/", i)))
			return err
		}},
		{"small users", func(ctx context.Context, i int) error {
			_, err := Users.Load(ctx, mixcloud.ParseKey(fmt.Sprintf("/small-%d/", i)))
			return err
		}},
		{"users whose keys are parts of a page", func(ctx context.Context, i int) error {
			page := fmt.Sprintf("/user-%d/", i) + strings.Repeat(" ", 64<<10)
			_, err := Users.Load(ctx, mixcloud.ParseKey(page[:strings.IndexByte(page, ' ')]))
			return err
		}},
		{"cloudcasts", func(ctx context.Context, i int) error {
			_, err := Cloudcasts.Load(ctx, mixcloud.ParseKey(fmt.Sprintf("/user-%d/show/", i)))
			return err
		}},
	}
	const limit = 16 << 20
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			before := heap()
			store := upstream.NewStore(client, upstream.Options{CacheBytes: limit, Budget: 1 << 30})
			defer func() { _ = store.Close(context.WithoutCancel(t.Context())) }()
			session := store.Session("")
			for i, size := 0, int64(-1); store.CacheSize() > size; i++ { // until an entry is evicted
				size = store.CacheSize()
				if err := kind.load(Into(t.Context(), New(t.Context(), session)), i); err != nil {
					t.Fatal(err)
				}
			}
			occupied, counted := heap()-before, float64(store.CacheSize())
			t.Logf("%.0f bytes are occupied and %.0f counted: %.2f", occupied, counted, occupied/counted)
			if ratio := occupied / counted; ratio < 0.75 || ratio > 1.25 {
				t.Errorf("the cache occupies %.0f bytes and counts %.0f, want a difference of at most 25%%", occupied, counted)
			}
			runtime.KeepAlive(store)
		})
	}
}

// heap returns the size of the heap without garbage.
func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // the second one empties the pools
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
