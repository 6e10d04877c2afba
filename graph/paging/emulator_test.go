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
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// population is a world that nobody writes to.
var population = sync.OnceValue(func() *world.World { return world.New(1) })

// A service is an emulator, and a client of it.
type service struct {
	*emulator.Emulator
	client *mixcloud.Client
}

func serve(t *testing.T, s emulator.Settings) service {
	t.Helper()
	e, err := emulator.New(emulator.WithWorld(population()), emulator.WithSettings(s))
	if err != nil {
		t.Fatal(err)
	}
	client, err := mixcloud.New(mixcloud.WithHTTPClient(&http.Client{Transport: e.Transport()}))
	if err != nil {
		t.Fatal(err)
	}
	return service{e, client}
}

// calls counts the requests since the last time.
func (s service) calls() []string {
	var calls []string
	for _, r := range s.Requests() {
		calls = append(calls, r.Path+"?"+r.Query)
	}
	s.ClearRequests()
	return calls
}

// lists are lists of the emulator, read as lists of keys: each with how to fetch
// a page of it.
func (s service) lists() map[string]paging.List[listed] {
	lists := map[string]paging.List[listed]{}
	for _, user := range []string{"demo", "petra_kolar", "SundayMatinee", "tidewrack", burstUser} {
		key := "/" + user + "/"
		lists[user+" cloudcasts"] = dated(s.client.UserCloudcasts, key, func(c mixcloud.Cloudcast) listed { return listed{c.Key, c.CreatedTime} })
		lists[user+" listens"] = dated(s.client.UserListens, key, func(c mixcloud.Cloudcast) listed { return listed{c.Key, c.ListenTime} })
		lists[user+" comments"] = dated(s.client.UserComments, key, func(c mixcloud.Comment) listed { return listed{c.Key, c.SubmitDate} })
		lists[user+" feed"] = dated(s.client.UserFeed, key, func(a mixcloud.Activity) listed { return listed{a.Key, a.CreatedTime} })
		lists[user+" favorites"] = undated(s.client.UserFavorites, key, func(c mixcloud.Cloudcast) string { return c.Key })
		lists[user+" followers"] = undated(s.client.UserFollowers, key, func(u mixcloud.User) string { return u.Key })
		lists[user+" following"] = undated(s.client.UserFollowing, key, func(u mixcloud.User) string { return u.Key })
		lists[user+" playlists"] = undated(s.client.UserPlaylists, key, func(p mixcloud.Playlist) string { return p.Key })
	}
	busy := world.BusyCloudcast
	lists["a show's comments"] = dated(s.client.CloudcastComments, busy, func(c mixcloud.Comment) listed { return listed{c.Key, c.SubmitDate} })
	lists["a show's favorites"] = undated(s.client.CloudcastFavorites, busy, func(u mixcloud.User) string { return u.Key })
	lists["a show's listeners"] = dated(s.client.CloudcastListeners, busy, func(u mixcloud.User) listed { return listed{u.Key, u.ListenTime} })
	lists["a tag's shows"] = undated(s.client.Cloudcasts, "/genres/funk/popular/", func(c mixcloud.Cloudcast) string { return c.Key })
	return lists
}

// A listed is an item of a list of the emulator.
type listed struct {
	key string
	at  *time.Time
}

type getter[T any] func(context.Context, string, mixcloud.Range) (*mixcloud.Page[T], error)

func dated[T any](get getter[T], owner string, item func(T) listed) paging.List[listed] {
	l := undated(get, owner, func(v T) string { return item(v).key })
	l.Fetch = fetchListed(get, owner, item)
	l.Time = func(i listed) time.Time {
		if i.at == nil {
			return time.Time{}
		}
		return *i.at
	}
	return l
}

func undated[T any](get getter[T], owner string, key func(T) string) paging.List[listed] {
	return paging.List[listed]{
		Identity: owner,
		Fetch:    fetchListed(get, owner, func(v T) listed { return listed{key: key(v)} }),
		Key:      func(i listed) string { return mixcloud.Canonical(i.key) },
	}
}

func fetchListed[T any](get getter[T], owner string, item func(T) listed) func(context.Context, mixcloud.Range) (*mixcloud.Page[listed], error) {
	return func(ctx context.Context, r mixcloud.Range) (*mixcloud.Page[listed], error) {
		p, err := get(ctx, owner, r)
		if err != nil {
			return nil, err
		}
		page := &mixcloud.Page[listed]{Name: p.Name, Next: p.Next, Previous: p.Previous, Dropped: p.Dropped}
		for _, v := range p.Items {
			page.Items = append(page.Items, item(v))
		}
		return page, nil
	}
}

