package mixcloud

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recordings are the functions that decode the recorded responses, by the name of
// the file. The test fails for a file without an entry.
var recordings = map[string]func(t *testing.T, body []byte) view{
	"artist_metadata_2013.json":                   fixtureObject(viewArtist),
	"category_metadata_2013.json":                 fixtureObject(viewCategory),
	"cloudcast_full_metadata_sections_2013.json":  fixtureObject(viewFullCloudcast),
	"cloudcast_full_sections_2014.json":           fixtureObject(viewFullCloudcast),
	"docs_tag_genres_funk.json":                   fixtureObject(viewTag),
	"embed_json_html_2016_fragment.json":          fixtureOEmbed,
	"error_rate_limit_403.json":                   fixtureError,
	"me_with_token_2017.json":                     fixtureObject(viewFullUser),
	"new_2017.json":                               fixturePage(viewCloudcast),
	"popular_with_token_2017.json":                fixturePage(viewCloudcast),
	"result_listen_later_added_mock.json":         fixtureRaw,
	"search_cloudcast_2022_data_only.json":        fixturePage(viewCloudcast),
	"search_tag_2013.json":                        fixturePage(viewTag),
	"search_user_2013.json":                       fixturePage(viewUser),
	"tag_metadata_2013.json":                      fixtureObject(viewTag),
	"tag_metadata_2018.json":                      fixtureObject(viewTag),
	"tag_popular_limit5_2021.json":                fixturePage(viewCloudcast),
	"track_metadata_2013.json":                    fixtureObject(viewTrack),
	"user_cloudcasts_date_page1_2018.json":        fixturePage(viewCloudcast),
	"user_cloudcasts_date_page1_2026_subset.json": fixturePage(viewCloudcast),
	"user_cloudcasts_empty_2018.json":             fixturePage(viewCloudcast),
	"user_cloudcasts_offset_middle_2018.json":     fixturePage(viewCloudcast),
	"user_comments_2018.json":                     fixturePage(viewComment),
	"user_favorites_metadata_2019.json":           fixturePage(viewCloudcast),
	"user_feed_offset_last_page_2018_subset.json": fixturePage(viewActivity),
	"user_followers_2018.json":                    fixturePage(viewUser),
	"user_following_2018.json":                    fixturePage(viewUser),
	"user_full_metadata_2018.json":                fixtureObject(viewFullUser),
	"user_listens_2018.json":                      fixturePage(viewCloudcast),
}

// rawOnly are the members that no field of a decoded type has, with the reason.
var rawOnly = map[string]string{
	"result.success": "a member of the response to a write, which is not an object",
	"result.message": "a member of the response to a write, which is not an object",
}

