package world

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// seeds are the seeds for which the invariants are tested.
var seeds = []int64{1, 2, 42, -7}

// eachWorld runs a check for several seeds. Tests share the data, so a check must not
// change it.
func eachWorld(t *testing.T, check func(t *testing.T, w *World)) {
	t.Helper()
	t.Parallel()
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			check(t, sharedWorld(seed))
		})
	}
}

var (
	worldsMu sync.Mutex
	worlds   = map[int64]*World{}
)

func sharedWorld(seed int64) *World {
	worldsMu.Lock()
	defer worldsMu.Unlock()
	if worlds[seed] == nil {
		worlds[seed] = New(seed)
	}
	return worlds[seed]
}

// allCloudcasts returns all cloudcasts of w, including private ones.
func allCloudcasts(w *World) []*Cloudcast {
	var all []*Cloudcast
	for _, u := range w.Users {
		all = append(append(all, u.Cloudcasts...), u.Private...)
	}
	return all
}

func TestWorld_IsLargeEnough(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		playlists, comments := 0, 0
		for _, u := range w.Users {
			playlists += len(u.Playlists)
			comments += len(u.Comments)
		}
		for _, c := range w.Latest {
			comments += len(c.Comments)
		}
		for _, tt := range []struct {
			what      string
			got, want int
		}{
			{"users", len(w.Users), 500},
			{"cloudcasts", len(w.Latest), 5000},
			{"tags", len(w.Tags), 200},
			{"cities", len(w.Cities), 30},
			{"categories", len(w.Categories), 20},
			{"artists", len(w.Artists), 100},
			{"playlists", playlists, 150},
			{"comments", comments, 8000},
			{"popular", len(w.Popular), 200},
			{"hot", len(w.Hot), 101},
		} {
			if tt.got < tt.want {
				t.Errorf("the world has %d %s, want at least %d", tt.got, tt.what, tt.want)
			}
		}
	})
}

func TestWorld_KeysAreUnique(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		seen := map[string]bool{}
		claim := func(key string) {
			if key = fold(key); seen[key] {
				t.Errorf("two objects have the key %s, want unique keys", key)
			}
			seen[key] = true
		}
		ids := map[string]bool{}
		id := func(kind string, n int) {
			if k := fmt.Sprint(kind, n); n <= 0 || ids[k] {
				t.Errorf("%s ID %d is not positive or not unique, want both", kind, n)
			} else {
				ids[k] = true
			}
		}
		comments := func(list []*Comment) {
			for _, c := range list {
				id("comment", c.ID)
			}
		}
		for _, u := range w.Users {
			claim(u.Key())
			id("user", u.ID)
			comments(u.Comments)
			for _, p := range u.Playlists {
				claim(p.Key())
			}
			for _, a := range u.Feed {
				id("activity", a.ID)
			}
		}
		for _, c := range allCloudcasts(w) {
			claim(c.Key())
			id("cloudcast", c.ID)
			comments(c.Comments)
		}
		for _, tag := range w.Tags {
			claim("/genres/" + tag.Slug + "/")
		}
		for _, c := range w.Cities {
			claim("/genres/city:" + c.Slug + "/")
		}
		for _, c := range w.Categories {
			claim("/categories/" + c.Slug + "/")
		}
		for _, a := range w.Artists {
			claim(a.Key())
			for _, track := range a.Tracks {
				claim(track.Key())
			}
		}
	})
}

func TestWorld_NamesFitIntoPaths(t *testing.T) {
	reserved := []string{
		"popular", "new", "search", "upload", "me", "oauth", "oembed", "discover", "genres", "tag", "tags", "city",
		"categories", "artist", "track", "comments", "developers", "widget", "www", "graphql",
	}
	eachWorld(t, func(t *testing.T, w *World) {
		for _, u := range w.Users {
			if slices.Contains(reserved, fold(u.Username)) {
				t.Errorf("the user name %q is reserved, want another one", u.Username)
			}
			for _, r := range u.Username {
				if !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && r != '-' && r != '_' {
					t.Errorf("user name %q contains %q, want letters, digits, - and _", u.Username, r)
				}
			}
		}
		for _, c := range allCloudcasts(w) {
			if c.Slug == "" || Slugify(c.Slug) != c.Slug || slices.Contains(reservedSlugs, c.Slug) {
				t.Errorf("slug of %q = %q, want one that is not empty, normalized and not reserved", c.Name, c.Slug)
			}
		}
	})
}

// checkNewestFirst checks that the times of a list descend and are whole seconds
// between two limits.
func checkNewestFirst(t *testing.T, what string, n int, at func(int) time.Time, from, to time.Time) {
	t.Helper()
	for i := range n {
		if i > 0 && at(i).After(at(i-1)) {
			t.Errorf("%s: item %d is newer than the one before, want newest first", what, i)
		}
		if a := at(i); a.Before(from) || a.After(to) || a.Nanosecond() != 0 || a.Location() != time.UTC {
			t.Errorf("%s: item %d has the time %v, want a whole second, in UTC, from %v to %v", what, i, a, from, to)
		}
	}
}

