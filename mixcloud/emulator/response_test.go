package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// TestHeaders compares the headers of responses with the recordings of 2018.
func TestHeaders(t *testing.T) {
	t.Parallel()
	h := get(t, sharedEmulator(), "/demo/").Header()
	want := http.Header{
		"Access-Control-Allow-Origin": {"*"},
		"Content-Type":                {"text/javascript; charset=utf-8"},
		"Server":                      {"nginx"},
		"Vary":                        {"Accept-Encoding, Origin"},
	}
	got := h.Clone()
	got.Del("X-Request-Id")
	got.Del("Content-Length")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if id := h.Get("X-Request-Id"); !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(id) {
		t.Errorf("X-Request-Id = %q, want 32 hexadecimal digits", id)
	}
	if h.Get("X-Request-Id") == get(t, sharedEmulator(), "/demo/").Header().Get("X-Request-Id") {
		t.Error("two responses have the same X-Request-Id, want different ones")
	}
}

// TestRedirect checks that a path without a trailing slash is redirected below the
// prefix that the client used.
func TestRedirect(t *testing.T) {
	t.Parallel()
	mounted := http.StripPrefix("/emulator", sharedEmulator())
	public := newEmulator(t, emulator.WithPublicURL("https://example.com/base/"))
	for name, tt := range map[string]struct {
		h        http.Handler
		request  string
		location string
	}{
		"user":           {sharedEmulator(), "/spartacus", "/spartacus/"},
		"query as sent":  {sharedEmulator(), "/tag/funk?metadata=1&x=%7e", "/tag/funk/?metadata=1&x=%7e"},
		"escaped":        {sharedEmulator(), "/%CE%BD", "/%CE%BD/"},
		"unknown":        {sharedEmulator(), "/no-such-user/nothing", "/no-such-user/nothing/"},
		"below a prefix": {mounted, "/emulator/spartacus?a=b", "/emulator/spartacus/?a=b"},
		"public URL":     {public, "/spartacus", "/base/spartacus/"},
		"page":           {sharedEmulator(), "/www/spartacus", "/www/spartacus/"},
		"oEmbed":         {sharedEmulator(), "/www/oembed?url=x", "/www/oembed/?url=x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := get(t, tt.h, tt.request)
			if w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != tt.location || w.Body.Len() > 0 {
				t.Errorf("status %d to %q with the body %q, want 301 to %q without a body", w.Code, w.Header().Get("Location"), w.Body, tt.location)
			}
			if kind := w.Header().Get("Content-Type"); kind != "text/html; charset=utf-8" && !strings.HasPrefix(tt.request, "/www/spartacus") {
				t.Errorf("Content-Type = %q, want text/html; charset=utf-8", kind)
			}
		})
	}
}

// TestPublicBase checks that the URLs of the emulator start with the base URL of the
// request, and that those of the site do not.
func TestPublicBase(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		h             http.Handler
		request, base string
	}{
		"http":       {sharedEmulator(), "http://127.0.0.1:8081/demo/cloudcasts/?limit=1", "http://127.0.0.1:8081"},
		"https":      {sharedEmulator(), "https://api.mixcloud.com/demo/cloudcasts/?limit=1", "https://api.mixcloud.com"},
		"prefix":     {http.StripPrefix("/emulator", sharedEmulator()), "http://localhost/emulator/demo/cloudcasts/?limit=1", "http://localhost/emulator"},
		"public URL": {newEmulator(t, emulator.WithPublicURL("https://example.com/m")), "http://127.0.0.1/demo/cloudcasts/?limit=1", "https://example.com/m"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := object(t, do(tt.h, httptest.NewRequest(http.MethodGet, tt.request, nil)).Body.Bytes())
			for path, want := range map[string]string{
				"paging.next":              tt.base + "/demo/cloudcasts/?",
				"data.pictures.small":      tt.base + "/www/unsafe/25x25/extaudio/",
				"data.user.pictures.large": tt.base + "/www/unsafe/300x300/profile/",
				"data.url":                 "https://www.mixcloud.com/demo/",
				"data.tags.url":            "https://www.mixcloud.com/genres/",
			} {
				if got, _ := at(page, path).(string); !strings.HasPrefix(got, want) {
					t.Errorf("%s is %q, want %q…", path, got, want)
				}
			}
		})
	}
}

