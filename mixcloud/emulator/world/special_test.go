package world

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// mustCloudcast returns the cloudcast with a key.
func mustCloudcast(t *testing.T, w *World, key string) *Cloudcast {
	t.Helper()
	path, err := url.PathUnescape(key)
	if err != nil {
		t.Fatal(err)
	}
	part := strings.Split(strings.Trim(path, "/"), "/")
	c := w.Cloudcast(part[0], part[1])
	if c == nil {
		t.Fatalf("the world has no cloudcast %s", key)
	}
	if c.Key() != key {
		t.Fatalf("the key of the cloudcast at %s is %s, want the same", key, c.Key())
	}
	return c
}

func TestSpecials_Users(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		user := func(name string) *User {
			u := w.User(name)
			if u == nil || u.Username != name {
				t.Fatalf("the world has no user %s", name)
			}
			return u
		}
		demo := user(DemoUser)
		for what, n := range map[string]int{
			"cloudcasts": len(demo.Cloudcasts), "followers": len(demo.Followers), "following": len(demo.Following),
			"favorites": len(demo.Favorites), "listens": len(demo.Listens), "listen later": len(demo.ListenLater),
			"comments": len(demo.Comments), "feed": len(demo.Feed), "playlists": len(demo.Playlists),
		} {
			if n <= 40 {
				t.Errorf("%s has %d %s, want more than 40", DemoUser, n, what)
			}
		}
		longest := 0
		for _, p := range demo.Playlists {
			longest = max(longest, len(p.Cloudcasts))
		}
		if longest <= 40 {
			t.Errorf("%s's longest playlist has %d, want more than 40", DemoUser, longest)
		}
		kinds := map[string]int{}
		for _, a := range demo.Feed {
			kinds[a.Kind]++
		}
		for _, kind := range []string{"upload", "listen", "favorite", "follow"} {
			if kinds[kind] == 0 {
				t.Errorf("the feed of %s has no activity of type %s", DemoUser, kind)
			}
		}
		if n := len(user(StationUser).Cloudcasts); n <= 150 {
			t.Errorf("%s has %d cloudcasts, want more than 150", StationUser, n)
		}
		if n := len(user(TwentyFollowersUser).Followers); n != 20 {
			t.Errorf("%s has %d followers, want 20", TwentyFollowersUser, n)
		}
		if n := len(user(TwentyOneCloudcastsUser).Cloudcasts); n != 21 {
			t.Errorf("%s has %d cloudcasts, want 21", TwentyOneCloudcastsUser, n)
		}
		if u := user(HiddenListensUser); !u.HideListens || !u.IsPro || len(u.Listens) == 0 {
			t.Errorf("%s: HideListens %t, IsPro %t, %d listens; want true, true, some", HiddenListensUser, u.HideListens, u.IsPro, len(u.Listens))
		}
		if u := user(ListenerUser); len(u.Cloudcasts) != 0 || u.Picture != "" || len(u.Listens) == 0 || len(u.Following) == 0 {
			t.Errorf("%s has %d cloudcasts, %d listens, follows %d and has the picture %q; want 0, some, some, none", ListenerUser, len(u.Cloudcasts), len(u.Listens), len(u.Following), u.Picture)
		}
		if u := user(EmptyUser); u.Biog+u.City+u.Country+u.Picture+u.Cover+u.PrimaryColor != "" ||
			len(u.Cloudcasts)+len(u.Private)+len(u.Favorites)+len(u.Listens)+len(u.ListenLater)+len(u.Reposts)+
				len(u.Followers)+len(u.Following)+len(u.Comments)+len(u.Feed)+len(u.Playlists) != 0 {
			t.Errorf("%s has profile data or list entries, want none: %+v", EmptyUser, u)
		}
		if u := user(DocumentedUser); u.ID != 28 || !u.Created.Equal(time.Date(2009, 3, 10, 7, 32, 56, 0, time.UTC)) {
			t.Errorf("%s has the ID %d and joined at %v, want 28 and 2009-03-10T07:32:56Z", DocumentedUser, u.ID, u.Created)
		}
		if user(GreekUser).Key() != "/"+strings.Split(GreekCloudcast, "/")[1]+"/" {
			t.Errorf("%s has the key %s, want that of the owner of %s", GreekUser, w.User(GreekUser).Key(), GreekCloudcast)
		}
	})
}

