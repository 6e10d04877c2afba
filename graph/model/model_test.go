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

// wireKey returns a key as Mixcloud sends it.
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
		{"full form", "/genres/funk/", "Funk shows", "Funk"},
		{"partial form", "/genres/funk/", "Funk", "Funk"},
		{"former path", "/discover/drum-bass/", "Drum & Bass shows", "Drum & Bass"},
		{"slug contains shows", "/genres/live-shows/", "Live shows", "Live shows"},
		{"full form, slug contains shows", "/genres/live-shows/", "Live shows shows", "Live shows"},
		{"slug of another name", "/genres/jazz/", "Funk shows", "Funk shows"},
		{"shows at the beginning", "/genres/shows-of-funk/", "Shows of Funk", "Shows of Funk"},
		{"Greek", "/genres/%CE%BB%CE%B1%CF%8A%CE%BA%CE%AC/", "Λαϊκά shows", "Λαϊκά"},
		{"city", "/genres/city:new-york/", "New York shows", "New York"},
		{"upper case", "/genres/funk/", "Funk Shows", "Funk Shows"},
		{"trailing space", "/genres/funk/", "Funk shows ", "Funk shows "},
	} {
		if got := tagName(&mixcloud.Tag{Key: mixcloud.ParseKey(test.key), Name: test.name}); got != test.want {
			t.Errorf("%s: got name %q for %q at %s, want %q", test.reason, got, test.name, test.key, test.want)
		}
	}
}

func TestPictureFor(t *testing.T) {
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
		reason   string
		pictures mixcloud.Pictures
		size     *PictureSize
		want     string // URL; "" for nil
	}{
		{"no size: large", all, nil, "300"},
		{"size exists", all, size(PictureSizeThumbnail), "50"},
		{"size does not exist: next smaller", all, size(PictureSizeMediumMobile), "50"},
		{"extra large: next smaller than 600", all, size(PictureSizeExtraLarge), "320"},
		{"largest", all, size(PictureSizeW1024), "640"},
		{"all are larger: smallest", all[3:], size(PictureSizeSmall), "300"},
		{"only one", all[:1], size(PictureSizeW1024), "25"},
		{"picture without a width is not used", append(mixcloud.Pictures{{Name: "huge", URL: "?"}}, all...), nil, "300"},
		{"none", nil, nil, ""},
	} {
		got := ""
		if p := pictureFor(test.pictures, test.size); p != nil {
			got = p.URL
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.reason, got, test.want)
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
		{Width: &wide, Height: &high, URL: "b"}, // a cover picture
		{URL: "c"},                              // an unknown size
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pictures (-want +got):\n%s", diff)
	}
	if NewPictures(nil) == nil {
		t.Error("NewPictures(nil) is nil, want an empty list")
	}
	for _, size := range AllPictureSize {
		if sizeWidths[size] == 0 {
			t.Errorf("sizeWidths has no width for %s", size)
		}
	}
	if len(sizeNames) != len(AllPictureSize) {
		t.Errorf("sizeNames has %d names, want %d", len(sizeNames), len(AllPictureSize))
	}
}

func TestWithoutMetadata(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ reason, in, want string }{
		{"no metadata: unchanged", "{\n  \"key\" : \"/x/\" }", "{\n  \"key\" : \"/x/\" }"},
		{"metadata", `{"key": "/x/", "metadata": {"connections": {"a": "b"}}, "n": 1.50}`, `{"key":"/x/","n":1.50}`},
		{"first member", `{"metadata": 1, "key": "/x/"}`, `{"key":"/x/"}`},
		{"only member", `{"metadata": []}`, `{}`},
		{"twice", `{"metadata": 1, "metadata": 2}`, `{}`},
		{"escaped name", `{"m\u0065tadata": 1, "metadata": 2, "k": 1}`, `{"k":1}`},
		{"nested", `{"user": {"metadata": 1}}`, `{"user":{"metadata": 1}}`},
		{"as a value", `{"name": "metadata", "slug": "\"metadata\""}`, `{"name":"metadata","slug":"\"metadata\""}`},
		{"numbers are unchanged", `{"metadata": 0, "n": 12345678901234567890.10, "e": 1E5}`, `{"n":12345678901234567890.10,"e":1E5}`},
		{"escapes are unchanged", `{"metadata": 0, "s": "\u00e9\/"}`, `{"s":"\u00e9\/"}`},
		{"array", `["metadata"]`, `["metadata"]`},
		{"invalid JSON", `{"metadata": `, `{"metadata": `},
		{"empty", ``, ``},
	} {
		if got := string(WithoutMetadata(json.RawMessage(test.in))); got != test.want {
			t.Errorf("%s: WithoutMetadata(%s) returned %s, want %s", test.reason, test.in, got, test.want)
		}
	}
	if WithoutMetadata(nil) != nil {
		t.Error("WithoutMetadata(nil) is not nil")
	}
}

