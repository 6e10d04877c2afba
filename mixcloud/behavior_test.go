package mixcloud_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// TestFaults checks the error of a call for each fault of the emulator.
func TestFaults(t *testing.T) {
	t.Parallel()
	want := map[emulator.FaultKind]error{
		emulator.FaultRateLimit:       mixcloud.ErrRateLimited,
		emulator.FaultRateLimitNoWait: mixcloud.ErrRateLimited,
		emulator.FaultHTML403:         mixcloud.ErrUnavailable,
		emulator.FaultHTML413:         mixcloud.ErrRefused,
		emulator.FaultHTML502:         mixcloud.ErrUnavailable,
		emulator.FaultHTML503:         mixcloud.ErrUnavailable,
		emulator.FaultError500:        mixcloud.ErrUnavailable,
		emulator.FaultSlowHeaders:     mixcloud.ErrTimeout,
		emulator.FaultSlowBody:        mixcloud.ErrTimeout,
		emulator.FaultTruncatedBody:   mixcloud.ErrUnavailable,
		emulator.FaultTruncatedJSON:   mixcloud.ErrBadResponse,
		emulator.FaultEndlessBody:     mixcloud.ErrBadResponse,
		emulator.FaultReset:           mixcloud.ErrUnavailable,
		emulator.FaultError200:        nil, // any error
		emulator.FaultSuccessFalse:    mixcloud.ErrBadResponse,
		emulator.FaultNotJSON:         mixcloud.ErrBadResponse,
	}
	harmless := []emulator.FaultKind{
		emulator.FaultContentType, emulator.FaultEmptyPage, emulator.FaultRepeatedPage, emulator.FaultURLEncodedToken,
		// These affect writes only.
		emulator.FaultEarly400, emulator.FaultEarly413, emulator.FaultEarly503, emulator.FaultUploadReset,
	}
	e, _, c := startEmulator(t)
	for _, kind := range emulator.FaultKinds() {
		want, fails := want[kind]
		if fails == slices.Contains(harmless, kind) {
			t.Errorf("the fault %s is in both or none of want and harmless, want it in exactly one", kind)
		}
		synctest.Test(t, func(t *testing.T) {
			if err := e.Fail(emulator.Fault{Kind: kind, Times: 1, RetryAfter: 7 * time.Second, Delay: delay(kind)}); err != nil {
				t.Fatal(err)
			}
			defer e.ClearFaults()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			user, err := c.User(ctx, "/spartacus/")
			if !fails {
				if err != nil || user.Key.String() != "/spartacus/" {
					t.Errorf("%s: User returned %v, %v; want /spartacus/, nil", kind, show.Value(user), err)
				}
				return
			}
			var e *mixcloud.Error
			if user != nil || !errors.As(err, &e) || want != nil && !errors.Is(err, want) {
				t.Errorf("%s: User returned %v, %v; want nil and an *Error of the kind %v", kind, show.Value(user), err, want)
			}
			if wait, limited := mixcloud.RetryAfter(err); kind == emulator.FaultRateLimit && (!limited || wait != 7*time.Second) {
				t.Errorf("%s: RetryAfter returned %v, %t; want 7s, true", kind, wait, limited)
			}
		})
	}
}

// delay returns a delay above the deadline for the slow faults.
func delay(kind emulator.FaultKind) time.Duration {
	if kind == emulator.FaultSlowBody || kind == emulator.FaultSlowHeaders {
		return time.Minute
	}
	return 0
}

// TestNotFound reads resources that do not exist, or need a valid token.
func TestNotFound(t *testing.T) {
	t.Parallel()
	_, _, c := startEmulator(t)
	ctx := t.Context()
	for name, test := range map[string]struct{ got, want error }{
		"user":                {errOf(c.User(ctx, "/no-such-user/")), mixcloud.ErrNotFound},
		"cloudcast":           {errOf(c.Cloudcast(ctx, "/spartacus/no-such-show/")), mixcloud.ErrNotFound},
		"list":                {errOf(c.UserFeed(ctx, "/no-such-user/", mixcloud.Range{})), mixcloud.ErrNotFound},
		"any path":            {errOf(c.Get(ctx, "/spartacus/party/time/now/", nil)), mixcloud.ErrNotFound},
		"embed":               {errOf(c.EmbedHTML(ctx, "/spartacus/no-such-show/", mixcloud.EmbedOptions{})), mixcloud.ErrNotFound},
		"me, anonymous":       {errOf(c.Me(ctx)), mixcloud.ErrUnauthenticated},
		"me, a wrong token":   {errOf(c.As("wrong").Me(ctx)), mixcloud.ErrUnauthenticated},
		"read, a wrong token": {errOf(c.As("wrong").User(ctx, "/spartacus/")), mixcloud.ErrUnauthenticated},
	} {
		if !errors.Is(test.got, test.want) {
			t.Errorf("%s: error %v, want %v", name, test.got, test.want)
		}
	}
}

