package world

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestEdges_areUndone checks that every edit and its undo are idempotent, and that the
// undo restores all lists.
func TestEdges_areUndone(t *testing.T) {
	t.Parallel()
	w := New(6)
	users := []*User{w.User(DemoUser), w.User(EmptyUser), w.User(BurstUser), w.User(TwentyFollowersUser)}
	shows := []*Cloudcast{w.Cloudcast(DemoUser, "room-tone"), w.Latest[0], w.Latest[700]}
	rapid.Check(t, func(t *rapid.T) {
		u, other, c := rapid.SampledFrom(users).Draw(t, "user"), rapid.SampledFrom(users).Draw(t, "other"), rapid.SampledFrom(shows).Draw(t, "show")
		if u == other {
			return
		}
		at := w.Now.Add(time.Duration(rapid.IntRange(-1<<20, 100).Draw(t, "at")) * time.Second)
		edges := []struct {
			name     string
			do, undo func()
			lengths  func() []int
			newest   func() bool
		}{
			{
				"follow", func() { w.Follow(u, other, at) }, func() { w.Unfollow(u, other) },
				func() []int { return []int{len(u.Following), len(other.Followers), len(u.Feed)} },
				func() bool { return userEdgesNewestFirst(u.Following) && userEdgesNewestFirst(other.Followers) },
			},
			{
				"favorite", func() { w.Favorite(u, c, at) }, func() { w.Unfavorite(u, c) },
				func() []int { return []int{len(u.Favorites), len(c.Favorites), len(u.Feed)} },
				func() bool { return castEdgesNewestFirst(u.Favorites) && userEdgesNewestFirst(c.Favorites) },
			},
			{
				"repost", func() { w.Repost(u, c, at) }, func() { w.Unrepost(u, c) },
				func() []int { return []int{len(u.Reposts), len(c.Reposts)} },
				func() bool { return castEdgesNewestFirst(u.Reposts) && userEdgesNewestFirst(c.Reposts) },
			},
			{
				"listen later", func() { w.ListenLater(u, c, at) }, func() { w.UnlistenLater(u, c) },
				func() []int { return []int{len(u.ListenLater)} },
				func() bool { return castEdgesNewestFirst(u.ListenLater) },
			},
		}
		e := rapid.SampledFrom(edges).Draw(t, "edge")
		e.undo() // the data may have the edge
		without := e.lengths()
		for range 2 {
			e.do()
			for i, n := range e.lengths() {
				if n != without[i]+1 {
					t.Fatalf("%s: list %d has %d entries, want %d", e.name, i, n, without[i]+1)
				}
			}
			if !e.newest() {
				t.Fatalf("%s: a list is not sorted with the newest first", e.name)
			}
		}
		for range 2 {
			e.undo()
			if got := e.lengths(); !slices.Equal(got, without) {
				t.Fatalf("%s: lengths %d after the undo, want %d", e.name, got, without)
			}
		}
	})
}

func userEdgesNewestFirst(list []UserEdge) bool {
	return slices.IsSortedFunc(list, func(a, b UserEdge) int { return b.At.Compare(a.At) })
}

func castEdgesNewestFirst(list []CloudcastEdge) bool {
	return slices.IsSortedFunc(list, func(a, b CloudcastEdge) int { return b.At.Compare(a.At) })
}