// TestText checks that the JSON is indented by four spaces, is plain ASCII and has the
// values of the data.
func TestText(t *testing.T) {
	t.Parallel()
	u := sharedWorld().User("νυχτερινό-τραμ")
	body := get(t, sharedEmulator(), u.Key()).Body.String()
	if !strings.HasPrefix(body, "{\n    \"key\": \"/%CE%BD") || !strings.HasSuffix(body, "\n}") {
		t.Errorf("the body starts with %.40q, want an object indented by four spaces, without a newline at its end", body)
	}
	if strings.Trim(body, "\n"+ascii) != "" {
		t.Errorf("the body contains characters other than ASCII: %s", body)
	}
	if !strings.Contains(body, `"username": "\u03bd\u03c5`) {
		t.Errorf("the user name is not escaped as \\u03bd\\u03c5…: %s", body)
	}
	user := object(t, []byte(body))
	if user["username"] != u.Username || user["biog"] != u.Biog {
		t.Errorf("username %q and biog %q, want %q and %q", user["username"], user["biog"], u.Username, u.Biog)
	}
}

var ascii = func() string {
	var b strings.Builder
	for c := byte(' '); c < 0x7f; c++ {
		b.WriteByte(c)
	}
	return b.String()
}()

func TestErrors(t *testing.T) {
	t.Parallel()
	const notFound, refused = "ResourceNotFoundException", "OAuthException"
	for request, want := range map[string]struct {
		status        int
		kind, message string
	}{
		"/no-such-user/":                                   {404, notFound, "User does not exist."},
		"/no-such-user/cloudcasts/":                        {404, notFound, "User does not exist."},
		"/no-such-user/cloudcasts/?metadata=1":             {404, notFound, "User does not exist."},
		"/demo/nothing/":                                   {404, notFound, "Cloudcast does not exist."},
		"/demo/nothing/comments/":                          {404, notFound, "Cloudcast does not exist."},
		"/demo/second-sleep-untitled-sketch/":              {404, notFound, "Cloudcast does not exist."},
		"/demo/second-sleep-autumn-equinox/":               {404, notFound, "Cloudcast does not exist."},
		"/demo/playlists/nothing/":                         {404, notFound, "Playlist does not exist."},
		"/demo/listen-later/":                              {404, notFound, "Cloudcast does not exist."},
		"/demo/listen-later/?access_token=spartacus-token": {404, notFound, "Cloudcast does not exist."},
		"/genres/nothing-of-the-kind/":                     {404, notFound, "Tag does not exist."},
		"/genres/funk+city:nowhere/popular/":               {404, notFound, "City does not exist."},
		"/categories/nothing/":                             {404, notFound, "Category does not exist."},
		"/artist/no-such-artist/":                          {404, notFound, "Artist does not exist."},
		"/artist/no-such-artist/popular/":                  {404, notFound, "Artist does not exist."},
		"/track/no-such-artist/nothing/":                   {404, notFound, "Track does not exist."},
		"/track/no-such-artist/nothing/hot/":               {404, notFound, "Track does not exist."},
		"/a/b/c/d/":                                        {404, notFound, "Resource does not exist."},
		"/":                                                {404, notFound, "Resource does not exist."},
		"/www/oembed/?url=https://example.com/a/":          {404, notFound, "No such page."},
		"/me/":                                 {400, refused, "An access_token is required to access this resource."},
		"/me/cloudcasts/":                      {400, refused, "An access_token is required to access this resource."},
		"/me/?access_token=no-such-user-token": {400, refused, "An invalid access token was provided"},
		"/demo/?access_token=wrong":            {400, refused, "An invalid access token was provided"},
		"/no-such-user/?access_token=wrong":    {400, refused, "An invalid access token was provided"},
		"/me/?access_token=DEMO-token":         {400, refused, "An invalid access token was provided"},
	} {
		w := get(t, sharedEmulator(), request)
		wanted := map[string]any{"error": map[string]any{"message": want.message, "type": want.kind}}
		if diff := cmp.Diff(wanted, object(t, w.Body.Bytes())); diff != "" || w.Code != want.status {
			t.Errorf("%s: status %d, want %d; body (-want +got):\n%s", request, w.Code, want.status, diff)
		}
		if kind := w.Header().Get("Content-Type"); kind != "text/javascript; charset=utf-8" {
			t.Errorf("%s: Content-Type = %q, want text/javascript; charset=utf-8", request, kind)
		}
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodPut, http.MethodOptions} {
		w := do(sharedEmulator(), httptest.NewRequest(method, "/demo/", nil))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET" {
			t.Errorf("%s: status %d, Allow %q; want 405, GET", method, w.Code, w.Header().Get("Allow"))
		}
	}
	srv := httptest.NewServer(sharedEmulator())
	defer srv.Close()
	res, err := srv.Client().Head(srv.URL + "/demo/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.ContentLength < 1000 {
		t.Errorf("HEAD /demo/: status %d, Content-Length %d; want 200, at least 1000", res.StatusCode, res.ContentLength)
	}
}