func TestSpecials_Cloudcasts(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		quiet := *mustCloudcast(t, w, EmptyCloudcast)
		want := Cloudcast{
			ID: quiet.ID, Owner: quiet.Owner, Slug: quiet.Slug, Name: quiet.Name, Created: quiet.Created,
			Updated: quiet.Updated, PlayCount: 3, ListenerCount: 2,
		}
		if got, want := dumpOne(&quiet), dumpOne(&want); got != want {
			t.Errorf("%s is not empty\n got %s\nwant %s", EmptyCloudcast, got, want)
		}
		if n := len(quiet.Favorites) + len(quiet.Reposts) + len(quiet.Listeners) + len(quiet.Comments) + len(quiet.Similar); n != 0 {
			t.Errorf("the lists of %s have %d entries, want 0", EmptyCloudcast, n)
		}
		if c := mustCloudcast(t, w, BusyCloudcast); len(c.Comments) <= 100 || len(c.Favorites) <= 100 || len(c.Listeners) <= 100 {
			t.Errorf("%s has %d comments, %d favorites and %d listeners, want more than 100 of each",
				BusyCloudcast, len(c.Comments), len(c.Favorites), len(c.Listeners))
		}
		if c := mustCloudcast(t, w, UnlistedCloudcast); !c.Unlisted || c.Draft {
			t.Errorf("%s: Unlisted %t, Draft %t; want true, false", UnlistedCloudcast, c.Unlisted, c.Draft)
		}
		if c := mustCloudcast(t, w, DraftCloudcast); !c.Draft {
			t.Errorf("%s: Draft false, want true", DraftCloudcast)
		}
		if c := mustCloudcast(t, w, ScheduledCloudcast); !c.PublishAt.After(w.Now) {
			t.Errorf("%s is published at %v, want after %v", ScheduledCloudcast, c.PublishAt, w.Now)
		}
		if !mustCloudcast(t, w, HiddenStatsCloudcast).HiddenStats {
			t.Errorf("%s: HiddenStats false, want true", HiddenStatsCloudcast)
		}
		if !mustCloudcast(t, w, ExclusiveCloudcast).Exclusive {
			t.Errorf("%s: Exclusive false, want true", ExclusiveCloudcast)
		}
		if n := len(mustCloudcast(t, w, HostedCloudcast).Hosts); n != 2 {
			t.Errorf("%s has %d hosts, want 2", HostedCloudcast, n)
		}
		tracks, chapters, without := 0, 0, 0
		for _, s := range mustCloudcast(t, w, TracklistCloudcast).Sections {
			if s.StartTime < 0 {
				without++
			}
			if s.Track != nil {
				tracks++
			} else {
				chapters++
			}
		}
		if tracks == 0 || chapters == 0 || without == 0 {
			t.Errorf("%s has %d tracks, %d chapters and %d sections without a start time, want some of each", TracklistCloudcast, tracks, chapters, without)
		}
		for _, s := range mustCloudcast(t, w, TalkCloudcast).Sections {
			if s.Track != nil {
				t.Errorf("%s has the track %s, want chapters only", TalkCloudcast, s.Track.Name)
			}
		}
		if c := mustCloudcast(t, w, TrailingSpaceCloudcast); c.Name != "Channel 4 " {
			t.Errorf("%s has the name %q, want a space at its end", TrailingSpaceCloudcast, c.Name)
		}
		if c := mustCloudcast(t, w, DocumentedCloudcast); c.Name != "Party Time" || len(c.Tags) != 2 || c.Tags[1].Slug != "funk" || len(c.Sections) == 0 {
			t.Errorf("%s = %+v, want Party Time with two tags, the second funk, and sections", DocumentedCloudcast, c)
		}
		mustCloudcast(t, w, GreekCloudcast)
	})
}

func dumpOne(c *Cloudcast) string {
	var b strings.Builder
	dumpCloudcast(func(format string, args ...any) { b.WriteString(fmt.Sprintf(format, args...)) }, c)
	return b.String()
}

func TestSpecials_TiesAcrossThePageBorder(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		for _, name := range UsersWithTies() {
			u := w.User(name)
			for what, times := range map[string][]time.Time{
				"cloudcasts": timesOf(u.Cloudcasts, func(c *Cloudcast) time.Time { return c.Created }),
				"comments":   timesOf(u.Comments, func(c *Comment) time.Time { return c.At }),
				"favorites":  timesOf(u.Favorites, func(e CloudcastEdge) time.Time { return e.At }),
				"feed":       timesOf(u.Feed, func(a *Activity) time.Time { return a.At }),
				"followers":  timesOf(u.Followers, func(e UserEdge) time.Time { return e.At }),
				"following":  timesOf(u.Following, func(e UserEdge) time.Time { return e.At }),
				"listens":    timesOf(u.Listens, func(e CloudcastEdge) time.Time { return e.At }),
			} {
				if len(times) < 41 {
					t.Errorf("%s has %d %s, want more than two full pages", name, len(times), what)
				} else if !times[18].Equal(times[19]) || !times[19].Equal(times[20]) {
					t.Errorf("%s: %s 18 to 20 have the times %v, want the same time", name, what, times[18:21])
				}
			}
		}
	})
}

func TestSpecials_BurstOfOneSecond(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		u := w.User(BurstUser)
		for what, times := range map[string][]time.Time{
			"followers": timesOf(u.Followers, func(e UserEdge) time.Time { return e.At }),
			"listens":   timesOf(u.Listens, func(e CloudcastEdge) time.Time { return e.At }),
		} {
			longest, run := 0, 0
			for i := range times {
				if run++; i > 0 && !times[i].Equal(times[i-1]) {
					run = 1
				}
				longest = max(longest, run)
			}
			if longest != BurstSize {
				t.Errorf("%s: %d %s with the same time, want %d", BurstUser, longest, what, BurstSize)
			}
			if first, last := times[0], times[len(times)-1]; first.Equal(last) || len(times) < BurstSize+20 {
				t.Errorf("%s has %d %s, want some before and some after those with the same time", BurstUser, len(times), what)
			}
		}
	})
}

func timesOf[T any](list []T, at func(T) time.Time) []time.Time {
	times := make([]time.Time, len(list))
	for i, v := range list {
		times[i] = at(v)
	}
	return times
}
