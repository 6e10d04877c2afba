package emulator_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// TestEdit checks that an edit changes only the fields that were sent, and replaces
// whole lists.
func TestEdit(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	key := mustUpload(t, e, pro, withAudio(
		"name=As it was", "description=Said", "tags-0-tag=Funk", "tags-1-tag=House", "sections-0-chapter=One", "sections-1-artist=A", "sections-1-song=B",
		"hosts-0-username=spartacus", "hosts-1-username=tidewrack",
	).and(cover))
	original := getJSON(t, e, key)
	for _, step := range []struct {
		name    string
		form    form
		changed map[string]func(map[string]any) any // the compared values, by name
		want    any
	}{
		{"name", fieldsOnly("name=New name"), compareMember("name"), "New name"},
		{"description", fieldsOnly("description=New text"), compareMember("description"), "New text"},
		{"no description", fieldsOnly("description="), compareMember("description"), nil},
		{"tags", fieldsOnly("tags-0-tag=Jazz"), list("tags", "name"), []string{"Jazz"}},
		{"no tags", fieldsOnly("tags-0-tag="), list("tags", "name"), []string(nil)},
		{"sections", fieldsOnly("sections-7-chapter=Two"), list("sections", "chapter"), []string{"Two"}},
		{"no sections", fieldsOnly("sections-0-chapter="), list("sections", "chapter"), []string(nil)},
		{"empty track", fieldsOnly("sections-0-artist=", "sections-0-song="), list("sections", "chapter"), []string(nil)},
		{"hosts", fieldsOnly("hosts-0-username=HarbourFM"), list("hosts", "username"), []string{"HarbourFM"}},
		{"unknown host among others", fieldsOnly("hosts-0-username=HarbourFM", "hosts-1-username=no-such-user"), list("hosts", "username"), []string{"spartacus", "tidewrack"}},
		{"uploader as host", fieldsOnly("hosts-0-username=demo"), list("hosts", "username"), []string{"spartacus", "tidewrack"}},
		{"no hosts", fieldsOnly("hosts-0-username="), list("hosts", "username"), []string(nil)},
		{"stats", fieldsOnly("hide_stats=1"), compareMember("hidden_stats"), true},
		{"picture", fieldsOnly().and(formFile{"picture", "x.webp", "", "RIFF\x00\x00\x00\x00WEBPVP"}), nil, nil},
		{"unknown field only", fieldsOnly("a=b"), nil, nil},
	} {
		t.Run(step.name, func(t *testing.T) {
			mustEdit(t, e, key, pro, step.form)
			now := getJSON(t, e, key)
			compare := cmp.FilterPath(func(p cmp.Path) bool {
				name := p.Index(1).String()
				if name == `["updated_time"]` {
					return true
				}
				if step.name == "picture" && (name == `["pictures"]` || name == `["picture_primary_color"]`) {
					return true
				}
				for changed := range step.changed {
					if name == `["`+changed+`"]` {
						return true
					}
				}
				return false
			}, cmp.Ignore())
			if diff := cmp.Diff(original, now, compare); diff != "" {
				t.Errorf("the edit changed members that were not sent (-before +after):\n%s", diff)
			}
			for _, member := range step.changed {
				if diff := cmp.Diff(step.want, member(now)); diff != "" {
					t.Errorf("the changed member (-want +got):\n%s", diff)
				}
			}
			if step.name == "picture" && at(now, "pictures.large") == at(original, "pictures.large") {
				t.Error("the picture is the same after the edit, want another one")
			}
			if now["updated_time"].(string) <= original["updated_time"].(string) {
				t.Errorf("updated_time = %v, want later than %v", now["updated_time"], original["updated_time"])
			}
			mustEdit(t, e, key, pro, fieldsOnly( // restore
				"name=As it was", "description=Said", "tags-0-tag=Funk", "tags-1-tag=House", "sections-0-chapter=One", "sections-1-artist=A", "sections-1-song=B",
				"hosts-0-username=spartacus", "hosts-1-username=tidewrack", "hide_stats=0",
			).and(cover))
		})
	}

	// The lists of the tags change too.
	mustEdit(t, e, key, pro, fieldsOnly("tags-0-tag=Jazz", "sections-0-artist=C", "sections-0-song=D"))
	for path, want := range map[string]bool{
		"/genres/jazz/latest/": true, "/genres/funk/latest/": false, "/artist/c/new/": true, "/artist/a/new/": false, "/demo/cloudcasts/": true,
	} {
		if got := onList(t, e, path, key); got != want {
			t.Errorf("list %s contains the show: %t, want %t", path, got, want)
		}
	}
	if got := e.Edits(); len(got) != 31 || got[30].Key != key || got[0].Bytes != 0 || got[1].Picture == nil {
		t.Errorf("Edits returned %d edits, the last %s; want 31, the last with the key %s", len(got), show.Value(got[len(got)-1]), key)
	}
	if n := len(e.Uploads()); n != 1 {
		t.Errorf("Uploads returned %d uploads, want 1", n)
	}
}

