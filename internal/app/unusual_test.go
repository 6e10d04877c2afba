package app

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/mixcloud/emulator"
)

// Responses of Mixcloud with members of unexpected types: valid values are returned, invalid ones are null, items without a key are
// dropped, and there are no errors.
func TestUnusualResponses(t *testing.T) {
	t.Parallel()
	page := `{"data": [
		{"key": "/a/b/", "play_count": 3000000000, "favorite_count": "7", "comment_count": 1.5, "listener_count": null,
		 "repost_count": -1, "audio_length": {}, "created_time": "yesterday", "hidden_stats": "no", "user": {"key": "/A/"},
		 "tags": [{"name": "no key"}, {"key": "/discover/funk/"}, null, 7], "hosts": null,
		 "pictures": {"of-tomorrow": "https://x.test/1", "999wx998h": "https://x.test/2", "large": null}},
		{"name": "no key"}, {"key": ""}, null, 7, "text", [], {"key": 7}, {"key": "a/b"},
		{"key": "/a/%CE%B2/", "name": "", "url": "", "user": "someone", "tags": {}}
	], "paging": {"next": 7}, "name": []}`
	s := newTestServer(t, serverOptions{mixcloud: recordedMixcloud{t: t, bodies: map[string][]byte{"/popular/": []byte(page)}}})
	var got any
	errs := s.execute(t, "", `{ popular(first: 9) { pageInfo { hasNextPage } nodes {
		key url name slug playCount favoriteCount commentCount listenerCount repostCount audioLength createdAt hiddenStats
		user { key url name username } tags { key url name } hosts { key } picture { url } pictures { size width height url }
	} } }`, nil).decode(t, &got)
	if len(errs) > 0 {
		t.Errorf("errors = %+v, want none", errs)
	}
	var want any
	if err := json.Unmarshal([]byte(`{"popular": {"pageInfo": {"hasNextPage": false}, "nodes": [
		{"key": "/a/b/", "url": "https://www.mixcloud.com/a/b/", "name": "b", "slug": "b",
		 "playCount": null, "favoriteCount": 7, "commentCount": 1, "listenerCount": null, "repostCount": -1, "audioLength": null,
		 "createdAt": null, "hiddenStats": false,
		 "user": {"key": "/A/", "url": "https://www.mixcloud.com/A/", "name": "A", "username": "A"},
		 "tags": [{"key": "/discover/funk/", "url": "https://www.mixcloud.com/discover/funk/", "name": "funk"}], "hosts": null,
		 "picture": {"url": "https://x.test/1"},
		 "pictures": [{"size": null, "width": null, "height": null, "url": "https://x.test/1"}, {"size": null, "width": 999, "height": 998, "url": "https://x.test/2"}]},
		{"key": "/a/%CE%B2/", "url": "https://www.mixcloud.com/a/%CE%B2/", "name": "β", "slug": "β",
		 "playCount": null, "favoriteCount": null, "commentCount": null, "listenerCount": null, "repostCount": null, "audioLength": null,
		 "createdAt": null, "hiddenStats": false, "user": null, "tags": null, "hosts": null, "picture": null, "pictures": []}
	]}}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("data differs (-want +got):\n%s", diff)
	}
	if log := s.log.String(); !strings.Contains(log, "items without a key were dropped") || !strings.Contains(log, `"items":8`) {
		t.Errorf("log = %s, want a line about 8 dropped items", log)
	}
}

// totalCount is the length of a list that was read completely. Otherwise it is Mixcloud's counter,
// or null if the page shows that the counter is too low. Playlists have no counter.
func TestTotals(t *testing.T) {
	t.Parallel()
	two := `"data": [{"key": "/u/a/"}, {"key": "/u/b/"}]`
	next := `, "paging": {"next": "https://api.mixcloud.com/x/?limit=2&offset=2"}`
	s := newTestServer(t, serverOptions{mixcloud: recordedMixcloud{t: t, bodies: map[string][]byte{
		"/u/":                            []byte(`{"key": "/u/", "cloudcast_count": 1, "favorite_count": 7}`),
		"/u/cloudcasts/":                 []byte(`{` + two + next + `}`),
		"/u/favorites/":                  []byte(`{` + two + next + `}`),
		"/u/playlists/":                  []byte(`{"data": [{"key": "/u/playlists/p/", "name": "P", "slug": "p", "owner": {"key": "/u/"}}]}`),
		"/u/playlists/p/":                []byte(`{"key": "/u/playlists/p/", "name": "P", "slug": "p"}`),
		"/u/playlists/p/cloudcasts/":     []byte(`{` + two + next + `}`),
		"/u/playlists/whole/":            []byte(`{"key": "/u/playlists/whole/", "name": "W", "slug": "whole"}`),
		"/u/playlists/whole/cloudcasts/": []byte(`{` + two + `}`),
	}}})
	var got any
	errs := s.execute(t, "", `{
		user(username: "u") {
			cloudcasts(first: 2) { totalCount } favorites(first: 2) { totalCount }
			playlists { totalCount nodes { cloudcastCount owner { username } } }
		}
		part: playlist(key: "/u/playlists/p/") { cloudcastCount cloudcasts(first: 2) { totalCount } }
		whole: playlist(key: "/u/playlists/whole/") { cloudcastCount cloudcasts(first: 1) { totalCount } }
	}`, nil).decode(t, &got)
	if len(errs) > 0 {
		t.Errorf("errors = %+v, want none", errs)
	}
	var want any
	if err := json.Unmarshal([]byte(`{
		"user": {
			"cloudcasts": {"totalCount": null}, "favorites": {"totalCount": 7},
			"playlists": {"totalCount": 1, "nodes": [{"cloudcastCount": null, "owner": {"username": "u"}}]}
		},
		"part": {"cloudcastCount": null, "cloudcasts": {"totalCount": null}},
		"whole": {"cloudcastCount": null, "cloudcasts": {"totalCount": 2}}
	}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("data differs (-want +got):\n%s", diff)
	}
}

// Until 2018 the newest cloudcasts of a tag were at "new/" instead of "latest/". The server detects it with one call per process, and
// cursors are valid for both names.
func TestLatest_OldName(t *testing.T) {
	t.Parallel()
	current := newTestServer(t, serverOptions{})
	old := newTestServer(t, serverOptions{emulator: []emulator.Option{emulator.WithBroken("no-latest")}})
	type readResult struct {
		Tag struct {
			Latest struct {
				Edges []struct{ Cursor string }
				Nodes []struct{ Key string }
			}
		}
	}
	query := `query($after: String) { tag(name: "funk") { latest(first: 2, after: $after) { edges { cursor } nodes { key } } } }`
	read := func(s *testServer, after any) readResult {
		t.Helper()
		var data readResult
		if errs := s.execute(t, "", query, map[string]any{"after": after}).decode(t, &data); len(errs) > 0 {
			t.Fatalf("errors = %+v, want none", errs)
		}
		return data
	}
	first := read(current, nil)
	if diff := cmp.Diff(first, read(old, nil)); diff != "" {
		t.Errorf("list with the old name differs (-current +old):\n%s", diff)
	}
	want := []string{"GET /genres/funk/", "GET /genres/funk/latest/?limit=2", "GET /genres/funk/new/?limit=2"}
	if diff := cmp.Diff(want, old.takeCalls()); diff != "" {
		t.Errorf("calls of the first operation differ (-want +got): %s", diff)
	}
	cursor := first.Tag.Latest.Edges[1].Cursor
	if diff := cmp.Diff(read(current, cursor), read(old, cursor)); diff != "" {
		t.Errorf("list after a cursor of the current name differs (-current +old):\n%s", diff)
	}
	want = []string{"GET /genres/funk/new/?limit=2&offset=2"}
	if diff := cmp.Diff(want, old.takeCalls()); diff != "" {
		t.Errorf("calls of the second operation differ (-want +got): %s", diff)
	}
}

// In tracklists, title and artistName are returned for tracks and artists without a page, whose track or artist is null.
func TestTrackWithoutAKey(t *testing.T) {
	t.Parallel()
	cloudcast := `{"key": "/a/b/", "sections": [
		{"track": {"name": "Everybody", "artist": {"name": "Michael Jackson"}}, "position": 1, "section_type": "track"},
		{"track": {"key": "", "name": "Tidal", "artist": {"key": "/artist/karin/", "name": "Karin"}}, "section_type": "track"},
		{"track": {"key": "/track/a/c/", "name": "Known", "artist": {"name": "No Page"}}},
		{"track": {"name": null, "artist": null}}, {"track": null, "section_type": "track"}
	]}`
	s := newTestServer(t, serverOptions{mixcloud: recordedMixcloud{t: t, bodies: map[string][]byte{"/a/b/": []byte(cloudcast)}}})
	var got, want any
	errs := s.execute(t, "", `{ cloudcast(key: "/a/b/") { sections { ... on TrackSection { title artistName track { key name artist { name } } } } } }`, nil).decode(t, &got)
	if len(errs) > 0 {
		t.Errorf("errors = %+v, want none", errs)
	}
	if err := json.Unmarshal([]byte(`{"cloudcast": {"sections": [
		{"title": "Everybody", "artistName": "Michael Jackson", "track": null},
		{"title": "Tidal", "artistName": "Karin", "track": null},
		{"title": "Known", "artistName": "No Page", "track": {"key": "/track/a/c/", "name": "Known", "artist": null}},
		{"title": null, "artistName": null, "track": null}, {"title": null, "artistName": null, "track": null}
	]}}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("data differs (-want +got):\n%s", diff)
	}
}
