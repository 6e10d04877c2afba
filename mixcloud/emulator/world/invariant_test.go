package world

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// seeds are the worlds that the invariants are checked in.
var seeds = []int64{1, 2, 42, -7}

// eachWorld runs a check in several worlds. They are shared: checks only read.
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

// everything lists all uploads of a world, private ones too.
func everything(w *World) []*Cloudcast {
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
				t.Errorf("%s: %d, want at least %d", tt.what, tt.got, tt.want)
			}
		}
	})
}

func TestWorld_KeysAreUnique(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		seen := map[string]bool{}
		claim := func(key string) {
			if key = fold(key); seen[key] {
				t.Errorf("%s twice", key)
			}
			seen[key] = true
		}
		ids := map[string]bool{}
		id := func(kind string, n int) {
			if k := fmt.Sprint(kind, n); n <= 0 || ids[k] {
				t.Errorf("%s ID %d twice, or not positive", kind, n)
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
		for _, c := range everything(w) {
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
				t.Errorf("user %q has a reserved name", u.Username)
			}
			for _, r := range u.Username {
				if !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && r != '-' && r != '_' {
					t.Errorf("user %q: %q", u.Username, r)
				}
			}
		}
		for _, c := range everything(w) {
			if c.Slug == "" || Slugify(c.Slug) != c.Slug || slices.Contains(reservedSlugs, c.Slug) {
				t.Errorf("cloudcast %q has the slug %q", c.Name, c.Slug)
			}
		}
	})
}

// newest checks that the times of a list fall, and lie between two limits.
func newest(t *testing.T, what string, n int, at func(int) time.Time, from, to time.Time) {
	t.Helper()
	for i := range n {
		if i > 0 && at(i).After(at(i-1)) {
			t.Errorf("%s: item %d is newer than the one before", what, i)
		}
		if a := at(i); a.Before(from) || a.After(to) || a.Nanosecond() != 0 || a.Location() != time.UTC {
			t.Errorf("%s: item %d is of %v, want a second of UTC from %v to %v", what, i, a, from, to)
		}
	}
}

func TestWorld_ListsAreNewestFirst(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		shows := func(what string, list []*Cloudcast, from time.Time) {
			newest(t, what, len(list), func(i int) time.Time { return list[i].Created }, from, w.Now)
		}
		edges := func(what string, list []CloudcastEdge, from time.Time) {
			newest(t, what, len(list), func(i int) time.Time { return list[i].At }, from, w.Now)
		}
		users := func(what string, list []UserEdge, from time.Time) {
			newest(t, what, len(list), func(i int) time.Time { return list[i].At }, from, w.Now)
		}
		comments := func(what string, list []*Comment, from time.Time) {
			newest(t, what, len(list), func(i int) time.Time { return list[i].At }, from, w.Now)
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
			newest(t, k+"feed", len(u.Feed), func(i int) time.Time { return u.Feed[i].At }, u.Created, w.Now)
		}
		for _, c := range everything(w) {
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

func TestWorld_EdgesAreSeenFromBothEnds(t *testing.T) {
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
					t.Errorf("%s follows themselves", u.Username)
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
		for _, c := range everything(w) {
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
				t.Errorf("%s is private and has an audience", c.Key())
			}
			if len(c.Listeners) > c.ListenerCount || c.ListenerCount > c.PlayCount {
				t.Errorf("%s: %d known listeners, %d in all, %d plays", c.Key(), len(c.Listeners), c.ListenerCount, c.PlayCount)
			}
		}
		for e, n := range one {
			if n != 1 || other[e] != 1 {
				t.Errorf("%v: %d times and seen %d times from the other end", e, n, other[e])
			}
		}
		if len(one) != len(other) {
			t.Errorf("%d edges from one end, %d from the other", len(one), len(other))
		}
	})
}

func TestWorld_PublicListsHoldPublicShowsOnly(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		listed := func(where string, list []*Cloudcast) {
			seen := map[*Cloudcast]bool{}
			for _, c := range list {
				if c.Private() || seen[c] {
					t.Errorf("%s holds %s, which is private or there already", where, c.Key())
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
					t.Errorf("%s is public", c.Key())
				}
			}
			for _, p := range u.Playlists {
				listed(p.Key(), p.Cloudcasts)
			}
			for _, a := range u.Feed {
				listed(u.Username+" feed", a.Cloudcasts)
				if len(a.Cloudcasts)+len(a.Users) != 1 || a.From != u {
					t.Errorf("%s: activity %d holds %d shows and %d users", u.Username, a.ID, len(a.Cloudcasts), len(a.Users))
				}
				if u.HideListens && a.Kind == "listen" {
					t.Errorf("%s hides listens, but the feed tells one", u.Username)
				}
			}
		}
		if total != len(w.Latest) {
			t.Errorf("users have %d public shows, latest lists %d", total, len(w.Latest))
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
					t.Errorf("%s is under %s without the tag", c.Key(), tag.Slug)
				}
			}
		}
		for _, c := range w.Latest {
			listed(c.Key()+" similar", c.Similar)
			if n := len(c.Similar); (n < 10 || n > 20) && c.Key() != QuietCloudcast || slices.Contains(c.Similar, c) {
				t.Errorf("%s has %d similar shows, or itself", c.Key(), n)
			}
		}
	})
}