func TestWorld_ListsAreNewestFirst(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		shows := func(what string, list []*Cloudcast, from time.Time) {
			checkNewestFirst(t, what, len(list), func(i int) time.Time { return list[i].Created }, from, w.Now)
		}
		edges := func(what string, list []CloudcastEdge, from time.Time) {
			checkNewestFirst(t, what, len(list), func(i int) time.Time { return list[i].At }, from, w.Now)
		}
		users := func(what string, list []UserEdge, from time.Time) {
			checkNewestFirst(t, what, len(list), func(i int) time.Time { return list[i].At }, from, w.Now)
		}
		comments := func(what string, list []*Comment, from time.Time) {
			checkNewestFirst(t, what, len(list), func(i int) time.Time { return list[i].At }, from, w.Now)
		}
		for _, u := range w.Users {
			k := u.Key()
			shows(k+"cloudcasts", u.Cloudcasts, u.Created)
			shows(k+"private", u.Private, u.Created)
			edges(k+"favorites", u.Favorites, u.Created)
			edges(k+"listens", u.Listens, u.Created)
			edges(k+"listen-later", u.ListenLater, u.Created)
			edges(k+"reposts", u.Reposts, u.Created)
			users(k+"followers", u.Followers, u.Created)
			users(k+"following", u.Following, u.Created)
			comments(k+"comments", u.Comments, u.Created)
			checkNewestFirst(t, k+"feed", len(u.Feed), func(i int) time.Time { return u.Feed[i].At }, u.Created, w.Now)
		}
		for _, c := range allCloudcasts(w) {
			k := c.Key()
			users(k+"favorites", c.Favorites, c.Created)
			users(k+"reposts", c.Reposts, c.Created)
			users(k+"listeners", c.Listeners, c.Created)
			comments(k+"comments", c.Comments, c.Created)
		}
		for _, tag := range w.Tags {
			shows("tag "+tag.Slug, tag.Cloudcasts, time.Time{})
		}
		for _, c := range w.Cities {
			shows("city "+c.Slug, c.Cloudcasts, time.Time{})
		}
		for _, a := range w.Artists {
			shows(a.Key(), a.Cloudcasts, time.Time{})
			for _, track := range a.Tracks {
				shows(track.Key(), track.Cloudcasts, time.Time{})
			}
		}
		shows("latest", w.Latest, time.Time{})
	})
}

func TestWorld_EdgesAreOnBothLists(t *testing.T) {
	type edge struct {
		kind, from, to string
		at             time.Time
	}
	eachWorld(t, func(t *testing.T, w *World) {
		one, other := map[edge]int{}, map[edge]int{}
		for _, u := range w.Users {
			for _, e := range u.Following {
				one[edge{"follow", u.Username, e.User.Username, e.At}]++
				if e.User == u {
					t.Errorf("%s follows themselves, want only other users", u.Username)
				}
			}
			for _, e := range u.Followers {
				other[edge{"follow", e.User.Username, u.Username, e.At}]++
			}
			for _, e := range u.Favorites {
				one[edge{"favorite", u.Username, e.Cloudcast.Key(), e.At}]++
			}
			for _, e := range u.Listens {
				one[edge{"listen", u.Username, e.Cloudcast.Key(), e.At}]++
			}
			for _, e := range u.Reposts {
				one[edge{"repost", u.Username, e.Cloudcast.Key(), e.At}]++
			}
		}
		for _, c := range allCloudcasts(w) {
			for _, e := range c.Favorites {
				other[edge{"favorite", e.User.Username, c.Key(), e.At}]++
			}
			for _, e := range c.Listeners {
				other[edge{"listen", e.User.Username, c.Key(), e.At}]++
			}
			for _, e := range c.Reposts {
				other[edge{"repost", e.User.Username, c.Key(), e.At}]++
			}
			if c.Private() && len(c.Favorites)+len(c.Listeners)+len(c.Comments) > 0 {
				t.Errorf("%s is private and has favorites, listeners or comments, want none", c.Key())
			}
			if len(c.Listeners) > c.ListenerCount || c.ListenerCount > c.PlayCount {
				t.Errorf("%s: %d listeners, ListenerCount %d, PlayCount %d; want them in ascending order", c.Key(), len(c.Listeners), c.ListenerCount, c.PlayCount)
			}
		}
		for e, n := range one {
			if n != 1 || other[e] != 1 {
				t.Errorf("%v is %d times in one list and %d times in the other, want once in both", e, n, other[e])
			}
		}
		if len(one) != len(other) {
			t.Errorf("one side has %d edges, the other %d, want the same number", len(one), len(other))
		}
	})
}

