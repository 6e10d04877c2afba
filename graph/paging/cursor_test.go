package paging_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/gqlerr"
)

var update = flag.Bool("update", false, "add the cursors of this release to the golden file")

var list = paging.Bind("/spartacus/|favorites", -1, -1)

// A goldenCursor is a line of the golden file.
type goldenCursor struct {
	Note         string
	Identity     string
	Since, Until int64
	Cursor       paging.Cursor
	Encoded      string
}

// Clients store cursors, so the cursors of every release must stay valid. Lines may be added to the
// golden file, but not changed or removed.
func TestCursorsOfEveryRelease(t *testing.T) {
	t.Parallel()
	name := filepath.Join("testdata", "cursors.jsonl")
	if *update {
		addToGolden(t, name)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := 0
	for in := bufio.NewScanner(f); in.Scan(); lines++ {
		var k goldenCursor
		if err := json.Unmarshal(in.Bytes(), &k); err != nil {
			t.Fatal(err)
		}
		got, err := paging.Parse("after", k.Encoded, paging.Bind(k.Identity, k.Since, k.Until))
		if err != nil {
			t.Errorf("%s: Parse returned the error %v, want none", k.Note, err)
		}
		if diff := cmp.Diff(k.Cursor, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", k.Note, diff)
		}
	}
	if lines < len(samples()) {
		t.Errorf("%s has %d lines, want at least one per sample, %d", name, lines, len(samples()))
	}
}

func addToGolden(t *testing.T, name string) {
	old, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	out := string(old)
	for _, k := range samples() {
		k.Encoded = k.Cursor.Encode(paging.Bind(k.Identity, k.Since, k.Until))
		line, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out, k.Encoded) {
			out += string(line) + "\n"
		}
	}
	if err := os.WriteFile(name, []byte(out), 0o644); err != nil {
		t.Fatal(err)
	}
}

func samples() []goldenCursor {
	return []goldenCursor{
		{"a show", "/spartacus/|cloudcasts", -1, -1, paging.Cursor{Kind: paging.ByTime, Key: "/spartacus/party-time/", Second: 1523471959}, ""},
		{"a show among ties, bounded", "/spartacus/|cloudcasts", 1500000000, 1600000000, paging.Cursor{Kind: paging.ByTime, Key: "/spartacus/party-time/", Second: 1523471959, Index: 3, PreviousDigest: 0xdeadbeef}, ""},
		{"the earliest time", "/x/|listens", 0, -1, paging.Cursor{Kind: paging.ByTime, Key: "/x/", Second: 0}, ""},
		{"the latest time", "/x/|listens", -1, 253402300798, paging.Cursor{Kind: paging.ByTime, Key: "/x/", Second: 253402300798, Index: math.MaxInt32, PreviousDigest: 1}, ""},
		{"a favorite", "/spartacus/|favorites", -1, -1, paging.Cursor{Kind: paging.ByPage, Key: "/someone/%D7%A9%D7%9C%D7%95%D7%9D/", Second: 1430333959, Next: -1, Index: 7, PreviousDigest: 0x01020304}, ""},
		{"the last favorite of a page", "/spartacus/|favorites", -1, -1, paging.Cursor{Kind: paging.ByPage, Key: "/someone/show/", Second: 1430333959, Next: 1430333000, Index: 19, PreviousDigest: 0xffffffff}, ""},
		{"a follower on a page from the top", "/spartacus/|followers", -1, -1, paging.Cursor{Kind: paging.ByPage, Key: "/someone/", Second: -1, Next: -1}, ""},
		{"the last follower on a page from the top", "/spartacus/|followers", -1, -1, paging.Cursor{Kind: paging.ByPage, Key: "/someone/", Second: -1, Next: 1430333000}, ""},
		{"the top of a chart", "/genres/funk/|popular", -1, -1, paging.Cursor{Kind: paging.ByOffset}, ""},
		{"deep in a chart", "/genres/funk/|popular", -1, -1, paging.Cursor{Kind: paging.ByOffset, Offset: 819}, ""},
		{"the deepest offset", "/genres/funk/|popular", -1, -1, paging.Cursor{Kind: paging.ByOffset, Offset: math.MaxInt32 - 1}, ""},
		{"a place in a chart", "/genres/funk/|popular", -1, -1, paging.Cursor{Kind: paging.ByOffsetPage, Offset: 819, FirstDigest: 0xdeadbeef}, ""},
		{"a place in a page with hidden items", "/genres/funk/|popular", -1, -1, paging.Cursor{Kind: paging.ByOffsetPage, Offset: 40, PageLimit: 20, Index: 7, FirstDigest: 1}, ""},
		{"the last place of such a page", "/genres/funk/|popular", -1, -1, paging.Cursor{Kind: paging.ByOffsetPage, Offset: 40, PageLimit: 20, Index: 7, Next: 60, FirstDigest: 1}, ""},
		{"deep in a list that came whole", "/x/playlists/y/|cloudcasts", -1, -1, paging.Cursor{Kind: paging.ByOffsetPage, PageLimit: 100, Index: 300, FirstDigest: 1}, ""},
		{"above all items of a second", "/x/|cloudcasts", -1, -1, paging.Cursor{Kind: paging.ByTime, Key: "/#/", Second: 1523471959}, ""},
		{"above all favorites of a second", "/x/|favorites", -1, -1, paging.Cursor{Kind: paging.ByPage, Key: "/#/", Second: 1523471959, Next: -1}, ""},
		{"a key in plain letters", "/x/|favorites", -1, -1, paging.Cursor{Kind: paging.ByPage, Key: "/趙曉慧/", Second: 1, Next: 1}, ""},
	}
}

