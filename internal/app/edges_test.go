package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// edgeFields maps a list to the payload field that returns its edge.
var edgeFields = map[string]string{"favorites": "favoriteEdge", "listenLater": "listenLaterEdge", "following": "followingEdge"}

// add writes an item to a list and returns the cursor of the edge in the payload.
func (a ownListAction) add(l lagServer, key string) (cursor string) {
	l.t.Helper()
	query := fmt.Sprintf(`mutation ($t: String) { %s(input: {%s: $t}) { %s { cursor node { key } } } }`, a.on, a.argument, edgeFields[a.list])
	var data map[string]map[string]struct {
		Cursor string
		Node   struct{ Key string }
	}
	if errs := l.execute(l.t, "demo-token", query, map[string]any{"t": a.target(key)}).decode(l.t, &data); len(errs) > 0 {
		l.t.Fatalf("%s %s: errors = %+v, want none", a.on, key, errs)
	}
	time.Sleep(time.Second) // so that two writes have different times
	edge := data[a.on][edgeFields[a.list]]
	if edge.Node.Key != key {
		l.t.Fatalf("node of the edge = %q, want %q", edge.Node.Key, key)
	}
	return edge.Cursor
}

// The cursor of a payload's edge continues the list from the item, in both directions: while Mixcloud's reads lag, when they
// have caught up, and when the server has dropped the recent write.
func TestEdgeOfWrite(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for _, a := range ownListActions {
		for _, wait := range []time.Duration{0, readLag, 10 * time.Minute} {
			t.Run(fmt.Sprint(a.list, " ", wait), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					l := newLagServer(t, readLag)
					before, _ := l.readPages(a.list, 100, 100)
					added := keysNotOn(t, a, before)[:2]
					older, newer := a.add(l, added[0]), a.add(l, added[1])
					if top := l.page(a.list, "first: 1").PageInfo.EndCursor; top != newer {
						t.Errorf("cursor in the list = %s, want %s as in the payload", top, newer)
					}
					time.Sleep(wait)
					for arguments, want := range map[string][]string{
						fmt.Sprintf("first: 4, after: %q", newer):   {added[0], before[0], before[1], before[2]},
						fmt.Sprintf("first: 3, after: %q", older):   before[:3],
						fmt.Sprintf("first: 100, after: %q", older): before,
						fmt.Sprintf("last: 5, before: %q", older):   {added[1]},
						fmt.Sprintf("last: 5, before: %q", newer):   {},
					} {
						if got := l.page(a.list, arguments).keys(); !slices.Equal(got, want) {
							t.Errorf("items of %s(%s) = %v, want %v", a.list, arguments, got, want)
						}
					}
				})
			})
		}
	}
}

// An item that is already on the list keeps its position, and the cursor of the payload's edge continues from there.
func TestEdgeOfWrite_AlreadyListed(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		l := newLagServer(t, readLag)
		for _, a := range ownListActions {
			want, _ := l.readPages(a.list, 20, 8)
			cursor := a.add(l, want[3])
			if got := l.page(a.list, fmt.Sprintf("first: 3, after: %q", cursor)).keys(); !slices.Equal(got, want[4:7]) {
				t.Errorf("items of %s after the new one = %v, want %v", a.list, got, want[4:7])
			}
		}
	})
}

// longLists returns emulator data in which the demo user has 130 items on each of their lists, and the times and keys of
// these items. They were added an hour apart.
func longLists(t *testing.T) (w *world.World, at []time.Time, keys map[string][]string) {
	t.Helper()
	w, keys = sharedWorld().Clone(), map[string][]string{}
	var demo *world.User
	for _, u := range w.Users {
		if u.Username == "demo" {
			demo = u
		}
	}
	demo.Favorites, demo.ListenLater, demo.Following = nil, nil, nil
	for _, u := range w.Users {
		if u == demo || len(u.Cloudcasts) == 0 || len(at) == 130 {
			continue
		}
		added, cast := w.Now.Add(-time.Duration(len(at)+1)*time.Hour), u.Cloudcasts[0]
		at = append(at, added)
		demo.Favorites = append(demo.Favorites, world.CloudcastEdge{Cloudcast: cast, At: added})
		demo.ListenLater = append(demo.ListenLater, world.CloudcastEdge{Cloudcast: cast, At: added})
		demo.Following = append(demo.Following, world.UserEdge{User: u, At: added})
		keys["favorites"] = append(keys["favorites"], cast.Key())
		keys["listenLater"] = append(keys["listenLater"], cast.Key())
		keys["following"] = append(keys["following"], u.Key())
	}
	if len(at) < 130 {
		t.Fatalf("found %d users with cloudcasts, want 130", len(at))
	}
	return w, at, keys
}

// The cursor of an edge also works for an item below the first hundred, which is found by the time of the write. If the
// server's clock was behind by more than a minute, the list starts again at the top: items may be repeated, but not skipped.
func TestEdgeOfWrite_BelowTheFirstHundred(t *testing.T) {
	t.Parallel()
	w, dates, all := longLists(t)
	s := newTestServer(t, serverOptions{noCache: true, emulator: []emulator.Option{emulator.WithWorld(w)}})
	for list, keys := range all {
		read := func(arguments string) []string {
			var data struct{ Viewer map[string]listPage }
			query := fmt.Sprintf(`{ viewer { %s(%s) { nodes { key } } } }`, list, arguments)
			if errs := s.execute(t, "demo-token", query, nil).decode(t, &data); len(errs) > 0 {
				t.Fatalf("%s: errors = %+v, want none", query, errs)
			}
			if calls := s.takeCalls(); len(calls) > 1+1+2+1 { // the viewer, the first hundred, two pages around that time, the requested page
				t.Errorf("%s: %d calls, want at most 5: %q", query, len(calls), calls)
			}
			return data.Viewer[list].keys()
		}
		binding := paging.BindUnbounded("/demo/|" + strings.Replace(list, "listenLater", "listen-later", 1))
		for _, at := range []int{0, 98, 99, 100, 101, 104, len(keys) - 1} {
			for _, wrong := range []time.Duration{0, -50 * time.Second, 50 * time.Second, -time.Hour} {
				cursor := paging.NewWriteCursor(mixcloud.ParseKey(keys[at]).Canonical().String(), dates[at].Add(wrong).UnixMilli()).Encode(binding)
				below, above := keys[at+1:min(at+5, len(keys))], keys[max(0, at-4):at]
				if at >= 100 && wrong < -time.Minute {
					below, above = keys[:4], nil
				}
				if got := read(fmt.Sprintf("first: 4, after: %q", cursor)); !slices.Equal(got, below) {
					t.Errorf("%s after %d, clock wrong by %v: got %v, want %v", list, at, wrong, got, below)
				}
				if got := read(fmt.Sprintf("last: 4, before: %q", cursor)); !slices.Equal(got, above) {
					t.Errorf("%s before %d, clock wrong by %v: got %v, want %v", list, at, wrong, got, above)
				}
			}
		}
	}
}
