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
				t.Errorf("Tag(%q) does not return the tag %q, or this is not the slug of its name", tag.Slug, tag.Name)
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
			t.Errorf("User(%q) = %v, want %s", name, u, StationUser)
		}
	}
	if c := w.Cloudcast("SPARTACUS", "party-time"); c == nil || c.Key() != DocumentedCloudcast {
		t.Errorf("Cloudcast(SPARTACUS, party-time) = %v, want %s: the case of the owner is ignored", c, DocumentedCloudcast)
	}
	if c := w.Cloudcast("spartacus", "Party-Time"); c != nil {
		t.Error("Cloudcast(spartacus, Party-Time) returned a cloudcast, want nil: slugs are case-sensitive")
	}
	if u := w.User("ΝΥΧΤΕΡΙΝΌ-ΤΡΑΜ"); u != nil {
		t.Errorf("User of a Greek name in capitals = %v, want nil: only the case of ASCII letters is ignored", u)
	}
	if p := w.User(DemoUser).Playlists[0]; w.Playlist("DEMO", p.Slug) != p {
		t.Error("Playlist(DEMO, …) does not return the playlist of demo: the case of the owner is ignored")
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
			t.Errorf("lookup of %s returned an object, want nil", what)
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
			t.Errorf("the list %s starts with %s, want the new cloudcast", what, list[0].Key())
		}
	}
	if c.Slug != "fresh-from-the-pier" || w.Cloudcast(StationUser, c.Slug) != c || c.ID <= last {
		t.Errorf("slug %q, ID %d; want fresh-from-the-pier, an ID above %d, found by its key", c.Slug, c.ID, last)
	}
	n := len(owner.Cloudcasts)
	hidden := &Cloudcast{Owner: owner, Name: "Fresh from the Pier", Created: w.Now, Unlisted: true}
	w.AddCloudcast(hidden)
	if hidden.Slug != "fresh-from-the-pier-2" || len(owner.Cloudcasts) != n || !slices.Contains(owner.Private, hidden) {
		t.Errorf("slug of the unlisted upload = %q, want fresh-from-the-pier-2; %d entries were added to the owner's public list, want 0", hidden.Slug, len(owner.Cloudcasts)-n)
	}
	if w.Cloudcast(StationUser, hidden.Slug) != hidden {
		t.Errorf("Cloudcast(%q, %q) does not return the unlisted upload", StationUser, hidden.Slug)
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
			t.Fatalf("slug of %q = %q, want one that is not empty, not feed, and found by Cloudcast", name, c.Slug)
		}
		slugs := map[string]bool{}
		for i, other := range owner.Cloudcasts {
			if slugs[other.Slug] {
				t.Fatalf("two uploads have the slug %q, want unique slugs", other.Slug)
			}
			slugs[other.Slug] = true
			if i > 0 && other.Created.After(owner.Cloudcasts[i-1].Created) {
				t.Fatalf("upload %d is newer than the one before, want newest first", i)
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
