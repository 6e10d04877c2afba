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

// TestToken_users checks the members that a token adds to users.
func TestToken_users(t *testing.T) {
	t.Parallel()
	w := sharedWorld()
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
		full := getJSON(t, sharedEmulator(), u.Key()+token)
		for _, name := range []string{"following", "follower", "is_current_user"} {
			if v, ok := full[name]; ok {
				got[name] = v
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("viewer members of %s (-want +got):\n%s", u.Username, diff)
		}
	}
	for _, item := range getJSON(t, sharedEmulator(), "/demo/following/"+token)["data"].([]any) {
		u := item.(map[string]any)
		_, follower := u["follower"]
		_, current := u["is_current_user"]
		if u["following"] != true || follower || current {
			t.Errorf("nested user = %v, want following without follower and is_current_user", u)
		}
	}
	if u := getJSON(t, sharedEmulator(), "/demo/"); u["following"] != nil || u["follower"] != nil || u["is_current_user"] != nil {
		t.Errorf("without a token the user has following, follower or is_current_user, want none: %v", u)
	}
}

// TestToken_cloudcasts checks the members that a token adds to cloudcasts, in lists and
// in full form.
func TestToken_cloudcasts(t *testing.T) {
	t.Parallel()
	demo := sharedWorld().User("demo")
	flags := func(key string) map[string]any {
		on := func(list []world.CloudcastEdge) bool {
			return slices.ContainsFunc(list, func(e world.CloudcastEdge) bool { return e.Cloudcast.Key() == key })
		}
		return map[string]any{"favorited": on(demo.Favorites), "reposted": on(demo.Reposts), "is_listen_later": on(demo.ListenLater)}
	}
	seen := make(map[string]bool)
	for _, list := range []string{"/demo/favorites/", "/me/listen-later/", "/popular/"} {
		for _, item := range getJSON(t, sharedEmulator(), list+token)["data"].([]any) {
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
		t.Error("the lists contain no favorite, or no cloudcast of the listen-later list; want both")
	}
	full := getJSON(t, sharedEmulator(), demo.Favorites[0].Cloudcast.Key()+token)
	if full["favorited"] != true {
		t.Errorf("favorited = %v for a favorite of the viewer, want true", full["favorited"])
	}
}

// TestToken_me checks that /me/ is the token's user, with the user's key.
func TestToken_me(t *testing.T) {
	t.Parallel()
	for me, real := range map[string]string{"/me/": "/demo/", "/me/cloudcasts/": "/demo/cloudcasts/", "/me/listen-later/": "/demo/listen-later/"} {
		got, want := getJSON(t, sharedEmulator(), me+token), getJSON(t, sharedEmulator(), real+token)
		delete(got, "paging") // its links have the requested path
		delete(want, "paging")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s differs from %s (-%[2]s +%[1]s):\n%s", me, real, diff)
		}
	}
}

// TestToken_AllUsers checks that every user has an ASCII token, which the control API
// lists. The token of an ASCII user name is derived from the name.
func TestToken_AllUsers(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	var users []emulator.UserInfo
	if err := json.Unmarshal(writeControl(e, http.MethodGet, "users", "").Body.Bytes(), &users); err != nil {
		t.Fatal(err)
	}
	if len(users) != len(sharedWorld().Users) {
		t.Errorf("%d users are listed, want %d", len(users), len(sharedWorld().Users))
	}
	hashed := 0
	for _, u := range users {
		ascii := !strings.ContainsFunc(u.Username, func(r rune) bool { return r > unicode.MaxASCII })
		if ascii && u.Token != u.Username+"-token" || strings.ContainsFunc(u.Token, func(r rune) bool { return r > unicode.MaxASCII }) {
			t.Errorf("token of %s = %q, want ASCII, and NAME-token for an ASCII name", u.Username, u.Token)
		}
		if me := getJSON(t, sharedEmulator(), "/me/?access_token="+url.QueryEscape(u.Token)); me["username"] != u.Username || me["key"] != u.Key {
			t.Errorf("GET /me/ with the token of %s: username %v, key %v; want %[1]s, %[4]s", u.Username, me["username"], me["key"], u.Key)
		}
		if !ascii {
			hashed++
			if w := get(t, sharedEmulator(), "/me/?access_token="+url.QueryEscape(u.Username+"-token")); w.Code != http.StatusBadRequest {
				t.Errorf("GET /me/ with %s-token: status %d, want 400: a name that is not ASCII has a hashed token", u.Username, w.Code)
			}
		}
	}
	if hashed == 0 {
		t.Error("all user names are ASCII, want one that is not")
	}
	some := users[len(users)-1] // in another script
	if !e.Revoke(some.Token) || get(t, e, "/me/?access_token="+some.Token).Code != http.StatusBadRequest {
		t.Errorf("Revoke of the token of %s returned false, or GET /me/ with it has another status; want true, 400", some.Username)
	}
}