// wholeList reads a list by REST's own offsets.
func wholeList(t *testing.T, l paging.List[listed]) []string {
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

func keysOf(edges []paging.Edge[listed]) []string {
	keys := make([]string, len(edges))
	for i, e := range edges {
		keys[i] = e.Node.key
	}
	return keys
}

// Lists of the emulator, walked in both directions under all that is not known
// of the live service, are the same lists.
func TestEmulatorWalks(t *testing.T) {
	t.Parallel()
	for _, settings := range []emulator.Settings{
		{SinceOrder: emulator.SinceNearest},
		{SinceOrder: emulator.SinceNewest},
		{SinceOrder: emulator.SinceNearest, PageCap: 10},
	} {
		s := serve(t, settings)
		for name, l := range s.lists() {
			var sizes []int
			if settings.PageCap == 0 {
				sizes = append(sizes, 100)
			}
			if !strings.HasSuffix(name, "feed") { // those are long
				sizes = append(sizes, 20)
			}
			if name == "demo followers" || name == "demo listens" {
				sizes = append(sizes, 7)
			}
			for _, size := range sizes {
				t.Run(fmt.Sprintf("%s %d/%s/%d", settings.SinceOrder, settings.PageCap, name, size), func(t *testing.T) {
					want := wholeList(t, l)
					s.calls()
					edges := walkForward(t, s, l, size, len(want))
					if diff := cmp.Diff(want, keysOf(edges), equateEmpty); diff != "" {
						t.Fatalf("forward (-list +walk):\n%s", diff)
					}
					walkBackward(t, s, l, size, edges, settings.SinceOrder == emulator.SinceNewest)
				})
			}
		}
	}
}

func walkForward(t *testing.T, s service, l paging.List[listed], size, n int) (edges []paging.Edge[listed]) {
	t.Helper()
	a := paging.Args{First: &size}
	for range n + 2 {
		r, err := paging.Read(t.Context(), l, a)
		if err != nil {
			t.Fatal(err)
		}
		// Two where the cursor's item, or others of its second, took a place.
		if calls := s.calls(); len(calls) > 2 && s.Settings().PageCap == 0 && !strings.Contains(l.Identity, burstUser) {
			t.Errorf("%d calls for a page of %d: %q", len(calls), size, calls)
		}
		if a.After == nil && !r.HasNextPage && (r.Total == nil || *r.Total != len(r.Edges)) {
			t.Errorf("total is %v for all %d items", r.Total, len(r.Edges))
		}
		edges = append(edges, r.Edges...)
		if !r.HasNextPage {
			return edges
		}
		a.After = &r.Edges[len(r.Edges)-1].Cursor
	}
	t.Fatalf("the walk does not end after %d items of %d", len(edges), n)
	return nil
}

func walkBackward(t *testing.T, s service, l paging.List[listed], size int, edges []paging.Edge[listed], newest bool) {
	t.Helper()
	at := len(edges) - 1
	burst := strings.Contains(l.Identity, burstUser)
	for at > 0 {
		r, err := paging.Read(t.Context(), l, paging.Args{Last: &size, Before: &edges[at].Cursor})
		var e *gqlerr.Error
		if errors.As(err, &e) && e.Code == gqlerr.CodeLimitExceeded && (newest && at > 300 || burst && s.Settings().PageCap > 0) {
			at -= size // out of reach from here
			s.calls()
			continue
		}
		if err != nil {
			t.Fatalf("before %d of %d: %v", at, len(edges), err)
		}
		calls := s.calls()
		if len(calls) > 5 && !burst && !strings.Contains(calls[0], "offset=") {
			t.Errorf("before %d: %d calls: %q", at, len(calls), calls)
		}
		n := len(r.Edges)
		if n == 0 || n < min(size, at) && s.Settings().PageCap == 0 && !burst {
			t.Fatalf("before %d: %d items; calls %q", at, n, calls)
		}
		if diff := cmp.Diff(keysOf(edges[at-n:at]), keysOf(r.Edges)); diff != "" {
			t.Fatalf("before %d (-forward +backward):\n%s", at, diff)
		}
		if r.HasPreviousPage != (n < at) && s.Settings().PageCap == 0 {
			t.Errorf("before %d: %d items, hasPreviousPage = %v", at, n, r.HasPreviousPage)
		}
		at -= n
		edges[at].Cursor = r.Edges[0].Cursor // go on from what this page gave
	}
}

// burstUser is who has more items in one second than a page can hold.
const burstUser = "ParallaxRadio"

// Followers who come while a client pages, one in the second of another, disturb
// nobody.
func TestEmulatorFollowersInBetween(t *testing.T) {
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
	l := undated(s.client.UserFollowers, demo.Key(), func(u mixcloud.User) string { return u.Key })
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
		// Go on from the last edge, the one before it, and so on in turn.
		back := page % 3
		a.After = &r.Edges[len(r.Edges)-1-back].Cursor
		got = got[:len(got)-back]
		if page < 4 {
			name := []string{world.SilentUser, world.GreekUser, world.StationUser, world.ListenerUser}[page]
			at := demo.Followers[0].At.Add(time.Duration(page%2) * time.Second)
			demo.Followers = slices.Insert(demo.Followers, 0, world.UserEdge{User: w.User(name), At: at})
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-followers before +walk):\n%s", diff)
	}
	if after := wholeList(t, l); len(after) != len(want)+4 {
		t.Errorf("%d followers before and %d after", len(want), len(after))
	}
}
