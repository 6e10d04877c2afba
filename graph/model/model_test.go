package model

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud"
)

// wireKey is a key as Mixcloud writes it.
func wireKey(parts ...string) string {
	var b strings.Builder
	b.WriteByte('/')
	for _, p := range parts {
		b.WriteString(url.PathEscape(p) + "/")
	}
	return b.String()
}

func TestTagName(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ reason, key, name, want string }{
		{"the tag's own page appends it", "/genres/funk/", "Funk shows", "Funk"},
		{"a nested tag has it plain", "/genres/funk/", "Funk", "Funk"},
		{"under the old paths too", "/discover/drum-bass/", "Drum & Bass shows", "Drum & Bass"},
		{"the tag is really called so", "/genres/live-shows/", "Live shows", "Live shows"},
		{"and its page says it twice", "/genres/live-shows/", "Live shows shows", "Live shows"},
		{"another slug: better leave it", "/genres/jazz/", "Funk shows", "Funk shows"},
		{"only at the end", "/genres/shows-of-funk/", "Shows of Funk", "Shows of Funk"},
		{"in any script", "/genres/%CE%BB%CE%B1%CF%8A%CE%BA%CE%AC/", "Λαϊκά shows", "Λαϊκά"},
		{"a city's page may do it as well", "/genres/city:new-york/", "New York shows", "New York"},
		{"capitals matter", "/genres/funk/", "Funk Shows", "Funk Shows"},
		{"nothing else is cut", "/genres/funk/", "Funk shows ", "Funk shows "},
	} {
		if got := tagName(&mixcloud.Tag{Key: mixcloud.ParseKey(test.key), Name: test.name}); got != test.want {
			t.Errorf("%s: %q at %s is called %q, want %q", test.reason, test.name, test.key, got, test.want)
		}
	}
}

func TestPick(t *testing.T) {
	t.Parallel()
	all := mixcloud.Pictures{
		{Name: "small", Width: 25, Height: 25, URL: "25"},
		{Name: "thumbnail", Width: 50, Height: 50, URL: "50"},
		{Name: "medium", Width: 100, Height: 100, URL: "100"},
		{Name: "large", Width: 300, Height: 300, URL: "300"},
		{Name: "320wx320h", Width: 320, Height: 320, URL: "320"},
		{Name: "640wx640h", Width: 640, Height: 640, URL: "640"},
	}
	size := func(s PictureSize) *PictureSize { return &s }
	for _, test := range []struct {
		reason string
		from   mixcloud.Pictures
		asked  *PictureSize
		want   string // "" for none
	}{
		{"the default is large", all, nil, "300"},
		{"what is asked for", all, size(PictureSizeThumbnail), "50"},
		{"the next smaller where it is missing", all, size(PictureSizeMediumMobile), "50"},
		{"extra large is smaller than 640", all, size(PictureSizeExtraLarge), "320"},
		{"the largest there is", all, size(PictureSizeW1024), "640"},
		{"the smallest, where all are above", all[3:], size(PictureSizeSmall), "300"},
		{"the only one", all[:1], size(PictureSizeW1024), "25"},
		{"never one of an unknown width, if there is another", append(mixcloud.Pictures{{Name: "huge", URL: "?"}}, all...), nil, "300"},
		{"none", nil, nil, ""},
	} {
		got := ""
		if p := pick(test.from, test.asked); p != nil {
			got = p.URL
		}
		if got != test.want {
			t.Errorf("%s: picked %q, want %q", test.reason, got, test.want)
		}
	}
}