func drawCursor(t *rapid.T) paging.Cursor {
	c := paging.Cursor{Kind: rapid.SampledFrom([]paging.Kind{paging.ByTime, paging.ByPage, paging.ByOffset, paging.ByOffsetPage}).Draw(t, "kind")}
	second := rapid.Int64Range(0, 253402300798)
	switch c.Kind {
	case paging.ByOffset:
		c.Offset = rapid.IntRange(0, math.MaxInt32-1).Draw(t, "offset")
		return c
	case paging.ByOffsetPage:
		c.Offset = rapid.IntRange(0, math.MaxInt32-10).Draw(t, "offset")
		c.FirstDigest = rapid.Uint32().Draw(t, "first digest")
		if c.PageLimit = rapid.IntRange(0, 100).Draw(t, "page limit"); c.PageLimit > 0 {
			c.Index = rapid.IntRange(0, math.MaxInt32-1).Draw(t, "index")
			if rapid.Bool().Draw(t, "has next") {
				c.Next = rapid.Int64Range(int64(c.Offset)+1, math.MaxInt32-1).Draw(t, "next")
			}
		}
		return c
	case paging.ByTime:
		c.Second = second.Draw(t, "second")
	case paging.ByPage:
		c.Second, c.Next = -1, -1
		if rapid.Bool().Draw(t, "has second") {
			c.Second = second.Draw(t, "second")
		}
		if rapid.Bool().Draw(t, "has next") {
			maxNext := c.Second
			if maxNext < 0 {
				maxNext = 253402300798
			}
			c.Next = rapid.Int64Range(0, maxNext).Draw(t, "next")
		}
	}
	c.Key = rapid.StringMatching(`/[a-zA-Z0-9%_.-]{1,60}/([a-z0-9-]{1,60}/)?`).Draw(t, "key")
	if c.Index = rapid.IntRange(0, math.MaxInt32).Draw(t, "index"); c.Index > 0 {
		c.PreviousDigest = rapid.Uint32().Draw(t, "previous digest")
	}
	return c
}

func TestCursorRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawCursor(t)
		encoded := want.Encode(list)
		got, err := paging.Parse("after", encoded, list)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		if strings.ContainsAny(encoded, "+/=") {
			t.Fatalf("cursor %q must be escaped in a URL, want only URL-safe characters", encoded)
		}
	})
}

