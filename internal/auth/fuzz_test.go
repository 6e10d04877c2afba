package auth

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// FuzzCallback calls the callback with any cookie and query. The response is an HTML page or a
// redirect to a path of this server, never a 500, and no code is exchanged without an attempt.
func FuzzCallback(f *testing.F) {
	d := newTestServer(f, serverOptions{})
	begun := &attempt{Nonce: "NONCE", Next: "/n", Since: time.Now().Unix()}
	good := seal(d.keys.attempt, begun)
	for _, cookie := range []string{"", good, flip(good), good[:9], "1.", seal(d.keys.session, begun), seal(d.keys.attempt, "x")} {
		for _, query := range []string{"", "attempt=NONCE&code=abc", "attempt=NONCE", "attempt=&code=abc", "attempt=NONCE&error=x", "attempt=NONCE&code=a&code=b", "%zz", "a;b", "attempt=%00"} {
			f.Add(cookie, query)
		}
	}
	f.Fuzz(func(t *testing.T, cookie, query string) {
		before := d.mixcloud.exchanges()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, CallbackPath, nil)
		r.URL.RawQuery = query
		r.Header.Set("Cookie", "mixcloud-graphql-dev-attempt="+cookie)
		w := httptest.NewRecorder()
		d.handler.ServeHTTP(w, r)
		values, _ := url.ParseQuery(query)
		mine := len(r.CookiesNamed("mixcloud-graphql-dev-attempt")) == 1 && strings.HasPrefix(cookie, good[:2]) && values.Get("attempt") == "NONCE"
		switch {
		case w.Code == http.StatusSeeOther:
			if !mine || w.Header().Get("Location") != "/base/n" {
				t.Errorf("callback with query %q and cookie %q redirects to %q, want /base/n, and only for the own attempt", query, cookie, w.Header().Get("Location"))
			}
		case w.Code != http.StatusBadRequest && w.Code != http.StatusForbidden:
			t.Errorf("callback with query %q and cookie %q: status %d, want 303, 400 or 403", query, cookie, w.Code)
		case d.mixcloud.exchanges() != before:
			t.Errorf("callback with query %q and cookie %q exchanged a code, want no exchange after status %d", query, cookie, w.Code)
		}
	})
}