func TestWorld_CloudcastsKeepTheRules(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		for _, c := range everything(w) {
			k := c.Key()
			tags := map[*Tag]bool{}
			for _, tag := range c.Tags {
				tags[tag] = true
			}
			if len(c.Tags) > 5 || len(tags) != len(c.Tags) {
				t.Errorf("%s has %d tags, %d different ones", k, len(c.Tags), len(tags))
			}
			if len(c.Hosts) > 2 || slices.Contains(c.Hosts, c.Owner) {
				t.Errorf("%s has %d hosts, or its owner as one", k, len(c.Hosts))
			}
			if n := utf8.RuneCountInString(c.Description); n > 1000 {
				t.Errorf("%s has a description of %d characters", k, n)
			}
			if c.AudioLength != 0 && (c.AudioLength < 20*60 || c.AudioLength > 4*60*60) {
				t.Errorf("%s takes %d seconds", k, c.AudioLength)
			}
			if c.Updated.IsZero() || c.Updated.After(w.Now) || c.Updated.Before(c.Owner.Created) {
				t.Errorf("%s was updated at %v", k, c.Updated)
			}
			if (c.Picture == "") != (c.PrimaryColor == "") {
				t.Errorf("%s has the picture %q and the colour %q", k, c.Picture, c.PrimaryColor)
			}
			last := 0
			for i, s := range c.Sections {
				if (s.Track == nil) == (s.Chapter == "") {
					t.Errorf("%s: section %d is neither track nor chapter, or both", k, i)
				}
				if s.StartTime >= 0 && s.StartTime < last {
					t.Errorf("%s: section %d starts before the one above", k, i)
				}
				last = max(last, s.StartTime)
			}
			if c.DisableComments && len(c.Comments) > 0 {
				t.Errorf("%s has comments although they are disabled", k)
			}
		}
	})
}

// artificial finds what gives a made-up text away.
func artificial(text string) string {
	lower := strings.ToLower(text)
	for _, sign := range []string{
		"lorem", "ipsum", "placeholder", "example", "dummy", "foobar", "user1", "user 1", "the the ", " a a ", "{", "}", "%!", "<nil>", "  ",
	} {
		if strings.Contains(lower, sign) {
			return sign
		}
	}
	for _, sign := range []string{"TODO", "FIXME", "XXX"} {
		if strings.Contains(text, sign) {
			return sign
		}
	}
	return ""
}

func TestWorld_TextsPassForReal(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		check := func(where, text string) {
			if sign := artificial(text); sign != "" {
				t.Errorf("%s: %q in %q", where, sign, text)
			}
			if !utf8.ValidString(text) {
				t.Errorf("%s: %q is no UTF-8", where, text)
			}
		}
		for _, u := range w.Users {
			check(u.Key(), u.Name)
			check(u.Key(), u.Biog)
			if strings.TrimSpace(u.Name) != u.Name || u.Name == "" {
				t.Errorf("%s is called %q", u.Key(), u.Name)
			}
			if (u.City == "") != (u.Country == "") {
				t.Errorf("%s lives in %q, %q", u.Key(), u.City, u.Country)
			}
			for _, c := range u.Comments {
				check(u.Key()+" comment", c.Text)
			}
			for _, p := range u.Playlists {
				check(p.Key(), p.Name)
			}
		}
		for _, c := range everything(w) {
			check(c.Key(), c.Name)
			check(c.Key(), c.Description)
			for _, x := range c.Comments {
				check(c.Key()+" comment", x.Text)
				if x.Text == "" {
					t.Errorf("%s has an empty comment", c.Key())
				}
			}
		}
	})
}

func TestWorld_TextsVary(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		distinct := func(what string, share int, texts []string) {
			seen := map[string]bool{}
			for _, s := range texts {
				seen[s] = true
			}
			if 100*len(seen) < share*len(texts) {
				t.Errorf("%s: %d of %d are different, want %d of a hundred", what, len(seen), len(texts), share)
			}
		}
		var names, biogs, titles, descriptions, comments []string
		for _, u := range w.Users {
			names = append(names, u.Name)
			if u.Biog != "" {
				biogs = append(biogs, u.Biog)
			}
		}
		for _, c := range w.Latest {
			titles = append(titles, c.Owner.Username+c.Name)
			if c.Description != "" {
				descriptions = append(descriptions, c.Description)
			}
			for _, x := range c.Comments {
				comments = append(comments, x.Text)
			}
		}
		distinct("names", 80, names)
		distinct("biogs", 65, biogs)
		distinct("titles of a user", 97, titles)
		distinct("descriptions", 75, descriptions)
		distinct("comments", 30, comments)
	})
}