// A cursor is accepted only for one list with one set of filters.
func TestCursorBinding(t *testing.T) {
	t.Parallel()
	bindings := map[paging.Binding]string{}
	for _, identity := range []string{"/spartacus/|favorites", "/spartacus/|followers", "/other/|favorites", "", "/spartacus/|favorites\x00"} {
		for _, since := range []int64{-1, 0, 1, 11} {
			for _, until := range []int64{-1, 0, 1, 11} {
				b, name := paging.Bind(identity, since, until), fmt.Sprint(identity, since, until)
				if bindings[b] != "" {
					t.Errorf("the lists %s and %s have the same binding, want different ones", bindings[b], name)
				}
				bindings[b] = name
			}
		}
	}
	c := paging.Cursor{Kind: paging.ByOffset, Offset: 5}
	if _, err := paging.Parse("before", c.Encode(list), paging.Bind("/spartacus/|followers", -1, -1)); invalidArgument(err) != "before" {
		t.Errorf("Parse of another list's cursor: error %v, want an invalid argument", err)
	}
}

func TestForgedCursors(t *testing.T) {
	t.Parallel()
	forge := func(parts ...string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, "")))
	}
	bound := string(list[:])
	page := func(key string) string { return paging.Cursor{Kind: paging.ByTime, Key: key, Second: 5}.Encode(list) }
	good := page("/a/")
	if _, err := paging.Parse("after", good, list); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]string{
		"empty":                            "",
		"not base64":                       "a cursor!",
		"padded":                           good + "==",
		"standard base64":                  base64.StdEncoding.EncodeToString([]byte("\x01\x03" + bound + "\xfb\xff")),
		"a line break":                     good[:4] + "\n" + good[4:],
		"short":                            forge("\x01\x03", bound[:7]),
		"no payload":                       forge("\x01\x03", bound),
		"version 0":                        forge("\x00\x03", bound, "\x05"),
		"version 2":                        forge("\x02\x03", bound, "\x05"),
		"kind 0":                           forge("\x01\x00", bound, "\x05"),
		"kind 5":                           forge("\x01\x05", bound, "\x05"),
		"index without a digest":           forge("\x01\x04", bound, "\x05\x00"),
		"page limit above 100":             forge("\x01\x04", bound, "\x05\x65\x00\x00\x00\x00\x00\x01"),
		"next page at the same offset":     forge("\x01\x04", bound, "\x05\x14\x00\x05\x00\x00\x00\x01"),
		"another list":                     forge("\x01\x03", "\x00\x00\x00\x00\x00\x00\x00\x00", "\x05"),
		"trailing bytes":                   forge("\x01\x03", bound, "\x05\x00"),
		"overlong number":                  forge("\x01\x03", bound, "\x85\x00"),
		"incomplete number":                forge("\x01\x03", bound, "\x85"),
		"endless number":                   forge("\x01\x03", bound, strings.Repeat("\xff", 11)),
		"offset too large for an Int":      forge("\x01\x03", bound, "\xff\xff\xff\xff\x07"),
		"offset 2^63":                      forge("\x01\x03", bound, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
		"time after the year 9999":         paging.Cursor{Kind: paging.ByTime, Key: "/a/", Second: 253402300799}.Encode(list),
		"negative time":                    paging.Cursor{Kind: paging.ByTime, Key: "/a/", Second: -1}.Encode(list),
		"page after the year 9999":         paging.Cursor{Kind: paging.ByPage, Key: "/a/", Second: 253402300799, Next: -1}.Encode(list),
		"last item newer than the first":   paging.Cursor{Kind: paging.ByPage, Key: "/a/", Second: 5, Next: 6}.Encode(list),
		"page with unknown flags":          forge("\x01\x02", bound, "\x04", "\x00\x03/a/"),
		"page without an item":             forge("\x01\x02", bound, "\x00"),
		"huge index":                       forge("\x01\x01", bound, "\x05\x80\x80\x80\x80\x08", "\x00\x00\x00\x01", "\x03/a/"),
		"index without digest":             forge("\x01\x01", bound, "\x05\x01"),
		"no key":                           page(""),
		"key without slashes":              page("a"),
		"key without a first slash":        page("a/b/"),
		"key without a last slash":         page("/a/b"),
		"key of slashes":                   page("//"),
		"key with an empty part":           page("/a//b/"),
		"key with a space":                 page("/a b/"),
		"key with a control character":     page("/a\x00/"),
		"key that is not UTF-8":            page("/\xff/"),
		"key longer than its length":       forge("\x01\x01", bound, "\x05\x00", "\x02/a/"),
		"key shorter than its length":      forge("\x01\x01", bound, "\x05\x00", "\x09/a/"),
		"extra bits":                       good[:len(good)-1] + string(good[len(good)-1]+1),
		"cursor of another GraphQL server": base64.StdEncoding.EncodeToString([]byte("arrayconnection:1")),
		"a megabyte":                       strings.Repeat("A", 1<<20),
		"number of one megabyte":           forge("\x01\x03", bound, strings.Repeat("\x80", 1<<20)),
	} {
		for _, arg := range []string{"after", "before"} {
			if c, err := paging.Parse(arg, s, list); invalidArgument(err) != arg {
				t.Errorf("%s: got %+v, error %v for argument %q, want %q", name, c, err, invalidArgument(err), arg)
			}
		}
	}
}

