package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud/emulator"
)

// A view contains all fields that the actions change, by every path of the graph, as one principal
// sees them.
type view struct {
	User struct {
		ViewerIsFollowing *bool
		FollowerCount     int
		Followers         struct{ TotalCount int }
		Cloudcasts        struct{ Nodes []cloudcastView }
	}
	Cloudcast cloudcastView
	Viewer    *ownView
	Own       struct{ User ownView }
	Member    ownView
}

type cloudcastView struct {
	Key                                                         string
	ViewerHasFavorited, ViewerHasReposted, ViewerHasListenLater *bool
	FavoriteCount, RepostCount                                  int
	Favorites                                                   struct{ TotalCount int }
	User                                                        struct{ ViewerIsFollowing *bool }
}

type ownView struct {
	FollowingCount, FavoriteCount int
	Following, Favorites          struct{ TotalCount int }
}

const (
	castFields = `key viewerHasFavorited viewerHasReposted viewerHasListenLater favoriteCount repostCount
		favorites(first: 0) { totalCount } user { viewerIsFollowing }`
	ownFields = `followingCount favoriteCount following(first: 0) { totalCount } favorites(first: 0) { totalCount }`
	viewQuery = `{
		user(username: "spartacus") { viewerIsFollowing followerCount followers(first: 0) { totalCount } cloudcasts { nodes { ` + castFields + ` } } }
		cloudcast(key: "/spartacus/party-time/") { ` + castFields + ` }
		viewer { ` + ownFields + ` }
		own: cloudcast(key: "/demo/lunch-break-29082026/") { user { ` + ownFields + ` } }
		member: user(username: "demo") { ` + ownFields + ` }
	}`
)

// after returns the view after the demo user has done or undone the four actions on spartacus and party-time. By is the change of
// the counts. Flags is true if the principal is the demo user.
func (v view) after(on, flags bool, by int) view {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var out view
	if err := json.Unmarshal(text, &out); err != nil {
		panic(err)
	}
	flag := func(f *bool) {
		if flags {
			*f = on
		}
	}
	cast := func(c *cloudcastView) {
		flag(c.User.ViewerIsFollowing)
		if c.Key != "/spartacus/party-time/" {
			return
		}
		flag(c.ViewerHasFavorited)
		flag(c.ViewerHasReposted)
		flag(c.ViewerHasListenLater)
		c.FavoriteCount += by
		c.Favorites.TotalCount += by
		c.RepostCount += by
	}
	flag(out.User.ViewerIsFollowing)
	out.User.FollowerCount += by
	out.User.Followers.TotalCount += by
	for i := range out.User.Cloudcasts.Nodes {
		cast(&out.User.Cloudcasts.Nodes[i])
	}
	cast(&out.Cloudcast)
	own := []*ownView{&out.Own.User, &out.Member}
	if flags {
		own = append(own, out.Viewer)
	}
	for _, o := range own {
		o.FollowingCount += by
		o.Following.TotalCount += by
		o.FavoriteCount += by
		o.Favorites.TotalCount += by
	}
	return out
}

const doAll = `mutation {
	followUser(input: {username: "spartacus"}) { changed userErrors { code } }
	favoriteCloudcast(input: {key: "/spartacus/party-time/"}) { changed userErrors { code } }
	repostCloudcast(input: {key: "/spartacus/party-time/"}) { changed userErrors { code } }
	addToListenLater(input: {key: "/spartacus/party-time/"}) { changed userErrors { code } }
}`

const undoAll = `mutation {
	unfollowUser(input: {username: "spartacus"}) { changed userErrors { code } }
	unfavoriteCloudcast(input: {key: "/spartacus/party-time/"}) { changed userErrors { code } }
	unrepostCloudcast(input: {key: "/spartacus/party-time/"}) { changed userErrors { code } }
	removeFromListenLater(input: {key: "/spartacus/party-time/"}) { changed userErrors { code } }
}`

// A lagServer is a test server whose emulator applies writes to its reads after a delay. It has no
// cache, so that other principals see what Mixcloud returns.
type lagServer struct {
	*testServer
	t *testing.T
}

func newLagServer(t *testing.T, lag time.Duration) lagServer {
	return lagServer{newTestServer(t, serverOptions{writable: true, noCache: true, emulator: []emulator.Option{emulator.WithSettings(emulator.Settings{Lag: lag})}}), t}
}

// fetchView returns the view of a principal.
func (l lagServer) fetchView(token string) view {
	l.t.Helper()
	var v view
	if errs := l.execute(l.t, token, viewQuery, nil).decode(l.t, &v); len(errs) > 0 {
		l.t.Fatalf("errors = %+v, want none", errs)
	}
	return v
}

// checkView compares the view of a principal with want.
func (l lagServer) checkView(when, token string, want view) {
	l.t.Helper()
	if diff := cmp.Diff(want, l.fetchView(token)); diff != "" {
		l.t.Errorf("%s: view of token %q differs (- want, + got):\n%s", when, token, diff)
	}
}

// write sends a mutation and checks that changed has the given value in all payloads.
func (l lagServer) write(query string, changed bool) {
	l.t.Helper()
	var data map[string]struct {
		Changed    *bool
		UserErrors []struct{ Code string }
	}
	if errs := l.execute(l.t, "demo-token", query, nil).decode(l.t, &data); len(errs) > 0 {
		l.t.Fatalf("errors = %+v, want none", errs)
	}
	for name, payload := range data {
		if payload.Changed == nil || *payload.Changed != changed || len(payload.UserErrors) > 0 {
			l.t.Errorf("%s: changed = %v, want %v (user errors %v)", name, show.Value(payload.Changed), changed, payload.UserErrors)
		}
	}
}

