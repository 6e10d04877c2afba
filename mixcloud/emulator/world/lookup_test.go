package world

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestLookups_FindAllObjects(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		for _, u := range w.Users {
			if w.User(u.Username) != u {
				t.Errorf("User(%q) returns another user", u.Username)
			}
			for _, p := range u.Playlists {
				if w.Playlist(u.Username, p.Slug) != p {
					t.Errorf("Playlist(%q, %q) returns another playlist", u.Username, p.Slug)
				}
			}
		}
		for _, c := range allCloudcasts(w) {
			if w.Cloudcast(c.Owner.Username, c.Slug) != c {
				t.Errorf("Cloudcast(%q, %q) returns another cloudcast", c.Owner.Username, c.Slug)
			}
		}
		for _, tag := range w.Tags {
			if w.Tag(tag.Slug) != tag || Slugify(tag.Name) != tag.Slug {
				t.Errorf("Tag(%q) is not %q", tag.Slug, tag.Name)
			}
		}
		for _, c := range w.Cities {
			if w.City(c.Slug) != c {
				t.Errorf("City(%q) returns another city", c.Slug)
			}
		}
		for _, c := range w.Categories {
			if w.Category(c.Slug) != c {
				t.Errorf("Category(%q) returns another category", c.Slug)
			}
		}
		for _, a := range w.Artists {
			if w.Artist(a.Slug) != a {
				t.Errorf("Artist(%q) returns another artist", a.Slug)
			}
			for _, track := range a.Tracks {
				if w.Track(a.Slug, track.Slug) != track {
					t.Errorf("Track(%q, %q) returns another track", a.Slug, track.Slug)
				}
			}
		}
	})
}

func TestLookups_IgnoreASCIICaseOfUserNames(t *testing.T) {
	t.Parallel()
	w := sharedWorld(1)
	for _, name := range []string{"HarbourFM", "harbourfm", "HARBOURFM", "hARBOURfm"} {
		if u := w.User(name); u == nil || u.Username != StationUser {
			t.Errorf("User(%q) = %v", name, u)
		}
	}
	if c := w.Cloudcast("SPARTACUS", "party-time"); c == nil || c.Key() != DocumentedCloudcast {
		t.Errorf("the owner of a cloudcast is case-sensitive: %v", c)
	}
	if c := w.Cloudcast("spartacus", "Party-Time"); c != nil {
		t.Error("slugs are not case-sensitive")
	}
	if u := w.User("ΝΥΧΤΕΡΙΝΌ-ΤΡΑΜ"); u != nil {
		t.Errorf("the case of Greek letters is ignored: %v", u)
	}
	if p := w.User(DemoUser).Playlists[0]; w.Playlist("DEMO", p.Slug) != p {
		t.Error("the owner of a playlist is case-sensitive")
	}
}

func TestLookups_UnknownIsNil(t *testing.T) {
	t.Parallel()
	w := sharedWorld(1)
	for what, found := range map[string]bool{
		"user":          w.User("no-such-user") != nil,
		"empty user":    w.User("") != nil,
		"cloudcast":     w.Cloudcast("spartacus", "party") != nil,
		"other's":       w.Cloudcast("demo", "party-time") != nil,
		"tag":           w.Tag("Funk") != nil,
		"city":          w.City("city:london") != nil,
		"category":      w.Category("nowhere") != nil,
		"artist":        w.Artist("") != nil,
		"track":         w.Track("saltmarsh", "no-such-track") != nil,
		"playlist":      w.Playlist("demo", "no-such-list") != nil,
		"joined key":    w.Cloudcast("spartacus/party", "time") != nil,
		"shifted slash": w.Track("", "") != nil,
	} {
		if found {
			t.Errorf("%s: found", what)
		}
	}
}

func TestAddCloudcast_AddsToAllLists(t *testing.T) {
	t.Parallel()
	w := New(5)
	owner := w.User(StationUser)
	fresh := &Tag{Slug: "brand-new", Name: "Brand new"}
	c := &Cloudcast{
		Owner: owner, Name: "Fresh from the Pier", Created: w.Now.Add(time.Minute), Updated: w.Now, Tags: []*Tag{w.Tag("house"), fresh},
	}
	last := w.Latest[0].ID
	w.AddCloudcast(c)
	for what, list := range map[string][]*Cloudcast{
		"owner": owner.Cloudcasts, "latest": w.Latest, "tag": w.Tag("house").Cloudcasts,
		"new tag": w.Tag("brand-new").Cloudcasts, "city": w.City("glasgow").Cloudcasts,
	} {
		if list[0] != c {
			t.Errorf("it is not first on the list of its %s", what)
		}
	}
	if c.Slug != "fresh-from-the-pier" || w.Cloudcast(StationUser, c.Slug) != c || c.ID <= last {
		t.Errorf("it has the slug %q and the ID %d", c.Slug, c.ID)
	}
	n := len(owner.Cloudcasts)
	hidden := &Cloudcast{Owner: owner, Name: "Fresh from the Pier", Created: w.Now, Unlisted: true}
	w.AddCloudcast(hidden)
	if hidden.Slug != "fresh-from-the-pier-2" || len(owner.Cloudcasts) != n || !slices.Contains(owner.Private, hidden) {
		t.Errorf("an unlisted upload has the slug %q, and %d uploads were added to the owner's public list", hidden.Slug, len(owner.Cloudcasts)-n)
	}
	if w.Cloudcast(StationUser, hidden.Slug) != hidden {
		t.Error("an unlisted upload is not found by its key")
	}
}

func TestAddCloudcast_SlugsStayUniqueAndListsOrdered(t *testing.T) {
	w := New(9) // shared by all cases, which only add to it
	rapid.Check(t, func(t *rapid.T) {
		owner := w.User(rapid.SampledFrom([]string{DemoUser, EmptyUser, GreekUser}).Draw(t, "owner"))
		name := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "♫", "Feed", "Party Time", "party time!", "Room Tone"})).Draw(t, "name")
		ago := time.Duration(rapid.IntRange(-100, 1<<28).Draw(t, "ago")) * time.Second
		c := &Cloudcast{Owner: owner, Name: name, Created: w.Now.Add(-ago)}
		known := len(owner.Cloudcasts)
		w.AddCloudcast(c)
		if c.Slug == "" || c.Slug == "feed" || w.Cloudcast(owner.Username, c.Slug) != c {
			t.Fatalf("%q has the slug %q", name, c.Slug)
		}
		slugs := map[string]bool{}
		for i, other := range owner.Cloudcasts {
			if slugs[other.Slug] {
				t.Fatalf("two uploads have the slug %q", other.Slug)
			}
			slugs[other.Slug] = true
			if i > 0 && other.Created.After(owner.Cloudcasts[i-1].Created) {
				t.Fatalf("upload %d is newer than the previous one", i)
			}
		}
		if len(owner.Cloudcasts) != known+1 {
			t.Fatalf("%d uploads, want %d", len(owner.Cloudcasts), known+1)
		}
	})
}

func ExampleWorld_Cloudcast() {
	w := New(1)
	c := w.Cloudcast("Spartacus", "party-time")
	fmt.Println(c.Key(), c.Name, c.AudioLength)
	// Output: /spartacus/party-time/ Party Time 3064
}
