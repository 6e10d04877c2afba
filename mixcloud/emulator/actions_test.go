package emulator_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// actionTests contains the target of each action, and the lists and members that the
// action changes.
var actionTests = map[string]struct {
	key, flag   string // of the target
	count       string // the target's
	actorList   string // the actor's list; "" for none
	targetList  string // the target's list; "" for none
	feed        string // the kind of the activity; "" for none
	done, undid string // messages
}{
	"follow": {
		"/petra_kolar/", "following", "follower_count", "/me/following/", "/petra_kolar/followers/", "follow",
		"Now following petra_kolar", "No longer following petra_kolar",
	},
	"favorite": {
		world.EmptyCloudcast, "favorited", "favorite_count", "/me/favorites/", world.EmptyCloudcast + "favorites/", "favorite",
		"Added to favorites: Room Tone", "Removed from favorites: Room Tone",
	},
	"repost": {
		world.EmptyCloudcast, "reposted", "repost_count", "", "", "",
		"Reposted: Room Tone", "No longer reposted: Room Tone",
	},
	"listen-later": {
		world.EmptyCloudcast, "is_listen_later", "", "/me/listen-later/", "", "",
		"Added to listen later: Room Tone", "Removed from listen later: Room Tone",
	},
}

// TestActions checks that an action changes all lists and members that show it, and
// that its undo restores them. Repeating an action is a success; repeating its undo is
// a 404.
func TestActions(t *testing.T) {
	t.Parallel()
	const actor, token = "/tidewrack/", "tidewrack-token" // a user without activity
	e := newWritableEmulator(t)
	for _, name := range []string{"follow", "favorite", "repost", "listen-later"} {
		a := actionTests[name]
		path := a.key + name + "/"
		check := func(when string, on bool, count float64) {
			t.Helper()
			target := getJSON(t, e, a.key+"?access_token="+token)
			if target[a.flag] != on {
				t.Errorf("%s %s: %s = %v, want %t", name, when, a.flag, target[a.flag], on)
			}
			if a.count != "" && target[a.count] != count {
				t.Errorf("%s %s: %s is %v, want %v", name, when, a.count, target[a.count], count)
			}
			if a.actorList != "" {
				list := keys(getJSON(t, e, a.actorList+"?access_token="+token))
				if slices.Contains(list, a.key) != on {
					t.Errorf("%s %s: %s lists %q; want %s in it: %t", name, when, a.actorList, list, a.key, on)
				}
			}
			if a.targetList != "" {
				list := keys(getJSON(t, e, a.targetList))
				if slices.Contains(list, actor) != on || on && list[0] != actor {
					t.Errorf("%s %s: %s lists %q; want %s first: %t", name, when, a.targetList, list, actor, on)
				}
			}
			if a.feed != "" {
				feed := getJSON(t, e, actor+"feed/")["data"].([]any)
				if found := len(feed) > 0 && at(feed, "type") == a.feed; found != on {
					t.Errorf("%s %s: feed = %v; want it to start with an activity of type %s: %t", name, when, feed, a.feed, on)
				}
			}
		}
		count, _ := getJSON(t, e, a.key)[a.count].(float64)
		check("before", false, count)
		for range 2 {
			w := send(e, http.MethodPost, path, token, "", nil)
			want := map[string]any{"result": map[string]any{"success": true, "message": a.done}}
			if diff := cmp.Diff(want, object(t, w.Body.Bytes())); w.Code != http.StatusOK || diff != "" {
				t.Errorf("POST %s: status %d, want 200; body (-want +got):\n%s", path, w.Code, diff)
			}
			check("done", true, count+1)
		}
		w := send(e, http.MethodDelete, path, token, "", nil)
		want := map[string]any{"result": map[string]any{"success": true, "message": a.undid}}
		if diff := cmp.Diff(want, object(t, w.Body.Bytes())); w.Code != http.StatusOK || diff != "" {
			t.Errorf("DELETE %s: status %d, want 200; body (-want +got):\n%s", path, w.Code, diff)
		}
		check("undone", false, count)
		w = send(e, http.MethodDelete, path, token, "", nil)
		if kind := at(object(t, w.Body.Bytes()), "error.type"); w.Code != http.StatusNotFound || kind != "ResourceNotFoundException" {
			t.Errorf("second DELETE %s: status %d, want 404 with a ResourceNotFoundException: %s", path, w.Code, w.Body)
		}
	}
	if diff := cmp.Diff(getJSON(t, sharedEmulator(), actor), getJSON(t, e, actor)); diff != "" {
		t.Errorf("members of the actor after all undos (-want +got):\n%s", diff)
	}
}

