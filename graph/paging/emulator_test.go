package paging_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/race"
	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// sharedData returns the emulator's data for tests that do not change it.
var sharedData = sync.OnceValue(func() *world.World { return world.New(1) })

// A service is an emulator with a client for it.
type service struct {
	*emulator.Emulator
	client *mixcloud.Client
}

func newService(t *testing.T, s emulator.Settings) service {
	t.Helper()
	e, err := emulator.New(emulator.WithWorld(sharedData()), emulator.WithSettings(s))
	if err != nil {
		t.Fatal(err)
	}
	client, err := mixcloud.New(mixcloud.WithHTTPClient(&http.Client{Transport: e.Transport()}))
	if err != nil {
		t.Fatal(err)
	}
	return service{e, client}
}

// takeCalls returns the calls since the previous takeCalls.
func (s service) takeCalls() []string {
	var calls []string
	for _, r := range s.Requests() {
		calls = append(calls, r.Path+"?"+r.Query)
	}
	s.ClearRequests()
	return calls
}

// lists returns, by name, the lists of the emulator that the tests read.
func (s service) lists() map[string]paging.List[listItem] {
	lists := map[string]paging.List[listItem]{}
	for _, user := range []string{"demo", "petra_kolar", "SundayMatinee", "tidewrack", burstUser} {
		key := "/" + user + "/"
		lists[user+" cloudcasts"] = dated(s.client.UserCloudcasts, key, func(c mixcloud.Cloudcast) listItem { return listItem{c.Key.String(), c.CreatedTime} })
		lists[user+" listens"] = dated(s.client.UserListens, key, func(c mixcloud.Cloudcast) listItem { return listItem{c.Key.String(), c.ListenTime} })
		lists[user+" comments"] = dated(s.client.UserComments, key, func(c mixcloud.Comment) listItem { return listItem{c.Key.String(), c.SubmitDate} })
		lists[user+" feed"] = dated(s.client.UserFeed, key, func(a mixcloud.Activity) listItem { return listItem{a.Key.String(), a.CreatedTime} })
		lists[user+" favorites"] = undated(s.client.UserFavorites, key, func(c mixcloud.Cloudcast) string { return c.Key.String() })
		lists[user+" followers"] = undated(s.client.UserFollowers, key, func(u mixcloud.User) string { return u.Key.String() })
		lists[user+" following"] = undated(s.client.UserFollowing, key, func(u mixcloud.User) string { return u.Key.String() })
		lists[user+" playlists"] = undated(s.client.UserPlaylists, key, func(p mixcloud.Playlist) string { return p.Key.String() })
	}
	busy := world.BusyCloudcast
	lists["a show's comments"] = dated(s.client.CloudcastComments, busy, func(c mixcloud.Comment) listItem { return listItem{c.Key.String(), c.SubmitDate} })
	lists["a show's favorites"] = undated(s.client.CloudcastFavorites, busy, func(u mixcloud.User) string { return u.Key.String() })
	lists["a show's listeners"] = dated(s.client.CloudcastListeners, busy, func(u mixcloud.User) listItem { return listItem{u.Key.String(), u.ListenTime} })
	lists["a tag's shows"] = undated(s.client.Cloudcasts, "/genres/funk/popular/", func(c mixcloud.Cloudcast) string { return c.Key.String() })
	return lists
}

// A listItem is an item of a list of the emulator.
type listItem struct {
	key string
	at  *time.Time
}

type getter[T any] func(context.Context, string, mixcloud.Range) (*mixcloud.Page[T], error)

func dated[T any](get getter[T], owner string, item func(T) listItem) paging.List[listItem] {
	l := undated(get, owner, func(v T) string { return item(v).key })
	l.Fetch = fetchItems(get, owner, item)
	l.Time = func(i listItem) time.Time {
		if i.at == nil {
			return time.Time{}
		}
		return *i.at
	}
	return l
}

