package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzServe checks that every request gets a valid response: a JSON response is ASCII,
// and its links lead to existing pages.
func FuzzServe(f *testing.F) {
	for _, seed := range []string{
		"/demo/?metadata=1", "/demo/cloudcasts/?limit=2&until=1500000000", "/genres/funk+city:london/popular/?offset=3", "/search/?q=%22%5C&type=user",
		"/%CE%BD/%2F/", "/me/feed/?access_token=demo-token&since=2020-01-01+00:00:00", "/www/oembed/?url=https://www.mixcloud.com/demo/&format=xml",
		"/www/widget/iframe/?feed=/demo/&color=00ff00", "/www/unsafe/10x10/a/b", "//", "/demo/cloudcasts/?limit=9223372036854775807&offset=9223372036854775807",
		"/demo/?callback=f", "/categories/ambient/users/?x=%00%ff", "/track/a/b/", "/demo/playlists/%20/cloudcasts/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(u.Path, "/") || u.Host != "" || strings.HasPrefix(u.Path, "/www/unsafe/") {
			return
		}
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
		r.URL, r.RequestURI = u, target
		w := do(sharedEmulator(), r)
		body := w.Body.String()
		if w.Code >= 500 {
			t.Fatalf("GET %s: status %d, want below 500: %s", target, w.Code, body)
		}
		if w.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
			return
		}
		if callback := r.URL.Query().Get("callback"); strings.HasPrefix(body, callback+"(") {
			body = strings.TrimSuffix(strings.TrimPrefix(body, callback+"("), ")")
		}
		if !json.Valid([]byte(body)) || strings.Trim(body, "\n"+ascii) != "" {
			t.Fatalf("GET %s: body %q, want JSON in ASCII", target, body)
		}
		var page struct{ Paging map[string]string }
		if json.Unmarshal([]byte(body), &page) != nil {
			return
		}
		for _, link := range page.Paging {
			next, err := url.Parse(link)
			if err != nil {
				t.Fatal(err)
			}
			if token := r.URL.Query().Get("access_token"); token != "" { // links do not contain it
				next.RawQuery += "&access_token=" + url.QueryEscape(token)
			}
			if w := get(t, sharedEmulator(), next.RequestURI()); w.Code != http.StatusOK {
				t.Fatalf("GET %s (a paging link): status %d, want 200", link, w.Code)
			}
		}
	})
}
