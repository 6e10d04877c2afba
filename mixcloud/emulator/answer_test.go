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

// The headers of every answer, as recorded in 2018.
func TestHeaders(t *testing.T) {
	t.Parallel()
	h := get(t, shared(), "/demo/").Header()
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
		t.Errorf("the request id is %q", id)
	}
	if h.Get("X-Request-Id") == get(t, shared(), "/demo/").Header().Get("X-Request-Id") {
		t.Error("two requests have one id")
	}
}

// A missing slash is a redirect to where the caller is already.
func TestRedirect(t *testing.T) {
	t.Parallel()
	mounted := http.StripPrefix("/emulator", shared())
	public := fresh(t, emulator.WithPublicURL("https://example.com/base/"))
	for name, tt := range map[string]struct {
		h        http.Handler
		request  string
		location string
	}{
		"user":           {shared(), "/spartacus", "/spartacus/"},
		"query as sent":  {shared(), "/tag/funk?metadata=1&x=%7e", "/tag/funk/?metadata=1&x=%7e"},
		"escaped":        {shared(), "/%CE%BD", "/%CE%BD/"},
		"unknown":        {shared(), "/nobody/nothing", "/nobody/nothing/"},
		"below a prefix": {mounted, "/emulator/spartacus?a=b", "/emulator/spartacus/?a=b"},
		"public URL":     {public, "/spartacus", "/base/spartacus/"},
		"page":           {shared(), "/www/spartacus", "/www/spartacus/"},
		"oEmbed":         {shared(), "/www/oembed?url=x", "/www/oembed/?url=x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := get(t, tt.h, tt.request)
			if w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != tt.location || w.Body.Len() > 0 {
				t.Errorf("status %d to %q with %q, want 301 to %q with nothing", w.Code, w.Header().Get("Location"), w.Body, tt.location)
			}
			if kind := w.Header().Get("Content-Type"); kind != "text/html; charset=utf-8" && !strings.HasPrefix(tt.request, "/www/spartacus") {
				t.Errorf("the content type is %q", kind)
			}
		})
	}
}