func undated[T any](get getter[T], owner string, key func(T) string) paging.List[listItem] {
	return paging.List[listItem]{
		Identity: owner,
		Fetch:    fetchItems(get, owner, func(v T) listItem { return listItem{key: key(v)} }),
		Key:      func(i listItem) string { return mixcloud.ParseKey(i.key).Canonical().String() },
	}
}

func fetchItems[T any](get getter[T], owner string, item func(T) listItem) func(context.Context, mixcloud.Range) (*mixcloud.Page[listItem], error) {
	return func(ctx context.Context, r mixcloud.Range) (*mixcloud.Page[listItem], error) {
		p, err := get(ctx, owner, r)
		if err != nil {
			return nil, err
		}
		page := &mixcloud.Page[listItem]{Name: p.Name, Next: p.Next, Previous: p.Previous, Dropped: p.Dropped}
		for _, v := range p.Items {
			page.Items = append(page.Items, item(v))
		}
		return page, nil
	}
}

// wholeList returns the keys of all items of a list, which it reads page by page with REST offsets.
func wholeList(t *testing.T, l paging.List[listItem]) []string {
	t.Helper()
	var keys []string
	for {
		p, err := l.Fetch(t.Context(), mixcloud.Range{Limit: 100, Offset: ptr(len(keys))})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range p.Items {
			keys = append(keys, i.key)
		}
		if p.Next == nil || len(p.Items) == 0 {
			return keys
		}
	}
}

func keysOf(edges []paging.Edge[listItem]) []string {
	keys := make([]string, len(edges))
	for i, e := range edges {
		keys[i] = e.Node.key
	}
	return keys
}

// Walks in both directions return all items in order, for every emulator setting whose value is
// unknown for the live service.
func TestEmulatorWalks(t *testing.T) {
	t.Parallel()
	for _, settings := range []emulator.Settings{
		{SinceOrder: emulator.SinceNearest},
		{SinceOrder: emulator.SinceNewest},
		{SinceOrder: emulator.SinceNearest, PageCap: 10},
	} {
		s := newService(t, settings)
		for name, l := range s.lists() {
			var sizes []int
			if settings.PageCap == 0 {
				sizes = append(sizes, 100)
			}
			if !strings.HasSuffix(name, "feed") { // feeds are long
				sizes = append(sizes, 20)
			}
			if name == "demo followers" || name == "demo listens" {
				sizes = append(sizes, 7)
			}
			if race.Enabled && len(sizes) > 1 {
				sizes = sizes[:1]
			}
			for _, size := range sizes {
				t.Run(fmt.Sprintf("%s %d/%s/%d", settings.SinceOrder, settings.PageCap, name, size), func(t *testing.T) {
					want := wholeList(t, l)
					s.takeCalls()
					edges := walkForward(t, s, l, size, len(want))
					if diff := cmp.Diff(want, keysOf(edges), equateEmpty); diff != "" {
						t.Fatalf("items of the forward walk (-list +walk):\n%s", diff)
					}
					walkBackward(t, s, l, size, edges, settings.SinceOrder == emulator.SinceNewest)
				})
			}
		}
	}
}

func walkForward(t *testing.T, s service, l paging.List[listItem], size, n int) (edges []paging.Edge[listItem]) {
	t.Helper()
	a := paging.Args{First: &size}
	for range n + 2 {
		r, err := paging.Read(t.Context(), l, a)
		if err != nil {
			t.Fatal(err)
		}
		// Two calls are needed if the cursor's item, or others of its second, count
		// toward the limit.
		if calls := s.takeCalls(); len(calls) > 2 && s.Settings().PageCap == 0 && !strings.Contains(l.Identity, burstUser) {
			t.Errorf("got %d calls for a page of %d items, want at most 2: %q", len(calls), size, calls)
		}
		if a.After == nil && !r.HasNextPage && (r.Total == nil || *r.Total != len(r.Edges)) {
			t.Errorf("total is %v, want the %d items of the whole list", show.Value(r.Total), len(r.Edges))
		}
		edges = append(edges, r.Edges...)
		if !r.HasNextPage {
			return edges
		}
		a.After = &r.Edges[len(r.Edges)-1].Cursor
	}
	t.Fatalf("hasNextPage is still true after %d items of a list of %d", len(edges), n)
	return nil
}