// TestRecordings compares every scalar of every recorded response with the fields
// of the decoded value, in both directions.
func TestRecordings(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/recorded/*.json")
	if err != nil || len(files) < len(recordings) {
		t.Fatalf("found %d recordings, %v; want at least %d, the rows of the table", len(files), err, len(recordings))
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read, ok := recordings[name]
			if !ok {
				t.Fatalf("%s is not in the table: add it to recordings in mixcloud/recordings_test.go", name)
			}
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			shown := map[string]string{}
			raws := map[string]json.RawMessage{}
			read(t, body).flatten("", shown, raws)

			var document any
			decoder := json.NewDecoder(bytes.NewReader(body))
			decoder.UseNumber()
			if err := decoder.Decode(&document); err != nil {
				t.Fatal(err)
			}
			recorded := map[string]string{}
			objects := map[string]string{}
			flattenJSON("", document, recorded, objects)
			for path := range recorded {
				if _, ok := rawOnly[path]; ok {
					if _, shown := shown[path]; shown {
						t.Errorf("a decoded type has a field for %s: remove it from rawOnly", path)
					}
					delete(recorded, path)
				}
			}
			if diff := cmp.Diff(recorded, shown); diff != "" {
				t.Errorf("members of the recording (-), fields of the decoded type (+): decode the missing members in mixcloud/, and add them to mixcloud/view_test.go\n%s", diff)
			}
			for path, raw := range raws {
				var b bytes.Buffer
				if err := json.Compact(&b, raw); err != nil {
					t.Errorf("Raw of %q is not JSON: %v", path, err)
				}
				if diff := cmp.Diff(objects[path], normalizeJSON(t, b.Bytes())); diff != "" {
					t.Errorf("Raw of %q (-recorded +got):\n%s", path, diff)
				}
			}
		})
	}
	t.Run("no missing file", func(t *testing.T) {
		for name := range recordings {
			if !slices.ContainsFunc(files, func(f string) bool { return filepath.Base(f) == name }) {
				t.Errorf("the file testdata/recorded/%s of the table does not exist", name)
			}
		}
	})
}

// flattenJSON adds the scalars, empty lists and empty objects of v to scalars, and
// the JSON of all objects to objects, by their paths. Of a paging link only the
// parameters of the range are added.
func flattenJSON(path string, v any, scalars, objects map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		objects[path] = string(b)
		if len(v) == 0 && path != "paging" {
			scalars[path] = "{}"
		}
		for name, m := range v {
			flattenJSON(joinMember(path, name), m, scalars, objects)
		}
	case []any:
		if len(v) == 0 {
			scalars[path] = "[]"
		}
		for i, m := range v {
			flattenJSON(fmt.Sprintf("%s[%d]", path, i), m, scalars, objects)
		}
	default:
		s := fmt.Sprint(v)
		if path == "paging.next" || path == "paging.previous" {
			u, err := url.Parse(s)
			if err != nil {
				panic(err)
			}
			query := u.Query()
			maps.DeleteFunc(query, func(name string, _ []string) bool {
				return !slices.Contains([]string{"limit", "offset", "since", "until"}, name)
			})
			s = query.Encode()
		}
		scalars[path] = s
	}
}

func joinMember(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// normalizeJSON decodes JSON and returns it as Marshal writes it.
func normalizeJSON(t *testing.T, b []byte) string {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func fixtureObject[T any, P Decodable[T]](of func(*T) view) func(*testing.T, []byte) view {
	return func(t *testing.T, body []byte) view {
		t.Helper()
		one, err := Decode[T, P](body)
		if err != nil {
			t.Fatal(err)
		}
		return of(one)
	}
}

func fixturePage[T any, P Decodable[T]](of func(*T) view) func(*testing.T, []byte) view {
	return func(t *testing.T, body []byte) view {
		t.Helper()
		page, err := DecodePage[T, P](body)
		if err != nil {
			t.Fatal(err)
		}
		if page.Dropped > 0 {
			t.Errorf("DecodePage dropped %d items, want 0", page.Dropped)
		}
		v := view{rawKey: page.Raw(), "data": views(page.Items, of), "name": page.Name}
		paging := view{}
		for name, link := range map[string]*Link{"next": page.Next, "previous": page.Previous} {
			if link != nil {
				paging[name] = link.Range.fingerprint()
			}
		}
		if len(paging) > 0 {
			v["paging"] = paging
		}
		return v
	}
}

func fixtureOEmbed(t *testing.T, body []byte) view {
	t.Helper()
	var o OEmbed
	o.decode(mustValue(t, string(body)))
	return view{rawKey: o.Raw(), "html": o.HTML}
}

func fixtureError(t *testing.T, body []byte) view {
	t.Helper()
	_, e := readJSON(403, nil, body)
	return view{"error": view{
		"message": e.Message, "type": e.Type, "retry_after": new(int(e.RetryAfter / time.Second)),
	}}
}

func fixtureRaw(t *testing.T, body []byte) view {
	t.Helper()
	v, e := readJSON(200, nil, body)
	if e != nil {
		t.Fatal(e)
	}
	return view{rawKey: json.RawMessage(v.Raw())}
}

// mustValue returns a JSON text as a value.
func mustValue(t testing.TB, text string) value {
	t.Helper()
	v, err := readJSON(200, nil, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