// TestToken_header checks that a token in a header is ignored.
func TestToken_header(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/demo/", nil)
	r.Header.Set("Authorization", "Bearer demo-token")
	if u := object(t, do(sharedEmulator(), r).Body.Bytes()); u["following"] != nil {
		t.Error("a token in the Authorization header was accepted, want it ignored")
	}
}

// TestHiddenListens checks that hidden listens are an empty list, except for their
// owner.
func TestHiddenListens(t *testing.T) {
	t.Parallel()
	const owner = "/maren-ostberg/"
	u := sharedWorld().User("maren-ostberg")
	if len(u.Listens) == 0 || !u.HideListens {
		t.Fatalf("maren-ostberg has %d listens, hidden: %t; want some that are hidden", len(u.Listens), u.HideListens)
	}
	listens := func(query string) int { return len(keys(getJSON(t, sharedEmulator(), owner+"listens/"+query))) }
	if n := listens(""); n != 0 {
		t.Errorf("an anonymous client receives %d listens, want 0", n)
	}
	if n := listens(token); n != 0 {
		t.Errorf("another user receives %d listens, want 0", n)
	}
	if n := listens("?access_token=maren-ostberg-token"); n != min(20, len(u.Listens)) {
		t.Errorf("the owner receives %d listens, want %d", n, min(20, len(u.Listens)))
	}
}

// TestHiddenListens_feed checks that hidden listens are not in the feed, except for
// their owner.
func TestHiddenListens_feed(t *testing.T) {
	t.Parallel()
	w := sharedWorld().Clone()
	e := newEmulator(t, emulator.WithWorld(w))
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
		t.Errorf("listens in the feed: %d if public; if hidden, %d for others and %d for the owner; want some, 0, and all", shown, all, own)
	}
}

// TestPrivateCloudcasts checks that all clients find unlisted uploads by their keys,
// that only the owner finds drafts and scheduled uploads, and that all of these are in
// no list.
func TestPrivateCloudcasts(t *testing.T) {
	t.Parallel()
	listed := slices.Concat(
		followLinks(t, "/me/cloudcasts/?limit=100&offset=0", "next", token),
		keys(getJSON(t, sharedEmulator(), "/search/?q=second+sleep&type=cloudcast&limit=100")),
		keys(getJSON(t, sharedEmulator(), "/search/?q=friends&type=upload&limit=100")),
		keys(getJSON(t, sharedEmulator(), "/new/?limit=100")),
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
		if w := get(t, sharedEmulator(), key); w.Code != want {
			t.Errorf("anonymous GET %s: status %d, want %d", key, w.Code, want)
		}
		if w := get(t, sharedEmulator(), key+token); w.Code != http.StatusOK {
			t.Errorf("GET %s by its owner: status %d, want 200", key, w.Code)
		}
		if slices.Contains(listed, key) {
			t.Errorf("%s is in a list, want it in none", key)
		}
	}
}

// TestScheduledCloudcast checks that a scheduled upload becomes public at its time.
func TestScheduledCloudcast(t *testing.T) {
	t.Parallel()
	day := sharedWorld().Cloudcast("demo", "second-sleep-autumn-equinox").PublishAt
	for at, want := range map[time.Time]int{day.Add(-time.Second): http.StatusNotFound, day: http.StatusOK} {
		e := newEmulator(t, emulator.WithClock(func() time.Time { return at }))
		if w := get(t, e, world.ScheduledCloudcast); w.Code != want {
			t.Errorf("at %v: status %d, want %d", at, w.Code, want)
		}
	}
}
