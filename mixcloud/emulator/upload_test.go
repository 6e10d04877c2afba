package emulator_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

const (
	pro    = "demo-token"      // of a Pro user
	nonPro = "spartacus-token" // of a user without Pro
)

// A fieldRule is a rule for the fields of an upload or an edit.
type fieldRule struct {
	follows string // the rule
	token   string
	form    form
	refused []string // the fields with errors; none for an accepted form
}

// fieldRules are the rules for both uploads and edits.
var fieldRules = map[string]fieldRule{
	"blank name":               {"a name has letters", nonPro, withAudio("name= "), []string{"name"}},
	"longest description":      {"1000 characters", nonPro, withAudio("name=x", "description="+strings.Repeat("é", 1000)), nil},
	"long description":         {"1000 characters", nonPro, withAudio("name=x", "description="+strings.Repeat("é", 1001)), []string{"description"}},
	"five tags":                {"at most 5", nonPro, withAudio("name=x", "tags-0-tag=a", "tags-1-tag=b", "tags-2-tag=c", "tags-3-tag=d", "tags-4-tag=e"), nil},
	"six tags":                 {"at most 5", nonPro, withAudio("name=x", "tags-0-tag=a", "tags-5-tag=b"), []string{"tags-5-tag"}},
	"nameless tag":             {"a tag has a slug", nonPro, withAudio("name=x", "tags-0-tag=!?"), []string{"tags-0-tag"}},
	"tag without an index":     {"unknown fields are ignored", nonPro, withAudio("name=x", "tags-x-tag=!?", "tags--tag=!?", "tags-00-tag=!?", "tag=!?"), nil},
	"track and chapter":        {"only one of them", nonPro, withAudio("name=x", "sections-0-artist=a", "sections-0-song=b", "sections-1-chapter=c"), nil},
	"track and chapter in one": {"only one of them", nonPro, withAudio("name=x", "sections-0-artist=a", "sections-0-song=b", "sections-0-chapter=c"), []string{"sections-0-chapter"}},
	"track without a song":     {"both are required", nonPro, withAudio("name=x", "sections-0-artist=a"), []string{"sections-0-song"}},
	"track without an artist":  {"both are required", nonPro, withAudio("name=x", "sections-3-song=a"), []string{"sections-3-artist"}},
	"time alone":               {"a track or a chapter is required", nonPro, withAudio("name=x", "sections-0-start_time=3"), []string{"sections-0-chapter"}},
	"time in minutes":          {"whole seconds", nonPro, withAudio("name=x", "sections-0-chapter=a", "sections-0-start_time=1:30"), []string{"sections-0-start_time"}},
	"fractions":                {"whole seconds", nonPro, withAudio("name=x", "sections-0-chapter=a", "sections-0-start_time=1.5"), []string{"sections-0-start_time"}},
	"time before the start":    {"whole seconds", nonPro, withAudio("name=x", "sections-0-chapter=a", "sections-0-start_time=-1"), []string{"sections-0-start_time"}},
	"two hosts":                {"at most 2", pro, withAudio("name=x", "hosts-0-username=spartacus", "hosts-1-username=tidewrack"), nil},
	"three hosts":              {"at most 2", pro, withAudio("name=x", "hosts-0-username=spartacus", "hosts-2-username=tidewrack"), []string{"hosts-2-username"}},
	"hosts":                    {"for Pro users", nonPro, withAudio("name=x", "hosts-0-username=demo"), []string{"hosts-0-username"}},
	"comments off":             {"for Pro users", nonPro, withAudio("name=x", "disable_comments=1"), []string{"disable_comments"}},
	"comments on":              {"for Pro users", nonPro, withAudio("name=x", "disable_comments=0"), []string{"disable_comments"}},
	"stats hidden":             {"for Pro users", nonPro, withAudio("name=x", "hide_stats=1"), []string{"hide_stats"}},
	"date":                     {"for Pro users", nonPro, withAudio("name=x", "publish_date=2030-01-01T00:00:00Z"), []string{"publish_date"}},
	"all Pro fields":           {"for Pro users", pro, withAudio("name=x", "disable_comments=1", "hide_stats=true"), nil},
	"flags in capitals":        {"1 or true", pro, withAudio("name=x", "disable_comments=True", "hide_stats=FALSE", "unlisted=0"), nil},
	"other flags":              {"1 or true", pro, withAudio("name=x", "disable_comments=yes", "unlisted=2"), []string{"disable_comments", "unlisted"}},
	"date without a zone":      {"one form", pro, withAudio("name=x", "publish_date=2030-01-01T00:00:00"), []string{"publish_date"}},
	"date with an offset":      {"one form, UTC", pro, withAudio("name=x", "publish_date=2030-01-01T00:00:00+01:00"), []string{"publish_date"}},
	"date with fractions":      {"whole seconds", pro, withAudio("name=x", "publish_date=2030-01-01T00:00:00.5Z"), []string{"publish_date"}},
	"no such day":              {"a date", pro, withAudio("name=x", "publish_date=2030-02-30T00:00:00Z"), []string{"publish_date"}},
	"old field":                {"percentage_music is gone", nonPro, withAudio("name=x", "percentage_music=50"), nil},
	"picture":                  {"optional", nonPro, withAudio("name=x").and(cover), nil},
	"picture of text":          {"jpg, png, gif, webp", nonPro, withAudio("name=x").and(formFile{"picture", "a.png", "image/png", "hello"}), []string{"picture"}},
	"empty picture":            {"a file has bytes", nonPro, withAudio("name=x").and(formFile{"picture", "a.png", "image/png", ""}), []string{"picture"}},
	"no picture chosen":        {"what browsers send", nonPro, withAudio("name=x").and(formFile{"picture", "", "application/octet-stream", ""}), nil},
	"largest picture":          {"10485760 bytes", nonPro, withAudio("name=x").and(pictureOfSize("picture", 10485760)), nil},
	"large picture":            {"10485760 bytes", nonPro, withAudio("name=x").and(pictureOfSize("picture", 10485761)), []string{"picture"}},
	"picture as text":          {"a file has a name", nonPro, withAudio("name=x", "picture=abc"), []string{"picture"}},
	"not UTF-8":                {"text is UTF-8", nonPro, withAudio("name=x", "description=\xff"), []string{"description"}},
	"several":                  {"all errors are in one response", nonPro, withAudio("name=", "tags-7-tag=a", "hide_stats=1"), []string{"hide_stats", "name", "tags-7-tag"}},
	"another file":             {"unknown fields are ignored", nonPro, withAudio("name=x").and(formFile{"other", "x", "", "x"}), nil},
}