func TestActions_refusals(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	const notFound, refused = "ResourceNotFoundException", "OAuthException"
	for name, tt := range map[string]struct {
		request string // with the method
		token   string
		status  int
		kind    string // of the error; "" for none
		follows string
	}{
		"unknown user":     {"POST /no-such-user/follow/", "demo-token", 404, notFound, "an unknown target"},
		"unknown show":     {"POST /demo/nothing/favorite/", "demo-token", 404, notFound, "an unknown target"},
		"unknown, undone":  {"DELETE /no-such-user/follow/", "demo-token", 404, notFound, "an unknown target"},
		"another's draft":  {"POST " + world.DraftCloudcast + "favorite/", "spartacus-token", 404, notFound, "drafts are not found"},
		"not done":         {"DELETE /tidewrack/follow/", "spartacus-token", 404, notFound, "undoing what was not done"},
		"no token":         {"POST /spartacus/follow/", "", 400, refused, "writes need a token"},
		"wrong token":      {"POST /spartacus/follow/", "no-such-user-token", 400, refused, "an unknown token"},
		"oneself":          {"POST /demo/follow/", "demo-token", 200, "", "users cannot follow themselves"},
		"a show followed":  {"POST /demo/room-tone/follow/", "demo-token", 405, "", "only users are followed"},
		"a user favorited": {"POST /demo/favorite/", "demo-token", 405, "", "only shows are favorited"},
		"read":             {"GET /spartacus/follow/", "demo-token", 405, "", "an action is not read"},
		"put":              {"PUT /spartacus/follow/", "demo-token", 405, "", "there is no such method"},
		"retired":          {"POST /me/cloudcast/", "demo-token", 405, "", "a retired path, as a bot met it"},
		"no slash":         {"POST /spartacus/follow", "demo-token", 301, "", "a missing slash loses the method"},
		"upload read":      {"GET /upload/", "demo-token", 405, "", "uploads have no GET"},
		"playlist":         {"POST /demo/playlists/x/", "demo-token", 405, "", "playlists cannot be changed"},
		"profile":          {"POST /me/", "demo-token", 405, "", "the profile cannot be edited"},
		"delete an upload": {"DELETE /demo/room-tone/", "demo-token", 405, "", "uploads cannot be deleted"},
		"comment":          {"POST /demo/room-tone/comments/", "demo-token", 405, "", "comments cannot be posted"},
		"bad form":         {"POST /spartacus/follow/?bad", "demo-token", 400, "PostValidationError", "a body that is not a form"},
	} {
		method, path, _ := strings.Cut(tt.request, " ")
		contentType, body := "", ""
		if path, ok := strings.CutSuffix(path, "?bad"); ok {
			tt.request, contentType, body = path, "application/x-www-form-urlencoded", "a=%zz"
		}
		w := send(e, method, strings.TrimSuffix(path, "?bad"), tt.token, contentType, strings.NewReader(body))
		if w.Code != tt.status {
			t.Errorf("%s (%s): status %d, want %d: %s", name, tt.follows, w.Code, tt.status, w.Body)
			continue
		}
		if tt.kind != "" && at(object(t, w.Body.Bytes()), "error.type") != tt.kind {
			t.Errorf("%s (%s): body %s, want an error of type %s", name, tt.follows, w.Body, tt.kind)
		}
	}
	w := send(e, http.MethodPost, "/demo/follow/", "demo-token", "", nil)
	want := map[string]any{"result": map[string]any{"success": false, "message": "You cannot follow yourself."}}
	if diff := cmp.Diff(want, object(t, w.Body.Bytes())); diff != "" {
		t.Errorf("a user follows themselves: body (-want +got):\n%s", diff)
	}
	for request, want := range map[string]string{
		"PUT /spartacus/follow/": "POST, DELETE", "GET /demo/room-tone/repost/": "POST, DELETE", "DELETE /upload/": "POST", "PUT /spartacus/": "GET",
	} {
		method, path, _ := strings.Cut(request, " ")
		if got := send(e, method, path, "demo-token", "", nil).Header().Get("Allow"); got != want {
			t.Errorf("%s: Allow %q, want %q", request, got, want)
		}
	}
	if location := send(e, http.MethodPost, "/spartacus/follow", "", "", nil).Header().Get("Location"); location != "/spartacus/follow/" {
		t.Errorf("POST /spartacus/follow redirects to %q, want /spartacus/follow/", location)
	}
}

// TestActions_methodOverride checks that a POST with method=delete, in the query or in
// a form, is handled as a DELETE.
func TestActions_methodOverride(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	const path, urlencoded = "/spartacus/follow/", "application/x-www-form-urlencoded"
	multi, multiBody := fieldsOnly("method=delete").encode(t)
	other, otherBody := fieldsOnly("method=post").encode(t)
	for name, tt := range map[string]struct {
		path, contentType, body string
		undone                  bool
	}{
		"query":            {path + "?method=delete", "", "", true},
		"form":             {path, urlencoded, "method=delete", true},
		"form, upper case": {path, urlencoded, "method=DELETE", true},
		"multipart":        {path, multi, multiBody, true},
		"other method":     {path, urlencoded, "method=put", false},
		"multipart, other": {path, other, otherBody, false},
		"neither":          {path, urlencoded, "a=b", false},
		"no form":          {path, "application/json", `{"method": "delete"}`, false},
		"without a body":   {path, "", "", false},
	} {
		send(e, http.MethodPost, path, "demo-token", "", nil)
		e.ClearRequests()
		w := send(e, http.MethodPost, tt.path, "demo-token", tt.contentType, strings.NewReader(tt.body))
		undone := getJSON(t, e, "/spartacus/?access_token=demo-token")["following"] == false
		if w.Code != http.StatusOK || undone != tt.undone {
			t.Errorf("%s: status %d, follow undone: %t; want 200, %t: %s", name, w.Code, undone, tt.undone, w.Body)
		}
		want := emulator.Request{Method: "POST", Path: path, Query: strings.TrimPrefix(tt.path[len(path):], "?"), Status: 200}
		if diff := cmp.Diff(want, e.Requests()[0]); diff != "" {
			t.Errorf("%s: journal (-want +got):\n%s", name, diff)
		}
	}
}