func TestJSONP(t *testing.T) {
	t.Parallel()
	plain := get(t, sharedEmulator(), "/demo/?metadata=1").Body.String()
	for request, want := range map[string]string{
		"/demo/?metadata=1&callback=jQuery_1.on%5B0%5D": "jQuery_1.on[0](" + plain + ")",
		"/demo/?metadata=1&callback=":                   plain,
		"/demo/?metadata=1&callback=alert(1)//":         plain,
		"/demo/?metadata=1&callback=%3Cscript%3E":       plain,
		"/no-such-user/?callback=f":                     "f(" + get(t, sharedEmulator(), "/no-such-user/").Body.String() + ")",
		"/spartacus/party-time/embed-json/?callback=f":  "f(" + get(t, sharedEmulator(), "/spartacus/party-time/embed-json/").Body.String() + ")",
		"/spartacus/party-time/embed-html/?callback=f":  get(t, sharedEmulator(), "/spartacus/party-time/embed-html/").Body.String(),
	} {
		if diff := cmp.Diff(want, get(t, sharedEmulator(), request).Body.String()); diff != "" {
			t.Errorf("GET %s: body (-want +got):\n%s", request, diff)
		}
	}
}

// TestJSONP_Faults checks that a fault with a JSON response replaces the whole
// response, with JSONP and headers, even that of a route without JSON.
func TestJSONP_Faults(t *testing.T) {
	t.Parallel()
	for _, kind := range []emulator.FaultKind{
		emulator.FaultRateLimit, emulator.FaultRateLimitNoWait, emulator.FaultError200, emulator.FaultSuccessFalse, emulator.FaultEarly400,
	} {
		e := newEmulator(t)
		if err := e.Fail(emulator.Fault{Kind: kind}); err != nil {
			t.Fatal(err)
		}
		method, paths := http.MethodGet, []string{"/demo/", "/spartacus/follow/", "/spartacus/party-time/embed-html/"}
		if kind == emulator.FaultEarly400 {
			method, paths = http.MethodPost, []string{"/spartacus/follow/"}
		}
		for _, path := range paths {
			plain := do(e, httptest.NewRequest(method, host+path, nil))
			object(t, plain.Body.Bytes())
			got := do(e, httptest.NewRequest(method, host+path+"?callback=f", nil))
			if diff := cmp.Diff("f("+plain.Body.String()+")", got.Body.String()); diff != "" {
				t.Errorf("%s %s, %s (-want +got):\n%s", method, path, kind, diff)
			}
			h := got.Header()
			if h.Get("Content-Type") != "text/javascript; charset=utf-8" || h.Get("Allow") != "" {
				t.Errorf("%s %s, %s: Content-Type = %q, Allow = %q; want text/javascript; charset=utf-8, no Allow", method, path, kind, h.Get("Content-Type"), h.Get("Allow"))
			}
		}
	}
}