// pictureOfSize returns a picture with size bytes.
func pictureOfSize(field string, size int) formFile {
	return formFile{field, "large.png", "image/png", cover.body + strings.Repeat("x", size-len(cover.body))}
}

// checkRefused checks the response to an upload or an edit: an error for exactly the
// fields in want, or a success if there are none.
func checkRefused(t *testing.T, w *httptest.ResponseRecorder, want []string) {
	t.Helper()
	if len(want) == 0 {
		if w.Code != http.StatusOK || at(object(t, w.Body.Bytes()), "result.success") != true {
			t.Errorf("status %d, want 200 with success true: %s", w.Code, w.Body)
		}
		return
	}
	if kind := at(object(t, w.Body.Bytes()), "error.type"); w.Code != http.StatusBadRequest || kind != "PostValidationError" {
		t.Errorf("status %d, want 400 with a PostValidationError: %s", w.Code, w.Body)
	}
	if diff := cmp.Diff(want, refusedFields(t, w)); diff != "" {
		t.Errorf("fields with errors (-want +got):\n%s", diff)
	}
}

func TestUpload_rules(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	rules := map[string]fieldRule{
		"audio":          {"audio and a name are sufficient", nonPro, withAudio("name=x"), nil},
		"no audio":       {"mp3 is required", nonPro, fieldsOnly("name=x"), []string{"mp3"}},
		"audio as text":  {"a file has a name", nonPro, fieldsOnly("name=x", "mp3=abc"), []string{"mp3"}},
		"empty audio":    {"a file has bytes", nonPro, fieldsOnly("name=x").and(formFile{"mp3", "a.mp3", "", ""}), []string{"mp3"}},
		"no file chosen": {"what browsers send", nonPro, fieldsOnly("name=x").and(formFile{"mp3", "", "", ""}), []string{"mp3"}},
		"no name":        {"name is required", nonPro, withAudio(), []string{"name"}},
		"nothing":        {"both are required", nonPro, fieldsOnly("a=b"), []string{"mp3", "name"}},
		"wrong host":     {"it is skipped", pro, withAudio("name=x", "hosts-0-username=no-such-user"), nil},
		"publish":        {"edits only", pro, withAudio("name=x", "publish=1"), []string{"publish"}},
		"unpublish":      {"edits only", pro, withAudio("name=x", "unpublish=1"), []string{"unpublish"}},
	}
	maps.Copy(rules, fieldRules)
	for name, rule := range rules {
		before := len(e.Uploads())
		t.Run(name+" ("+rule.follows+")", func(t *testing.T) {
			checkRefused(t, postForm(t, e, "/upload/", rule.token, rule.form), rule.refused)
			added := len(e.Uploads()) - before
			if len(rule.refused) == 0 && added != 1 || len(rule.refused) > 0 && added != 0 {
				t.Errorf("%d uploads were added, %d fields must be rejected; want 1 upload if none, else 0", added, len(rule.refused))
			}
		})
	}
}