// TestReserve checks that a reserved cloudcast occupies its key and is not found, that
// AddToLists adds it to all lists, and that RemoveFromLists removes it from them.
func TestReserve(t *testing.T) {
	t.Parallel()
	w := New(7)
	owner := w.User(StationUser)
	c := &Cloudcast{
		Owner: owner, Name: "On Trial", Created: w.Now.Add(time.Hour), Tags: []*Tag{w.NamedTag("House"), w.NamedTag("made up just now")},
		Sections: []Section{{Track: w.NamedTrack("Nobody Yet", "First")}, {Track: w.NamedTrack("nobody yet", "Second")}, {Chapter: "Talk"}},
	}
	w.Reserve(c)
	if w.Cloudcast(StationUser, "on-trial") != nil || w.FindReserved("harbourfm", "on-trial") != c || w.Tag("made-up-just-now") != nil {
		t.Error("after Reserve, Cloudcast or Tag returns the cloudcast or its tag, or FindReserved does not; want only FindReserved to return the cloudcast")
	}
	twin := &Cloudcast{Owner: owner, Name: "On trial", Created: w.Now.Add(2 * time.Hour), Tags: []*Tag{w.NamedTag("Made up just now")}}
	w.Reserve(twin)
	if twin.Slug != "on-trial-2" || twin.ID == c.ID {
		t.Errorf("the second cloudcast of this name has the slug %q and the ID %d, want on-trial-2 and a new ID", twin.Slug, twin.ID)
	}
	w.AddToLists(c)
	w.AddToLists(twin)
	artist := w.Artist("nobody-yet")
	if artist == nil || len(artist.Tracks) != 2 || len(artist.Cloudcasts) != 1 || w.Track("nobody-yet", "second").Cloudcasts[0] != c {
		t.Errorf("artist = %+v, want two tracks and one cloudcast", artist)
	}
	if tag := w.Tag("made-up-just-now"); !slices.Equal(tag.Cloudcasts, []*Cloudcast{twin, c}) || twin.Tags[0] != tag {
		t.Errorf("tag = %+v, want two cloudcasts, the newest first", tag)
	}
	lists := func() map[string][]*Cloudcast {
		return map[string][]*Cloudcast{
			"owner": owner.Cloudcasts, "latest": w.Latest, "tag": w.Tag("house").Cloudcasts, "city": w.City("glasgow").Cloudcasts, "artist": artist.Cloudcasts,
			"track": w.Track("nobody-yet", "first").Cloudcasts,
		}
	}
	for name, list := range lists() {
		if !slices.Contains(list, c) {
			t.Errorf("after AddToLists the cloudcast is not in the list %s, want it there", name)
		}
	}
	activities := len(owner.Feed)
	w.RemoveFromLists(c)
	for name, list := range lists() {
		if slices.Contains(list, c) {
			t.Errorf("after RemoveFromLists the cloudcast is in the list %s, want it removed", name)
		}
	}
	if w.Cloudcast(StationUser, "on-trial") != c || !c.WasPublic {
		t.Errorf("after RemoveFromLists: Cloudcast returns the cloudcast: %t, WasPublic: %t; want true, true", w.Cloudcast(StationUser, "on-trial") == c, c.WasPublic)
	}
	c.Draft = true
	w.AddToLists(c)
	if !slices.Contains(owner.Private, c) || slices.Contains(w.Latest, c) || len(owner.Feed) != activities {
		t.Errorf("draft: in Private: %t, in Latest: %t, new activities %d; want true, false, 0", slices.Contains(owner.Private, c), slices.Contains(w.Latest, c), len(owner.Feed)-activities)
	}
	c.Draft = false
	w.RemoveFromLists(c)
	w.AddToLists(c)
	if slices.Contains(owner.Private, c) || !slices.Contains(w.Latest, c) || len(owner.Feed) != activities {
		t.Errorf("cloudcast that is public again: in Private: %t, in Latest: %t, new activities %d; want false, true, 0", slices.Contains(owner.Private, c), slices.Contains(w.Latest, c), len(owner.Feed)-activities)
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	w := sharedWorld(1)
	if w.NamedTag("HOUSE!") != w.Tag("house") {
		t.Error("NamedTag(HOUSE!) does not return the existing tag house")
	}
	if tag := w.NamedTag("über Alles"); tag == nil || tag.Slug != "über-alles" || tag.Name != "Über Alles" || w.Tag("über-alles") != nil {
		t.Errorf("NamedTag of a new name = %+v, want the slug über-alles, in no list", tag)
	}
	if w.NamedTag("?!") != nil {
		t.Error("NamedTag(?!) returned a tag, want nil for a name without a letter")
	}
	known := w.Artists[0].Tracks[0]
	if w.NamedTrack(known.Artist.Name, known.Name) != known {
		t.Errorf("NamedTrack(%q, %q) does not return the existing track", known.Artist.Name, known.Name)
	}
	if track := w.NamedTrack(known.Artist.Name, "Never Heard"); track.Artist != known.Artist || track.Slug != "never-heard" {
		t.Errorf("NamedTrack of a new name = %+v, want the existing artist and the slug never-heard", track)
	}
	if track := w.NamedTrack("???", "!!!"); track.Key() != "/track/unknown/unknown/" || track.Name != "!!!" {
		t.Errorf("NamedTrack of names without letters = %+v, want the key /track/unknown/unknown/", track)
	}
}

func TestCoverPath(t *testing.T) {
	t.Parallel()
	path, color := CoverPath("0123456789abcdef0123456789abcdef0123")
	if path != "extaudio/0/1/2/3/4567-89ab-cdef-0123-456789abcdef" || color != primaryColor(path) {
		t.Errorf("CoverPath = %s, %s; want the path made from the hash, and its color", path, color)
	}
	if other, _ := CoverPath("1123456789abcdef0123456789abcdef0123"); other == path {
		t.Errorf("two hashes have the same cover %s", path)
	}
}