func TestWorld_PublicListsHaveOnlyPublicShows(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		listed := func(where string, list []*Cloudcast) {
			seen := map[*Cloudcast]bool{}
			for _, c := range list {
				if c.Private() || seen[c] {
					t.Errorf("list %s contains %s, which is private or a duplicate", where, c.Key())
				}
				seen[c] = true
			}
		}
		edges := func(where string, list []CloudcastEdge) {
			cs := make([]*Cloudcast, len(list))
			for i, e := range list {
				cs[i] = e.Cloudcast
			}
			listed(where, cs)
		}
		total := 0
		for _, u := range w.Users {
			total += len(u.Cloudcasts)
			listed(u.Username, u.Cloudcasts)
			edges(u.Username+" favorites", u.Favorites)
			edges(u.Username+" listens", u.Listens)
			edges(u.Username+" later", u.ListenLater)
			for _, c := range u.Private {
				if !c.Private() {
					t.Errorf("%s is public, but in its owner's private list, want only private shows there", c.Key())
				}
			}
			for _, p := range u.Playlists {
				listed(p.Key(), p.Cloudcasts)
			}
			for _, a := range u.Feed {
				listed(u.Username+" feed", a.Cloudcasts)
				if len(a.Cloudcasts)+len(a.Users) != 1 || a.From != u {
					t.Errorf("%s: activity %d is from %s with %d shows and %d users; want %[1]s and one show or user", u.Username, a.ID, a.From.Username, len(a.Cloudcasts), len(a.Users))
				}
				if u.HideListens && a.Kind == "listen" {
					t.Errorf("%s hides listens, but the feed has one, want none", u.Username)
				}
			}
		}
		if total != len(w.Latest) {
			t.Errorf("users have %d public shows, Latest has %d, want the same number", total, len(w.Latest))
		}
		listed("latest", w.Latest)
		listed("popular", w.Popular)
		listed("hot", w.Hot)
		for _, c := range w.Categories {
			listed(c.Slug, c.Cloudcasts)
		}
		for _, tag := range w.Tags {
			listed(tag.Slug, tag.Cloudcasts)
			for _, c := range tag.Cloudcasts {
				if !slices.Contains(c.Tags, tag) {
					t.Errorf("%s is in the list of the tag %s, which it does not have", c.Key(), tag.Slug)
				}
			}
		}
		for _, c := range w.Latest {
			listed(c.Key()+" similar", c.Similar)
			if n := len(c.Similar); (n < 10 || n > 20) && c.Key() != EmptyCloudcast || slices.Contains(c.Similar, c) {
				t.Errorf("%s has %d similar shows, or itself among them; want 10 to 20 others", c.Key(), n)
			}
		}
	})
}

func TestWorld_CloudcastsRespectTheLimits(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		for _, c := range allCloudcasts(w) {
			k := c.Key()
			tags := map[*Tag]bool{}
			for _, tag := range c.Tags {
				tags[tag] = true
			}
			if len(c.Tags) > 5 || len(tags) != len(c.Tags) {
				t.Errorf("%s has %d tags, %d of them different; want at most 5, all different", k, len(c.Tags), len(tags))
			}
			if len(c.Hosts) > 2 || slices.Contains(c.Hosts, c.Owner) {
				t.Errorf("%s has %d hosts, or its owner among them; want at most 2 others", k, len(c.Hosts))
			}
			if n := utf8.RuneCountInString(c.Description); n > 1000 {
				t.Errorf("%s has a description of %d characters, want at most 1000", k, n)
			}
			if c.AudioLength != 0 && (c.AudioLength < 20*60 || c.AudioLength > 4*60*60) {
				t.Errorf("%s has a length of %d seconds, want 20 minutes to 4 hours", k, c.AudioLength)
			}
			if c.Updated.IsZero() || c.Updated.After(w.Now) || c.Updated.Before(c.Owner.Created) {
				t.Errorf("%s was updated at %v, want a time since its owner joined", k, c.Updated)
			}
			if (c.Picture == "") != (c.PrimaryColor == "") {
				t.Errorf("%s has the picture %q and the color %q, want both or none", k, c.Picture, c.PrimaryColor)
			}
			last := 0
			for i, s := range c.Sections {
				if (s.Track == nil) == (s.Chapter == "") {
					t.Errorf("%s: section %d has both or none of track and chapter, want one", k, i)
				}
				if s.StartTime >= 0 && s.StartTime < last {
					t.Errorf("%s: section %d starts before the previous one, want ascending times", k, i)
				}
				last = max(last, s.StartTime)
			}
			if c.DisableComments && len(c.Comments) > 0 {
				t.Errorf("%s has comments although they are disabled, want none", k)
			}
		}
	})
}