func TestEdit_rules(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	keys := map[string]string{nonPro: mustUpload(t, e, nonPro, withAudio("name=Mine")), pro: mustUpload(t, e, pro, withAudio("name=Mine"))}
	rules := map[string]fieldRule{
		"nothing":                {"all is optional", nonPro, fieldsOnly("a=b"), nil},
		"audio":                  {"it cannot be changed", nonPro, withAudio("name=x"), []string{"mp3"}},
		"date after publication": {"only before the first publication", pro, fieldsOnly("publish_date=2030-01-01T00:00:00Z"), []string{"publish_date"}},
		"unlisted and publish":   {"one of three", nonPro, fieldsOnly("unlisted=1", "publish=1"), []string{"publish", "unlisted"}},
		"publish and unpublish":  {"one of three", nonPro, fieldsOnly("publish=1", "unpublish=1"), []string{"publish", "unpublish"}},
		"all three":              {"one of three", nonPro, fieldsOnly("publish=1", "unpublish=1", "unlisted=1"), []string{"publish", "unlisted", "unpublish"}},
		"one set, others not":    {"0 has no effect", nonPro, fieldsOnly("publish=1", "unpublish=0", "unlisted=0"), nil},
		"wrong host":             {"it invalidates the hosts, not the edit", pro, fieldsOnly("hosts-0-username=no-such-user"), nil},
	}
	for name, rule := range fieldRules {
		rule.form.files = slices.DeleteFunc(slices.Clone(rule.form.files), func(f formFile) bool { return f.field == "mp3" })
		rules[name] = rule
	}
	for name, rule := range rules {
		t.Run(name+" ("+rule.follows+")", func(t *testing.T) {
			key := keys[rule.token]
			before := getJSON(t, e, key)
			checkRefused(t, postForm(t, e, "/upload"+key+"edit/", rule.token, rule.form), rule.refused)
			if len(rule.refused) == 0 {
				return
			}
			if diff := cmp.Diff(before, getJSON(t, e, key)); diff != "" {
				t.Errorf("a rejected edit changed the show (-before +after):\n%s", diff)
			}
		})
	}
}

