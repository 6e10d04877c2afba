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

// refusals are the faults of an input: code and path of each.
func refusals(out Payload) []string {
	var all []string
	for _, e := range out.UserErrors {
		all = append(all, strings.Join(append([]string{string(e.Code)}, e.Field...), " "))
	}
	return all
}

func some[T any](v T) graphql.Omittable[T] { return graphql.OmittableOf(v) }

func given[T any](v T) graphql.Omittable[*T] { return graphql.OmittableOf(&v) }

// TestCheckUpload holds each rule of an upload's input, on both sides of its
// limit.
func TestCheckUpload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		section := func(artist, song, chapter string, start ...int) *SectionInput {
			s := &SectionInput{Artist: given(artist), Song: given(song), Chapter: given(chapter)}
			if len(start) > 0 {
				s.StartTime = given(start[0])
			}
			return s
		}
		for name, test := range map[string]struct {
			change func(*UploadCloudcastInput)
			want   []string
		}{
			"nothing but a name": {func(*UploadCloudcastInput) {}, nil},
			"no name":            {func(in *UploadCloudcastInput) { in.Name = "" }, []string{"REQUIRED name"}},
			"a blank name":       {func(in *UploadCloudcastInput) { in.Name = " \t\u00a0" }, []string{"REQUIRED name"}},
			"a text of 1000":     {func(in *UploadCloudcastInput) { in.Description = given(strings.Repeat("夜", 1000)) }, nil},
			"a text of 1001":     {func(in *UploadCloudcastInput) { in.Description = given(strings.Repeat("夜", 1001)) }, []string{"TOO_LONG description"}},
			"5 tags":             {func(in *UploadCloudcastInput) { in.Tags = some([]string{"a", "b", "c", "d", "夜"}) }, nil},
			"6 tags":             {func(in *UploadCloudcastInput) { in.Tags = some([]string{"a", "b", "c", "d", "e", "f"}) }, []string{"TOO_MANY tags"}},
			"empty tags":         {func(in *UploadCloudcastInput) { in.Tags = some([]string{"", "a", " ! "}) }, []string{"INVALID tags 0", "INVALID tags 2"}},
			"2 hosts":            {func(in *UploadCloudcastInput) { in.Hosts = some([]string{"a", "b"}) }, nil},
			"3 hosts":            {func(in *UploadCloudcastInput) { in.Hosts = some([]string{"a", "b", "c"}) }, []string{"TOO_MANY hosts"}},
			"no host's name":     {func(in *UploadCloudcastInput) { in.Hosts = some([]string{"a", "x/y"}) }, []string{"INVALID hosts 1"}},
			"tomorrow":           {func(in *UploadCloudcastInput) { in.PublishDate = given(now.Add(24 * time.Hour)) }, nil},
			"now":                {func(in *UploadCloudcastInput) { in.PublishDate = given(now) }, []string{"INVALID publishDate"}},
			"an id of 128":       {func(in *UploadCloudcastInput) { in.UploadID = given(strings.Repeat("a", 128)) }, nil},
			"an id of 129":       {func(in *UploadCloudcastInput) { in.UploadID = given(strings.Repeat("a", 129)) }, []string{"INVALID uploadId"}},
			"an empty id":        {func(in *UploadCloudcastInput) { in.UploadID = given("") }, nil},
			"an id with a slash": {func(in *UploadCloudcastInput) { in.UploadID = given("a/b") }, []string{"INVALID uploadId"}},
			"one file as both":   {func(in *UploadCloudcastInput) { in.Picture = given(in.Mp3) }, []string{"CONFLICT picture"}},
			"a picture":          {func(in *UploadCloudcastInput) { in.Picture = given(upload.File{Part: "1"}) }, nil},
			"a track and a chapter": {func(in *UploadCloudcastInput) {
				in.Sections = some([]*SectionInput{section("a", "b", "", 0), section("", "", "c", 0)})
			}, nil},
			"starts left out": {func(in *UploadCloudcastInput) {
				in.Sections = some([]*SectionInput{section("", "", "a", 9), section("", "", "b"), section("", "", "c", 9)})
			}, nil},
			"starts out of order": {func(in *UploadCloudcastInput) {
				in.Sections = some([]*SectionInput{section("", "", "a", 9), section("", "", "b"), section("", "", "c", 8)})
			}, []string{"INVALID sections 2 startTime"}},
			"a start before the start": {func(in *UploadCloudcastInput) { in.Sections = some([]*SectionInput{section("", "", "a", -1)}) }, []string{"INVALID sections 0 startTime"}},
			"nothing of a section":     {func(in *UploadCloudcastInput) { in.Sections = some([]*SectionInput{section("", " ", "", 3), {}}) }, []string{"REQUIRED sections 0 chapter", "REQUIRED sections 1 chapter"}},
			"half a track": {func(in *UploadCloudcastInput) {
				in.Sections = some([]*SectionInput{section("a", "", ""), section("", "b", "")})
			}, []string{"REQUIRED sections 0 song", "REQUIRED sections 1 artist"}},
			"a chapter with a song": {func(in *UploadCloudcastInput) {
				in.Sections = some([]*SectionInput{section("", "b", "c"), section("a", "b", "c")})
			}, []string{"CONFLICT sections 0 song", "CONFLICT sections 1 artist"}},
		} {
			in := UploadCloudcastInput{Mp3: upload.File{Part: "0"}, Name: "Night Bus"}
			test.change(&in)
			out := NewPayload(nil, nil)
			CheckUpload(in, &out)
			if diff := cmp.Diff(test.want, refusals(out)); diff != "" {
				t.Errorf("%s (- wanted, + got): %s", name, diff)
			}
		}
	})
}