func compareMember(member string) map[string]func(map[string]any) any {
	return map[string]func(map[string]any) any{member: func(show map[string]any) any { return show[member] }}
}

func list(member, path string) map[string]func(map[string]any) any {
	return map[string]func(map[string]any) any{member: func(show map[string]any) any {
		var all []string
		for _, v := range show[member].([]any) {
			all = append(all, fmt.Sprint(at(v, path)))
		}
		return all
	}}
}

// TestEdit_visibility checks the effect of publish, unpublish, unlisted and a date in
// every state of a show.
func TestEdit_visibility(t *testing.T) {
	t.Parallel()
	clock := &manualClock{sharedWorld().Now.Add(time.Hour)}
	e := newWritableEmulator(t, emulator.WithClock(clock.read))
	day := clock.now.Add(1000 * time.Hour).UTC().Format("2006-01-02T15:04:05Z")
	const public, unlisted, draft, scheduled = "public", "unlisted", "draft", "scheduled"
	state := func(key string) string {
		switch {
		case onList(t, e, "/demo/cloudcasts/", key):
			return public
		case get(t, e, key).Code == 200:
			return unlisted
		case get(t, e, key+"?access_token="+pro).Code == 200:
			return draft // or scheduled: both are visible only to the owner
		}
		return "lost"
	}
	seen := func(want string) string {
		if want == scheduled {
			return draft
		}
		return want
	}
	for i, tt := range []struct {
		upload string // a field
		edits  []string
		status int // of the last
		want   string
	}{
		{"a=b", []string{"unlisted=1"}, 200, unlisted},
		{"a=b", []string{"unpublish=1"}, 200, draft},
		{"a=b", []string{"unpublish=1", "publish=1"}, 200, public},
		{"a=b", []string{"unlisted=1", "publish=1"}, 200, public},
		{"a=b", []string{"unlisted=1", "unlisted=0"}, 200, unlisted},
		{"a=b", []string{"unlisted=1", "publish=0&name=y"}, 200, unlisted},
		{"a=b", []string{"unlisted=1", "publish_date=" + day}, 400, unlisted},
		{"a=b", []string{"unpublish=1", "publish_date=" + day}, 400, draft},
		{"unlisted=1", []string{"publish_date=" + day}, 200, scheduled},
		{"unlisted=1", []string{"publish_date=" + day, "publish=1"}, 200, public},
		{"unlisted=1", []string{"publish_date=" + day, "unlisted=1"}, 200, unlisted},
		{"unlisted=1", []string{"publish_date=" + day, "unpublish=1"}, 200, draft},
		{"unlisted=1", []string{"publish_date=2020-01-01T00:00:00Z"}, 200, public},
		{"unlisted=1", []string{"publish_date=" + day + "&unlisted=1"}, 200, unlisted},
		{"unlisted=1", []string{"publish_date=" + day + "&unpublish=1"}, 400, unlisted},
		{"unlisted=1", []string{"publish=1", "unpublish=1", "publish_date=" + day}, 400, draft},
		{"unlisted=1", []string{"publish_date="}, 200, unlisted},
		{"publish_date=" + day, []string{"publish=1"}, 200, public},
		{"publish_date=" + day, []string{"publish_date=2020-01-01T00:00:00Z"}, 200, public},
	} {
		key := mustUpload(t, e, pro, withAudio(tt.upload, fmt.Sprint("name=State ", i)))
		created := getJSON(t, e, key+"?access_token="+pro)["created_time"]
		clock.now = clock.now.Add(time.Minute)
		status := 0
		for _, edit := range tt.edits {
			status = send(e, http.MethodPost, "/upload"+key+"edit/", pro, "application/x-www-form-urlencoded", strings.NewReader(edit)).Code
		}
		if got := state(key); status != tt.status || got != seen(tt.want) {
			t.Errorf("upload with %s, edits with %v: status of the last edit %d, show is %s; want %d, %s", tt.upload, tt.edits, status, got, tt.status, tt.want)
		}
		if tt.want == public {
			now := getJSON(t, e, key)["created_time"]
			if again := tt.upload == "a=b"; (now == created) != again {
				t.Errorf("upload with %s, edits with %v: created_time %v before and %v after the edits; want the same: %t", tt.upload, tt.edits, created, now, again)
			}
		}
	}
}

// TestEdit_keepsPositions checks that an edit of a seeded show does not change its
// position among items with equal times.
func TestEdit_keepsPositions(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	const page = "/demo/cloudcasts/?limit=100"
	before := keys(getJSON(t, e, page))
	for _, key := range before[15:25] {
		mustEdit(t, e, key, pro, fieldsOnly("name=Changed", "description=too"))
	}
	if diff := cmp.Diff(before, keys(getJSON(t, e, page))); diff != "" {
		t.Errorf("edits changed the order of the list (-before +after):\n%s", diff)
	}
	mustEdit(t, e, world.DraftCloudcast, pro, fieldsOnly("publish=1"))
	if got := keys(getJSON(t, e, page)); got[0] != world.DraftCloudcast {
		t.Errorf("a published draft has the index %d in its owner's list, want 0", slices.Index(got, world.DraftCloudcast))
	}
}