func walkBackward(t *testing.T, s service, l paging.List[listItem], size int, edges []paging.Edge[listItem], newest bool) {
	t.Helper()
	at := len(edges) - 1
	burst := strings.Contains(l.Identity, burstUser)
	for at > 0 {
		r, err := paging.Read(t.Context(), l, paging.Args{Last: &size, Before: &edges[at].Cursor})
		var e *gqlerr.Error
		if errors.As(err, &e) && e.Code == gqlerr.CodeLimitExceeded && (newest && at > 300 || burst && s.Settings().PageCap > 0) {
			at -= size // out of reach from this cursor
			s.takeCalls()
			continue
		}
		if err != nil {
			t.Fatalf("read before item %d of %d: error %v", at, len(edges), err)
		}
		calls := s.takeCalls()
		if len(calls) > 5 && !burst && !strings.Contains(calls[0], "offset=") {
			t.Errorf("before %d: got %d calls, want at most 5: %q", at, len(calls), calls)
		}
		n := len(r.Edges)
		if n == 0 || n < min(size, at) && s.Settings().PageCap == 0 && !burst {
			t.Fatalf("before %d: got %d items, want %d; calls %q", at, n, min(size, at), calls)
		}
		if diff := cmp.Diff(keysOf(edges[at-n:at]), keysOf(r.Edges)); diff != "" {
			t.Fatalf("items before item %d (-forward +backward):\n%s", at, diff)
		}
		if r.HasPreviousPage != (n < at) && s.Settings().PageCap == 0 {
			t.Errorf("read before item %d: got %d items, hasPreviousPage %v, want %v", at, n, r.HasPreviousPage, n < at)
		}
		at -= n
		edges[at].Cursor = r.Edges[0].Cursor // continue from the cursor of this page
	}
}

// burstUser is a user with more items in one second than fit in a page.
const burstUser = "ParallaxRadio"

// Followers who arrive while a client pages do not disturb the walk. Some arrive in
// the second of an existing follower.
func TestEmulatorFollowersArriveDuringAWalk(t *testing.T) {
	t.Parallel()
	w := world.New(2)
	demo := w.User(world.DemoUser)
	s := service{}
	var err error
	if s.Emulator, err = emulator.New(emulator.WithWorld(w)); err != nil {
		t.Fatal(err)
	}
	if s.client, err = mixcloud.New(mixcloud.WithHTTPClient(&http.Client{Transport: s.Transport()})); err != nil {
		t.Fatal(err)
	}
	l := undated(s.client.UserFollowers, demo.Key(), func(u mixcloud.User) string { return u.Key.String() })
	want := wholeList(t, l)
	var got []string
	a := paging.Args{First: ptr(9)}
	for page := 0; ; page++ {
		r, err := paging.Read(t.Context(), l, a)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, keysOf(r.Edges)...)
		if !r.HasNextPage {
			break
		}
		// Continue from the last edge, the second to last and the third to last in
		// turn.
		back := page % 3
		a.After = &r.Edges[len(r.Edges)-1-back].Cursor
		got = got[:len(got)-back]
		if page < 4 {
			name := []string{world.EmptyUser, world.GreekUser, world.StationUser, world.ListenerUser}[page]
			at := demo.Followers[0].At.Add(time.Duration(page%2) * time.Second)
			demo.Followers = slices.Insert(demo.Followers, 0, world.UserEdge{User: w.User(name), At: at})
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("followers (-before the change +walk):\n%s", diff)
	}
	if after := wholeList(t, l); len(after) != len(want)+4 {
		t.Errorf("got %d followers after the walk, want %d", len(after), len(want)+4)
	}
}