// TestCheckEdit tells what is left out from what is null and what is empty.
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
		"only false":     {in: EditCloudcastInput{Unlisted: given(no), Publish: given(no), Unpublish: given(no)}, want: []string{"REQUIRED"}},
		"a picture":      {in: EditCloudcastInput{Picture: given(upload.File{Part: "0"})}},
		"a name":         {in: EditCloudcastInput{Name: given(text)}, sent: mixcloud.UploadFields{Name: &text}},
		"null texts":     {in: EditCloudcastInput{Name: some[*string](nil), Description: some[*string](nil)}, sent: mixcloud.UploadFields{Description: new("")}, want: []string{"REQUIRED name"}},
		"an empty text":  {in: EditCloudcastInput{Description: given("")}, sent: mixcloud.UploadFields{Description: new("")}},
		"null lists":     {in: EditCloudcastInput{Tags: some[[]string](nil), Hosts: some[[]string](nil), Sections: some[[]*SectionInput](nil)}, sent: mixcloud.UploadFields{Tags: none, Hosts: none, Sections: []mixcloud.SectionFields{}}},
		"empty lists":    {in: EditCloudcastInput{Tags: some(none), Hosts: some(none), Sections: some([]*SectionInput{})}, sent: mixcloud.UploadFields{Tags: none, Hosts: none, Sections: []mixcloud.SectionFields{}}},
		"lists":          {in: EditCloudcastInput{Tags: some(tags), Hosts: some(tags), Sections: some([]*SectionInput{{Chapter: given(" c ")}})}, sent: mixcloud.UploadFields{Tags: tags, Hosts: tags, Sections: chapters}},
		"flags":          {in: EditCloudcastInput{DisableComments: given(no), HideStats: given(yes), Publish: given(yes)}, sent: mixcloud.UploadFields{DisableComments: &no, HideStats: &yes, Publish: true}},
		"unlisted":       {in: EditCloudcastInput{Unlisted: given(yes), Publish: given(no)}, sent: mixcloud.UploadFields{Unlisted: &yes}},
		"a date":         {in: EditCloudcastInput{PublishDate: given(soon)}, sent: mixcloud.UploadFields{PublishDate: &soon}},
		"what excludes":  {in: EditCloudcastInput{Unlisted: given(yes), Unpublish: given(yes)}, sent: mixcloud.UploadFields{Unlisted: &yes, Unpublish: true}, want: []string{"CONFLICT unpublish"}},
		"a null date":    {in: EditCloudcastInput{PublishDate: some[*time.Time](nil)}, want: []string{"INVALID publishDate"}},
		"a null picture": {in: EditCloudcastInput{Picture: some[*upload.File](nil)}, want: []string{"INVALID picture"}},
		"null flags": {
			in:   EditCloudcastInput{DisableComments: some[*bool](nil), HideStats: some[*bool](nil), Unlisted: some[*bool](nil), Publish: some[*bool](nil), Unpublish: some[*bool](nil)},
			want: []string{"INVALID disableComments", "INVALID hideStats", "INVALID unlisted", "INVALID publish", "INVALID unpublish"},
		},
	} {
		out := NewPayload(nil, nil)
		sent := CheckEdit(test.in, &out)
		if diff := cmp.Diff(test.want, refusals(out)); diff != "" {
			t.Errorf("%s is refused for (- wanted, + got): %s", name, diff)
		}
		if diff := cmp.Diff(test.sent, sent); diff != "" {
			t.Errorf("%s sends (- wanted, + got): %s", name, diff)
		}
	}
}

