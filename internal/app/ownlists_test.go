package app

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud/emulator"
)

// A listPage is a page of a list of the viewer.
type listPage struct {
	Nodes    []struct{ Key string }
	Edges    []struct{ Cursor string }
	PageInfo struct {
		HasNextPage, HasPreviousPage bool
		StartCursor, EndCursor       string
	}
	TotalCount *int
}

func (p listPage) keys() []string {
	keys := make([]string, len(p.Nodes))
	for i, n := range p.Nodes {
		keys[i] = n.Key
	}
	return keys
}

// An ownListAction is a list and the mutations that change it.
type ownListAction struct{ list, argument, on, off string }

var ownListActions = []ownListAction{
	{"favorites", "key", "favoriteCloudcast", "unfavoriteCloudcast"},
	{"listenLater", "key", "addToListenLater", "removeFromListenLater"},
	{"following", "username", "followUser", "unfollowUser"},
}

// target returns the value of the mutations' argument for a key.
func (a ownListAction) target(key string) string {
	if a.argument == "username" {
		return strings.Trim(key, "/")
	}
	return key
}

// write adds key to the list or removes it.
func (a ownListAction) write(l lagServer, key string, on bool) {
	l.t.Helper()
	name := map[bool]string{true: a.on, false: a.off}[on]
	query := fmt.Sprintf(`mutation ($t: String) { %s(input: {%s: $t}) { userErrors { code } } }`, name, a.argument)
	var data map[string]struct{ UserErrors []any }
	if errs := l.execute(l.t, "demo-token", query, map[string]any{"t": a.target(key)}).decode(l.t, &data); len(errs) > 0 || len(data[name].UserErrors) > 0 {
		l.t.Fatalf("%s %s: errors = %+v, data = %+v, want no errors", name, key, errs, data)
	}
	time.Sleep(time.Second) // so that two writes have different times
}

// page reads a page of a list of the viewer. It checks that the list of the same user, looked up by name, is the same.
func (l lagServer) page(list, arguments string) listPage {
	l.t.Helper()
	const fields = `{ nodes { key } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount }`
	var data map[string]map[string]listPage
	query := fmt.Sprintf(`{ viewer { %[1]s(%[2]s) %[3]s } user(username: "demo") { %[1]s(%[2]s) %[3]s } }`, list, arguments, fields)
	if errs := l.execute(l.t, "demo-token", query, nil).decode(l.t, &data); len(errs) > 0 {
		l.t.Fatalf("%s(%s): errors = %+v, want none", list, arguments, errs)
	}
	// The cursors may differ: when one of the lists contains the write, the server stops correcting the other one.
	if diff := cmp.Diff(data["viewer"], data["user"], cmpopts.IgnoreFields(listPage{}, "Edges", "PageInfo.StartCursor", "PageInfo.EndCursor")); diff != "" {
		l.t.Fatalf("%s(%s) differs (-viewer +user):\n%s", list, arguments, diff)
	}
	return data["viewer"][list]
}

// viewerKeys returns the keys of the first 3 items of a list of the viewer. Unlike page
// it can be called while a write of another replica arrives: the two lists of page can
// then differ.
func (l lagServer) viewerKeys(list string) []string {
	l.t.Helper()
	var data struct{ Viewer map[string]listPage }
	if errs := l.execute(l.t, "demo-token", fmt.Sprintf(`{ viewer { %s(first: 3) { nodes { key } } } }`, list), nil).decode(l.t, &data); len(errs) > 0 {
		l.t.Fatalf("%s: errors = %+v, want none", list, errs)
	}
	return data.Viewer[list].keys()
}

// readPages reads the first n items in pages of the given size.
func (l lagServer) readPages(list string, size, n int) (keys, cursors []string) {
	l.t.Helper()
	after := ""
	for len(keys) < n {
		arguments := fmt.Sprintf("first: %d", min(size, n-len(keys)))
		if after != "" {
			arguments += fmt.Sprintf(", after: %q", after)
		}
		p := l.page(list, arguments)
		if p.PageInfo.HasPreviousPage != (after != "") {
			l.t.Errorf("%s(%s): hasPreviousPage = %t, want %t", list, arguments, p.PageInfo.HasPreviousPage, after != "")
		}
		keys = append(keys, p.keys()...)
		for _, e := range p.Edges {
			cursors = append(cursors, e.Cursor)
		}
		if after = p.PageInfo.EndCursor; !p.PageInfo.HasNextPage {
			break
		}
	}
	return keys, cursors
}

// Random writes to each list of the viewer while reads lag: read forward, backward and by offset,
// the list always shows all writes.
func TestReadYourWrites_OwnLists(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for _, a := range ownListActions {
		for _, seed := range []uint64{5} {
			t.Run(fmt.Sprint(a.list, " ", seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { checkRandomWrites(t, a, rand.New(rand.NewPCG(seed, 1))) })
			})
		}
	}
}

