package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

const token = "?access_token=demo-token"

// What a token adds to users.
func TestToken_users(t *testing.T) {
	t.Parallel()
	w := population()
	demo := w.User("demo")
	follows := func(a, b *world.User) bool {
		return slices.ContainsFunc(a.Following, func(e world.UserEdge) bool { return e.User == b })
	}
	for _, u := range append([]*world.User{demo}, w.Users[:40]...) {
		want := map[string]any{"following": follows(demo, u), "follower": follows(u, demo)}
		if u == demo {
			want["is_current_user"] = true
		}
		got := make(map[string]any)
		full := getJSON(t, shared(), u.Key()+token)
		for _, name := range []string{"following", "follower", "is_current_user"} {
			if v, ok := full[name]; ok {
				got[name] = v
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", u.Username, diff)
		}
	}
	for _, item := range getJSON(t, shared(), "/demo/following/"+token)["data"].([]any) {
		u := item.(map[string]any)
		_, follower := u["follower"]
		_, current := u["is_current_user"]
		if u["following"] != true || follower || current {
			t.Errorf("a nested user is %v, want just following", u)
		}
	}
	if u := getJSON(t, shared(), "/demo/"); u["following"] != nil || u["follower"] != nil || u["is_current_user"] != nil {
		t.Error("without a token a user has a viewer's members")
	}
}

// What a token adds to cloudcasts, listed and full.
func TestToken_cloudcasts(t *testing.T) {
	t.Parallel()
	demo := population().User("demo")
	flags := func(key string) map[string]any {
		on := func(list []world.CloudcastEdge) bool {
			return slices.ContainsFunc(list, func(e world.CloudcastEdge) bool { return e.Cloudcast.Key() == key })
		}
		return map[string]any{"favorited": on(demo.Favorites), "reposted": on(demo.Reposts), "is_listen_later": on(demo.ListenLater)}
	}
	seen := make(map[string]bool)
	for _, list := range []string{"/demo/favorites/", "/me/listen-later/", "/popular/"} {
		for _, item := range getJSON(t, shared(), list+token)["data"].([]any) {
			c := item.(map[string]any)
			want := flags(c["key"].(string))
			for name, value := range want {
				if c[name] != value {
					t.Errorf("%s in %s: %s is %v, want %v", c["key"], list, name, c[name], value)
				}
				if value.(bool) {
					seen[name] = true
				}
			}
		}
	}
	if !seen["favorited"] || !seen["is_listen_later"] {
		t.Error("the lists show nothing that is favorited or saved for later")
	}
	full := getJSON(t, shared(), demo.Favorites[0].Cloudcast.Key()+token)
	if full["favorited"] != true {
		t.Error("a full cloudcast that is a favorite does not say so")
	}
}

// /me/ is the token's user, under the real key.
func TestToken_me(t *testing.T) {
	t.Parallel()
	for me, real := range map[string]string{"/me/": "/demo/", "/me/cloudcasts/": "/demo/cloudcasts/", "/me/listen-later/": "/demo/listen-later/"} {
		mine, theirs := getJSON(t, shared(), me+token), getJSON(t, shared(), real+token)
		delete(mine, "paging") // its links keep the path as requested
		delete(theirs, "paging")
		if diff := cmp.Diff(theirs, mine); diff != "" {
			t.Errorf("%s and %s differ (-real +me):\n%s", real, me, diff)
		}
	}
}

// Every user of the world has a token of ASCII, which control lists. Where the
// user name is ASCII, the token can be told from it.
func TestToken_everybody(t *testing.T) {
	t.Parallel()
	e := own(t)
	var users []emulator.UserInfo
	if err := json.Unmarshal(control(e, http.MethodGet, "users", "").Body.Bytes(), &users); err != nil {
		t.Fatal(err)
	}
	if len(users) != len(population().Users) {
		t.Errorf("%d users are listed, want %d", len(users), len(population().Users))
	}
	hashed := 0
	for _, u := range users {
		ascii := !strings.ContainsFunc(u.Username, func(r rune) bool { return r > unicode.MaxASCII })
		if ascii && u.Token != u.Username+"-token" || strings.ContainsFunc(u.Token, func(r rune) bool { return r > unicode.MaxASCII }) {
			t.Errorf("%s has the token %q", u.Username, u.Token)
		}
		if me := getJSON(t, shared(), "/me/?access_token="+url.QueryEscape(u.Token)); me["username"] != u.Username || me["key"] != u.Key {
			t.Errorf("the token of %s is that of %v", u.Username, me["username"])
		}
		if !ascii {
			hashed++
			if w := get(t, shared(), "/me/?access_token="+url.QueryEscape(u.Username+"-token")); w.Code != http.StatusBadRequest {
				t.Errorf("%s has a second token: status %d", u.Username, w.Code)
			}
		}
	}
	if hashed == 0 {
		t.Error("no user has a name beyond ASCII")
	}
	some := users[len(users)-1] // of another script
	if !e.Revoke(some.Token) || get(t, e, "/me/?access_token="+some.Token).Code != http.StatusBadRequest {
		t.Errorf("the token of %s cannot be revoked", some.Username)
	}
}

// A token counts in the query only.
func TestToken_header(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/demo/", nil)
	r.Header.Set("Authorization", "Bearer demo-token")
	if u := object(t, do(shared(), r).Body.Bytes()); u["following"] != nil {
		t.Error("a header's token counts")
	}
}

// Hidden listens are an empty list, and no listening shows in the feed; their
// owner sees both.
func TestHiddenListens(t *testing.T) {
	t.Parallel()
	const owner = "/maren-ostberg/"
	u := population().User("maren-ostberg")
	if len(u.Listens) == 0 || !u.HideListens {
		t.Fatal("the user hides nothing")
	}
	listens := func(query string) int { return len(keys(getJSON(t, shared(), owner+"listens/"+query))) }
	if n := listens(""); n != 0 {
		t.Errorf("everybody sees %d listens", n)
	}
	if n := listens(token); n != 0 {
		t.Errorf("another user sees %d listens", n)
	}
	if n := listens("?access_token=maren-ostberg-token"); n != min(20, len(u.Listens)) {
		t.Errorf("the owner sees %d listens", n)
	}
}

// Whoever hides the listens does not tell of them in the feed either.
func TestHiddenListens_feed(t *testing.T) {
	t.Parallel()
	w := population().Clone()
	e := fresh(t, emulator.WithWorld(w))
	listens := func(query string) (n int) {
		for _, item := range getJSON(t, e, "/demo/feed/?limit=100"+query)["data"].([]any) {
			if item.(map[string]any)["type"] == "listen" {
				n++
			}
		}
		return n
	}
	shown := listens("")
	w.User("demo").HideListens = true
	if all, own := listens(""), listens("&access_token=demo-token"); shown == 0 || all != 0 || own != shown {
		t.Errorf("of %d listens the feed tells everybody of %d, and the owner of %d", shown, all, own)
	}
}

// Unlisted uploads are found by key, drafts and scheduled ones by their owner,
// and neither stands on any list.
func TestPrivateCloudcasts(t *testing.T) {
	t.Parallel()
	listed := slices.Concat(
		walk(t, "/me/cloudcasts/?limit=100&offset=0", "next", token),
		keys(getJSON(t, shared(), "/search/?q=second+sleep&type=cloudcast&limit=100")),
		keys(getJSON(t, shared(), "/search/?q=friends&type=upload&limit=100")),
		keys(getJSON(t, shared(), "/new/?limit=100")),
	)
	for key, open := range map[string]bool{
		world.UnlistedCloudcast:  true,
		world.DraftCloudcast:     false,
		world.ScheduledCloudcast: false,
	} {
		want := http.StatusNotFound
		if open {
			want = http.StatusOK
		}
		if w := get(t, shared(), key); w.Code != want {
			t.Errorf("%s: status %d for everybody", key, w.Code)
		}
		if w := get(t, shared(), key+token); w.Code != http.StatusOK {
			t.Errorf("%s: status %d for its owner", key, w.Code)
		}
		if slices.Contains(listed, key) {
			t.Errorf("%s is on a list", key)
		}
	}
}

// A scheduled upload is found by everybody once the clock says so.
func TestScheduledCloudcast(t *testing.T) {
	t.Parallel()
	day := population().Cloudcast("demo", "second-sleep-autumn-equinox").PublishAt
	for at, want := range map[time.Time]int{day.Add(-time.Second): http.StatusNotFound, day: http.StatusOK} {
		e := fresh(t, emulator.WithClock(func() time.Time { return at }))
		if w := get(t, e, world.ScheduledCloudcast); w.Code != want {
			t.Errorf("at %v: status %d, want %d", at, w.Code, want)
		}
	}
}
