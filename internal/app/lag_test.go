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

// A view is how everything that the actions change looks to somebody, by every
// way that leads to it.
type view struct {
	User struct {
		ViewerIsFollowing *bool
		FollowerCount     int
		Followers         struct{ TotalCount int }
		Cloudcasts        struct{ Nodes []castView }
	}
	Cloudcast castView
	Viewer    *ownView
	Own       struct{ User ownView }
	Member    ownView
}

type castView struct {
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

// done is a view after the demo user has done, or undone, the four actions to
// spartacus and party-time: by is how much the counts move, flags tells whether
// the viewer's flags are theirs.
func (v view) done(on, flags bool, by int) view {
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
	cast := func(c *castView) {
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

// lagging is a server whose reads lag behind writes, and what can be asked of it.
// It keeps no answers, so that what others see is what Mixcloud shows.
type lagging struct {
	*testServer
	t *testing.T
}

func newLagging(t *testing.T, lag time.Duration) lagging {
	return lagging{newTestServer(t, serverOptions{writable: true, noCache: true, emulator: []emulator.Option{emulator.WithSettings(emulator.Settings{Lag: lag})}}), t}
}

func (l lagging) look(token string) view {
	l.t.Helper()
	var v view
	if errs := l.execute(l.t, token, viewQuery, nil).decode(l.t, &v); len(errs) > 0 {
		l.t.Fatalf("%+v", errs)
	}
	return v
}

// sees holds what somebody sees against what they should.
func (l lagging) sees(when, token string, want view) {
	l.t.Helper()
	if diff := cmp.Diff(want, l.look(token)); diff != "" {
		l.t.Errorf("%s, %q sees (- wanted, + got):\n%s", when, token, diff)
	}
}

// write sends a mutation of which every field changes something, or none does.
func (l lagging) write(query string, changed bool) {
	l.t.Helper()
	var data map[string]struct {
		Changed    *bool
		UserErrors []struct{ Code string }
	}
	if errs := l.execute(l.t, "demo-token", query, nil).decode(l.t, &data); len(errs) > 0 {
		l.t.Fatalf("%+v", errs)
	}
	for name, payload := range data {
		if payload.Changed == nil || *payload.Changed != changed || len(payload.UserErrors) > 0 {
			l.t.Errorf("%s: changed is %v, want %v; %v", name, show.Value(payload.Changed), changed, payload.UserErrors)
		}
	}
}

// elsewhere undoes an action of the same person on another device.
func (l lagging) elsewhere(path string) {
	l.t.Helper()
	w := httptest.NewRecorder()
	l.emulator.ServeHTTP(w, httptest.NewRequest(http.MethodDelete, path+"?access_token=demo-token", nil))
	if w.Code != http.StatusOK {
		l.t.Fatal(w.Body)
	}
}

const behind = 10 * time.Second

// TestReadYourWrites lets a viewer act while Mixcloud's reads lag: they see it
// at once and without a flicker, wherever it shows; nobody else does before
// Mixcloud shows it to them.
func TestReadYourWrites(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		l := newLagging(t, behind)
		others := []string{"spartacus-token", ""}
		mine := l.look("demo-token")
		theirs := map[string]view{}
		for _, token := range others {
			theirs[token] = l.look(token)
		}
		l.write(doAll, true)
		for i, wait := range []time.Duration{0, behind / 2, behind/2 - 1, 1, behind, time.Minute} {
			time.Sleep(wait)
			when := fmt.Sprintf("look %d", i)
			l.sees(when, "demo-token", mine.done(true, true, 1))
			for _, token := range others {
				by := 0
				if i >= 3 {
					by = 1
				}
				l.sees(when, token, theirs[token].done(true, false, by))
			}
		}
		l.write(doAll, false)
		l.sees("done again", "demo-token", mine.done(true, true, 1))
		l.write(undoAll, true)
		for i, wait := range []time.Duration{0, behind - 1, 1, time.Hour} {
			time.Sleep(wait)
			l.sees(fmt.Sprintf("undone, look %d", i), "demo-token", mine)
		}
		l.write(undoAll, false)
		l.sees("undone again", "demo-token", mine)
	})
}

// TestReadYourWrites_Churn does, undoes and does again while nothing of it can
// be read: what was written last is what is seen all the time.
func TestReadYourWrites_Churn(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for name, forgetful := range map[string]bool{"asking each time": true, "keeping answers": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				churn(t, lagging{newTestServer(t, serverOptions{writable: true, noCache: forgetful, emulator: []emulator.Option{emulator.WithSettings(emulator.Settings{Lag: behind})}}), t})
			})
		})
	}
}

func churn(t *testing.T, l lagging) {
	t.Helper()
	before := l.look("demo-token")
	on := false
	for i := range 3 {
		on = !on
		l.write(map[bool]string{true: doAll, false: undoAll}[on], true)
		for range 3 {
			by := 0
			if on {
				by = 1
			}
			l.sees(fmt.Sprintf("write %d", i), "demo-token", before.done(on, true, by))
			time.Sleep(time.Second)
		}
	}
	for range 80 {
		l.sees("afterwards", "demo-token", before.done(true, true, 1))
		time.Sleep(time.Second)
	}
}

// TestReadYourWrites_Agreement lets reads catch up. From then on they are
// believed again, whatever they say.
func TestReadYourWrites_Agreement(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		l := newLagging(t, behind)
		before := l.look("demo-token")
		l.write(doAll, true)
		time.Sleep(behind)
		l.sees("when reads agree", "demo-token", before.done(true, true, 1))
		if err := l.emulator.Set(emulator.Settings{}); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/spartacus/follow/", "/spartacus/party-time/favorite/", "/spartacus/party-time/repost/", "/spartacus/party-time/listen-later/"} {
			l.elsewhere(path)
		}
		l.sees("undone elsewhere", "demo-token", before)
	})
}

// TestReadYourWrites_Expiry lets reads never catch up: after a minute they are
// believed all the same.
func TestReadYourWrites_Expiry(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		l := newLagging(t, time.Hour)
		before := l.look("demo-token")
		l.write(doAll, true)
		time.Sleep(time.Minute - 1)
		l.sees("within a minute", "demo-token", before.done(true, true, 1))
		time.Sleep(time.Minute)
		l.sees("after a minute", "demo-token", before)
	})
}

// TestOwnCountOfManyWrites spends no more than a bounded number of calls on the
// viewer's count, however much was written.
func TestOwnCountOfManyWrites(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		l := newLagging(t, behind)
		following := func() int {
			var data struct{ Viewer struct{ FollowingCount int } }
			if errs := l.execute(t, "demo-token", `{ viewer { followingCount } }`, nil).decode(t, &data); len(errs) > 0 {
				t.Fatalf("%+v", errs)
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
					t.Fatalf("after %d follows the count is %d more", follows, got-before)
				}
			}
		}
		l.takeCalls()
		following()
		if calls := l.takeCalls(); len(calls) != 1+20 {
			t.Errorf("%d calls for a count: %s", len(calls), strings.Join(calls, " "))
		}
		time.Sleep(behind)
		if got := following(); got != before+follows {
			t.Errorf("when reads have caught up the count is %d more, want %d", got-before, follows)
		}
	})
}