func TestPictures(t *testing.T) {
	t.Parallel()
	large := PictureSizeLarge
	width, height := 300, 300
	wide, high := 835, 120
	got := NewPictures(mixcloud.Pictures{
		{Name: "large", Width: 300, Height: 300, URL: "a"}, {Name: "835wx120h", Width: 835, Height: 120, URL: "b"}, {Name: "huge", URL: "c"},
	})
	want := []*Picture{
		{Size: &large, Width: &width, Height: &height, URL: "a"},
		{Width: &wide, Height: &high, URL: "b"}, // a cover
		{URL: "c"},                              // a size of tomorrow
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if NewPictures(nil) == nil {
		t.Error("no pictures are null, not an empty list")
	}
	for _, size := range AllPictureSize {
		if sizeWidths[size] == 0 {
			t.Errorf("%s has no width", size)
		}
	}
	if len(sizeNames) != len(AllPictureSize) {
		t.Errorf("%d names for %d sizes", len(sizeNames), len(AllPictureSize))
	}
}

func TestUntouched(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ reason, in, want string }{
		{"nothing to drop: the very bytes", "{\n  \"key\" : \"/x/\" }", "{\n  \"key\" : \"/x/\" }"},
		{"metadata goes", `{"key": "/x/", "metadata": {"connections": {"a": "b"}}, "n": 1.50}`, `{"key":"/x/","n":1.50}`},
		{"at the start", `{"metadata": 1, "key": "/x/"}`, `{"key":"/x/"}`},
		{"alone", `{"metadata": []}`, `{}`},
		{"twice", `{"metadata": 1, "metadata": 2}`, `{}`},
		{"spelled otherwise", `{"m\u0065tadata": 1, "metadata": 2, "k": 1}`, `{"k":1}`},
		{"a nested one stays", `{"user": {"metadata": 1}}`, `{"user":{"metadata": 1}}`},
		{"the word in a text stays", `{"name": "metadata", "slug": "\"metadata\""}`, `{"name":"metadata","slug":"\"metadata\""}`},
		{"numbers stay as written", `{"metadata": 0, "n": 12345678901234567890.10, "e": 1E5}`, `{"n":12345678901234567890.10,"e":1E5}`},
		{"escapes stay as written", `{"metadata": 0, "s": "\u00e9\/"}`, `{"s":"\u00e9\/"}`},
		{"no object", `["metadata"]`, `["metadata"]`},
		{"no JSON", `{"metadata": `, `{"metadata": `},
		{"nothing", ``, ``},
	} {
		if got := string(WithoutMetadata(json.RawMessage(test.in))); got != test.want {
			t.Errorf("%s: %s becomes %s, want %s", test.reason, test.in, got, test.want)
		}
	}
	if WithoutMetadata(nil) != nil {
		t.Error("nil does not stay nil")
	}
}