// TestAll_DateAndOffset checks that paging by date and by offset both return the
// complete list in order.
func TestAll_DateAndOffset(t *testing.T) {
	t.Parallel()
	_, w, c := startEmulator(t)
	// Paging by date may lose items of the same second, so choose a user without such
	// items.
	users := slices.DeleteFunc(slices.Clone(w.Users), func(u *world.User) bool {
		seconds := map[int64]bool{}
		for _, show := range u.Cloudcasts {
			seconds[show.Created.Unix()] = true
		}
		return len(seconds) < len(u.Cloudcasts)
	})
	busy := slices.MaxFunc(users, func(a, b *world.User) int { return len(a.Cloudcasts) - len(b.Cloudcasts) })
	want := []string{}
	for _, show := range busy.Cloudcasts {
		want = append(want, show.Key())
	}
	if len(want) < 40 {
		t.Fatalf("the longest list has only %d items, want at least two pages", len(want))
	}
	list := func(ctx context.Context, r mixcloud.Range) (*mixcloud.Page[mixcloud.Cloudcast], error) {
		return c.UserCloudcasts(ctx, busy.Key(), r)
	}
	for name, start := range map[string]mixcloud.Range{
		"by date":               {},
		"by date, pages of 100": {Limit: 100},
		"by offset":             {Offset: new(0)},
		"by offset, pages of 7": {Offset: new(0), Limit: 7},
		"by date, pages of 33":  {Limit: 33},
	} {
		got := []string{}
		for show, err := range mixcloud.All(t.Context(), start, 0, list) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, show.Key.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: keys (-want +got):\n%s", name, diff)
		}
	}
}

// TestAll_StopsOnEmptyOrRepeatedPage checks that All ends if the next page is empty
// or repeats the current one.
func TestAll_StopsOnEmptyOrRepeatedPage(t *testing.T) {
	t.Parallel()
	for _, kind := range []emulator.FaultKind{emulator.FaultEmptyPage, emulator.FaultRepeatedPage} {
		e, _, c := startEmulator(t)
		if err := e.Fail(emulator.Fault{Kind: kind}); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range mixcloud.All(t.Context(), mixcloud.Range{}, 0, c.Popular) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if requests := len(e.Requests()); requests > 10 || n > 40 {
			t.Errorf("%s: All returned %d items in %d requests, want at most 40 in 10", kind, n, requests)
		}
	}
}

// TestLinks_NextAndPrevious follows the links between two neighboring pages.
func TestLinks_NextAndPrevious(t *testing.T) {
	t.Parallel()
	_, w, c := startEmulator(t)
	busy := slices.MaxFunc(w.Users, func(a, b *world.User) int { return len(a.Followers) - len(b.Followers) })
	for name, r := range map[string]mixcloud.Range{"dates": {Limit: 10}, "offsets": {Limit: 10, Offset: new(0)}} {
		first, err := c.UserFollowers(t.Context(), busy.Key(), r)
		if err != nil || first.Next == nil {
			t.Fatalf("%s: first page: %+v, %v; want a page with a next link", name, show.Value(first), err)
		}
		next, err := c.UserFollowers(t.Context(), busy.Key(), first.Next.Range)
		if err != nil || next.Previous == nil {
			t.Fatalf("%s: second page: %+v, %v; want a page with a previous link", name, show.Value(next), err)
		}
		back, err := c.UserFollowers(t.Context(), busy.Key(), next.Previous.Range)
		if err != nil {
			t.Fatal(err)
		}
		keys := func(p *mixcloud.Page[mixcloud.User]) (keys []string) {
			for _, u := range p.Items {
				keys = append(keys, u.Key.String())
			}
			return keys
		}
		if diff := cmp.Diff(keys(first), keys(back)); diff != "" {
			t.Errorf("%s: the first page differs from the one before the second (-first +previous):\n%s", name, diff)
		}
	}
}

// TestViewer checks that each viewer reads their own data.
func TestViewer(t *testing.T) {
	t.Parallel()
	_, w, c := startEmulator(t)
	var wait sync.WaitGroup
	for _, user := range w.Users[:8] {
		wait.Go(func() {
			viewer := c.As(user.Username + "-token")
			me, err := viewer.Me(t.Context())
			if err != nil || me.Username != user.Username || me.IsCurrentUser == nil || !*me.IsCurrentUser {
				t.Errorf("Me with the token of %s returned %+v, %v; want this user, with is_current_user true", user.Username, show.Value(me), err)
			}
			page, err := viewer.Popular(t.Context(), mixcloud.Range{Limit: 2})
			if err != nil || page.Items[0].Favorited == nil || page.Items[0].User.Following == nil {
				t.Errorf("Popular with a token returned %+v, %v; want favorited and following", show.Value(page), err)
			}
			page, err = c.Popular(t.Context(), mixcloud.Range{Limit: 2})
			if err != nil || page.Items[0].Favorited != nil || page.Items[0].User.Following != nil {
				t.Errorf("Popular without a token returned %+v, %v; want no favorited and no following", show.Value(page), err)
			}
		})
	}
	wait.Wait()
}