// TestUser_case checks that a user is found with any case in the path, and that the key
// has the user's own case.
func TestUser_case(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/harbourfm/", "/HARBOURFM/", "/HarbourFM/"} {
		if key := getJSON(t, sharedEmulator(), path)["key"]; key != "/HarbourFM/" {
			t.Errorf("GET %s: key %v, want /HarbourFM/", path, key)
		}
	}
}

// TestNoNulls checks that empty members are omitted, so that no response has a null.
func TestNoNulls(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"/tidewrack/?metadata=1", "/OldFolksAtHome/", "/demo/room-tone/", "/demo/room-tone/comments/", "/tidewrack/cloudcasts/",
		"/demo/lunch-break-a-tracklist-with-holes/?metadata=1", "/popular/?limit=100", "/new/?limit=100", "/categories/?metadata=1",
	} {
		if body := get(t, sharedEmulator(), path).Body.String(); strings.Contains(body, "null") {
			t.Errorf("GET %s: the body contains a null, want none: %s", path, body)
		}
	}
}

// TestHiddenStats checks that hidden_stats hides all counts except that of comments.
func TestHiddenStats(t *testing.T) {
	t.Parallel()
	const key = "/konrad-weiss/kellerlicht-closing-six-hours/"
	c := sharedWorld().Cloudcast("konrad-weiss", "kellerlicht-closing-six-hours")
	if c.PlayCount == 0 || len(c.Comments) == 0 {
		t.Fatalf("%s has %d plays and %d comments, want some of both", key, c.PlayCount, len(c.Comments))
	}
	got := getJSON(t, sharedEmulator(), key)
	for name, want := range map[string]any{
		"hidden_stats": true, "play_count": 0.0, "favorite_count": 0.0, "listener_count": 0.0, "repost_count": 0.0,
		"comment_count": float64(len(c.Comments)),
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
}

// TestTag checks that the name and the connections of a tag depend on the path, and
// that its key does not.
func TestTag(t *testing.T) {
	t.Parallel()
	city := sharedWorld().Cities[0]
	place := world.Escape(city.Slug)
	for path, want := range map[string][3]string{
		"/tag/funk/":                         {"Funk", "/genres/funk/", "/tag/funk/popular/"},
		"/discover/funk/":                    {"Funk shows", "/genres/funk/", "/discover/funk/popular/"},
		"/genres/funk/":                      {"Funk shows", "/genres/funk/", "/genres/funk/popular/"},
		"/genres/all/":                       {"All", "/genres/all/", "/genres/all/popular/"},
		"/genres/city:" + place + "/":        {city.Name, "/genres/city:" + place + "/", "/genres/city:" + place + "/popular/"},
		"/genres/funk+city:" + place + "/":   {"Funk + " + city.Name, "/genres/funk+city:" + place + "/", "/genres/funk+city:" + place + "/popular/"},
		"/genres/funk%2Bcity:" + place + "/": {"Funk + " + city.Name, "/genres/funk+city:" + place + "/", "/genres/funk%2Bcity:" + place + "/popular/"},
	} {
		tag := getJSON(t, sharedEmulator(), path+"?metadata=1")
		got := [3]string{tag["name"].(string), tag["key"].(string), strings.TrimPrefix(at(tag, "metadata.connections.popular").(string), host)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: name, key, connection (-want +got):\n%s", path, diff)
		}
	}
}

// TestMetadata checks that metadata=1 adds a type to every resource, and connections to
// the requested one.
func TestMetadata(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]map[string]any{
		"/demo/cloudcasts/?metadata=1":      {"data.type": "cloudcast", "data.user.type": "user", "data.tags.type": "tag", "data.metadata": nil},
		"/demo/comments/?metadata=1":        {"data.type": "comment", "data.user.type": "user"},
		"/demo/feed/?metadata=1":            {"data.from.type": "user"},
		"/spartacus/party-time/?metadata=1": {"sections.type": "section", "sections.track.type": "track", "sections.track.artist.type": "artist", "user.metadata": nil},
		"/demo/playlists/?metadata=1":       {"data.type": "playlist", "data.owner.type": "user"},
		"/categories/?metadata=1":           {"data.type": "category", "data.metadata": nil},
		"/demo/":                            {"type": nil, "metadata": nil},
		"/demo/cloudcasts/":                 {"data.type": nil, "data.user.type": nil},
		"/demo/?metadata=0":                 {"type": nil},
	} {
		body := getJSON(t, sharedEmulator(), path)
		for member, kind := range want {
			if got := at(body, member); got != kind {
				t.Errorf("%s: %s is %v, want %v", path, member, got, kind)
			}
		}
	}
	connections := at(getJSON(t, sharedEmulator(), "/HARBOURFM/?metadata=1"), "metadata.connections").(map[string]any)
	for name, link := range connections {
		if link != host+"/HarbourFM/"+name+"/" {
			t.Errorf("connection %s = %v, want %s", name, link, host+"/HarbourFM/"+name+"/")
		}
		if w := get(t, sharedEmulator(), strings.TrimPrefix(link.(string), host)); w.Code != http.StatusOK {
			t.Errorf("GET of the connection %s: status %d, want 200", name, w.Code)
		}
	}
}

