package mixcloud

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/show"

	"github.com/google/go-cmp/cmp"
)

// A roundTrip is a function that implements [http.RoundTripper].
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newResponse returns a response to r.
func newResponse(r *http.Request, status int, header http.Header, body io.Reader) *http.Response {
	if header == nil {
		header = http.Header{"Content-Type": {"text/javascript; charset=utf-8"}}
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: header, Body: io.NopCloser(body),
		ContentLength: -1, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
	}
}

// testClient returns a client whose transport is f and whose base URLs have a
// path.
func testClient(t testing.TB, f roundTrip, opts ...Option) *Client {
	t.Helper()
	c, err := New(append([]Option{
		WithAPIURL("http://api.test/base/api/"),
		WithSiteURL("http://site.test/base/www"),
		WithOEmbedURL("http://site.test/base/oembed/"),
		WithHTTPClient(&http.Client{Transport: f}),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// calls contains all methods that make a call, with the URL that they must
// request. Their arguments contain characters that must be escaped.
var calls = map[string]struct {
	call func(context.Context, *Client) error
	want string // relative to http://api.test/base/api unless it begins with http
}{
	"User": {func(ctx context.Context, c *Client) error { return errOf(c.User(ctx, "/mlö/")) }, "/ml%C3%B6/"},
	"User by escaped URL": {func(ctx context.Context, c *Client) error {
		return errOf(c.User(ctx, "https://www.mixcloud.com/ml%c3%b6?x=1"))
	}, "/ml%C3%B6/"},
	"User by site URL": {func(ctx context.Context, c *Client) error {
		return errOf(c.User(ctx, "http://site.test/base/www/bob/"))
	}, "/bob/"},
	"Me":         {func(ctx context.Context, c *Client) error { return errOf(c.Me(ctx)) }, "/me/"},
	"Cloudcast":  {func(ctx context.Context, c *Client) error { return errOf(c.Cloudcast(ctx, "/bob/mlö/")) }, "/bob/ml%C3%B6/"},
	"Tag":        {func(ctx context.Context, c *Client) error { return errOf(c.Tag(ctx, "/discover/funk/")) }, "/discover/funk/"},
	"Tag city":   {func(ctx context.Context, c *Client) error { return errOf(c.Tag(ctx, "/genres/city:são-paulo/")) }, "/genres/city:s%C3%A3o-paulo/"},
	"Tag both":   {func(ctx context.Context, c *Client) error { return errOf(c.Tag(ctx, "/tag/funk+city:athens")) }, "/tag/funk+city:athens/"},
	"Category":   {func(ctx context.Context, c *Client) error { return errOf(c.Category(ctx, "/categories/ambient/")) }, "/categories/ambient/"},
	"Categories": {func(ctx context.Context, c *Client) error { return errOf(c.Categories(ctx)) }, "/categories/"},
	"Playlist":   {func(ctx context.Context, c *Client) error { return errOf(c.Playlist(ctx, "/bob/playlists/x/")) }, "/bob/playlists/x/"},
	"Artist":     {func(ctx context.Context, c *Client) error { return errOf(c.Artist(ctx, "/artist/x/")) }, "/artist/x/"},
	"Track":      {func(ctx context.Context, c *Client) error { return errOf(c.Track(ctx, "/track/x/y/")) }, "/track/x/y/"},
	"Resource":   {func(ctx context.Context, c *Client) error { return errOf(c.Resource(ctx, "bob/x")) }, "/bob/x/"},

	"Users": {func(ctx context.Context, c *Client) error { return errOf(c.Users(ctx, "/mlö/followers", some20)) }, "/ml%C3%B6/followers/?limit=20&offset=40"},
	"Cloudcasts": {func(ctx context.Context, c *Client) error {
		return errOf(c.Cloudcasts(ctx, "genres/a%2Bb+c/popular/", Range{}))
	}, "/genres/a%2Bb+c/popular/"},
	"Comments":   {func(ctx context.Context, c *Client) error { return errOf(c.Comments(ctx, "/me/comments/", some20)) }, "/me/comments/?limit=20&offset=40"},
	"Activities": {func(ctx context.Context, c *Client) error { return errOf(c.Activities(ctx, "/bob/feed/", some20)) }, "/bob/feed/?limit=20&offset=40"},
	"Playlists":  {func(ctx context.Context, c *Client) error { return errOf(c.Playlists(ctx, "/bob/playlists/", some20)) }, "/bob/playlists/?limit=20&offset=40"},
	"Tags":       {func(ctx context.Context, c *Client) error { return errOf(c.Tags(ctx, "/bob/x/tags/", Range{})) }, "/bob/x/tags/"},

	"UserCloudcasts": {func(ctx context.Context, c *Client) error { return errOf(c.UserCloudcasts(ctx, "/me/", Range{})) }, "/me/cloudcasts/"},
	"UserFavorites":  {func(ctx context.Context, c *Client) error { return errOf(c.UserFavorites(ctx, "/bob/", since2015)) }, "/bob/favorites/?since=2015-04-29+18%3A59%3A19"},
	"UserListens":    {func(ctx context.Context, c *Client) error { return errOf(c.UserListens(ctx, "/bob/", until2015)) }, "/bob/listens/?limit=5&until=2015-04-29+18%3A59%3A19"},
	"UserFollowers":  {func(ctx context.Context, c *Client) error { return errOf(c.UserFollowers(ctx, "/mlö/", Range{})) }, "/ml%C3%B6/followers/"},
	"UserFollowing":  {func(ctx context.Context, c *Client) error { return errOf(c.UserFollowing(ctx, "/bob/", Range{})) }, "/bob/following/"},
	"UserComments":   {func(ctx context.Context, c *Client) error { return errOf(c.UserComments(ctx, "/bob/", Range{})) }, "/bob/comments/"},
	"UserFeed":       {func(ctx context.Context, c *Client) error { return errOf(c.UserFeed(ctx, "/bob/", Range{})) }, "/bob/feed/"},
	"UserPlaylists":  {func(ctx context.Context, c *Client) error { return errOf(c.UserPlaylists(ctx, "/bob/", Range{})) }, "/bob/playlists/"},
	"ListenLater":    {func(ctx context.Context, c *Client) error { return errOf(c.ListenLater(ctx, some20)) }, "/me/listen-later/?limit=20&offset=40"},
	"CloudcastComments": {func(ctx context.Context, c *Client) error {
		return errOf(c.CloudcastComments(ctx, "/bob/mlö/", some20))
	}, "/bob/ml%C3%B6/comments/?limit=20&offset=40"},
	"CloudcastFavorites": {func(ctx context.Context, c *Client) error {
		return errOf(c.CloudcastFavorites(ctx, "/bob/x/", Range{}))
	}, "/bob/x/favorites/"},
	"CloudcastListeners": {func(ctx context.Context, c *Client) error {
		return errOf(c.CloudcastListeners(ctx, "/bob/x/", Range{}))
	}, "/bob/x/listeners/"},
	"CloudcastSimilar": {func(ctx context.Context, c *Client) error { return errOf(c.CloudcastSimilar(ctx, "/bob/x/", Range{})) }, "/bob/x/similar/"},
	"PlaylistCloudcasts": {func(ctx context.Context, c *Client) error {
		return errOf(c.PlaylistCloudcasts(ctx, "/bob/playlists/x/", Range{}))
	}, "/bob/playlists/x/cloudcasts/"},
	"CategoryCloudcasts": {func(ctx context.Context, c *Client) error { return errOf(c.CategoryCloudcasts(ctx, "/categories/x/")) }, "/categories/x/cloudcasts/"},
	"CategoryUsers":      {func(ctx context.Context, c *Client) error { return errOf(c.CategoryUsers(ctx, "/categories/x/")) }, "/categories/x/users/"},
	"CategoryUserpickCloudcasts": {func(ctx context.Context, c *Client) error {
		return errOf(c.CategoryUserpickCloudcasts(ctx, "/categories/x/"))
	}, "/categories/x/userpick-cloudcasts/"},
	"CategoryUserpickUsers": {func(ctx context.Context, c *Client) error {
		return errOf(c.CategoryUserpickUsers(ctx, "/categories/x/"))
	}, "/categories/x/userpick-users/"},
	"PopularOf": {func(ctx context.Context, c *Client) error { return errOf(c.PopularOf(ctx, "/artist/x/", Range{})) }, "/artist/x/popular/"},
	"LatestOf":  {func(ctx context.Context, c *Client) error { return errOf(c.LatestOf(ctx, "/genres/all/", some20)) }, "/genres/all/latest/?limit=20&offset=40"},
	"NewestOf":  {func(ctx context.Context, c *Client) error { return errOf(c.NewestOf(ctx, "/track/x/y/", Range{})) }, "/track/x/y/new/"},
	"HotOf":     {func(ctx context.Context, c *Client) error { return errOf(c.HotOf(ctx, "/tag/x/", Range{})) }, "/tag/x/hot/"},

	"Popular":          {func(ctx context.Context, c *Client) error { return errOf(c.Popular(ctx, Range{})) }, "/popular/"},
	"Hot":              {func(ctx context.Context, c *Client) error { return errOf(c.Hot(ctx, some20)) }, "/popular/hot/?limit=20&offset=40"},
	"Newest":           {func(ctx context.Context, c *Client) error { return errOf(c.Newest(ctx, since2015)) }, "/new/?since=2015-04-29+18%3A59%3A19"},
	"SearchCloudcasts": {func(ctx context.Context, c *Client) error { return errOf(c.SearchCloudcasts(ctx, "a&b=ö/", some20)) }, "/search/?limit=20&offset=40&q=a%26b%3D%C3%B6%2F&type=cloudcast"},
	"SearchUsers":      {func(ctx context.Context, c *Client) error { return errOf(c.SearchUsers(ctx, "party time", Range{})) }, "/search/?q=party+time&type=user"},
	"SearchTags":       {func(ctx context.Context, c *Client) error { return errOf(c.SearchTags(ctx, "x", Range{})) }, "/search/?q=x&type=tag"},

	"EmbedHTML": {func(ctx context.Context, c *Client) error {
		return errOf(c.EmbedHTML(ctx, "/bob/mlö/", EmbedOptions{Width: "100%", Height: new(120), Color: "#ff00AA"}))
	}, "/bob/ml%C3%B6/embed-html/?color=ff00AA&height=120&width=100%25"},
	"EmbedJSON": {func(ctx context.Context, c *Client) error { return errOf(c.EmbedJSON(ctx, "/bob/x/", EmbedOptions{})) }, "/bob/x/embed-json/"},
	"OEmbed": {func(ctx context.Context, c *Client) error {
		return errOf(c.OEmbed(ctx, "https://www.mixcloud.com/bob/x/", OEmbedOptions{Width: new(1), Height: new(2), MaxWidth: new(3), MaxHeight: new(4), Color: "ff00aa", Light: new(true)}))
	}, "http://site.test/base/oembed/?color=ff00aa&format=json&height=2&light=1&maxheight=4&maxwidth=3&url=https%3A%2F%2Fwww.mixcloud.com%2Fbob%2Fx%2F&width=1"},
	"OEmbedXML": {func(ctx context.Context, c *Client) error {
		return errOf(c.OEmbedXML(ctx, "/bob/mlö", OEmbedOptions{Light: new(false)}))
	}, "http://site.test/base/oembed/?format=xml&light=0&url=https%3A%2F%2Fwww.mixcloud.com%2Fbob%2Fml%25C3%25B6%2F"},
	"Get": {func(ctx context.Context, c *Client) error {
		return errOf(c.Get(ctx, "bob/mlö", url.Values{"b": {"2"}, "a": {"1 &"}}))
	}, "/bob/ml%C3%B6/?a=1+%26&b=2"},
	"Get plain": {func(ctx context.Context, c *Client) error { return errOf(c.Get(ctx, "/bob/100%25/", nil)) }, "/bob/100%25/"},
}

var (
	some20    = Range{Limit: 20, Offset: new(40)}
	since2015 = Range{Since: time.Date(2015, 4, 29, 18, 59, 19, 0, time.UTC)}
	until2015 = Range{Limit: 5, Until: time.Date(2015, 4, 29, 18, 59, 19, 0, time.UTC)}
)

func errOf[T any](_ T, err error) error { return err }

// bodyFor returns a valid body for the response to a request.
func bodyFor(u *url.URL) string {
	switch {
	case strings.Contains(u.Path, "embed-html"):
		return "<iframe></iframe>"
	case strings.Contains(u.Path, "oembed") && u.Query().Get("format") == "xml":
		return `<?xml version="1.0"?><oembed><version>1.0</version></oembed>`
	}
	return `{"key": "/x/", "data": [{"key": "/x/"}], "html": "<iframe></iframe>"}`
}

func TestRequests(t *testing.T) {
	t.Parallel()
	for name, test := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := test.want
			if !strings.HasPrefix(want, "http") {
				want = "http://api.test/base/api" + want
			}
			var requested []string
			c := testClient(t, func(r *http.Request) (*http.Response, error) {
				requested = append(requested, r.URL.String())
				if r.Method != http.MethodGet || r.Host != r.URL.Host || r.Header.Get("User-Agent") != defaultUserAgent || r.Header.Get("Accept") == "" {
					t.Errorf("%s with host %q and header %v, want a GET of the URL's host with Accept and the default User-Agent", r.Method, r.Host, r.Header)
				}
				return newResponse(r, 200, nil, strings.NewReader(bodyFor(r.URL))), nil
			})
			if err := test.call(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{want}, requested); diff != "" {
				t.Errorf("URLs of the calls (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMetadata checks that the option adds a parameter to reads of resources and
// lists.
func TestMetadata(t *testing.T) {
	t.Parallel()
	var requested []string
	c := testClient(t, func(r *http.Request) (*http.Response, error) {
		requested = append(requested, r.URL.RequestURI())
		return newResponse(r, 200, nil, strings.NewReader(`{"key":"/x/","type":"user","data":[],"metadata":{"connections":{"feed":"http://api.mixcloud.com/x/feed/"}}}`)), nil
	}, WithMetadata())
	user, err := c.User(t.Context(), "/x/")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.SearchUsers(t.Context(), "x", Range{Limit: 2}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/base/api/x/?metadata=1", "/base/api/search/?limit=2&metadata=1&q=x&type=user"}, requested); diff != "" {
		t.Errorf("URLs of the calls (-want +got):\n%s", diff)
	}
	if user.Type != "user" || user.Metadata.Connections["feed"] != "http://api.mixcloud.com/x/feed/" {
		t.Errorf("type = %q, metadata = %v; want user, with the connection feed", user.Type, user.Metadata)
	}
}

// TestInvalidArguments checks that no call is made with an invalid argument.
func TestInvalidArguments(t *testing.T) {
	t.Parallel()
	tests := map[string]func(context.Context, *Client) error{
		"a user for a cloudcast": func(ctx context.Context, c *Client) error { return errOf(c.Cloudcast(ctx, "/bob/")) },
		"a cloudcast for a user": func(ctx context.Context, c *Client) error { return errOf(c.User(ctx, "/bob/x/")) },
		"me for a user":          func(ctx context.Context, c *Client) error { return errOf(c.User(ctx, "/me/")) },
		"a city for a category":  func(ctx context.Context, c *Client) error { return errOf(c.Category(ctx, "/genres/city:x/")) },
		"another site":           func(ctx context.Context, c *Client) error { return errOf(c.User(ctx, "https://example.com/bob/")) },
		"nothing":                func(ctx context.Context, c *Client) error { return errOf(c.Resource(ctx, "")) },
		"dots in a key":          func(ctx context.Context, c *Client) error { return errOf(c.Cloudcast(ctx, "/bob/../")) },
		"dots in a list": func(ctx context.Context, c *Client) error {
			return errOf(c.Users(ctx, "/bob/../me/followers/", Range{}))
		},
		"escaped dots in a path": func(ctx context.Context, c *Client) error { return errOf(c.Get(ctx, "/bob/%2e%2e/", nil)) },
		"an empty path":          func(ctx context.Context, c *Client) error { return errOf(c.Get(ctx, "/", nil)) },
		"a double slash":         func(ctx context.Context, c *Client) error { return errOf(c.Get(ctx, "//example.com/", nil)) },
		"a token in the query": func(ctx context.Context, c *Client) error {
			return errOf(c.Get(ctx, "/me/", url.Values{"access_token": {"x"}}))
		},
		"a blank search":   func(ctx context.Context, c *Client) error { return errOf(c.SearchTags(ctx, " \t", Range{})) },
		"a negative limit": func(ctx context.Context, c *Client) error { return errOf(c.Popular(ctx, Range{Limit: -1})) },
		"a negative offset": func(ctx context.Context, c *Client) error {
			return errOf(c.UserFeed(ctx, "/bob/", Range{Offset: new(-1)}))
		},
		"the latest of an artist":    func(ctx context.Context, c *Client) error { return errOf(c.LatestOf(ctx, "/artist/x/", Range{})) },
		"followers of a cloudcast":   func(ctx context.Context, c *Client) error { return errOf(c.UserFollowers(ctx, "/bob/x/", Range{})) },
		"cloudcast comments of /me/": func(ctx context.Context, c *Client) error { return errOf(c.CloudcastComments(ctx, "/me/", Range{})) },
		"markup as width": func(ctx context.Context, c *Client) error {
			return errOf(c.EmbedHTML(ctx, "/bob/x/", EmbedOptions{Width: `1"><b>`}))
		},
		"a negative height": func(ctx context.Context, c *Client) error {
			return errOf(c.EmbedJSON(ctx, "/bob/x/", EmbedOptions{Height: new(-1)}))
		},
		"a named color": func(ctx context.Context, c *Client) error {
			return errOf(c.EmbedJSON(ctx, "/bob/x/", EmbedOptions{Color: "red"}))
		},
		"an embedded user":     func(ctx context.Context, c *Client) error { return errOf(c.EmbedJSON(ctx, "/bob/", EmbedOptions{})) },
		"oEmbed without a URL": func(ctx context.Context, c *Client) error { return errOf(c.OEmbed(ctx, "", OEmbedOptions{})) },
		"oEmbed of a script": func(ctx context.Context, c *Client) error {
			return errOf(c.OEmbed(ctx, "javascript:alert(1)", OEmbedOptions{}))
		},
		"oEmbed with a password": func(ctx context.Context, c *Client) error {
			return errOf(c.OEmbedXML(ctx, "https://a:b@www.mixcloud.com/x/", OEmbedOptions{}))
		},
		"oEmbed of a list": func(ctx context.Context, c *Client) error { return errOf(c.OEmbed(ctx, "/popular/", OEmbedOptions{})) },
		"oEmbed with a bad width": func(ctx context.Context, c *Client) error {
			return errOf(c.OEmbed(ctx, "/bob/x/", OEmbedOptions{MaxWidth: new(-1)}))
		},
		"oEmbed with a bad color": func(ctx context.Context, c *Client) error {
			return errOf(c.OEmbed(ctx, "/bob/x/", OEmbedOptions{Color: "#1234567"}))
		},
	}
	for name, call := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testClient(t, func(r *http.Request) (*http.Response, error) {
				t.Errorf("invalid arguments caused a call: %s", r.URL)
				return newResponse(r, 200, nil, strings.NewReader(bodyFor(r.URL))), nil
			}, WithObserver(func(c Call) { t.Errorf("invalid arguments caused an observed call: %v", c) }))
			err := call(t.Context(), c)
			var invalid *InvalidError
			if !errors.As(err, &invalid) || !errors.Is(err, ErrInvalid) || invalid.Arg == "" || !strings.Contains(err.Error(), invalid.Arg) {
				t.Errorf("error %v, want an InvalidError that contains its argument", err)
			}
		})
	}
}

func TestGet_ReturnsTheWholeBody(t *testing.T) {
	t.Parallel()
	const body = `{"new": {"thing": [1, 2.50, "caf\u00e9"]}, "key": 7, "html": "<iframe></iframe>"}`
	c := testClient(t, func(r *http.Request) (*http.Response, error) {
		return newResponse(r, 200, http.Header{"Content-Type": {"application/json"}}, strings.NewReader(" \n"+body+"\n")), nil
	})
	raw, err := c.Get(t.Context(), "/some/thing/new/", nil)
	if err != nil || string(raw) != body {
		t.Errorf("Get = %s, %v; want %s", raw, err, body)
	}
	raw, err = c.EmbedJSON(t.Context(), "/bob/x/", EmbedOptions{})
	if err != nil || string(raw) != body {
		t.Errorf("EmbedJSON = %s, %v; want %s", raw, err, body)
	}
}

func TestOEmbed(t *testing.T) {
	t.Parallel()
	const body = `{"version": "1.0", "type": "rich", "width": "100%", "height": 120, "html": "<iframe>", "image": "i", "embed": "e", "url": "u", "title": "t", "author_name": "n", "author_url": "a", "provider_name": "Mixcloud", "provider_url": "p", "cache_age": "86400", "other": 1}`
	c := testClient(t, func(r *http.Request) (*http.Response, error) {
		return newResponse(r, 200, nil, strings.NewReader(body)), nil
	})
	got, err := c.OEmbed(t.Context(), "/bob/x/", OEmbedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Raw()) != body {
		t.Errorf("Raw = %s, want %s", got.Raw(), body)
	}
	got.Object = Object{}
	want := &OEmbed{
		Version: new("1.0"), Type: new("rich"), Width: new("100%"), Height: new("120"), HTML: new("<iframe>"),
		Image: new("i"), Embed: new("e"), URL: new("u"), Title: new("t"), AuthorName: new("n"), AuthorURL: new("a"),
		ProviderName: new("Mixcloud"), ProviderURL: new("p"), CacheAge: new(86400),
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Object{})); diff != "" {
		t.Errorf("OEmbed (-want +got):\n%s", diff)
	}
}

// TestDerivedMembers checks that the absent members of an object are derived from
// its key.
func TestDerivedMembers(t *testing.T) {
	t.Parallel()
	decode := func(p interface{ decode(value) }, key string) {
		text, err := json.Marshal(map[string]any{"key": key, "user": nil, "tags": nil, "pictures": nil, "created_time": nil})
		if err != nil {
			t.Fatal(err)
		}
		p.decode(mustValue(t, string(text)))
	}
	var u FullUser
	decode(&u, "/ml%C3%B6/")
	if u.URL != "https://www.mixcloud.com/ml%C3%B6/" || u.Username != "mlö" || u.Name != "mlö" || u.Biog != nil || u.Pictures != nil {
		t.Errorf("user = %+v, want URL, username and name from the key", show.Value(u))
	}
	var c FullCloudcast
	decode(&c, "/bob/ml%C3%B6/")
	if c.URL != "https://www.mixcloud.com/bob/ml%C3%B6/" || c.Slug != "mlö" || c.Name != "mlö" || c.Tags != nil || c.Sections != nil || c.User != nil {
		t.Errorf("cloudcast = %+v, want URL, slug and name from the key", show.Value(c))
	}
	var p Playlist
	decode(&p, "/bob/playlists/best-of/")
	if p.URL != "https://www.mixcloud.com/bob/playlists/best-of/" || p.Slug != "best-of" || p.Name != "best-of" {
		t.Errorf("playlist = %+v, want URL, slug and name from the key", show.Value(p))
	}
	var tag Tag
	decode(&tag, "/genres/city:athens/")
	if tag.URL != "https://www.mixcloud.com/genres/city:athens/" || tag.Name != "city:athens" || tag.Slug() != "city:athens" {
		t.Errorf("tag = %+v, want URL, name and slug from the key", tag)
	}
	var comment Comment
	decode(&comment, "/comments/cr/1/2/c3/")
	if comment.URL != "https://www.mixcloud.com/comments/cr/1/2/c3/" || comment.User != nil {
		t.Errorf("comment = %+v, want the URL from the key, and no user", show.Value(comment))
	}
	var none Cloudcast
	decode(&none, "")
	if none.URL != "" || none.Name != "" || none.Slug != "" {
		t.Errorf("cloudcast without a key = %+v, want no URL, name and slug", show.Value(none))
	}
}

// TestAbsentEmptyFalse checks that absent, empty and false members differ.
func TestAbsentEmptyFalse(t *testing.T) {
	t.Parallel()
	user := func(s string) *FullUser {
		u, err := Decode[FullUser](json.RawMessage(`{"key": "/a/"` + s + `}`))
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	if u := user(``); u.Biog != nil || u.IsPro != nil || u.FollowerCount != nil || u.City != nil {
		t.Errorf("user with absent members = %+v, want nil for each", show.Value(u))
	}
	if u := user(`, "biog": "", "is_pro": false, "follower_count": 0, "city": ""`); *u.Biog != "" || *u.IsPro || *u.FollowerCount != 0 || *u.City != "" {
		t.Errorf("user with empty members = %+v, want pointers to zero values", show.Value(u))
	}
	cloudcast := func(s string) *FullCloudcast {
		c, err := Decode[FullCloudcast](json.RawMessage(`{"key": "/a/b/"` + s + `}`))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := cloudcast(``); c.Hosts != nil || c.Tags != nil || c.Sections != nil || c.HiddenStats != nil {
		t.Errorf("cloudcast with absent lists = %+v, want nil for each", show.Value(c))
	}
	if c := cloudcast(`, "hosts": [], "tags": [], "sections": []`); c.Hosts == nil || c.Tags == nil || c.Sections == nil || len(c.Hosts)+len(c.Tags)+len(c.Sections) > 0 {
		t.Errorf("cloudcast with empty lists = %+v, want empty slices that are not nil", show.Value(c))
	}
	c := cloudcast(`, "sections": [{"section_type": "chapter", "name": "Intro", "start_time": "12"}, {"section_type": "track", "track": {"name": "x"}}, null]`)
	if len(c.Sections) != 2 || *c.Sections[0].Chapter != "Intro" || *c.Sections[0].StartTime != 12 || c.Sections[0].Track != nil || c.Sections[1].Chapter != nil || c.Sections[1].Track.Name != "x" {
		t.Errorf("sections = %+v, want a chapter at 12 and a track", show.Value(c.Sections))
	}
}

func TestPictures(t *testing.T) {
	t.Parallel()
	got := decodePictures(mustValue(t, `{"large": "l", "1024wx1024h": "b", "small": "s", "835wx120h": "c", "wxh": "x", "0wx5h": "z", "medium": null, "thumbnail": "t", "small": "s2", "99999wx1h": "n"}`))
	want := Pictures{
		{Name: "wxh", URL: "x"},
		{Name: "0wx5h", URL: "z"},
		{Name: "99999wx1h", URL: "n"},
		{"small", 25, 25, "s2"},
		{"thumbnail", 50, 50, "t"},
		{"large", 300, 300, "l"},
		{"835wx120h", 835, 120, "c"},
		{"1024wx1024h", 1024, 1024, "b"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pictures (-want +got):\n%s", diff)
	}
	for _, in := range []string{`null`, `[]`, `"x"`, `3`} {
		if got := decodePictures(mustValue(t, in)); got != nil {
			t.Errorf("decodePictures(%s) = %v, want nil", in, got)
		}
	}
}