// TestActions_dates checks that the times of writes are one second apart, starting at
// the fixed time of the data, or those of a given clock.
func TestActions_dates(t *testing.T) {
	t.Parallel()
	clock := &manualClock{time.Date(2030, 1, 2, 3, 4, 5, 600, time.UTC)}
	for name, tt := range map[string]struct {
		options []emulator.Option
		first   time.Time
		step    time.Duration
	}{
		"world": {nil, sharedWorld().Now.Add(time.Second), time.Second},
		"clock": {[]emulator.Option{emulator.WithClock(clock.read)}, clock.now.Truncate(time.Second), 0},
	} {
		e := newWritableEmulator(t, tt.options...)
		// Writes that change nothing do not advance the time.
		send(e, http.MethodPost, "/no-such-user/follow/", "tidewrack-token", "", nil)
		send(e, http.MethodDelete, "/spartacus/follow/", "tidewrack-token", "", nil)
		for _, key := range []string{world.EmptyCloudcast, "/spartacus/party-time/"} {
			send(e, http.MethodPost, key+"favorite/", "tidewrack-token", "", nil)
		}
		var got []string
		for _, item := range getJSON(t, e, "/tidewrack/feed/")["data"].([]any) {
			got = append(got, item.(map[string]any)["created_time"].(string)+" "+at(item, "cloudcasts.key").(string))
		}
		want := []string{
			tt.first.Add(tt.step).Format(time.RFC3339) + " /spartacus/party-time/", tt.first.Format(time.RFC3339) + " " + world.EmptyCloudcast,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the feed (-want +got):\n%s", name, diff)
		}
	}
}

// TestActions_concurrent checks that after concurrent actions both lists of every edge
// agree.
func TestActions_concurrent(t *testing.T) {
	t.Parallel()
	w := sharedWorld().Clone()
	e := newWritableEmulator(t, emulator.WithWorld(w))
	var wg sync.WaitGroup
	actors := []string{"demo", "tidewrack", "OldFolksAtHome", "spartacus", "konrad-weiss", "MissCrackle"}
	for i, actor := range actors {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for range 150 {
				other := actors[random.IntN(len(actors))]
				method := []string{http.MethodPost, http.MethodDelete}[random.IntN(2)]
				send(e, method, "/"+other+"/follow/", actor+"-token", "", nil)
				send(e, method, world.EmptyCloudcast+"favorite/", actor+"-token", "", nil)
				get(t, e, "/"+other+"/followers/?access_token="+actor+"-token")
				get(t, e, "/search/?type=user&q=a")
			}
		})
	}
	wg.Wait()
	quiet := w.Cloudcast("demo", "room-tone")
	for _, u := range w.Users {
		newest := func(what string, n int, at func(int) time.Time) {
			for i := 1; i < n; i++ {
				if at(i).After(at(i - 1)) {
					t.Errorf("%s of %s: item %d is newer than the one before, want newest first", what, u.Username, i)
				}
			}
		}
		newest("following", len(u.Following), func(i int) time.Time { return u.Following[i].At })
		newest("followers", len(u.Followers), func(i int) time.Time { return u.Followers[i].At })
		newest("feed", len(u.Feed), func(i int) time.Time { return u.Feed[i].At })
		seen := make(map[*world.User]bool)
		for _, edge := range u.Following {
			if seen[edge.User] {
				t.Errorf("%s follows %s twice, want once", u.Username, edge.User.Username)
			}
			seen[edge.User] = true
			if !slices.Contains(edge.User.Followers, world.UserEdge{User: u, At: edge.At}) {
				t.Errorf("%s follows %s, but the followers of %[2]s do not include %[1]s with the same time", u.Username, edge.User.Username)
			}
		}
		has := slices.ContainsFunc(u.Favorites, func(e world.CloudcastEdge) bool { return e.Cloudcast == quiet })
		if fan := slices.ContainsFunc(quiet.Favorites, func(e world.UserEdge) bool { return e.User == u }); fan != has {
			t.Errorf("%s: favorites include the show: %t, but the show's favorites include the user: %t", u.Username, has, fan)
		}
	}
	ids := make(map[int]string)
	for _, u := range w.Users {
		for _, a := range u.Feed {
			if where := fmt.Sprint(u.Username, a.Kind); ids[a.ID] != "" {
				t.Errorf("activities %s and %s have the same ID, want unique IDs", ids[a.ID], where)
			} else {
				ids[a.ID] = where
			}
		}
	}
}