// TestUpload_access checks that requests without permission, or for unknown uploads,
// are rejected.
func TestUpload_access(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	for name, tt := range map[string]struct {
		path, token string
		status      int
		kind        string
	}{
		"upload, no token":        {"/upload/", "", 400, "OAuthException"},
		"upload, wrong token":     {"/upload/", "x", 400, "OAuthException"},
		"edit, no token":          {"/upload/demo/room-tone/edit/", "", 400, "OAuthException"},
		"edit of another's":       {"/upload/demo/room-tone/edit/", nonPro, 403, "PermissionException"},
		"edit of a draft":         {"/upload" + world.DraftCloudcast + "edit/", nonPro, 404, "ResourceNotFoundException"},
		"edit of a scheduled one": {"/upload" + world.ScheduledCloudcast + "edit/", nonPro, 404, "ResourceNotFoundException"},
		"edit of nothing":         {"/upload/demo/nothing/edit/", pro, 404, "ResourceNotFoundException"},
		"edit of an unknown user": {"/upload/no-such-user/x/edit/", pro, 404, "ResourceNotFoundException"},
		"edit, other case":        {"/upload/DEMO/room-tone/edit/", pro, 200, ""},
		"edit, no slash":          {"/upload/demo/room-tone/edit", pro, 301, ""},
		"upload to a user path":   {"/upload/demo/", pro, 405, ""},
		"upload to a show path":   {"/upload/demo/room-tone/", pro, 405, ""},
	} {
		f := withAudio("name=Not to be seen")
		if strings.Contains(tt.path, "edit") {
			f = fieldsOnly("name=Not to be seen")
		}
		w := postForm(t, e, tt.path, tt.token, f)
		if w.Code != tt.status {
			t.Errorf("%s: status %d, want %d: %s", name, w.Code, tt.status, w.Body)
		} else if tt.kind != "" && at(object(t, w.Body.Bytes()), "error.type") != tt.kind {
			t.Errorf("%s: body %s, want an error of type %s", name, w.Body, tt.kind)
		}
	}
	if n := len(e.Uploads()); n != 0 {
		t.Errorf("Uploads returned %d uploads, want 0", n)
	}
}