// checkRandomWrites adds and removes items of a list at random, and checks the list after each step.
func checkRandomWrites(t *testing.T, a ownListAction, random *rand.Rand) {
	t.Helper()
	const checked = 6 // items at the top of the list
	l := newLagServer(t, readLag)
	want, _ := l.readPages(a.list, 100, 100)
	total := l.page(a.list, "first: 1").TotalCount
	candidates := keysNotOn(t, a, want)
	check := func(when string) {
		t.Helper()
		top := want[:min(checked, len(want))]
		for _, size := range []int{1, 4} {
			got, cursors := l.readPages(a.list, size, len(top))
			if diff := cmp.Diff(top, got); diff != "" {
				t.Fatalf("%s, in pages of %d (-want +got):\n%s", when, size, diff)
			}
			back := l.page(a.list, fmt.Sprintf("last: 4, before: %q", cursors[len(cursors)-1]))
			if diff := cmp.Diff(top[max(0, len(top)-5):len(top)-1], back.keys()); diff != "" || !back.PageInfo.HasNextPage || !back.PageInfo.HasPreviousPage {
				t.Fatalf("%s, backward in pages of %d, %+v (-want +got):\n%s", when, size, back.PageInfo, diff)
			}
			first := l.page(a.list, fmt.Sprintf("last: 4, before: %q", cursors[2]))
			if diff := cmp.Diff(top[:2], first.keys()); diff != "" || first.PageInfo.HasPreviousPage {
				t.Fatalf("%s, backward to the top, %+v (-want +got):\n%s", when, first.PageInfo, diff)
			}
		}
		if got := l.page(a.list, "first: 3, offset: 1").keys(); !slices.Equal(got, top[1:4]) {
			t.Fatalf("%s, by offset: got %v, want %v", when, got, top[1:4])
		}
		if p := l.page(a.list, "first: 2"); total != nil && (p.TotalCount == nil || *p.TotalCount != *total) {
			t.Errorf("%s: totalCount = %v, want %d", when, show.Value(p.TotalCount), *total)
		}
	}
	check("before")
	for step := range 12 {
		switch random.IntN(4) {
		case 0, 1: // add an item, perhaps one that was just removed
			at := random.IntN(min(4, len(candidates)))
			key := candidates[at]
			candidates = slices.Delete(candidates, at, at+1)
			a.write(l, key, true)
			want = slices.Insert(want, 0, key)
			addTo(total, 1)
		case 2:
			at := random.IntN(5)
			a.write(l, want[at], false)
			candidates = slices.Insert(candidates, 0, want[at])
			want = slices.Delete(want, at, at+1)
			addTo(total, -1)
		default:
			time.Sleep(time.Duration(random.IntN(8)) * time.Second)
		}
		check(fmt.Sprintf("step %d", step))
	}
	time.Sleep(readLag)
	check("when reads have caught up")
	time.Sleep(2 * time.Minute)
	check("two minutes later")
}

func addTo(total *int, by int) {
	if total != nil {
		*total += by
	}
}

// keysNotOn returns keys that are not on a list, at least 20.
func keysNotOn(t *testing.T, a ownListAction, listed []string) []string {
	t.Helper()
	var all []string
	for _, u := range sharedWorld().Users {
		key := "/" + u.Username + "/"
		if a.list != "following" {
			if len(u.Cloudcasts) == 0 {
				continue
			}
			key = u.Cloudcasts[0].Key()
		}
		if u.Username != "demo" && !strings.ContainsFunc(key, func(r rune) bool { return r == '%' || r > '~' }) && !slices.Contains(listed, key) {
			all = append(all, key)
		}
	}
	if len(all) < 20 {
		t.Fatalf("found %d keys, want at least 20", len(all))
	}
	return all
}

// A client that pages while reads lag can continue when they have caught up, and when the server has dropped the recent write. No
// item is skipped or repeated.
func TestReadYourWrites_OwnListsCatchUpBetweenPages(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for _, a := range ownListActions {
		for _, wait := range []time.Duration{readLag, 10 * time.Minute} {
			t.Run(fmt.Sprint(a.list, " ", wait), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					l := newLagServer(t, readLag)
					before, _ := l.readPages(a.list, 100, 100)
					added := keysNotOn(t, a, before)[:2]
					before = before[:6]
					a.write(l, added[0], true)
					a.write(l, added[1], true)
					a.write(l, before[1], false)
					want := slices.Concat([]string{added[1], added[0], before[0]}, before[2:])
					for _, size := range []int{1, 2, 3} {
						p := l.page(a.list, fmt.Sprintf("first: %d", size))
						if size == 3 {
							time.Sleep(wait)
						}
						rest := l.page(a.list, fmt.Sprintf("first: %d, after: %q", len(want)-size, p.PageInfo.EndCursor))
						if diff := cmp.Diff(want, append(p.keys(), rest.keys()...)); diff != "" {
							t.Errorf("page of %d and the rest (-want +got):\n%s", size, diff)
						}
						if size == 1 {
							// The cursor of an added item is valid for all viewers of the list.
							theirs := l.execute(t, "", fmt.Sprintf(`{ user(username: "demo") { %s(first: 1, after: %q) { nodes { key } } } }`, strings.Replace(a.list, "listenLater", "favorites", 1), p.PageInfo.EndCursor), nil)
							var data struct{ User map[string]listPage }
							if errs := theirs.decode(t, &data); a.list != "listenLater" && (len(errs) > 0 || data.User[a.list].Nodes[0].Key != before[0]) {
								t.Errorf("page after the cursor for another viewer = %s, want it to start with %s", theirs.body, before[0])
							} else if a.list == "listenLater" && (len(errs) != 1 || errs[0].code() != "BAD_USER_INPUT") {
								t.Errorf("another list after the cursor = %s, want BAD_USER_INPUT", theirs.body)
							}
						}
					}
				})
			})
		}
	}
}