// Every URL that leads to the emulator begins with the base by which it was
// called; those of the site do not.
func TestPublicBase(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		h             http.Handler
		request, base string
	}{
		"http":       {shared(), "http://127.0.0.1:8081/demo/cloudcasts/?limit=1", "http://127.0.0.1:8081"},
		"https":      {shared(), "https://api.mixcloud.com/demo/cloudcasts/?limit=1", "https://api.mixcloud.com"},
		"prefix":     {http.StripPrefix("/emulator", shared()), "http://localhost/emulator/demo/cloudcasts/?limit=1", "http://localhost/emulator"},
		"public URL": {fresh(t, emulator.WithPublicURL("https://example.com/m")), "http://127.0.0.1/demo/cloudcasts/?limit=1", "https://example.com/m"},
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

// The JSON is indented by four spaces and plain ASCII, and says what it should.
func TestText(t *testing.T) {
	t.Parallel()
	u := population().User("νυχτερινό-τραμ")
	body := get(t, shared(), u.Key()).Body.String()
	if !strings.HasPrefix(body, "{\n    \"key\": \"/%CE%BD") || !strings.HasSuffix(body, "\n}") {
		t.Errorf("the text begins or ends otherwise: %.40q", body)
	}
	if strings.Trim(body, "\n"+ascii) != "" {
		t.Error("there is more than ASCII in it")
	}
	if !strings.Contains(body, `"username": "\u03bd\u03c5`) {
		t.Error("the user name is not escaped")
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
		"/nobody/":                                         {404, notFound, "User does not exist."},
		"/nobody/cloudcasts/":                              {404, notFound, "User does not exist."},
		"/nobody/cloudcasts/?metadata=1":                   {404, notFound, "User does not exist."},
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
		"/artist/nobody/":                                  {404, notFound, "Artist does not exist."},
		"/artist/nobody/popular/":                          {404, notFound, "Artist does not exist."},
		"/track/nobody/nothing/":                           {404, notFound, "Track does not exist."},
		"/track/nobody/nothing/hot/":                       {404, notFound, "Track does not exist."},
		"/a/b/c/d/":                                        {404, notFound, "Resource does not exist."},
		"/":                                                {404, notFound, "Resource does not exist."},
		"/www/oembed/?url=https://example.com/a/":          {404, notFound, "No such page."},
		"/me/":                           {400, refused, "An access_token is required to access this resource."},
		"/me/cloudcasts/":                {400, refused, "An access_token is required to access this resource."},
		"/me/?access_token=nobody-token": {400, refused, "An invalid access token was provided"},
		"/demo/?access_token=wrong":      {400, refused, "An invalid access token was provided"},
		"/nobody/?access_token=wrong":    {400, refused, "An invalid access token was provided"},
		"/me/?access_token=DEMO-token":   {400, refused, "An invalid access token was provided"},
	} {
		w := get(t, shared(), request)
		wanted := map[string]any{"error": map[string]any{"message": want.message, "type": want.kind}}
		if diff := cmp.Diff(wanted, object(t, w.Body.Bytes())); diff != "" || w.Code != want.status {
			t.Errorf("%s: status %d, want %d; body (-want +got):\n%s", request, w.Code, want.status, diff)
		}
		if kind := w.Header().Get("Content-Type"); kind != "text/javascript; charset=utf-8" {
			t.Errorf("%s: content type %q", request, kind)
		}
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodPut, http.MethodOptions} {
		w := do(shared(), httptest.NewRequest(method, "/demo/", nil))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET" {
			t.Errorf("%s: status %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
	srv := httptest.NewServer(shared())
	defer srv.Close()
	res, err := srv.Client().Head(srv.URL + "/demo/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.ContentLength < 1000 {
		t.Errorf("HEAD: status %d, %d bytes", res.StatusCode, res.ContentLength)
	}
}

func TestJSONP(t *testing.T) {
	t.Parallel()
	plain := get(t, shared(), "/demo/?metadata=1").Body.String()
	for request, want := range map[string]string{
		"/demo/?metadata=1&callback=jQuery_1.on%5B0%5D": "jQuery_1.on[0](" + plain + ")",
		"/demo/?metadata=1&callback=":                   plain,
		"/demo/?metadata=1&callback=alert(1)//":         plain,
		"/demo/?metadata=1&callback=%3Cscript%3E":       plain,
		"/nobody/?callback=f":                           "f(" + get(t, shared(), "/nobody/").Body.String() + ")",
		"/spartacus/party-time/embed-json/?callback=f":  "f(" + get(t, shared(), "/spartacus/party-time/embed-json/").Body.String() + ")",
		"/spartacus/party-time/embed-html/?callback=f":  get(t, shared(), "/spartacus/party-time/embed-html/").Body.String(),
	} {
		if diff := cmp.Diff(want, get(t, shared(), request).Body.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", request, diff)
		}
	}
}

// A user is found whatever the case of the path, and keeps the own case.
func TestUser_case(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/harbourfm/", "/HARBOURFM/", "/HarbourFM/"} {
		if key := getJSON(t, shared(), path)["key"]; key != "/HarbourFM/" {
			t.Errorf("%s has the key %v", path, key)
		}
	}
}

// An absent value is left out: there is no null anywhere.
func TestNoNulls(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		"/tidewrack/?metadata=1", "/OldFolksAtHome/", "/demo/room-tone/", "/demo/room-tone/comments/", "/tidewrack/cloudcasts/",
		"/demo/lunch-break-a-tracklist-with-holes/?metadata=1", "/popular/?limit=100", "/new/?limit=100", "/categories/?metadata=1",
	} {
		if body := get(t, shared(), path).Body.String(); strings.Contains(body, "null") {
			t.Errorf("%s has a null", path)
		}
	}
}

// What hidden_stats hides, and what it does not.
func TestHiddenStats(t *testing.T) {
	t.Parallel()
	const key = "/konrad-weiss/kellerlicht-closing-six-hours/"
	c := population().Cloudcast("konrad-weiss", "kellerlicht-closing-six-hours")
	if c.PlayCount == 0 || len(c.Comments) == 0 {
		t.Fatal("the show has nothing to hide")
	}
	got := getJSON(t, shared(), key)
	for name, want := range map[string]any{
		"hidden_stats": true, "play_count": 0.0, "favorite_count": 0.0, "listener_count": 0.0, "repost_count": 0.0,
		"comment_count": float64(len(c.Comments)),
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
}

// A tag's name depends on the path, its key does not, and its connections do.
func TestTag(t *testing.T) {
	t.Parallel()
	city := population().Cities[0]
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
		tag := getJSON(t, shared(), path+"?metadata=1")
		got := [3]string{tag["name"].(string), tag["key"].(string), strings.TrimPrefix(at(tag, "metadata.connections.popular").(string), host)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: name, key, connection (-want +got):\n%s", path, diff)
		}
	}
}

// metadata=1 gives a type to everything and connections to the root.
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
		body := getJSON(t, shared(), path)
		for member, kind := range want {
			if got := at(body, member); got != kind {
				t.Errorf("%s: %s is %v, want %v", path, member, got, kind)
			}
		}
	}
	connections := at(getJSON(t, shared(), "/HARBOURFM/?metadata=1"), "metadata.connections").(map[string]any)
	for name, link := range connections {
		if link != host+"/HarbourFM/"+name+"/" {
			t.Errorf("the connection %s is at %v", name, link)
		}
		if w := get(t, shared(), strings.TrimPrefix(link.(string), host)); w.Code != http.StatusOK {
			t.Errorf("the connection %s answers with status %d", name, w.Code)
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
		w := get(t, shared(), path)
		if diff := cmp.Diff(want, w.Body.String()); diff != "" || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %q (-want +got):\n%s", path, w.Header().Get("Content-Type"), diff)
		}
		inJSON := getJSON(t, shared(), strings.Replace(path, "embed-html", "embed-json", 1))
		if diff := cmp.Diff(map[string]any{"html": want}, inJSON); diff != "" {
			t.Errorf("%s in JSON (-want +got):\n%s", path, diff)
		}
	}
}