// TestUpload checks that an upload is in all lists that it belongs to.
func TestUpload(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t, emulator.WithSeed(1))
	f := withAudio(
		"name=Ein Schöner Morgen", "description=Slow\r\nand low", "tags-0-tag=Funk", "tags-1-tag=Birdsong at Dawn", "tags-2-tag=", "tags-3-tag=funk",
		"sections-1-artist=New Artist", "sections-1-song=First Light", "sections-2-artist=new artist", "sections-2-song=Second Light",
		"sections-2-start_time=300", "sections-4-chapter=Talk", "sections-4-start_time=610", "sections-5-chapter=",
		"hosts-0-username=SPARTACUS", "hosts-1-username=no-such-user", "disable_comments=1",
	).and(cover)
	key := mustUpload(t, e, pro, f)
	if want := "/demo/ein-sch%C3%B6ner-morgen/"; key != want {
		t.Fatalf("the key is %q, want %q", key, want)
	}
	show := getJSON(t, e, key)
	sum := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	at1 := sharedWorld().Now.Add(time.Second).Format(time.RFC3339)
	for path, want := range map[string]any{
		"name": "Ein Schöner Morgen", "slug": "ein-schöner-morgen", "description": "Slow\r\nand low", "user.key": "/demo/",
		"created_time": at1, "updated_time": at1, "play_count": 0.0, "hosts.key": "/spartacus/", "audio_length": nil, "hidden_stats": nil,
	} {
		if got := at(show, path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	var tags, sections []string
	for _, tag := range show["tags"].([]any) {
		tags = append(tags, fmt.Sprint(at(tag, "key"), at(tag, "name")))
	}
	for _, s := range show["sections"].([]any) {
		sections = append(sections, fmt.Sprintln(at(s, "position"), at(s, "start_time"), at(s, "chapter"), at(s, "track.name"), at(s, "track.artist.name")))
	}
	if diff := cmp.Diff([]string{"/genres/funk/Funk", "/genres/birdsong-at-dawn/Birdsong at Dawn"}, tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"0 <nil> <nil> First Light New Artist\n", "1 300 <nil> Second Light New Artist\n", "2 610 Talk <nil> <nil>\n",
	}, sections); diff != "" {
		t.Errorf("sections (-want +got):\n%s", diff)
	}
	for _, path := range []string{
		"/me/cloudcasts/?access_token=" + pro, "/demo/cloudcasts/", "/new/", "/genres/funk/latest/", "/genres/birdsong-at-dawn/latest/",
		"/genres/city:london/latest/", "/artist/new-artist/new/", "/track/new-artist/second-light/new/", "/search/?type=cloudcast&q=sch%C3%B6ner",
	} {
		if got := keys(getJSON(t, e, path)); got[0] != key {
			t.Errorf("list %s starts with %s, want %s", path, got[0], key)
		}
	}
	feed := getJSON(t, e, "/demo/feed/")["data"].([]any)
	if at(feed, "type") != "upload" || at(feed, "cloudcasts.key") != key {
		t.Errorf("the feed starts with %v, want the upload %s", feed[0], key)
	}
	if n := getJSON(t, sharedEmulator(), "/demo/")["cloudcast_count"].(float64); getJSON(t, e, "/demo/")["cloudcast_count"] != n+1 {
		t.Errorf("cloudcast_count of the owner = %v, want %v, one more than before", getJSON(t, e, "/demo/")["cloudcast_count"], n+1)
	}
	if n := len(getJSON(t, e, "/artist/new-artist/new/")["data"].([]any)); n != 1 {
		t.Errorf("the artist's list has %d cloudcasts, want 1", n)
	}

	// The cover is drawn from the hash of the picture.
	picture := at(show, "pictures.small").(string)
	if !strings.Contains(picture, "/unsafe/25x25/extaudio/"+sum(cover.body)[:1]+"/") {
		t.Errorf("the picture's URL is %s, want one made from the hash of the upload's picture", picture)
	}
	if w := get(t, e, strings.TrimPrefix(picture, host)); w.Code != 200 || w.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("GET of the picture: status %d, Content-Type %q; want 200, image/jpeg", w.Code, w.Header().Get("Content-Type"))
	}
	other := mustUpload(t, e, pro, withAudio("name=Ein schöner Morgen!").and(formFile{"picture", "b.gif", "", "GIF89a"}))
	if other != "/demo/ein-sch%C3%B6ner-morgen-2/" {
		t.Errorf("key of the second upload with the same name = %s, want the suffix -2", other)
	}
	if at(getJSON(t, e, other), "pictures.small") == picture {
		t.Errorf("two uploads with different pictures have the same URL %s", picture)
	}

	fields := make(map[string]string)
	for _, field := range f.fields {
		name, value, _ := strings.Cut(field, "=")
		fields[name] = value
	}
	want := []emulator.Upload{
		{
			key, int64(len(audio.body)), sum(audio.body), "set.mp3", "audio/mpeg",
			&emulator.UploadedPicture{Bytes: int64(len(cover.body)), SHA256: sum(cover.body), Filename: "cover.png", ContentType: "image/png"}, fields,
		},
		{
			other, int64(len(audio.body)), sum(audio.body), "set.mp3", "audio/mpeg",
			&emulator.UploadedPicture{Bytes: 6, SHA256: sum("GIF89a"), Filename: "b.gif"},
			map[string]string{"name": "Ein schöner Morgen!"},
		},
	}
	var got []emulator.Upload
	if err := json.Unmarshal(writeControl(e, http.MethodGet, "uploads", "").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("uploads (-want +got):\n%s", diff)
	}
	e.Reset()
	if w := get(t, e, key); w.Code != http.StatusNotFound || len(e.Uploads()) != 0 {
		t.Errorf("after a reset: GET %s: status %d, %d uploads; want 404, 0", key, w.Code, len(e.Uploads()))
	}
}