func TestWorld_HasEverything(t *testing.T) {
	scripts := []*unicode.RangeTable{
		unicode.Greek, unicode.Cyrillic, unicode.Hebrew, unicode.Arabic, unicode.Han, unicode.Hiragana, unicode.Hangul,
		unicode.Thai, unicode.Devanagari, unicode.Georgian,
	}
	eachWorld(t, func(t *testing.T, w *World) {
		for _, script := range scripts {
			in := func(s string) bool {
				return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(script, r) })
			}
			if !slices.ContainsFunc(w.Users, func(u *User) bool { return in(u.Name) }) ||
				!slices.ContainsFunc(w.Latest, func(c *Cloudcast) bool { return in(c.Slug) }) {
				t.Errorf("a script is missing among names or slugs: %v", script.R16[0])
			}
		}
		// Of everything rare there is some, and of nothing rare too much.
		all := everything(w)
		share := func(what string, low, high float64, n, of int) {
			if p := 100 * float64(n) / float64(of); p < low || p > high {
				t.Errorf("%s: %d of %d (%.2f %%), want %v to %v %%", what, n, of, p, low, high)
			}
		}
		users := func(what string, low, high float64, is func(*User) bool) {
			n := 0
			for _, u := range w.Users {
				if is(u) {
					n++
				}
			}
			share(what, low, high, n, len(w.Users))
		}
		shows := func(what string, low, high float64, is func(*Cloudcast) bool) {
			n := 0
			for _, c := range all {
				if is(c) {
					n++
				}
			}
			share(what, low, high, n, len(all))
		}
		users("capitals in user names", 10, 60, func(u *User) bool { return fold(u.Username) != u.Username })
		users("encoded user names", 5, 50, func(u *User) bool { return Escape(u.Username) != u.Username })
		users("without biog", 5, 50, func(u *User) bool { return u.Biog == "" })
		users("without city", 5, 30, func(u *User) bool { return u.City == "" })
		users("default picture", 3, 30, func(u *User) bool { return u.Picture == "" })
		users("without cover", 20, 80, func(u *User) bool { return u.Cover == "" })
		users("pro", 5, 40, func(u *User) bool { return u.IsPro })
		users("premium", 3, 30, func(u *User) bool { return u.IsPremium })
		users("hidden listens", 0.1, 5, func(u *User) bool { return u.HideListens })
		users("without uploads", 20, 70, func(u *User) bool { return len(u.Cloudcasts) == 0 })
		shows("without description", 10, 40, func(c *Cloudcast) bool { return c.Description == "" })
		shows("CRLF in the description", 10, 60, func(c *Cloudcast) bool { return strings.Contains(c.Description, "\r\n") })
		shows("a link in the description", 3, 60, func(c *Cloudcast) bool { return strings.Contains(c.Description, "https://") })
		shows("without tags", 1, 10, func(c *Cloudcast) bool { return len(c.Tags) == 0 })
		shows("five tags", 3, 60, func(c *Cloudcast) bool { return len(c.Tags) == 5 })
		shows("hosts", 5, 50, func(c *Cloudcast) bool { return len(c.Hosts) > 0 })
		shows("two hosts", 0.5, 30, func(c *Cloudcast) bool { return len(c.Hosts) == 2 })
		shows("updated before created", 10, 40, func(c *Cloudcast) bool { return c.Updated.Before(c.Created) })
		shows("no audio length", 1, 6, func(c *Cloudcast) bool { return c.AudioLength == 0 })
		shows("hidden stats", 0.5, 8, func(c *Cloudcast) bool { return c.HiddenStats })
		shows("exclusive", 0.2, 4, func(c *Cloudcast) bool { return c.Exclusive })
		shows("unlisted", 0.1, 2, func(c *Cloudcast) bool { return c.Unlisted })
		shows("comments disabled", 0.1, 4, func(c *Cloudcast) bool { return c.DisableComments })
		shows("sections", 5, 25, func(c *Cloudcast) bool { return len(c.Sections) > 0 })
		shows("a missing start time", 0.5, 15, func(c *Cloudcast) bool {
			return slices.ContainsFunc(c.Sections, func(s Section) bool { return s.StartTime < 0 })
		})
		shows("chapters", 0.2, 6, func(c *Cloudcast) bool {
			return slices.ContainsFunc(c.Sections, func(s Section) bool { return s.Chapter != "" })
		})
		shows("a space at the end", 0.2, 4, func(c *Cloudcast) bool { return strings.HasSuffix(c.Name, " ") })
		shows("without comments", 20, 70, func(c *Cloudcast) bool { return len(c.Comments) == 0 })
		shows("encoded slugs", 5, 60, func(c *Cloudcast) bool { return Escape(c.Slug) != c.Slug })
	})
}
