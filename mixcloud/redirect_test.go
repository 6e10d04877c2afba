package mixcloud

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestRedirect_Location checks that an error contains the Location of a redirect
// only if its path is below the base URL of the API and names the same kind of
// resource.
func TestRedirect_Location(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ from, location, want string }{
		{"/bob/", "/base/alice/", "/alice/"},
		{"/bob/", "/base/alice", "/alice/"},
		{"/bob/", "../alice/?limit=3&access_token=x", "/alice/"},
		{"/bob/", "http://api.test/base/alice/", "/alice/"},
		{"/bob/", "https://API.test/base/alice/#x", "/alice/"},
		{"/bob/", "/base/BOB/", "/BOB/"},
		{"/bob/", "/base/%c3%a9ric/", "/%C3%A9ric/"},
		{"/bob/show/", "/base/alice/other-show/", "/alice/other-show/"},
		{"/bob/cloudcasts/", "/base/alice/cloudcasts/", "/alice/cloudcasts/"},
		{"/bob/show/comments/", "/base/bob/show-2/comments/", "/bob/show-2/comments/"},
		{"/bob/playlists/one/cloudcasts/", "/base/bob/playlists/two/cloudcasts/", "/bob/playlists/two/cloudcasts/"},
		{"/tag/funk/", "/base/genres/funk/", "/genres/funk/"},
		{"/tag/funk/popular/", "/base/genres/funk/popular/", "/genres/funk/popular/"},
		{"/genres/athens/", "/base/genres/city:athens/", "/genres/city:athens/"},

		{"/bob/", "", ""},
		{"/bob/", "/base/bob/", ""},
		{"/bob/", "/base/bob", ""},
		{"/bob/", "/alice/", ""},
		{"/bob/", "/baseball/alice/", ""},
		{"/bob/", "/base/", ""},
		{"/bob/", "/base/../alice/", ""},
		{"/bob/", "/base/%2e%2e/alice/", ""},
		{"/bob/", "/base/a%2fb/", ""},
		{"/bob/", "/base/alice/show/", ""},
		{"/bob/", "/base/login/", ""},
		{"/bob/show/", "/base/bob/", ""},
		{"/bob/cloudcasts/", "/base/bob/favorites/", ""},
		{"/bob/cloudcasts/", "/base/bob/show/", ""},
		{"/popular/", "/base/new/", ""},
		{"/me/", "/base/bob/", ""},
		{"/bob/", "http://api.test:8080/base/alice/", ""},
		{"/bob/", "http://www.api.test/base/alice/", ""},
		{"/bob/", "http://user@api.test/base/alice/", ""},
		{"/bob/", "//evil.test/base/alice/", ""},
		{"/bob/", "\\\\evil.test/base/alice/", ""},
		{"/bob/", "ftp://api.test/base/alice/", ""},
		{"/bob/", "javascript:alert(1)", ""},
		{"/bob/", "%zz", ""},
		{"/bob/", "http://[::1/", ""},
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			c := testClient(t, func(r *http.Request) (*http.Response, error) {
				return newResponse(r, status, http.Header{"Location": {test.location}}, strings.NewReader("<html>moved</html>")), nil
			}, WithAPIURL("http://api.test/base"))
			_, err := c.Get(t.Context(), test.from, nil)
			var e *Error
			if !errors.As(err, &e) || e.Kind != ErrMoved || e.Status != status || e.Location != test.want {
				t.Errorf("redirect %d from %s to %q: error %v with the Location %q, want ErrMoved with this status and %q", status, test.from, test.location, err, e.Location, test.want)
			}
		}
	}
}

// TestWithLocation checks that WithLocation changes only the path of a read, and
// that writes and reads of other kinds ignore it.
func TestWithLocation(t *testing.T) {
	t.Parallel()
	var requested []string
	c := testClient(t, func(r *http.Request) (*http.Response, error) {
		requested = append(requested, r.Method+" "+r.URL.RequestURI())
		return newResponse(r, 200, nil, strings.NewReader(`{"key":"/alice/","data":[],"result":{"success":true}}`)), nil
	}, WithAPIURL("https://api.test/base")).As("token-of-carol")
	ctx := WithLocation(t.Context(), "/alice/")
	if _, err := c.User(ctx, "/bob/"); err != nil {
		t.Error(err)
	}
	if _, err := c.Cloudcast(ctx, "/bob/show/"); err != nil {
		t.Error(err)
	}
	if _, err := c.Follow(ctx, "/bob/"); err != nil {
		t.Error(err)
	}
	if _, err := c.UserFollowers(WithLocation(t.Context(), "/alice/followers/"), "/bob/", Range{Limit: 3}); err != nil {
		t.Error(err)
	}
	want := []string{
		"GET /base/alice/?access_token=token-of-carol", "GET /base/bob/show/?access_token=token-of-carol",
		"POST /base/bob/follow/?access_token=token-of-carol", "GET /base/alice/followers/?limit=3&access_token=token-of-carol",
	}
	if strings.Join(requested, "\n") != strings.Join(want, "\n") {
		t.Errorf("requested %q, want %q", requested, want)
	}
}