func TestPlayerForms(t *testing.T) {
	t.Parallel()
	const src = host + "/www/widget/iframe/?feed=https%3A%2F%2Fwww.mixcloud.com%2Fspartacus%2Fparty-time%2F&amp;hide_cover=1"
	for query, want := range map[string]string{
		"":                                    `<iframe width="100%" height="120" src="` + src + `" frameborder="0"></iframe>`,
		"?width=300&height=60":                `<iframe width="300" height="60" src="` + src + `" frameborder="0"></iframe>`,
		"?width=50%25&color=ff8800":           `<iframe width="50%" height="120" src="` + src + `&amp;color=ff8800" frameborder="0"></iframe>`,
		"?light=1":                            `<iframe width="100%" height="120" src="` + src + `&amp;light=1" frameborder="0"></iframe>`,
		`?width="><script>&color=red&light=x`: `<iframe width="100%" height="120" src="` + src + `" frameborder="0"></iframe>`,
	} {
		path := "/spartacus/party-time/embed-html/" + strings.ReplaceAll(query, `"><script>`, url.QueryEscape(`"><script>`))
		w := get(t, sharedEmulator(), path)
		if diff := cmp.Diff(want, w.Body.String()); diff != "" || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("GET %s: Content-Type = %q, want text/html; charset=utf-8; body (-want +got):\n%s", path, w.Header().Get("Content-Type"), diff)
		}
		inJSON := getJSON(t, sharedEmulator(), strings.Replace(path, "embed-html", "embed-json", 1))
		if diff := cmp.Diff(map[string]any{"html": want}, inJSON); diff != "" {
			t.Errorf("%s in JSON (-want +got):\n%s", path, diff)
		}
	}
}