// FuzzUntouched holds that whatever is JSON stays JSON, and the same but for its
// metadata.
func FuzzUntouched(f *testing.F) {
	f.Add([]byte(`{"metadata": {"a": 1}, "b": [1, {"metadata": 2}]}`))
	f.Add([]byte(`{"<": "metadata", "metadata": 0}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var object map[string]any
		if !json.Valid(in) || json.Unmarshal(in, &object) != nil || object == nil {
			return
		}
		var got map[string]any
		if err := json.Unmarshal(WithoutMetadata(bytes.Clone(in)), &got); err != nil {
			t.Fatalf("%q: %v", in, err)
		}
		delete(object, "metadata")
		if !bytes.Contains(in, []byte(`"metadata"`)) {
			delete(got, "metadata") // it was spelled with escapes, and is left
		}
		if diff := cmp.Diff(object, got); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	})
}

func TestHiddenCounts(t *testing.T) {
	t.Parallel()
	zero, five, yes, no := 0, 5, true, false
	rest := mixcloud.Cloudcast{Key: mixcloud.ParseKey("/a/b/"), PlayCount: &zero, FavoriteCount: &zero, ListenerCount: &zero, RepostCount: &zero, CommentCount: &five}
	for name, hidden := range map[string]*bool{"hidden": &yes, "said not to be hidden": &no, "not said": nil} {
		value := rest
		value.HiddenStats = hidden
		c := NewCloudcast(&value)
		for field, got := range map[string]*int{
			"playCount": c.PlayCount(), "favoriteCount": c.FavoriteCount(), "listenerCount": c.ListenerCount(), "repostCount": c.RepostCount(),
		} {
			if (got == nil) != (name == "hidden") {
				t.Errorf("%s: %s is %v", name, field, show.Value(got))
			}
		}
		if c.CommentCount == nil || *c.CommentCount != 5 {
			t.Errorf("%s: commentCount is hidden", name)
		}
		if c.HiddenStats() != (name == "hidden") {
			t.Errorf("%s: hiddenStats is %v", name, c.HiddenStats())
		}
	}
}

func TestActivityKinds(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]Activity{
		"upload": &UploadActivity{}, "listen": &ListenActivity{}, "favorite": &FavoriteActivity{}, "follow": &FollowActivity{},
		"repost": &OtherActivity{}, "": &OtherActivity{}, "Upload": &OtherActivity{},
	} {
		got := NewActivity(&mixcloud.Activity{Key: mixcloud.ParseKey("/a/feed/1/"), Kind: kind}, mixcloud.ParseKey("/a/").Canonical())
		if gotType, wantType := typeName(got), typeName(want); gotType != wantType {
			t.Errorf("%q is a %s, want %s", kind, gotType, wantType)
		}
		if other, ok := got.(*OtherActivity); ok {
			if word := other.Type(); (word == nil) != (kind == "") || word != nil && *word != kind {
				t.Errorf("%q has the type %v", kind, show.Value(word))
			}
		}
	}
}

func typeName(v any) string {
	switch v.(type) {
	case *UploadActivity:
		return "UploadActivity"
	case *ListenActivity:
		return "ListenActivity"
	case *FavoriteActivity:
		return "FavoriteActivity"
	case *FollowActivity:
		return "FollowActivity"
	case *OtherActivity:
		return "OtherActivity"
	}
	return "nothing"
}

func TestSections(t *testing.T) {
	t.Parallel()
	chapter := "Coffee"
	track := &mixcloud.Track{Key: mixcloud.ParseKey("/track/a/b/")}
	got := NewSections([]mixcloud.Section{
		{SectionType: "track", Track: track},
		{SectionType: "chapter", Chapter: &chapter},
		{Chapter: &chapter},
		{Track: track, Chapter: &chapter},
		{},
	})
	want := []bool{true, false, false, true, true} // is a track
	for i := range want {
		if _, isTrack := got[i].(*TrackSection); isTrack != want[i] {
			t.Errorf("section %d is a %T", i, got[i])
		}
	}
	if s := NewSections(nil); s == nil || len(s) != 0 {
		t.Errorf("no tracklist is %v, want an empty one", s)
	}
	if s := got[4].(*TrackSection); s.Title() != nil || s.ArtistName() != nil {
		t.Error("a section without a track has a title")
	}
	if got[4].(*TrackSection).Track(t.Context()) != nil {
		t.Error("a section without a track has one")
	}
}

// TestNothingOfNothing holds that neither nil nor a thing without a key becomes
// a node.
func TestNothingOfNothing(t *testing.T) {
	t.Parallel()
	for name, nodes := range map[string][]bool{
		"user":      {NewUser(nil) == nil, NewUser(&mixcloud.User{}) == nil, NewFullUser(nil) == nil, NewFullUser(&mixcloud.FullUser{}) == nil, NewViewer(nil) == nil},
		"cloudcast": {NewCloudcast(nil) == nil, NewCloudcast(&mixcloud.Cloudcast{}) == nil, NewFullCloudcast(nil) == nil, NewFullCloudcast(&mixcloud.FullCloudcast{}) == nil},
		"tag":       {NewTag(nil) == nil, NewTag(&mixcloud.Tag{}) == nil, NewFullTag(nil) == nil, NewFullCity(nil) == nil, NewFullCity(&mixcloud.Tag{}) == nil},
		"category":  {NewCategory(nil) == nil, NewCategory(&mixcloud.Category{}) == nil, NewFullCategory(nil) == nil},
		"playlist":  {NewPlaylist(nil) == nil, NewPlaylist(&mixcloud.Playlist{}) == nil, NewFullPlaylist(nil) == nil},
		"artist":    {NewArtist(nil) == nil, NewArtist(&mixcloud.Artist{}) == nil, NewFullArtist(nil) == nil},
		"track":     {NewTrack(nil) == nil, NewTrack(&mixcloud.Track{}) == nil, NewFullTrack(nil) == nil},
		"comment":   {NewComment(nil, mixcloud.CanonicalKey{}) == nil, NewComment(&mixcloud.Comment{}, mixcloud.CanonicalKey{}) == nil},
		"activity":  {NewActivity(nil, mixcloud.CanonicalKey{}) == nil, NewActivity(&mixcloud.Activity{}, mixcloud.CanonicalKey{}) == nil},
	} {
		for i, isNil := range nodes {
			if !isNil {
				t.Errorf("%s, case %d: a node of nothing", name, i)
			}
		}
	}
	if wrapAll([]mixcloud.Tag(nil), NewTag) != nil {
		t.Error("an absent list is not null")
	}
	if got := wrapAll([]mixcloud.Tag{{}, {Key: mixcloud.ParseKey("/genres/funk/")}}, NewTag); len(got) != 1 {
		t.Errorf("%d tags of two, one of them without a key", len(got))
	}
	if got := wrapAll([]mixcloud.Tag{}, NewTag); got == nil {
		t.Error("an empty list is null")
	}
}

// TestFull holds that a value that came along is not taken for a loaded one.
func TestFull(t *testing.T) {
	t.Parallel()
	user := mixcloud.User{Key: mixcloud.ParseKey("/a/")}
	if NewUser(&user).Full() != nil || NewFullUser(&mixcloud.FullUser{User: user}).Full() == nil {
		t.Error("user")
	}
	show := mixcloud.Cloudcast{Key: mixcloud.ParseKey("/a/b/")}
	if NewCloudcast(&show).Full() != nil || NewFullCloudcast(&mixcloud.FullCloudcast{Cloudcast: show}).Full() == nil {
		t.Error("cloudcast")
	}
	tag := mixcloud.Tag{Key: mixcloud.ParseKey("/genres/funk/")}
	if NewTag(&tag).Full() != nil || NewFullTag(&tag).Full() == nil || NewFullCity(&tag).Full() == nil {
		t.Error("tag")
	}
	category := mixcloud.Category{Key: mixcloud.ParseKey("/categories/a/")}
	if NewCategory(&category).Full() != nil || NewFullCategory(&category).Full() == nil {
		t.Error("category")
	}
	playlist := mixcloud.Playlist{Key: mixcloud.ParseKey("/a/playlists/b/")}
	if NewPlaylist(&playlist).Full() != nil || NewFullPlaylist(&playlist).Full() == nil {
		t.Error("playlist")
	}
	artist := mixcloud.Artist{Key: mixcloud.ParseKey("/artist/a/")}
	if NewArtist(&artist).Full() != nil || NewFullArtist(&artist).Full() == nil {
		t.Error("artist")
	}
	track := mixcloud.Track{Key: mixcloud.ParseKey("/track/a/b/")}
	if NewTrack(&track).Full() != nil || NewFullTrack(&track).Full() == nil {
		t.Error("track")
	}
}

// TestViewerPath holds whose lists are read under /me/.
func TestViewerPath(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	user := mixcloud.User{Key: mixcloud.ParseKey("/Demo/")}
	for _, test := range []struct {
		name string
		user *User
		path string
	}{
		{"partial", NewUser(&user), "/Demo/"},
		{"loaded", NewFullUser(&mixcloud.FullUser{User: user}), "/Demo/"},
		{"loaded, says no", NewFullUser(&mixcloud.FullUser{User: user, IsCurrentUser: &no}), "/Demo/"},
		{"loaded, says yes", NewFullUser(&mixcloud.FullUser{User: user, IsCurrentUser: &yes}), "/me/"},
		{"of the token", NewViewer(&mixcloud.FullUser{User: user}), "/me/"},
	} {
		if got := test.user.Path(); got != test.path || test.user.IsKnownViewer() != (test.path == "/me/") {
			t.Errorf("%s: %s", test.name, got)
		}
		if test.user.ID() != resourceID(KindUser, mixcloud.ParseKey("/demo/")) {
			t.Errorf("%s: the id depends on the spelling", test.name)
		}
	}
}

func TestConnection(t *testing.T) {
	t.Parallel()
	empty := NewConnection([]*CloudcastEdge{}, PageInfo{HasNextPage: true}, nil)
	if empty.PageInfo.StartCursor != nil || empty.PageInfo.EndCursor != nil || !empty.PageInfo.HasNextPage {
		t.Errorf("%+v", show.Value(empty.PageInfo))
	}
	if total, err := empty.TotalCount(t.Context()); total != nil || err != nil {
		t.Errorf("a total that nobody knows is %v, %v", show.Value(total), err)
	}
	if empty.Nodes(t.Context()) == nil {
		t.Error("no nodes are null")
	}
	listened := time.Unix(1_700_000_000, 0).UTC()
	three := 3
	a, b := NewCloudcast(&mixcloud.Cloudcast{Key: mixcloud.ParseKey("/a/a/"), ListenTime: &listened}), NewCloudcast(&mixcloud.Cloudcast{Key: mixcloud.ParseKey("/a/b/")})
	c := NewConnection([]*CloudcastEdge{{"1", a}, {"2", b}}, PageInfo{}, func(context.Context) (*int, error) { return &three, nil })
	if *c.PageInfo.StartCursor != "1" || *c.PageInfo.EndCursor != "2" {
		t.Errorf("%+v", show.Value(c.PageInfo))
	}
	if nodes := c.Nodes(t.Context()); len(nodes) != 2 || nodes[0] != a || nodes[1] != b {
		t.Errorf("%v", show.Value(nodes))
	}
	if total, err := c.TotalCount(t.Context()); err != nil || *total != 3 {
		t.Errorf("%v, %v", show.Value(total), err)
	}
	edges := (&ListenConnection{c}).Edges(t.Context())
	if len(edges) != 2 || edges[0].ListenedAt() != a.ListenTime || edges[1].ListenedAt() != nil || edges[1].Cursor != "2" {
		t.Errorf("%+v", show.Value(edges))
	}
	u, v := NewUser(&mixcloud.User{Key: mixcloud.ParseKey("/a/"), ListenTime: &listened}), NewUser(&mixcloud.User{Key: mixcloud.ParseKey("/b/")})
	listeners := ListenerConnection{NewConnection([]*UserEdge{{"1", u}, {"2", v}}, PageInfo{}, nil)}
	if edges := listeners.Edges(t.Context()); len(edges) != 2 || edges[0].ListenedAt() != u.ListenTime || edges[1].ListenedAt() != nil || edges[1].Cursor != "2" {
		t.Errorf("%+v", show.Value(edges))
	}
}

func TestCategoryFormat(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"music": "MUSIC", "talk": "TALK", "Music": "MUSIC", "video": "", "": ""} {
		got := NewCategory(&mixcloud.Category{Key: mixcloud.ParseKey("/categories/a/"), Format: format}).Format()
		if (got == nil) != (want == "") || got != nil && string(*got) != want {
			t.Errorf("%q is %v", format, got)
		}
	}
}

func TestOEmbedHeight(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"120": 120, "120px": -1, "100%": -1, "": -1} {
		got := NewOEmbed(&mixcloud.OEmbed{Height: &text}, nil).Height()
		if (got == nil) != (want < 0) || got != nil && *got != want {
			t.Errorf("%q is %v", text, show.Value(got))
		}
	}
	if NewOEmbed(&mixcloud.OEmbed{}, nil).Height() != nil {
		t.Error("no height is one")
	}
}

// TestIDsOfOneThing holds that all spellings of a key are one id.
func TestIDsOfOneThing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		slug := rapid.StringMatching(`[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,3}`).Draw(t, "slug")
		want := NewTag(&mixcloud.Tag{Key: mixcloud.ParseKey("/genres/" + slug + "/")}).ID()
		for _, prefix := range []string{"tag", "discover", "genres"} {
			if got := NewTag(&mixcloud.Tag{Key: mixcloud.ParseKey("/" + prefix + "/" + slug + "/")}).ID(); got != want {
				t.Fatalf("/%s/%s/ has another id", prefix, slug)
			}
		}
		if id, err := ParseID(want); err != nil || id.Kind != KindTag {
			t.Fatalf("%v, %v", id, err)
		}
		user := "u" + slug
		if NewUser(&mixcloud.User{Key: mixcloud.ParseKey("/" + strings.ToUpper(user) + "/")}).ID() != NewUser(&mixcloud.User{Key: mixcloud.ParseKey("/" + user + "/")}).ID() {
			t.Fatalf("the case of %s makes another id", user)
		}
	})
}

func TestColorHex(t *testing.T) {
	t.Parallel()
	for color, want := range map[string]string{"2b2d42": "#2b2d42", "FFB4A2": "#FFB4A2", "#2b2d42": "", "2b2d4": "", "red": "", "": "", "2b2d42;": "", "2b2d42\n": ""} {
		got := ColorHex(&color)
		if got == nil && want != "" || got != nil && *got != want {
			t.Errorf("%q is %v, want %q", color, show.Value(got), want)
		}
	}
	if got := ColorHex(nil); got != nil {
		t.Errorf("no color is %q", *got)
	}
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		`{"key": "/a/feed/1/", "type": "listen", "cloudcasts": [{"key": "/b/c/"}]}`:                                {"/b/c/"},
		`{"key": "/a/feed/1/", "type": "follow", "users": [{"key": "/b/"}, {"name": "without a key"}]}`:            {"/b/"},
		`{"key": "/a/feed/1/", "type": "unheard-of", "users": [{"key": "/b/"}], "cloudcasts": [{"key": "/b/c/"}]}`: {"/b/c/", "/b/"},
		`{"key": "/a/feed/1/", "type": "upload"}`:                                                                  {},
	} {
		a, err := mixcloud.Decode[mixcloud.Activity]([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, r := range NewActivity(a, mixcloud.ParseKey("/a/").Canonical()).(interface {
			Subjects(context.Context) []Resource
		}).Subjects(t.Context()) {
			switch r := r.(type) {
			case *User:
				got = append(got, r.Key.String())
			case *Cloudcast:
				got = append(got, r.Key.String())
			}
		}
		if !cmp.Equal(got, want) {
			t.Errorf("%s is about %v, want %v", line, got, want)
		}
	}
}