// If a cursor cannot contain a key, a digest identifies the item.
func TestKeysOfUnknownForm(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"/" + strings.Repeat("%D7%A9", 100) + "/", "no-slashes", "/with space/", "/\xff/"} {
		for _, timed := range []bool{true, false} {
			u := &fakeList{timed: timed, items: []item{itemAt("a", 3), {key, base + 2}, itemAt("b", 1)}}
			first := u.read(t, paging.Args{First: ptr(2)})
			second := u.read(t, paging.Args{First: ptr(2), After: &first.Edges[1].Cursor})
			if diff := cmp.Diff([]string{"b"}, names(second)); diff != "" {
				t.Errorf("after %.20q (-want +got):\n%s", key, diff)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, k := range samples() {
		f.Add(k.Cursor.Encode(list))
	}
	f.Add("")
	f.Add("YXJyYXljb25uZWN0aW9uOjE=")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := paging.Parse("after", s, list)
		if err != nil {
			if invalidArgument(err) != "after" {
				t.Fatalf("got error %v, want one that names the argument after", err)
			}
			return
		}
		if got := c.Encode(list); got != s {
			t.Fatalf("%q is parsed as %+v, which is encoded as %q, want the same text", s, c, got)
		}
	})
}

// For any input, the result is a page or an error that names the invalid argument,
// and every call is valid.
func FuzzRead(f *testing.F) {
	for _, k := range samples() {
		raw, err := base64.RawURLEncoding.DecodeString(k.Cursor.Encode(list))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw[1], raw[10:], 5, true, false)
		f.Add(raw[1], raw[10:], 5, false, true)
	}
	f.Fuzz(func(t *testing.T, kind byte, payload []byte, n int, timed, back bool) {
		u := &fakeList{timed: timed, items: letters()}
		binding := paging.Bind("/test/|items", -1, -1)
		cursor := base64.RawURLEncoding.EncodeToString(append(append([]byte{1, kind}, binding[:]...), payload...))
		a := paging.Args{First: &n, After: &cursor}
		if back {
			a = paging.Args{Last: &n, Before: &cursor}
		}
		r, err := paging.Read(t.Context(), u.list(), a)
		calls := u.takeCalls()
		if err != nil {
			if e, ok := permitted(err); ok && e.Code == gqlerr.CodeLimitExceeded && len(calls) <= 5 {
				return // the cursor is far below the end of the list
			}
			if invalidArgument(err) == "" || len(calls) > 0 {
				t.Fatalf("got error %v after the calls %q, want an invalid argument without a call", err, calls)
			}
			return
		}
		if len(r.Edges) > n || len(calls) > 5 {
			t.Fatalf("got %d items by the calls %q, want at most %d by 5", len(r.Edges), calls, n)
		}
		for _, c := range calls {
			var limit int
			if _, err := fmt.Sscanf(c, "limit=%d", &limit); err != nil || limit < 1 || limit > 100 {
				t.Fatalf("call %q has no limit from 1 to 100", c)
			}
		}
	})
}