func newSeeded(t *testing.T, seed int64) *emulator.Emulator {
	t.Helper()
	e, err := emulator.New(emulator.WithSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestReset_world checks that a reset restores the seeded data.
func TestReset_world(t *testing.T) {
	t.Parallel()
	e := newSeeded(t, 3)
	before := get(t, e, "/popular/").Body.String()
	e.Reset()
	if get(t, e, "/popular/").Body.String() != before {
		t.Error("GET /popular/ after a reset differs from the response before it")
	}
}

// TestSeed checks that emulators with the same seed have the same responses, and those
// with another seed different ones.
func TestSeed(t *testing.T) {
	t.Parallel()
	a, b, c := newSeeded(t, 7), newSeeded(t, 7), newSeeded(t, 1)
	for _, path := range []string{"/popular/?limit=100", "/demo/feed/?limit=100", "/search/?q=a&type=user"} {
		one, two, other := get(t, a, path).Body.String(), get(t, b, path).Body.String(), get(t, c, path).Body.String()
		if one != two || one == other {
			t.Errorf("%s: same response for the same seed: %t, want true; for another seed: %t, want false", path, one == two, one == other)
		}
		if !json.Valid([]byte(one)) {
			t.Errorf("GET %s: the body is not JSON: %s", path, one)
		}
	}
}

func TestNew_errors(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]emulator.Option{
		"nil world":      emulator.WithWorld(nil),
		"latency":        emulator.WithLatency(-1),
		"settings":       emulator.WithSettings(emulator.Settings{SinceOrder: "middle"}),
		"limit":          emulator.WithSettings(emulator.Settings{Limit: -1}),
		"relative URL":   emulator.WithPublicURL("/emulator"),
		"other scheme":   emulator.WithPublicURL("ftp://example.com"),
		"with query":     emulator.WithPublicURL("http://example.com/?a"),
		"unknown broken": emulator.WithBroken("everything"),
	} {
		if _, err := emulator.New(option); err == nil {
			t.Errorf("New with the option %q returned no error, want one", name)
		}
	}
}

// TestNew_worlds checks that the last of WithSeed and WithWorld applies. An emulator
// that generates its data must not write to the world of an earlier option.
func TestNew_worlds(t *testing.T) {
	t.Parallel()
	given := sharedWorld().Clone()
	follows := func() int { return len(given.User("tidewrack").Following) }
	before := follows()
	tests := map[string]struct {
		options []emulator.Option
		added   int
	}{
		"seed last":  {[]emulator.Option{emulator.WithWorld(given), emulator.WithSeed(1)}, 0},
		"world last": {[]emulator.Option{emulator.WithSeed(1), emulator.WithWorld(given)}, 1},
	}
	for _, name := range []string{"seed last", "world last"} { // in this order, because the second one writes to given
		e := newWritableEmulator(t, tests[name].options...)
		if got := send(e, http.MethodPost, "/spartacus/follow/", "tidewrack-token", "", nil); got.Code != http.StatusOK {
			t.Fatalf("%s: POST /spartacus/follow/: status %d, want 200: %s", name, got.Code, got.Body)
		}
		if added := follows() - before; added != tests[name].added {
			t.Errorf("%s: %d follows were written into the given world, want %d", name, added, tests[name].added)
		}
	}
}

func TestRoutes_respond(t *testing.T) {
	t.Parallel()
	track := sharedWorld().Artists[0].Tracks[0]
	fill := strings.NewReplacer(
		"{user}/playlists/{playlist}", strings.Trim(sharedWorld().User("demo").Playlists[0].Key(), "/"),
		"{user}/{cloudcast}", "spartacus/party-time", "{user}", "demo", "{tags}", "funk+house", "{category}", "ambient",
		"{artist}/{track}", strings.TrimPrefix(strings.Trim(track.Key(), "/"), "track/"),
		"{artist}", strings.TrimPrefix(strings.Trim(track.Artist.Key(), "/"), "artist/"),
	)
	for _, r := range emulator.Routes() {
		if r.Method != http.MethodGet || strings.HasPrefix(r.Pattern, "/www/oauth/") {
			continue // the writes have their own tests
		}
		path := fill.Replace(r.Pattern) + "?access_token=demo-token"
		if strings.HasPrefix(path, "/www/oembed/") {
			path += "&url=https://www.mixcloud.com/demo/"
		}
		if w := get(t, sharedEmulator(), path); w.Code != http.StatusOK || r.Doc == "" {
			t.Errorf("%s %s: status %d, doc %q; want 200, a description", r.Method, path, w.Code, r.Doc)
		}
	}
}