// TestParseRef_AllEmulatorKeys checks that all keys of the emulator have the right
// kind.
func TestParseRef_AllEmulatorKeys(t *testing.T) {
	t.Parallel()
	w := seededWorld()
	keys := map[string]mixcloud.Kind{}
	for _, u := range w.Users {
		keys[u.Key()] = mixcloud.KindUser
		if key, err := mixcloud.UserKey(u.Username); err != nil || key != u.Key() {
			t.Errorf("UserKey(%q) = %q, %v, want %q", u.Username, key, err, u.Key())
		}
		for _, p := range u.Playlists {
			keys[p.Key()] = mixcloud.KindPlaylist
		}
	}
	for _, s := range w.Latest {
		keys[s.Key()] = mixcloud.KindCloudcast
	}
	for _, a := range w.Artists {
		keys[a.Key()] = mixcloud.KindArtist
		for _, t := range a.Tracks {
			keys[t.Key()] = mixcloud.KindTrack
		}
	}
	named := func(name, slug string, kind mixcloud.Kind, of func(string) (string, error)) {
		byName, err := of(name)
		bySlug, err2 := of(slug)
		if err != nil || err2 != nil || byName != bySlug {
			t.Errorf("key of %q = %q, %v; key of its slug %q = %q, %v; want equal keys", name, byName, err, slug, bySlug, err2)
		}
		keys[byName] = kind
	}
	for _, x := range w.Tags {
		named(x.Name, x.Slug, mixcloud.KindTag, mixcloud.TagKey)
	}
	for _, x := range w.Cities {
		named(x.Name, x.Slug, mixcloud.KindCity, mixcloud.CityKey)
	}
	for _, x := range w.Categories {
		named(x.Slug, x.Slug, mixcloud.KindCategory, mixcloud.CategoryKey)
	}
	if len(keys) < 5000 {
		t.Fatalf("the emulator has %d keys, want at least 5000", len(keys))
	}
	for key, kind := range keys {
		if got, err := mixcloud.ParseRef("https://www.mixcloud.com" + key); err != nil || got.Kind != kind || got.Key.String() != key {
			t.Errorf("ParseRef of the page of %q = %v, %v; want the kind %s and the same key", key, got, err, kind)
		}
	}
}

// TestResource fetches a resource of each kind by its URL.
func TestResource(t *testing.T) {
	t.Parallel()
	_, w, c := startEmulator(t)
	p := findSampleKeys(t, w)
	for key, want := range map[string]mixcloud.Resource{
		p.user:                 &mixcloud.FullUser{},
		p.cloudcast:            &mixcloud.FullCloudcast{},
		p.playlist:             &mixcloud.Playlist{},
		p.category:             &mixcloud.Category{},
		p.artist:               &mixcloud.Artist{},
		p.track:                &mixcloud.Track{},
		p.tags:                 &mixcloud.Tag{},
		"/genres/city:london/": &mixcloud.Tag{},
	} {
		got, err := c.Resource(t.Context(), "http://mixcloud.test/www"+key)
		if err != nil || fmt.Sprintf("%T", got) != fmt.Sprintf("%T", want) || len(got.Raw()) == 0 {
			t.Errorf("Resource(%s) returned a %T, %v; want a %T", key, got, err, want)
		}
	}
	for _, key := range []string{"/no-such-user/", "/popular/", "/spartacus/no-such-show/"} {
		if got, err := c.Resource(t.Context(), key); got != nil || err == nil {
			t.Errorf("Resource(%s) returned %v, %v; want nil and an error", key, got, err)
		}
	}
}

// TestTracklist reads sections of both types.
func TestTracklist(t *testing.T) {
	t.Parallel()
	_, w, c := startEmulator(t)
	i := slices.IndexFunc(w.Latest, func(s *world.Cloudcast) bool {
		tracks := slices.ContainsFunc(s.Sections, func(s world.Section) bool { return s.Track != nil })
		return tracks && slices.ContainsFunc(s.Sections, func(s world.Section) bool { return s.Track == nil })
	})
	if i < 0 {
		t.Fatal("the data set has no cloudcast with both tracks and chapters, want one")
	}
	full, err := c.Cloudcast(t.Context(), w.Latest[i].Key())
	if err != nil || len(full.Sections) != len(w.Latest[i].Sections) {
		t.Fatalf("Cloudcast(%s) returned %+v, %v; want %d sections", w.Latest[i].Key(), show.Value(full), err, len(w.Latest[i].Sections))
	}
	for j, want := range w.Latest[i].Sections {
		got := full.Sections[j]
		switch {
		case want.Track == nil && (got.Track != nil || got.Chapter == nil || *got.Chapter != want.Chapter):
			t.Errorf("section %d is %+v, want chapter %q", j, show.Value(got), want.Chapter)
		case want.Track != nil && (got.Track == nil || got.Track.Name != want.Track.Name || got.Track.Artist.Name != want.Track.Artist.Name):
			t.Errorf("section %d is %+v, want track %q", j, show.Value(got), want.Track.Name)
		}
	}
}