// undoDirectly undoes an action without the server, as another app of the same user does.
func (l lagServer) undoDirectly(path string) {
	l.t.Helper()
	w := httptest.NewRecorder()
	l.emulator.ServeHTTP(w, httptest.NewRequest(http.MethodDelete, path+"?access_token=demo-token", nil))
	if w.Code != http.StatusOK {
		l.t.Fatalf("status = %d, want 200: %s", w.Code, w.Body)
	}
}

// readLag is how long the emulator's reads lag behind its writes.
const readLag = 10 * time.Second

// While Mixcloud's reads lag, viewers see their own writes at once and at all times, by every path of the graph. Other principals
// see them when Mixcloud returns them.
func TestReadYourWrites(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		l := newLagServer(t, readLag)
		others := []string{"spartacus-token", ""}
		mine := l.fetchView("demo-token")
		theirs := map[string]view{}
		for _, token := range others {
			theirs[token] = l.fetchView(token)
		}
		l.write(doAll, true)
		for i, wait := range []time.Duration{0, readLag / 2, readLag/2 - 1, 1, readLag, time.Minute} {
			time.Sleep(wait)
			when := fmt.Sprintf("view %d", i)
			l.checkView(when, "demo-token", mine.after(true, true, 1))
			for _, token := range others {
				by := 0
				if i >= 3 {
					by = 1
				}
				l.checkView(when, token, theirs[token].after(true, false, by))
			}
		}
		l.write(doAll, false)
		l.checkView("done again", "demo-token", mine.after(true, true, 1))
		l.write(undoAll, true)
		for i, wait := range []time.Duration{0, readLag - 1, 1, time.Hour} {
			time.Sleep(wait)
			l.checkView(fmt.Sprintf("undone, view %d", i), "demo-token", mine)
		}
		l.write(undoAll, false)
		l.checkView("undone again", "demo-token", mine)
	})
}

// An action is done, undone and done again while Mixcloud's reads lag. The viewer always sees the last write.
func TestReadYourWrites_DoneAndUndone(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for name, noCache := range map[string]bool{"without a cache": true, "with a cache": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				checkToggling(t, lagServer{newTestServer(t, serverOptions{writable: true, noCache: noCache, emulator: []emulator.Option{emulator.WithSettings(emulator.Settings{Lag: readLag})}}), t})
			})
		})
	}
}

// checkToggling writes and undoes the actions three times, and checks the view after each of them.
func checkToggling(t *testing.T, l lagServer) {
	t.Helper()
	before := l.fetchView("demo-token")
	on := false
	for i := range 3 {
		on = !on
		l.write(map[bool]string{true: doAll, false: undoAll}[on], true)
		for range 3 {
			by := 0
			if on {
				by = 1
			}
			l.checkView(fmt.Sprintf("write %d", i), "demo-token", before.after(on, true, by))
			time.Sleep(time.Second)
		}
	}
	for range 80 {
		l.checkView("afterwards", "demo-token", before.after(true, true, 1))
		time.Sleep(time.Second)
	}
}

// When Mixcloud's reads have caught up, the server drops the recent writes and returns again what Mixcloud returns.
func TestReadYourWrites_Agreement(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		l := newLagServer(t, readLag)
		before := l.fetchView("demo-token")
		l.write(doAll, true)
		time.Sleep(readLag)
		l.checkView("when reads agree", "demo-token", before.after(true, true, 1))
		if err := l.emulator.Set(emulator.Settings{}); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/spartacus/follow/", "/spartacus/party-time/favorite/", "/spartacus/party-time/repost/", "/spartacus/party-time/listen-later/"} {
			l.undoDirectly(path)
		}
		l.checkView("undone elsewhere", "demo-token", before)
	})
}

// If Mixcloud's reads do not catch up, the server drops the recent writes after a minute.
func TestReadYourWrites_Expiry(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		l := newLagServer(t, time.Hour)
		before := l.fetchView("demo-token")
		l.write(doAll, true)
		time.Sleep(time.Minute - 1)
		l.checkView("within a minute", "demo-token", before.after(true, true, 1))
		time.Sleep(time.Minute)
		l.checkView("after a minute", "demo-token", before)
	})
}

// After many writes, the viewer's count costs a bounded number of calls.
func TestReadYourWrites_CountAfterManyWrites(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		l := newLagServer(t, readLag)
		following := func() int {
			var data struct{ Viewer struct{ FollowingCount int } }
			if errs := l.execute(t, "demo-token", `{ viewer { followingCount } }`, nil).decode(t, &data); len(errs) > 0 {
				t.Fatalf("errors = %+v, want none", errs)
			}
			return data.Viewer.FollowingCount
		}
		before := following()
		follows := 0
		for _, u := range sharedWorld().Users {
			if follows == 40 {
				break
			}
			var data struct{ FollowUser struct{ Changed *bool } }
			query := `mutation ($name: String) { followUser(input: {username: $name}) { changed } }`
			l.execute(t, "demo-token", query, map[string]any{"name": u.Username}).decode(t, &data)
			if c := data.FollowUser.Changed; c != nil && *c {
				follows++
				if got := following(); follows <= 20 && got != before+follows {
					t.Fatalf("count after %d follows = %d, want %d", follows, got, before+follows)
				}
			}
		}
		l.takeCalls()
		following()
		if calls := l.takeCalls(); len(calls) != 1+20 {
			t.Errorf("%d calls for the count, want 21: %s", len(calls), strings.Join(calls, " "))
		}
		time.Sleep(readLag)
		if got := following(); got != before+follows {
			t.Errorf("count when reads have caught up = %d, want %d", got, before+follows)
		}
	})
}