// TestFieldErrors maps every name that Mixcloud has for a field to the input's.
func TestFieldErrors(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"mp3": "mp3", "name": "name", "publish_date": "publishDate", "disable_comments": "disableComments", "hide_stats": "hideStats",
		"unlisted": "unlisted", "publish": "publish", "unpublish": "unpublish", "description": "description", "picture": "picture",
		"tags": "tags", "tags-4-tag": "tags 4", "hosts-1-username": "hosts 1", "sections-2": "sections 2",
		"sections-2-start_time": "sections 2 startTime", "sections-0-artist": "sections 0 artist", "sections-11-chapter": "sections 11 chapter",
		"sections-1-name": "sections 1", "sections-1-nobody": "sections 1", "sections-x-song": "sections", "tags--tag": "tags", "tags-99999999999999-tag": "tags",
		"name-1-x": "name", "__all__": "", "percentage_music": "", "": "", "-": "", "start_time": "", "artist": "",
	} {
		got := FieldErrors(map[string][]string{name: {"No."}})
		if len(got) != 1 || got[0].Code != UserErrorCodeRefused || got[0].Message != "No." || strings.Join(got[0].Field, " ") != want {
			t.Errorf("%q: %+v, want %q", name, show.Value(got), want)
		}
		if want == "" && got[0].Field != nil {
			t.Errorf("%q: what is about the whole has a path", name)
		}
	}
	two := FieldErrors(map[string][]string{"name": {"a", "b"}, "mp3": {"c"}, "tags": {}})
	var said []string
	for _, e := range two {
		said = append(said, e.Message)
	}
	if !slices.Equal(said, []string{"c", "a", "b"}) {
		t.Errorf("in the order of names, all that is said: %q", said)
	}
	if FieldErrors(nil) != nil {
		t.Error("there are details of nothing")
	}
}

// TestNewUploaded makes nothing of an answer that names no cloudcast.
func TestNewUploaded(t *testing.T) {
	t.Parallel()
	owner := &mixcloud.FullUser{User: mixcloud.User{Key: mixcloud.ParseKey("/demo/"), Username: "demo"}}
	for key, made := range map[string]bool{
		"/demo/night-bus/": true, "/demo/%E5%A4%9C/": true,
		"": false, "/demo/": false, "/demo/playlists/x/": false, "night-bus": false, "https://evil.test/a/b/": false, "/../x/": false,
	} {
		if got := NewUploadedCloudcast(owner, mixcloud.ParseKey(key), mixcloud.UploadFields{}); (got != nil) != made {
			t.Errorf("%q: %v", key, show.Value(got))
		}
	}
	hide, name := true, "夜"
	got := NewUploadedCloudcast(owner, mixcloud.ParseKey("/demo/%E5%A4%9C/"), mixcloud.UploadFields{Name: &name, HideStats: &hide, Tags: []string{"Dub"}})
	if got.Name != name || got.Slug != name || !got.HiddenStats() || len(got.Tags(t.Context())) != 1 || got.URL != "https://www.mixcloud.com/demo/%E5%A4%9C/" {
		t.Errorf("%+v", show.Value(got.Cloudcast))
	}
}

// A section that was sent keeps its title and artist, also when no key can be made
// of them.
func TestNewUploaded_SectionWithoutAKey(t *testing.T) {
	t.Parallel()
	sections := []mixcloud.SectionFields{{Artist: "µ-Ziq", Song: "???"}, {Artist: "!!!", Song: "Dear Can"}, {Artist: "Karin", Song: "Tidal"}}
	made := NewUploadedCloudcast(&mixcloud.FullUser{User: mixcloud.User{Key: mixcloud.ParseKey("/demo/")}}, mixcloud.ParseKey("/demo/x/"), mixcloud.UploadFields{Sections: sections})
	for i, s := range NewSections(made.Full().Sections) {
		track := s.(*TrackSection)
		title, artist := track.Title(), track.ArtistName()
		if title == nil || *title != sections[i].Song || artist == nil || *artist != sections[i].Artist {
			t.Errorf("section %d: %v by %v", i, show.Value(title), show.Value(artist))
		}
		if hasKey := track.Track(t.Context()) != nil; hasKey != (i == 2) {
			t.Errorf("section %d has a track with a key: %v", i, hasKey)
		}
	}
}