// TestUpload_visibility checks the visibility of unlisted and scheduled uploads, and of
// those with a date in the past.
func TestUpload_visibility(t *testing.T) {
	t.Parallel()
	clock := &manualClock{sharedWorld().Now.Add(time.Hour)}
	e := newWritableEmulator(t, emulator.WithClock(clock.read))
	day := clock.now.Add(24 * time.Hour)
	date := "publish_date=" + day.UTC().Format("2006-01-02T15:04:05Z")
	for name, tt := range map[string]struct {
		fields                        []string
		found, byOwner, public, later bool // later: public after the date
	}{
		"plain":              {nil, true, true, true, true},
		"unlisted":           {[]string{"unlisted=1"}, true, true, false, false},
		"not unlisted":       {[]string{"unlisted=0"}, true, true, true, true},
		"scheduled":          {[]string{date}, false, true, false, true},
		"unlisted with date": {[]string{"unlisted=1", date}, true, true, false, false},
		"past date":          {[]string{"publish_date=2020-01-01T00:00:00Z"}, true, true, true, true},
	} {
		clock.now = day.Add(-24 * time.Hour)
		key := mustUpload(t, e, pro, withAudio(append(tt.fields, "name=Visible "+name)...))
		check := func(when string, found, public bool) {
			t.Helper()
			if got := get(t, e, key).Code == 200; got != found {
				t.Errorf("%s %s: found by others: %t, want %t", name, when, got, found)
			}
			if got := get(t, e, key+"?access_token="+pro).Code == 200; got != tt.byOwner {
				t.Errorf("%s %s: found by its owner: %t, want %t", name, when, got, tt.byOwner)
			}
			for _, path := range []string{"/demo/cloudcasts/", "/new/"} {
				if got := onList(t, e, path, key); got != public {
					t.Errorf("%s %s: in the list %s: %t, want %t", name, when, path, got, public)
				}
			}
			feed := getJSON(t, e, "/demo/feed/")["data"].([]any)
			if got := at(feed, "cloudcasts.key") == key; got != public {
				t.Errorf("%s %s: in the feed: %t, want %t", name, when, got, public)
			}
		}
		check("at first", tt.found, tt.public)
		clock.now = day
		check("on the day", tt.found || tt.later, tt.later)
		if name == "scheduled" {
			if got := getJSON(t, e, key)["created_time"]; got != day.UTC().Format(time.RFC3339) {
				t.Errorf("created_time = %v, want the time of publication %v", got, day.UTC().Format(time.RFC3339))
			}
		}
		send(e, http.MethodPost, "/upload"+key+"edit/", pro, "application/x-www-form-urlencoded", strings.NewReader("unpublish=1"))
	}
}

// TestUpload_lag checks that reads find a new key only after the lag, but that its owner
// can edit it before.
func TestUpload_lag(t *testing.T) {
	t.Parallel()
	clock := &manualClock{sharedWorld().Now.Add(time.Hour)}
	e := newWritableEmulator(t, emulator.WithClock(clock.read), emulator.WithSettings(emulator.Settings{Lag: time.Minute}))
	key := mustUpload(t, e, pro, withAudio("name=Later"))
	again := mustUpload(t, e, pro, withAudio("name=Later"))
	if again != "/demo/later-2/" {
		t.Errorf("key of the second upload with the same name = %s, want /demo/later-2/", again)
	}
	clock.now = clock.now.Add(30 * time.Second)
	mustEdit(t, e, key, pro, fieldsOnly("name=Much later", "unlisted=0"))
	if w := postForm(t, e, "/upload"+key+"edit/", nonPro, fieldsOnly("name=x")); w.Code != http.StatusNotFound {
		t.Errorf("edit by another user: status %d, want 404", w.Code)
	}
	if w := get(t, e, key+"?access_token="+pro); w.Code != http.StatusNotFound || onList(t, e, "/new/", key) {
		t.Errorf("before the end of the lag: status %d, in the list /new/: %t; want 404, false", w.Code, onList(t, e, "/new/", key))
	}
	clock.now = clock.now.Add(30 * time.Second)
	if got := getJSON(t, e, key)["name"]; got != "Later" || !onList(t, e, "/new/", key) {
		t.Errorf("after the lag of the upload: name = %v, want Later, in the list /new/", got)
	}
	clock.now = clock.now.Add(30 * time.Second)
	if got := getJSON(t, e, key)["name"]; got != "Much later" {
		t.Errorf("after the lag of the edit: name = %v, want Much later", got)
	}
}
