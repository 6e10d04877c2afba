package model

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/mixcloud"
)

// userErrors returns the code and the path of each user error.
func userErrors(out Payload) []string {
	var all []string
	for _, e := range out.UserErrors {
		all = append(all, strings.Join(append([]string{string(e.Code)}, e.Field...), " "))
	}
	return all
}

// value returns an input field with a value.
func value[T any](v T) graphql.Omittable[T] { return graphql.OmittableOf(v) }

// pointer returns an input field with a pointer to a value.
func pointer[T any](v T) graphql.Omittable[*T] { return graphql.OmittableOf(&v) }

// Each rule for the input of an upload is checked at its limit and above.
func TestCheckUpload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		section := func(artist, song, chapter string, start ...int) *SectionInput {
			s := &SectionInput{Artist: pointer(artist), Song: pointer(song), Chapter: pointer(chapter)}
			if len(start) > 0 {
				s.StartTime = pointer(start[0])
			}
			return s
		}
		for name, test := range map[string]struct {
			change func(*UploadCloudcastInput)
			want   []string
		}{
			"only a name":                      {func(*UploadCloudcastInput) {}, nil},
			"no name":                          {func(in *UploadCloudcastInput) { in.Name = "" }, []string{"REQUIRED name"}},
			"a blank name":                     {func(in *UploadCloudcastInput) { in.Name = " \t\u00a0" }, []string{"REQUIRED name"}},
			"a description of 1000 characters": {func(in *UploadCloudcastInput) { in.Description = pointer(strings.Repeat("夜", 1000)) }, nil},
			"a description of 1001 characters": {func(in *UploadCloudcastInput) { in.Description = pointer(strings.Repeat("夜", 1001)) }, []string{"TOO_LONG description"}},
			"5 tags":                           {func(in *UploadCloudcastInput) { in.Tags = value([]string{"a", "b", "c", "d", "夜"}) }, nil},
			"6 tags":                           {func(in *UploadCloudcastInput) { in.Tags = value([]string{"a", "b", "c", "d", "e", "f"}) }, []string{"TOO_MANY tags"}},
			"empty tags":                       {func(in *UploadCloudcastInput) { in.Tags = value([]string{"", "a", " ! "}) }, []string{"INVALID tags 0", "INVALID tags 2"}},
			"2 hosts":                          {func(in *UploadCloudcastInput) { in.Hosts = value([]string{"a", "b"}) }, nil},
			"3 hosts":                          {func(in *UploadCloudcastInput) { in.Hosts = value([]string{"a", "b", "c"}) }, []string{"TOO_MANY hosts"}},
			"an invalid host":                  {func(in *UploadCloudcastInput) { in.Hosts = value([]string{"a", "x/y"}) }, []string{"INVALID hosts 1"}},
			"tomorrow":                         {func(in *UploadCloudcastInput) { in.PublishDate = pointer(now.Add(24 * time.Hour)) }, nil},
			"now":                              {func(in *UploadCloudcastInput) { in.PublishDate = pointer(now) }, []string{"INVALID publishDate"}},
			"an id of 128 characters":          {func(in *UploadCloudcastInput) { in.UploadID = pointer(strings.Repeat("a", 128)) }, nil},
			"an id of 129 characters":          {func(in *UploadCloudcastInput) { in.UploadID = pointer(strings.Repeat("a", 129)) }, []string{"INVALID uploadId"}},
			"an empty id":                      {func(in *UploadCloudcastInput) { in.UploadID = pointer("") }, nil},
			"an id with a slash":               {func(in *UploadCloudcastInput) { in.UploadID = pointer("a/b") }, []string{"INVALID uploadId"}},
			"one file as both":                 {func(in *UploadCloudcastInput) { in.Picture = pointer(in.Mp3) }, []string{"CONFLICT picture"}},
			"a picture":                        {func(in *UploadCloudcastInput) { in.Picture = pointer(upload.File{Part: "1"}) }, nil},
			"a track and a chapter": {func(in *UploadCloudcastInput) {
				in.Sections = value([]*SectionInput{section("a", "b", "", 0), section("", "", "c", 0)})
			}, nil},
			"without start times": {func(in *UploadCloudcastInput) {
				in.Sections = value([]*SectionInput{section("", "", "a", 9), section("", "", "b"), section("", "", "c", 9)})
			}, nil},
			"decreasing start times": {func(in *UploadCloudcastInput) {
				in.Sections = value([]*SectionInput{section("", "", "a", 9), section("", "", "b"), section("", "", "c", 8)})
			}, []string{"INVALID sections 2 startTime"}},
			"a negative start time": {func(in *UploadCloudcastInput) { in.Sections = value([]*SectionInput{section("", "", "a", -1)}) }, []string{"INVALID sections 0 startTime"}},
			"empty sections":        {func(in *UploadCloudcastInput) { in.Sections = value([]*SectionInput{section("", " ", "", 3), {}}) }, []string{"REQUIRED sections 0 chapter", "REQUIRED sections 1 chapter"}},
			"tracks without a song or an artist": {func(in *UploadCloudcastInput) {
				in.Sections = value([]*SectionInput{section("a", "", ""), section("", "b", "")})
			}, []string{"REQUIRED sections 0 song", "REQUIRED sections 1 artist"}},
			"a chapter with a song": {func(in *UploadCloudcastInput) {
				in.Sections = value([]*SectionInput{section("", "b", "c"), section("a", "b", "c")})
			}, []string{"CONFLICT sections 0 song", "CONFLICT sections 1 artist"}},
		} {
			in := UploadCloudcastInput{Mp3: upload.File{Part: "0"}, Name: "Night Bus"}
			test.change(&in)
			out := NewPayload(nil, nil)
			CheckUpload(in, &out)
			if diff := cmp.Diff(test.want, userErrors(out)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

// Absent, null and empty fields of an edit have different effects.
func TestCheckEdit(t *testing.T) {
	t.Parallel()
	text, no, yes, tags, none := "x", false, true, []string{"a"}, []string{}
	chapters := []mixcloud.SectionFields{{Chapter: "c"}}
	soon := time.Now().Add(time.Hour)
	for name, test := range map[string]struct {
		in   EditCloudcastInput
		sent mixcloud.UploadFields
		want []string
	}{
		"nothing":        {in: EditCloudcastInput{}, want: []string{"REQUIRED"}},
		"only false":     {in: EditCloudcastInput{Unlisted: pointer(no), Publish: pointer(no), Unpublish: pointer(no)}, want: []string{"REQUIRED"}},
		"a picture":      {in: EditCloudcastInput{Picture: pointer(upload.File{Part: "0"})}},
		"a name":         {in: EditCloudcastInput{Name: pointer(text)}, sent: mixcloud.UploadFields{Name: &text}},
		"null texts":     {in: EditCloudcastInput{Name: value[*string](nil), Description: value[*string](nil)}, sent: mixcloud.UploadFields{Description: new("")}, want: []string{"REQUIRED name"}},
		"an empty text":  {in: EditCloudcastInput{Description: pointer("")}, sent: mixcloud.UploadFields{Description: new("")}},
		"null lists":     {in: EditCloudcastInput{Tags: value[[]string](nil), Hosts: value[[]string](nil), Sections: value[[]*SectionInput](nil)}, sent: mixcloud.UploadFields{Tags: none, Hosts: none, Sections: []mixcloud.SectionFields{}}},
		"empty lists":    {in: EditCloudcastInput{Tags: value(none), Hosts: value(none), Sections: value([]*SectionInput{})}, sent: mixcloud.UploadFields{Tags: none, Hosts: none, Sections: []mixcloud.SectionFields{}}},
		"lists":          {in: EditCloudcastInput{Tags: value(tags), Hosts: value(tags), Sections: value([]*SectionInput{{Chapter: pointer(" c ")}})}, sent: mixcloud.UploadFields{Tags: tags, Hosts: tags, Sections: chapters}},
		"flags":          {in: EditCloudcastInput{DisableComments: pointer(no), HideStats: pointer(yes), Publish: pointer(yes)}, sent: mixcloud.UploadFields{DisableComments: &no, HideStats: &yes, Publish: true}},
		"unlisted":       {in: EditCloudcastInput{Unlisted: pointer(yes), Publish: pointer(no)}, sent: mixcloud.UploadFields{Unlisted: &yes}},
		"a date":         {in: EditCloudcastInput{PublishDate: pointer(soon)}, sent: mixcloud.UploadFields{PublishDate: &soon}},
		"two true flags": {in: EditCloudcastInput{Unlisted: pointer(yes), Unpublish: pointer(yes)}, sent: mixcloud.UploadFields{Unlisted: &yes, Unpublish: true}, want: []string{"CONFLICT unpublish"}},
		"a null date":    {in: EditCloudcastInput{PublishDate: value[*time.Time](nil)}, want: []string{"INVALID publishDate"}},
		"a null picture": {in: EditCloudcastInput{Picture: value[*upload.File](nil)}, want: []string{"INVALID picture"}},
		"null flags": {
			in:   EditCloudcastInput{DisableComments: value[*bool](nil), HideStats: value[*bool](nil), Unlisted: value[*bool](nil), Publish: value[*bool](nil), Unpublish: value[*bool](nil)},
			want: []string{"INVALID disableComments", "INVALID hideStats", "INVALID unlisted", "INVALID publish", "INVALID unpublish"},
		},
	} {
		out := NewPayload(nil, nil)
		sent := CheckEdit(test.in, &out)
		if diff := cmp.Diff(test.want, userErrors(out)); diff != "" {
			t.Errorf("%s: user errors (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(test.sent, sent); diff != "" {
			t.Errorf("%s: fields (-want +got):\n%s", name, diff)
		}
	}
}

// Mixcloud's names of fields are mapped to input fields.
func TestFieldErrors(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"mp3": "mp3", "name": "name", "publish_date": "publishDate", "disable_comments": "disableComments", "hide_stats": "hideStats",
		"unlisted": "unlisted", "publish": "publish", "unpublish": "unpublish", "description": "description", "picture": "picture",
		"tags": "tags", "tags-4-tag": "tags 4", "hosts-1-username": "hosts 1", "sections-2": "sections 2",
		"sections-2-start_time": "sections 2 startTime", "sections-0-artist": "sections 0 artist", "sections-11-chapter": "sections 11 chapter",
		"sections-1-name": "sections 1", "sections-1-unknown": "sections 1", "sections-x-song": "sections", "tags--tag": "tags", "tags-99999999999999-tag": "tags",
		"name-1-x": "name", "__all__": "", "percentage_music": "", "": "", "-": "", "start_time": "", "artist": "",
	} {
		got := FieldErrors(map[string][]string{name: {"No."}})
		if len(got) != 1 || got[0].Code != UserErrorCodeRefused || got[0].Message != "No." || strings.Join(got[0].Field, " ") != want {
			t.Errorf("FieldErrors(%q) returned %+v, want %q", name, show.Value(got), want)
		}
		if want == "" && got[0].Field != nil {
			t.Errorf("%q: got path %q, want none", name, got[0].Field)
		}
	}
	two := FieldErrors(map[string][]string{"name": {"a", "b"}, "mp3": {"c"}, "tags": {}})
	var messages []string
	for _, e := range two {
		messages = append(messages, e.Message)
	}
	if want := []string{"c", "a", "b"}; !slices.Equal(messages, want) {
		t.Errorf("got messages %q, want %q", messages, want)
	}
	if FieldErrors(nil) != nil {
		t.Error("FieldErrors(nil) is not nil")
	}
}

// An upload whose key is not that of a cloudcast is nil.
func TestNewUploadedCloudcast(t *testing.T) {
	t.Parallel()
	owner := &mixcloud.FullUser{User: mixcloud.User{Key: mixcloud.ParseKey("/demo/"), Username: "demo"}}
	for key, valid := range map[string]bool{
		"/demo/night-bus/": true, "/demo/%E5%A4%9C/": true,
		"": false, "/demo/": false, "/demo/playlists/x/": false, "night-bus": false, "https://evil.test/a/b/": false, "/../x/": false,
	} {
		if got := NewUploadedCloudcast(owner, mixcloud.ParseKey(key), mixcloud.UploadFields{}); (got != nil) != valid {
			t.Errorf("NewUploadedCloudcast(%q) = %v, want nil: %t", key, show.Value(got), !valid)
		}
	}
	hide, name := true, "夜"
	got := NewUploadedCloudcast(owner, mixcloud.ParseKey("/demo/%E5%A4%9C/"), mixcloud.UploadFields{Name: &name, HideStats: &hide, Tags: []string{"Dub"}})
	if got.Name != name || got.Slug != name || !got.HiddenStats() || len(got.Tags(t.Context())) != 1 || got.URL != "https://www.mixcloud.com/demo/%E5%A4%9C/" {
		t.Errorf("the uploaded cloudcast is %+v, want the fields of the upload and the page of the key", show.Value(got.Cloudcast))
	}
}

// A section has its title and artist even if their names have no slug.
func TestNewUploadedCloudcast_SectionWithoutKey(t *testing.T) {
	t.Parallel()
	sections := []mixcloud.SectionFields{{Artist: "µ-Ziq", Song: "???"}, {Artist: "!!!", Song: "Dear Can"}, {Artist: "Karin", Song: "Tidal"}}
	c := NewUploadedCloudcast(&mixcloud.FullUser{User: mixcloud.User{Key: mixcloud.ParseKey("/demo/")}}, mixcloud.ParseKey("/demo/x/"), mixcloud.UploadFields{Sections: sections})
	for i, s := range NewSections(c.Full().Sections) {
		track := s.(*TrackSection)
		title, artist := track.Title(), track.ArtistName()
		if title == nil || *title != sections[i].Song || artist == nil || *artist != sections[i].Artist {
			t.Errorf("section %d is %v by %v, want %q by %q", i, show.Value(title), show.Value(artist), sections[i].Song, sections[i].Artist)
		}
		if hasKey := track.Track(t.Context()) != nil; hasKey != (i == 2) {
			t.Errorf("section %d: track has a key: %v, want %v", i, hasKey, i == 2)
		}
	}
}