// The lists of other viewers do not change. When Mixcloud's list contains the write, the server stops correcting it.
func TestReadYourWrites_OwnListsStopBeingCorrected(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		l := newLagServer(t, readLag)
		a := ownListActions[0]
		before, _ := l.readPages(a.list, 100, 100)
		theirs := func() string {
			return string(l.execute(t, "spartacus-token", `{ user(username: "demo") { favorites(first: 5) { nodes { key } } } viewer { favorites(first: 5) { nodes { key } } } }`, nil).body)
		}
		unchanged := theirs()
		key := keysNotOn(t, a, before)[0]
		before = before[:5]
		a.write(l, key, true)
		if got, _ := l.readPages(a.list, 20, 5); got[0] != key {
			t.Errorf("list of the viewer = %v, want %s first", got, key)
		}
		if got := theirs(); got != unchanged {
			t.Errorf("lists of another viewer = %s, want %s as before", got, unchanged)
		}
		time.Sleep(readLag)
		if got, _ := l.readPages(a.list, 20, 5); got[0] != key {
			t.Errorf("list of the viewer when reads have caught up = %v, want %s first", got, key)
		}
		if err := l.emulator.Set(emulator.Settings{}); err != nil {
			t.Fatal(err)
		}
		l.undoDirectly(key + "favorite/")
		if got, _ := l.readPages(a.list, 20, 5); !slices.Equal(got, before) {
			t.Errorf("list of the viewer after another app has undone the write = %v, want %v", got, before)
		}
		l.takeCalls()
		l.page(a.list, "first: 5")
		if calls := l.takeCalls(); len(calls) > 3 {
			t.Errorf("calls for the uncorrected list = %v, want at most 3", calls)
		}
	})
}

// An action that is repeated leaves the item at its position on the list.
func TestReadYourWrites_OwnListsDoneAgain(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		l := newLagServer(t, readLag)
		for _, a := range ownListActions {
			want, _ := l.readPages(a.list, 20, 6)
			a.write(l, want[3], true)
			if got, _ := l.readPages(a.list, 2, 6); !slices.Equal(got, want) {
				t.Errorf("items of %s = %v, want %v", a.list, got, want)
			}
		}
	})
}

// A list with since or until contains only the writes within these bounds. A page of 0 items is empty.
func TestReadYourWrites_OwnListsWithinBounds(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		l := newLagServer(t, readLag)
		a := ownListActions[0]
		before, _ := l.readPages(a.list, 100, 100)
		key := keysNotOn(t, a, before)[0]
		a.write(l, key, true)
		at := time.Now().Unix()
		// The synthetic clock is in the year 2000. All items of the emulator are newer.
		for arguments, want := range map[string][]string{
			fmt.Sprintf("first: 2, until: %d", at-60): {},
			fmt.Sprintf("first: 2, until: %d", at+60): {key},
			fmt.Sprintf("first: 2, since: %d", at-60): {key, before[0]},
			fmt.Sprintf("first: 2, since: %d", at+60): before[:2],
			"first: 0": {},
		} {
			p := l.page(a.list, arguments)
			if !slices.Equal(p.keys(), want) {
				t.Errorf("items for %s = %v, want %v", arguments, p.keys(), want)
			}
		}
		first := l.page(a.list, "first: 1")
		for arguments, want := range map[string][2]bool{
			fmt.Sprintf("first: 0, after: %q", first.PageInfo.EndCursor): {true, false},
			fmt.Sprintf("last: 0, before: %q", first.PageInfo.EndCursor): {false, true},
			fmt.Sprintf("last: 9, before: %q", first.PageInfo.EndCursor): {false, true},
		} {
			p := l.page(a.list, arguments)
			if got := [2]bool{p.PageInfo.HasPreviousPage, p.PageInfo.HasNextPage}; len(p.Nodes) > 0 || got != want {
				t.Errorf("%s: got %+v, want no nodes and [hasPreviousPage hasNextPage] = %v", arguments, show.Value(p), want)
			}
		}
	})
}
