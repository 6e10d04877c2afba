package world

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// dump writes all data of w as text. Two worlds have the same text if and only if
// their data is equal. The golden hash depends on the labels too.
func dump(out io.Writer, w *World) {
	f := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	stamp := func(t time.Time) string { return t.Format(time.RFC3339Nano) }
	users := func(label string, list []*User) {
		for i, u := range list {
			f("  %s %d %d", label, i, u.ID)
		}
	}
	shows := func(label string, list []*Cloudcast) {
		for i, c := range list {
			f("  %s %d %d", label, i, c.ID)
		}
	}
	userEdges := func(label string, list []UserEdge) {
		for i, e := range list {
			f("  %s %d %d %d", label, i, e.User.ID, e.At.UnixNano())
		}
	}
	showEdges := func(label string, list []CloudcastEdge) {
		for i, e := range list {
			f("  %s %d %d %d", label, i, e.Cloudcast.ID, e.At.UnixNano())
		}
	}
	comments := func(list []*Comment) {
		for i, c := range list {
			f("  comment %d %d %s %d %q %d", i, c.ID, c.Thread, c.Author.ID, c.Text, c.At.UnixNano())
		}
	}
	f("world %d %s", w.Seed, stamp(w.Now))
	for _, u := range w.Users {
		f("user %s", scalars(u))
		shows("upload", u.Cloudcasts)
		shows("private", u.Private)
		showEdges("favorite", u.Favorites)
		showEdges("listen", u.Listens)
		showEdges("later", u.ListenLater)
		showEdges("repost", u.Reposts)
		userEdges("follower", u.Followers)
		userEdges("following", u.Following)
		comments(u.Comments)
		for _, a := range u.Feed {
			f("  activity %d %s %q %d %d", a.ID, a.Kind, a.Title, a.From.ID, a.At.UnixNano())
			shows("of", a.Cloudcasts)
			users("of", a.Users)
		}
		for _, p := range u.Playlists {
			f("  playlist %s %q %s", p.Key(), p.Name, p.Owner.Key())
			shows("of", p.Cloudcasts)
		}
		for _, list := range [][]*Cloudcast{u.Cloudcasts, u.Private} {
			for _, c := range list {
				dumpCloudcast(f, c)
				users("host", c.Hosts)
				userEdges("favorited by", c.Favorites)
				userEdges("reposted by", c.Reposts)
				userEdges("listener", c.Listeners)
				comments(c.Comments)
				shows("similar", c.Similar)
			}
		}
	}
	for _, t := range w.Tags {
		f("tag %q %q", t.Slug, t.Name)
		shows("tagged", t.Cloudcasts)
	}
	for _, c := range w.Cities {
		f("city %q %q", c.Slug, c.Name)
		shows("from", c.Cloudcasts)
	}
	for _, c := range w.Categories {
		f("category %q %q %s %q", c.Slug, c.Name, c.Format, c.Picture)
		shows("shelved", c.Cloudcasts)
		users("shelved", c.Users)
		shows("picked", c.UserpickCloudcasts)
		users("picked", c.UserpickUsers)
	}
	for _, a := range w.Artists {
		f("artist %s %q", a.Key(), a.Name)
		shows("played", a.Cloudcasts)
		for _, t := range a.Tracks {
			f(" track %s %q %s", t.Key(), t.Name, t.Artist.Key())
			shows("played", t.Cloudcasts)
		}
	}
	shows("popular", w.Popular)
	shows("hot", w.Hot)
	shows("latest", w.Latest)
}

// scalars returns the fields of a struct that are text, a number, a bool or a time.
func scalars[T any](p *T) string {
	var b strings.Builder
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		switch x := v.Field(i).Interface().(type) {
		case string:
			fmt.Fprintf(&b, "%s=%q ", v.Type().Field(i).Name, x)
		case int, bool:
			fmt.Fprintf(&b, "%s=%v ", v.Type().Field(i).Name, x)
		case time.Time:
			fmt.Fprintf(&b, "%s=%s ", v.Type().Field(i).Name, x.Format(time.RFC3339Nano))
		}
	}
	return b.String()
}

func dumpCloudcast(f func(string, ...any), c *Cloudcast) {
	f(" cloudcast %s %s", c.Owner.Key(), scalars(c))
	for _, t := range c.Tags {
		f("  tag %s", t.Slug)
	}
	for _, s := range c.Sections {
		if s.Track != nil {
			f("  section %s %q %d", s.Track.Key(), s.Chapter, s.StartTime)
		} else {
			f("  section %q %d", s.Chapter, s.StartTime)
		}
	}
}

func digest(w *World) string {
	h := sha256.New()
	out := bufio.NewWriterSize(h, 1<<16)
	dump(out, w)
	_ = out.Flush() // a hash does not fail
	return hex.EncodeToString(h.Sum(nil))
}

// checkGolden compares got with a file in testdata, or rewrites the file with
// -update.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; if the change is intended, run: go test ./mixcloud/emulator/world -update\n got %s\nwant %s",
			path, strings.TrimSpace(got), strings.TrimSpace(string(want)))
	}
}

func TestNew_SameSeedSameBytes(t *testing.T) {
	t.Parallel()
	first := digest(sharedWorld(1))
	if second := digest(New(1)); second != first {
		t.Errorf("the same seed generated different data: %s and %s", first, second)
	}
	checkGolden(t, "seed1.sha256", first+"\n")
}

func TestNew_OtherSeedOtherWorld(t *testing.T) {
	t.Parallel()
	seen := map[string]int64{}
	for _, seed := range []int64{-1, 0, 1, 2, 1 << 40} {
		var titles strings.Builder
		for _, c := range sharedWorld(seed).Latest {
			titles.WriteString(c.Name)
		}
		if other, ok := seen[titles.String()]; ok {
			t.Errorf("seeds %d and %d generate the same titles", other, seed)
		}
		seen[titles.String()] = seed
	}
}

func TestNew_WorldsShareNothing(t *testing.T) {
	t.Parallel()
	a, b := New(1), sharedWorld(1)
	before := digest(b)
	for _, u := range a.Users {
		u.Name, u.Followers, u.Feed = "changed", nil, nil
		for _, c := range u.Cloudcasts {
			c.Name, c.Tags, c.Comments = "changed", nil, nil
		}
	}
	for _, tag := range a.Tags {
		tag.Name = "changed"
	}
	for _, artist := range a.Artists {
		artist.Tracks[0].Name = "changed"
	}
	if digest(b) != before {
		t.Error("changing one World changed another")
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		New(1)
	}
}