// WithoutMetadata changes nothing in a JSON object except the member metadata.
func FuzzWithoutMetadata(f *testing.F) {
	f.Add([]byte(`{"metadata": {"a": 1}, "b": [1, {"metadata": 2}]}`))
	f.Add([]byte(`{"<": "metadata", "metadata": 0}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var object map[string]any
		if !json.Valid(in) || json.Unmarshal(in, &object) != nil || object == nil {
			return
		}
		var got map[string]any
		if err := json.Unmarshal(WithoutMetadata(bytes.Clone(in)), &got); err != nil {
			t.Fatalf("WithoutMetadata(%q) returned invalid JSON: %v", in, err)
		}
		delete(object, "metadata")
		if !bytes.Contains(in, []byte(`"metadata"`)) {
			delete(got, "metadata") // an escaped name is not removed
		}
		if diff := cmp.Diff(object, got); diff != "" {
			t.Errorf("WithoutMetadata(%q) (-want +got):\n%s", in, diff)
		}
	})
}

func TestHiddenCounts(t *testing.T) {
	t.Parallel()
	zero, five, yes, no := 0, 5, true, false
	counts := mixcloud.Cloudcast{Key: mixcloud.ParseKey("/a/b/"), PlayCount: &zero, FavoriteCount: &zero, ListenerCount: &zero, RepostCount: &zero, CommentCount: &five}
	for name, hidden := range map[string]*bool{"hidden": &yes, "false": &no, "absent": nil} {
		value := counts
		value.HiddenStats = hidden
		c := NewCloudcast(&value)
		for field, got := range map[string]*int{
			"playCount": c.PlayCount(), "favoriteCount": c.FavoriteCount(), "listenerCount": c.ListenerCount(), "repostCount": c.RepostCount(),
		} {
			if (got == nil) != (name == "hidden") {
				t.Errorf("hiddenStats %s: %s = %v, want nil: %t", name, field, show.Value(got), name == "hidden")
			}
		}
		if c.CommentCount == nil || *c.CommentCount != 5 {
			t.Errorf("hiddenStats %s: commentCount = %v, want 5", name, show.Value(c.CommentCount))
		}
		if c.HiddenStats() != (name == "hidden") {
			t.Errorf("hiddenStats %s: HiddenStats() = %v, want %t", name, c.HiddenStats(), name == "hidden")
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
			t.Errorf("kind %q: got type %s, want %s", kind, gotType, wantType)
		}
		if other, ok := got.(*OtherActivity); ok {
			if got := other.Type(); (got == nil) != (kind == "") || got != nil && *got != kind {
				t.Errorf("kind %q: Type() = %v, want the kind, or nil if it is empty", kind, show.Value(got))
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
	want := []bool{true, false, false, true, true} // whether it is a TrackSection
	for i := range want {
		if _, isTrack := got[i].(*TrackSection); isTrack != want[i] {
			t.Errorf("section %d has the type %T, want a TrackSection: %t", i, got[i], want[i])
		}
	}
	if s := NewSections(nil); s == nil || len(s) != 0 {
		t.Errorf("NewSections(nil) returned %v, want an empty list", s)
	}
	if s := got[4].(*TrackSection); s.Title() != nil || s.ArtistName() != nil {
		t.Error("section without a track has a title or an artist, want nil")
	}
	if got[4].(*TrackSection).Track(t.Context()) != nil {
		t.Error("section without a track has a track, want nil")
	}
}

// Nil and a value without a key become nil.
func TestNew_Nil(t *testing.T) {
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
				t.Errorf("%s, case %d: got a node, want nil", name, i)
			}
		}
	}
	if wrapAll([]mixcloud.Tag(nil), NewTag) != nil {
		t.Error("wrapAll(nil) is not nil")
	}
	if got := wrapAll([]mixcloud.Tag{{}, {Key: mixcloud.ParseKey("/genres/funk/")}}, NewTag); len(got) != 1 {
		t.Errorf("got %d tags for two, of which one has no key; want 1", len(got))
	}
	if got := wrapAll([]mixcloud.Tag{}, NewTag); got == nil {
		t.Error("wrapAll of an empty list is nil, want an empty list")
	}
}

// Full returns nil for a partial value.
func TestFull(t *testing.T) {
	t.Parallel()
	user := mixcloud.User{Key: mixcloud.ParseKey("/a/")}
	if NewUser(&user).Full() != nil || NewFullUser(&mixcloud.FullUser{User: user}).Full() == nil {
		t.Error("user: Full of a partial value is not nil, or Full of a full one is nil")
	}
	show := mixcloud.Cloudcast{Key: mixcloud.ParseKey("/a/b/")}
	if NewCloudcast(&show).Full() != nil || NewFullCloudcast(&mixcloud.FullCloudcast{Cloudcast: show}).Full() == nil {
		t.Error("cloudcast: Full of a partial value is not nil, or Full of a full one is nil")
	}
	tag := mixcloud.Tag{Key: mixcloud.ParseKey("/genres/funk/")}
	if NewTag(&tag).Full() != nil || NewFullTag(&tag).Full() == nil || NewFullCity(&tag).Full() == nil {
		t.Error("tag: Full of a partial value is not nil, or Full of a full one is nil")
	}
	category := mixcloud.Category{Key: mixcloud.ParseKey("/categories/a/")}
	if NewCategory(&category).Full() != nil || NewFullCategory(&category).Full() == nil {
		t.Error("category: Full of a partial value is not nil, or Full of a full one is nil")
	}
	playlist := mixcloud.Playlist{Key: mixcloud.ParseKey("/a/playlists/b/")}
	if NewPlaylist(&playlist).Full() != nil || NewFullPlaylist(&playlist).Full() == nil {
		t.Error("playlist: Full of a partial value is not nil, or Full of a full one is nil")
	}
	artist := mixcloud.Artist{Key: mixcloud.ParseKey("/artist/a/")}
	if NewArtist(&artist).Full() != nil || NewFullArtist(&artist).Full() == nil {
		t.Error("artist: Full of a partial value is not nil, or Full of a full one is nil")
	}
	track := mixcloud.Track{Key: mixcloud.ParseKey("/track/a/b/")}
	if NewTrack(&track).Full() != nil || NewFullTrack(&track).Full() == nil {
		t.Error("track: Full of a partial value is not nil, or Full of a full one is nil")
	}
}

// The lists of the known viewer are read under /me/.
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
		{"full", NewFullUser(&mixcloud.FullUser{User: user}), "/Demo/"},
		{"full, is_current_user false", NewFullUser(&mixcloud.FullUser{User: user, IsCurrentUser: &no}), "/Demo/"},
		{"full, is_current_user true", NewFullUser(&mixcloud.FullUser{User: user, IsCurrentUser: &yes}), "/me/"},
		{"viewer", NewViewer(&mixcloud.FullUser{User: user}), "/me/"},
	} {
		if got := test.user.Path(); got != test.path || test.user.IsKnownViewer() != (test.path == "/me/") {
			t.Errorf("%s: got path %s, IsKnownViewer %v, want path %s", test.name, got, test.user.IsKnownViewer(), test.path)
		}
		if test.user.ID() != resourceID(KindUser, mixcloud.ParseKey("/demo/")) {
			t.Errorf("%s: ids differ for two spellings of the key, want the same", test.name)
		}
	}
}

func TestConnection(t *testing.T) {
	t.Parallel()
	empty := NewConnection([]*CloudcastEdge{}, PageInfo{HasNextPage: true}, nil)
	if empty.PageInfo.StartCursor != nil || empty.PageInfo.EndCursor != nil || !empty.PageInfo.HasNextPage {
		t.Errorf("empty page: page info is %+v, want hasNextPage and no cursors", show.Value(empty.PageInfo))
	}
	if total, err := empty.TotalCount(t.Context()); total != nil || err != nil {
		t.Errorf("unknown total: TotalCount = %v, %v, want nil", show.Value(total), err)
	}
	if empty.Nodes(t.Context()) == nil {
		t.Error("empty page: Nodes is nil, want an empty list")
	}
	listened := time.Unix(1_700_000_000, 0).UTC()
	three := 3
	a, b := NewCloudcast(&mixcloud.Cloudcast{Key: mixcloud.ParseKey("/a/a/"), ListenTime: &listened}), NewCloudcast(&mixcloud.Cloudcast{Key: mixcloud.ParseKey("/a/b/")})
	c := NewConnection([]*CloudcastEdge{{"1", a}, {"2", b}}, PageInfo{}, func(context.Context) (*int, error) { return &three, nil })
	if *c.PageInfo.StartCursor != "1" || *c.PageInfo.EndCursor != "2" {
		t.Errorf("page info is %+v, want the cursors 1 and 2", show.Value(c.PageInfo))
	}
	if nodes := c.Nodes(t.Context()); len(nodes) != 2 || nodes[0] != a || nodes[1] != b {
		t.Errorf("nodes are %v, want the two cloudcasts", show.Value(nodes))
	}
	if total, err := c.TotalCount(t.Context()); err != nil || *total != 3 {
		t.Errorf("TotalCount returned %v, %v, want 3", show.Value(total), err)
	}
	edges := (&ListenConnection{c}).Edges(t.Context())
	if len(edges) != 2 || edges[0].ListenedAt() != a.ListenTime || edges[1].ListenedAt() != nil || edges[1].Cursor != "2" {
		t.Errorf("edges of listens are %+v, want two, of which the first has the listen time", show.Value(edges))
	}
	u, v := NewUser(&mixcloud.User{Key: mixcloud.ParseKey("/a/"), ListenTime: &listened}), NewUser(&mixcloud.User{Key: mixcloud.ParseKey("/b/")})
	listeners := ListenerConnection{NewConnection([]*UserEdge{{"1", u}, {"2", v}}, PageInfo{}, nil)}
	if edges := listeners.Edges(t.Context()); len(edges) != 2 || edges[0].ListenedAt() != u.ListenTime || edges[1].ListenedAt() != nil || edges[1].Cursor != "2" {
		t.Errorf("edges of listeners are %+v, want two, of which the first has the listen time", show.Value(edges))
	}
}

func TestCategoryFormat(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"music": "MUSIC", "talk": "TALK", "Music": "MUSIC", "video": "", "": ""} {
		got := NewCategory(&mixcloud.Category{Key: mixcloud.ParseKey("/categories/a/"), Format: format}).Format()
		if (got == nil) != (want == "") || got != nil && string(*got) != want {
			t.Errorf("Format() for %q = %v, want %q", format, show.Value(got), want)
		}
	}
}

func TestOEmbedHeight(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"120": 120, "120px": -1, "100%": -1, "": -1} {
		got := NewOEmbed(&mixcloud.OEmbed{Height: &text}, nil).Height()
		if (got == nil) != (want < 0) || got != nil && *got != want {
			t.Errorf("Height() for %q = %v, want %d (-1 for nil)", text, show.Value(got), want)
		}
	}
	if NewOEmbed(&mixcloud.OEmbed{}, nil).Height() != nil {
		t.Error("Height() without a height is not nil")
	}
}

// All spellings of a key have the same id.
func TestID_Spellings(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		slug := rapid.StringMatching(`[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,3}`).Draw(t, "slug")
		want := NewTag(&mixcloud.Tag{Key: mixcloud.ParseKey("/genres/" + slug + "/")}).ID()
		for _, prefix := range []string{"tag", "discover", "genres"} {
			if got := NewTag(&mixcloud.Tag{Key: mixcloud.ParseKey("/" + prefix + "/" + slug + "/")}).ID(); got != want {
				t.Fatalf("/%s/%s/: got id %s, want %s", prefix, slug, got, want)
			}
		}
		if id, err := ParseID(want); err != nil || id.Kind != KindTag {
			t.Fatalf("ParseID(%s) = %v, %v, want a tag's id", want, id, err)
		}
		user := "u" + slug
		if NewUser(&mixcloud.User{Key: mixcloud.ParseKey("/" + strings.ToUpper(user) + "/")}).ID() != NewUser(&mixcloud.User{Key: mixcloud.ParseKey("/" + user + "/")}).ID() {
			t.Fatalf("the user %s has different ids in upper and lower case, want the same", user)
		}
	})
}

func TestColorHex(t *testing.T) {
	t.Parallel()
	for color, want := range map[string]string{"2b2d42": "#2b2d42", "FFB4A2": "#FFB4A2", "#2b2d42": "", "2b2d4": "", "red": "", "": "", "2b2d42;": "", "2b2d42\n": ""} {
		got := ColorHex(&color)
		if got == nil && want != "" || got != nil && *got != want {
			t.Errorf("ColorHex(%q) returned %v, want %q", color, show.Value(got), want)
		}
	}
	if got := ColorHex(nil); got != nil {
		t.Errorf("ColorHex(nil) = %q, want nil", *got)
	}
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	for item, want := range map[string][]string{
		`{"key": "/a/feed/1/", "type": "listen", "cloudcasts": [{"key": "/b/c/"}]}`:                                {"/b/c/"},
		`{"key": "/a/feed/1/", "type": "follow", "users": [{"key": "/b/"}, {"name": "without a key"}]}`:            {"/b/"},
		`{"key": "/a/feed/1/", "type": "unheard-of", "users": [{"key": "/b/"}], "cloudcasts": [{"key": "/b/c/"}]}`: {"/b/c/", "/b/"},
		`{"key": "/a/feed/1/", "type": "upload"}`:                                                                  {},
	} {
		a, err := mixcloud.Decode[mixcloud.Activity]([]byte(item))
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
			t.Errorf("%s: got subjects %v, want %v", item, got, want)
		}
	}
}
