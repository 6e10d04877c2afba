package graphhttp

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// compressed returns the response of a handler behind the middleware.
func compressed(t *testing.T, path, accept string, next http.HandlerFunc) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if accept != "" {
		r.Header.Set("Accept-Encoding", accept)
	}
	w := httptest.NewRecorder()
	Compress()(next).ServeHTTP(w, r)
	return w
}

func TestCompress(t *testing.T) {
	t.Parallel()
	large := strings.Repeat(`{"name":"Second Sleep"},`, 200)
	respondWith := func(contentType, body string, more ...func(http.Header)) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("ETag", `"tag"`)
			for _, set := range more {
				set(w.Header())
			}
			_, _ = io.WriteString(w, body)
		}
	}
	cookie := func(h http.Header) { h.Add("Set-Cookie", "a=b") }
	for _, tt := range []struct {
		name, path, accept string
		next               http.HandlerFunc
		coding, tag        string
	}{
		{"gzip", "/graphql", "gzip", respondWith(mediaGraphQL, large), "gzip", `"tag-gzip"`},
		{"zstd if both are accepted", "/graphql", "gzip, zstd", respondWith(mediaJSON, large), "zstd", `"tag-zstd"`},
		{"gzip if the client prefers it", "/graphql", "gzip;q=1, zstd;q=0.5", respondWith(mediaJSON, large), "gzip", `"tag-gzip"`},
		{"not accepted", "/graphql", "", respondWith(mediaJSON, large), "", `"tag"`},
		{"refused by the client", "/graphql", "gzip;q=0, identity", respondWith(mediaJSON, large), "", `"tag"`},
		{"a coding that is not offered", "/graphql", "br", respondWith(mediaJSON, large), "", `"tag"`},
		{"small", "/graphql", "gzip", respondWith(mediaJSON, "{}"), "", `"tag"`},
		{"a script of the page", "/playground/main.js", "gzip", respondWith("text/javascript", large), "gzip", `"tag-gzip"`},
		{"a picture", "/x.png", "gzip", respondWith("image/png", large), "", `"tag"`},
		{"signing in", "/oauth/login", "gzip", respondWith("text/html", large), "", `"tag"`},
		{"a response that sets a cookie", "/graphql", "gzip", respondWith(mediaJSON, large, cookie), "", `"tag"`},
		{"a response with a secret", "/graphql", "gzip", respondWith(mediaJSON, large, Uncompressed), "", `"tag"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := compressed(t, tt.path, tt.accept, tt.next)
			if got := w.Header().Get("Content-Encoding"); got != tt.coding {
				t.Fatalf("Content-Encoding %q, want %q", got, tt.coding)
			}
			if !strings.Contains(w.Header().Get("Vary"), "Accept-Encoding") {
				t.Errorf("Vary = %q, want it to contain Accept-Encoding", w.Header().Get("Vary"))
			}
			if got := w.Header().Get("ETag"); got != tt.tag {
				t.Errorf("ETag %s, want %s", got, tt.tag)
			}
			if w.Header().Get("No-Gzip-Compression") != "" {
				t.Error("the internal header No-Gzip-Compression was sent")
			}
			plain := compressed(t, tt.path, "", tt.next).Body.String()
			if got := decompressed(t, tt.coding, w.Body.Bytes()); got != plain {
				t.Errorf("the body differs: %d bytes, want %d", len(got), len(plain))
			}
		})
	}
}

func decompressed(t *testing.T, coding string, body []byte) string {
	t.Helper()
	var from io.Reader = bytes.NewReader(body)
	var err error
	switch coding {
	case "gzip":
		from, err = gzip.NewReader(from)
	case "zstd":
		from, err = zstd.NewReader(from)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each event of a compressed stream arrives when it is sent, not at the end.
func TestCompress_FlushesEvents(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	srv := httptest.NewServer(Compress()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaEvents)
		out := &events{w: w, conn: http.NewResponseController(w)}
		for out.event("next", []byte(`{"data":{}}`)) {
			if _, more := <-next; !more {
				return
			}
		}
	})))
	defer srv.Close()
	defer close(next)
	client := &http.Client{Timeout: 10 * time.Second}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip")
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("headers %v, want Content-Encoding gzip", resp.Header)
	}
	from, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	event := make([]byte, len("event: next\ndata: {\"data\":{}}\n\n"))
	for range 3 {
		if _, err := io.ReadFull(from, event); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(event), "event: next") {
			t.Fatalf("first event = %q, want it to begin with event: next", event)
		}
		next <- struct{}{}
	}
}
