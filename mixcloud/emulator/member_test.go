package emulator_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// memberPaths returns every member below v with its type: "user.pictures.small string".
// It merges the elements of a list.
func memberPaths(v any) []string {
	members := make(map[string]bool)
	var walk func(path string, v any)
	walk = func(path string, v any) {
		kind := "string"
		switch x := v.(type) {
		case map[string]any:
			kind = "object"
			for name, member := range x {
				walk(path+"."+name, member)
			}
		case []any:
			kind = "list"
			for _, element := range x {
				walk(path+"[]", element)
			}
		case float64:
			kind = "number"
		case bool:
			kind = "bool"
		case nil:
			kind = "null"
		}
		members[strings.TrimPrefix(path, ".")+" "+kind] = true
	}
	walk("", v)
	delete(members, " object")
	return slices.Sorted(maps.Keys(members))
}

// without removes the members whose path matches one of the patterns, which are regular
// expressions for the whole path.
func without(shape, patterns []string) []string {
	for _, p := range patterns {
		re := regexp.MustCompile("^(?:" + p + ") ")
		shape = slices.DeleteFunc(shape, re.MatchString)
	}
	return shape
}

// Patterns of members that only the recordings of some years contain.
var (
	oldPictures   = `.*\.(320wx320h|640wx640h|768wx768h|1024wx1024h)` // not yet in 2013
	laterPictures = `.*\.(768wx768h|1024wx1024h)`                     // not yet in 2014
	hosts         = `(.*\.)?hosts(\[\].*)?`                           // since about 2024
)

// TestMembers_asRecorded compares the members of resources and lists with those of the
// recordings.
func TestMembers_asRecorded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fixture string
		request string
		gone    []string // members of the recording that the current service does not send
		since   []string // members that were added after the recording
		absent  []string // optional members that only one of the two objects has
	}{
		{fixture: "user_full_metadata_2018.json", request: "/spartacus/?metadata=1"},
		{fixture: "me_with_token_2017.json", request: "/me/?access_token=OldFolksAtHome-token", absent: []string{"city", "country"}},
		{
			fixture: "cloudcast_full_metadata_sections_2013.json", request: "/spartacus/party-time/?metadata=1",
			gone: []string{"percentage_music"}, since: []string{oldPictures, hosts, "repost_count", "picture_primary_color"},
		},
		{
			fixture: "cloudcast_full_sections_2014.json", request: "/spartacus/party-time/",
			since: []string{laterPictures, hosts}, absent: []string{`sections\[\].start_time`},
		},
		{
			fixture: "tag_metadata_2018.json", request: "/tag/funk/?metadata=1",
			gone: []string{`metadata.connections.new`, `metadata.connections.hot`}, since: []string{`metadata.connections.latest`},
		},
		{fixture: "docs_tag_genres_funk.json", request: "/genres/funk/"},
		{fixture: "category_metadata_2013.json", request: "/categories/ambient/?metadata=1"},
		{fixture: "artist_metadata_2013.json", request: artistPath() + "?metadata=1"},
		{fixture: "track_metadata_2013.json", request: trackPath() + "?metadata=1"},
		{fixture: "user_cloudcasts_date_page1_2018.json", request: "/demo/cloudcasts/", since: []string{hosts}, absent: []string{`.*audio_length`, `.*hidden_stats`, `.*is_exclusive`}},
		{fixture: "user_cloudcasts_date_page1_2026_subset.json", request: "/spartacus/cloudcasts/?limit=3"},
		{fixture: "user_cloudcasts_offset_middle_2018.json", request: "/HarbourFM/cloudcasts/?limit=20&offset=100", since: []string{hosts}, absent: []string{`.*audio_length`, `.*hidden_stats`, `.*is_exclusive`}},
		{fixture: "user_cloudcasts_empty_2018.json", request: "/demo/cloudcasts/?until=1000000000"},
		{fixture: "user_comments_2018.json", request: "/demo/comments/"},
		{fixture: "user_followers_2018.json", request: "/demo/followers/"},
		{fixture: "user_following_2018.json", request: "/demo/following/"},
		{fixture: "user_favorites_metadata_2019.json", request: "/demo/favorites/?metadata=1", since: []string{hosts}, absent: []string{`.*hidden_stats`}},
		{fixture: "user_listens_2018.json", request: "/demo/listens/?limit=100", since: []string{hosts}, absent: []string{`.*hidden_stats`, `.*is_exclusive`}},
		{fixture: "user_feed_offset_last_page_2018_subset.json", request: lastFeedPage(), since: []string{hosts}, absent: []string{`.*hidden_stats`, `.*is_exclusive`}},
		{fixture: "tag_popular_limit5_2021.json", request: "/genres/funk/popular/?limit=5", since: []string{hosts}, absent: []string{`.*hidden_stats`}},
		{fixture: "popular_with_token_2017.json", request: "/popular/?access_token=demo-token", since: []string{hosts, `paging\..*`}, absent: []string{`.*hidden_stats`, `.*is_exclusive`}},
		{fixture: "new_2017.json", request: "/new/", since: []string{hosts, `paging\..*`}, absent: []string{`.*hidden_stats`, `.*is_exclusive`}},
		{fixture: "search_cloudcast_2022_data_only.json", request: "/search/?q=kellerlicht+closing&type=cloudcast", since: []string{hosts}},
		{fixture: "search_user_2013.json", request: "/search/?q=spartacus&type=user", since: []string{oldPictures}},
		{fixture: "search_tag_2013.json", request: "/search/?q=funky+house&type=tag"},
		{fixture: "embed_json_html_2016_fragment.json", request: "/spartacus/party-time/embed-json/"},
	} {
		t.Run(tt.fixture, func(t *testing.T) {
			t.Parallel()
			want := without(memberPaths(recorded(t, tt.fixture)), slices.Concat(tt.gone, tt.absent))
			got := without(memberPaths(getJSON(t, sharedEmulator(), tt.request)), slices.Concat(tt.since, tt.absent))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("GET %s: members (-recorded +emulated):\n%s", tt.request, diff)
			}
		})
	}
}