func seeded(t *testing.T, seed int64) *emulator.Emulator {
	t.Helper()
	e, err := emulator.New(emulator.WithSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// A reset makes the seeded world anew.
func TestReset_world(t *testing.T) {
	t.Parallel()
	e := seeded(t, 3)
	before := get(t, e, "/popular/").Body.String()
	e.Reset()
	if get(t, e, "/popular/").Body.String() != before {
		t.Error("the world after a reset is another one")
	}
}

// Same seed, same bytes; another seed, others.
func TestSeed(t *testing.T) {
	t.Parallel()
	a, b, c := seeded(t, 7), seeded(t, 7), seeded(t, 1)
	for _, path := range []string{"/popular/?limit=100", "/demo/feed/?limit=100", "/search/?q=a&type=user"} {
		one, two, other := get(t, a, path).Body.String(), get(t, b, path).Body.String(), get(t, c, path).Body.String()
		if one != two || one == other {
			t.Errorf("%s: the same for the same seed: %t; for another: %t", path, one == two, one == other)
		}
		if !json.Valid([]byte(one)) {
			t.Errorf("%s is no JSON", path)
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
			t.Errorf("%s: no error", name)
		}
	}
}

// Of a seed and a given world the later one counts: an emulator that was asked
// for a world of its own must not write into the one it was given before.
func TestNew_worlds(t *testing.T) {
	t.Parallel()
	given := population().Clone()
	follows := func() int { return len(given.User("tidewrack").Following) }
	before := follows()
	tests := map[string]struct {
		options []emulator.Option
		added   int
	}{
		"seed last":  {[]emulator.Option{emulator.WithWorld(given), emulator.WithSeed(1)}, 0},
		"world last": {[]emulator.Option{emulator.WithSeed(1), emulator.WithWorld(given)}, 1},
	}
	for _, name := range []string{"seed last", "world last"} { // in this order: the second one writes
		e := own(t, tests[name].options...)
		if got := send(e, http.MethodPost, "/spartacus/follow/", "tidewrack-token", "", nil); got.Code != http.StatusOK {
			t.Fatalf("%s: status %d: %s", name, got.Code, got.Body)
		}
		if added := follows() - before; added != tests[name].added {
			t.Errorf("%s: %d follows were written into the given world, want %d", name, added, tests[name].added)
		}
	}
}

func TestRoutes_answer(t *testing.T) {
	t.Parallel()
	track := population().Artists[0].Tracks[0]
	fill := strings.NewReplacer(
		"{user}/playlists/{playlist}", strings.Trim(population().User("demo").Playlists[0].Key(), "/"),
		"{user}/{cloudcast}", "spartacus/party-time", "{user}", "demo", "{tags}", "funk+house", "{category}", "ambient",
		"{artist}/{track}", strings.TrimPrefix(strings.Trim(track.Key(), "/"), "track/"),
		"{artist}", strings.TrimPrefix(strings.Trim(track.Artist.Key(), "/"), "artist/"),
	)
	for _, r := range emulator.Routes() {
		if r.Method != http.MethodGet || strings.HasPrefix(r.Pattern, "/www/oauth/") {
			continue // what they do is tested by itself
		}
		path := fill.Replace(r.Pattern) + "?access_token=demo-token"
		if strings.HasPrefix(path, "/www/oembed/") {
			path += "&url=https://www.mixcloud.com/demo/"
		}
		if w := get(t, shared(), path); w.Code != http.StatusOK || r.Doc == "" {
			t.Errorf("%s %s (%s): status %d", r.Method, path, r.Doc, w.Code)
		}
	}
}