// memberOrder returns the names of the members of each object in their order, using
// the first element of every list.
func memberOrder(t *testing.T, text []byte) map[string][]string {
	t.Helper()
	names := make(map[string][]string)
	d := json.NewDecoder(bytes.NewReader(text))
	var walk func(path string)
	walk = func(path string) {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch token {
		case json.Delim('{'):
			first := names[path] == nil
			for d.More() {
				name, err := d.Token()
				if err != nil {
					t.Fatal(err)
				}
				if first {
					names[path] = append(names[path], name.(string))
				}
				walk(path + "." + name.(string))
			}
			_, _ = d.Token()
		case json.Delim('['):
			for d.More() {
				walk(path + "[]")
			}
			_, _ = d.Token()
		}
	}
	walk("")
	return names
}

// TestMemberOrder compares the order of members with recordings of the 2020s.
func TestMemberOrder(t *testing.T) {
	t.Parallel()
	for fixture, request := range map[string]string{
		"user_cloudcasts_date_page1_2026_subset.json": "/demo/cloudcasts/",
		"tag_popular_limit5_2021.json":                "/genres/funk/popular/",
		"search_cloudcast_2022_data_only.json":        "/search/?q=kellerlicht&type=cloudcast",
	} {
		t.Run(fixture, func(t *testing.T) {
			t.Parallel()
			want, got := memberOrder(t, recording(t, fixture)), memberOrder(t, get(t, sharedEmulator(), request).Body.Bytes())
			for path, names := range want {
				common := func(list []string) []string {
					return slices.DeleteFunc(slices.Clone(list), func(n string) bool {
						return !slices.Contains(names, n) || !slices.Contains(got[path], n)
					})
				}
				if diff := cmp.Diff(common(names), common(got[path])); diff != "" {
					t.Errorf("order of the members of %q (-recorded +emulated):\n%s", path, diff)
				}
			}
		})
	}
}

// TestMemberOrder_fullCloudcast compares the order of members of a full cloudcast with
// the documentation of a client.
func TestMemberOrder_fullCloudcast(t *testing.T) {
	t.Parallel()
	want := []string{
		"key", "url", "name", "tags", "created_time", "updated_time", "play_count", "favorite_count", "comment_count",
		"listener_count", "repost_count", "pictures", "slug", "user", "hosts", "hidden_stats", "audio_length",
		"description", "sections", "picture_primary_color", "type", "metadata",
	}
	got := memberOrder(t, get(t, sharedEmulator(), hiddenPath()+"?metadata=1").Body.Bytes())[""]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order of the members of a cloudcast (-want +got):\n%s", diff)
	}
}
