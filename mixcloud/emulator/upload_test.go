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
	simple = "spartacus-token" // of one who is not
)

// fieldRule is a rule about the fields of an upload or an edit.
type fieldRule struct {
	follows string // what the rule is
	token   string
	form    form
	refused []string // the fields; none for a form that is taken
}

// The rules that uploads and edits have in common.
var fieldRules = map[string]fieldRule{
	"blank name":               {"a name has letters", simple, with("name= "), []string{"name"}},
	"longest description":      {"1000 characters", simple, with("name=x", "description="+strings.Repeat("é", 1000)), nil},
	"long description":         {"1000 characters", simple, with("name=x", "description="+strings.Repeat("é", 1001)), []string{"description"}},
	"five tags":                {"at most 5", simple, with("name=x", "tags-0-tag=a", "tags-1-tag=b", "tags-2-tag=c", "tags-3-tag=d", "tags-4-tag=e"), nil},
	"six tags":                 {"at most 5", simple, with("name=x", "tags-0-tag=a", "tags-5-tag=b"), []string{"tags-5-tag"}},
	"nameless tag":             {"a tag has a slug", simple, with("name=x", "tags-0-tag=!?"), []string{"tags-0-tag"}},
	"tag without a place":      {"unknown fields are not looked at", simple, with("name=x", "tags-x-tag=!?", "tags--tag=!?", "tags-00-tag=!?", "tag=!?"), nil},
	"track and chapter":        {"either of both", simple, with("name=x", "sections-0-artist=a", "sections-0-song=b", "sections-1-chapter=c"), nil},
	"track and chapter in one": {"either of both", simple, with("name=x", "sections-0-artist=a", "sections-0-song=b", "sections-0-chapter=c"), []string{"sections-0-chapter"}},
	"track without a song":     {"both are required", simple, with("name=x", "sections-0-artist=a"), []string{"sections-0-song"}},
	"track without an artist":  {"both are required", simple, with("name=x", "sections-3-song=a"), []string{"sections-3-artist"}},
	"time alone":               {"a section is something", simple, with("name=x", "sections-0-start_time=3"), []string{"sections-0-chapter"}},
	"time in minutes":          {"whole seconds", simple, with("name=x", "sections-0-chapter=a", "sections-0-start_time=1:30"), []string{"sections-0-start_time"}},
	"fractions":                {"whole seconds", simple, with("name=x", "sections-0-chapter=a", "sections-0-start_time=1.5"), []string{"sections-0-start_time"}},
	"time before the start":    {"whole seconds", simple, with("name=x", "sections-0-chapter=a", "sections-0-start_time=-1"), []string{"sections-0-start_time"}},
	"two hosts":                {"at most 2", pro, with("name=x", "hosts-0-username=spartacus", "hosts-1-username=tidewrack"), nil},
	"three hosts":              {"at most 2", pro, with("name=x", "hosts-0-username=spartacus", "hosts-2-username=tidewrack"), []string{"hosts-2-username"}},
	"hosts":                    {"for Pro users", simple, with("name=x", "hosts-0-username=demo"), []string{"hosts-0-username"}},
	"comments off":             {"for Pro users", simple, with("name=x", "disable_comments=1"), []string{"disable_comments"}},
	"comments on":              {"for Pro users", simple, with("name=x", "disable_comments=0"), []string{"disable_comments"}},
	"stats hidden":             {"for Pro users", simple, with("name=x", "hide_stats=1"), []string{"hide_stats"}},
	"date":                     {"for Pro users", simple, with("name=x", "publish_date=2030-01-01T00:00:00Z"), []string{"publish_date"}},
	"all Pro fields":           {"for Pro users", pro, with("name=x", "disable_comments=1", "hide_stats=true"), nil},
	"flags in capitals":        {"1 or true", pro, with("name=x", "disable_comments=True", "hide_stats=FALSE", "unlisted=0"), nil},
	"other flags":              {"1 or true", pro, with("name=x", "disable_comments=yes", "unlisted=2"), []string{"disable_comments", "unlisted"}},
	"date without a zone":      {"one form", pro, with("name=x", "publish_date=2030-01-01T00:00:00"), []string{"publish_date"}},
	"date with an offset":      {"one form, UTC", pro, with("name=x", "publish_date=2030-01-01T00:00:00+01:00"), []string{"publish_date"}},
	"date with fractions":      {"whole seconds", pro, with("name=x", "publish_date=2030-01-01T00:00:00.5Z"), []string{"publish_date"}},
	"no such day":              {"a date", pro, with("name=x", "publish_date=2030-02-30T00:00:00Z"), []string{"publish_date"}},
	"old field":                {"percentage_music is gone", simple, with("name=x", "percentage_music=50"), nil},
	"picture":                  {"optional", simple, with("name=x").and(cover), nil},
	"picture of text":          {"jpg, png, gif, webp", simple, with("name=x").and(upfile{"picture", "a.png", "image/png", "hello"}), []string{"picture"}},
	"empty picture":            {"a file has bytes", simple, with("name=x").and(upfile{"picture", "a.png", "image/png", ""}), []string{"picture"}},
	"no picture chosen":        {"what browsers send", simple, with("name=x").and(upfile{"picture", "", "application/octet-stream", ""}), nil},
	"largest picture":          {"10485760 bytes", simple, with("name=x").and(large("picture", 10485760)), nil},
	"large picture":            {"10485760 bytes", simple, with("name=x").and(large("picture", 10485761)), []string{"picture"}},
	"picture as text":          {"a file has a name", simple, with("name=x", "picture=abc"), []string{"picture"}},
	"not UTF-8":                {"text is UTF-8", simple, with("name=x", "description=\xff"), []string{"description"}},
	"several":                  {"all are told at once", simple, with("name=", "tags-7-tag=a", "hide_stats=1"), []string{"hide_stats", "name", "tags-7-tag"}},
	"another file":             {"unknown fields are not looked at", simple, with("name=x").and(upfile{"other", "x", "", "x"}), nil},
}

// large is a picture of a size.
func large(field string, size int) upfile {
	return upfile{field, "large.png", "image/png", cover.body + strings.Repeat("x", size-len(cover.body))}
}

func checkRefused(t *testing.T, w *httptest.ResponseRecorder, want []string) {
	t.Helper()
	if len(want) == 0 {
		if w.Code != http.StatusOK || at(object(t, w.Body.Bytes()), "result.success") != true {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		return
	}
	if kind := at(object(t, w.Body.Bytes()), "error.type"); w.Code != http.StatusBadRequest || kind != "PostValidationError" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if diff := cmp.Diff(want, refusedFields(t, w)); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}

func TestUpload_rules(t *testing.T) {
	t.Parallel()
	e := own(t)
	rules := map[string]fieldRule{
		"audio":          {"it and a name are enough", simple, with("name=x"), nil},
		"no audio":       {"mp3 is required", simple, only("name=x"), []string{"mp3"}},
		"audio as text":  {"a file has a name", simple, only("name=x", "mp3=abc"), []string{"mp3"}},
		"empty audio":    {"a file has bytes", simple, only("name=x").and(upfile{"mp3", "a.mp3", "", ""}), []string{"mp3"}},
		"nothing chosen": {"what browsers send", simple, only("name=x").and(upfile{"mp3", "", "", ""}), []string{"mp3"}},
		"no name":        {"name is required", simple, with(), []string{"name"}},
		"nothing":        {"both are required", simple, only("a=b"), []string{"mp3", "name"}},
		"wrong host":     {"it is skipped", pro, with("name=x", "hosts-0-username=nobody"), nil},
		"publish":        {"edits only", pro, with("name=x", "publish=1"), []string{"publish"}},
		"unpublish":      {"edits only", pro, with("name=x", "unpublish=1"), []string{"unpublish"}},
	}
	maps.Copy(rules, fieldRules)
	for name, rule := range rules {
		before := len(e.Uploads())
		t.Run(name+" ("+rule.follows+")", func(t *testing.T) {
			checkRefused(t, submit(t, e, "/upload/", rule.token, rule.form), rule.refused)
			taken := len(e.Uploads()) - before
			if len(rule.refused) == 0 && taken != 1 || len(rule.refused) > 0 && taken != 0 {
				t.Errorf("%d were taken", taken)
			}
		})
	}
}

func TestEdit_rules(t *testing.T) {
	t.Parallel()
	e := own(t)
	keys := map[string]string{simple: uploaded(t, e, simple, with("name=Mine")), pro: uploaded(t, e, pro, with("name=Mine"))}
	rules := map[string]fieldRule{
		"nothing":               {"all is optional", simple, only("a=b"), nil},
		"audio":                 {"it cannot be changed", simple, with("name=x"), []string{"mp3"}},
		"date of what was out":  {"only before it was ever public", pro, only("publish_date=2030-01-01T00:00:00Z"), []string{"publish_date"}},
		"unlisted and publish":  {"one of three", simple, only("unlisted=1", "publish=1"), []string{"publish", "unlisted"}},
		"publish and unpublish": {"one of three", simple, only("publish=1", "unpublish=1"), []string{"publish", "unpublish"}},
		"all three":             {"one of three", simple, only("publish=1", "unpublish=1", "unlisted=1"), []string{"publish", "unlisted", "unpublish"}},
		"one set, others not":   {"not set they say nothing", simple, only("publish=1", "unpublish=0", "unlisted=0"), nil},
		"wrong host":            {"it voids the hosts, not the edit", pro, only("hosts-0-username=nobody"), nil},
	}
	for name, rule := range fieldRules {
		rule.form.files = slices.DeleteFunc(slices.Clone(rule.form.files), func(f upfile) bool { return f.field == "mp3" })
		rules[name] = rule
	}
	for name, rule := range rules {
		t.Run(name+" ("+rule.follows+")", func(t *testing.T) {
			key := keys[rule.token]
			before := getJSON(t, e, key)
			checkRefused(t, submit(t, e, "/upload"+key+"edit/", rule.token, rule.form), rule.refused)
			if len(rule.refused) == 0 {
				return
			}
			if diff := cmp.Diff(before, getJSON(t, e, key)); diff != "" {
				t.Errorf("a refused edit changed (-before +after):\n%s", diff)
			}
		})
	}
}

// Who may not, or asks in vain.
func TestUpload_access(t *testing.T) {
	t.Parallel()
	e := own(t)
	for name, tt := range map[string]struct {
		path, token string
		status      int
		kind        string
	}{
		"upload, no token":       {"/upload/", "", 400, "OAuthException"},
		"upload, wrong token":    {"/upload/", "x", 400, "OAuthException"},
		"edit, no token":         {"/upload/demo/room-tone/edit/", "", 400, "OAuthException"},
		"edit of somebody's":     {"/upload/demo/room-tone/edit/", simple, 403, "PermissionException"},
		"edit of a draft":        {"/upload" + world.DraftCloudcast + "edit/", simple, 404, "ResourceNotFoundException"},
		"edit of what is to be":  {"/upload" + world.ScheduledCloudcast + "edit/", simple, 404, "ResourceNotFoundException"},
		"edit of nothing":        {"/upload/demo/nothing/edit/", pro, 404, "ResourceNotFoundException"},
		"edit of nobody's":       {"/upload/nobody/x/edit/", pro, 404, "ResourceNotFoundException"},
		"edit, other case":       {"/upload/DEMO/room-tone/edit/", pro, 200, ""},
		"edit, no slash":         {"/upload/demo/room-tone/edit", pro, 301, ""},
		"upload to somebody":     {"/upload/demo/", pro, 405, ""},
		"upload below something": {"/upload/demo/room-tone/", pro, 405, ""},
	} {
		f := with("name=Not to be seen")
		if strings.Contains(tt.path, "edit") {
			f = only("name=Not to be seen")
		}
		w := submit(t, e, tt.path, tt.token, f)
		if w.Code != tt.status {
			t.Errorf("%s: status %d, want %d: %s", name, w.Code, tt.status, w.Body)
		} else if tt.kind != "" && at(object(t, w.Body.Bytes()), "error.type") != tt.kind {
			t.Errorf("%s: %s", name, w.Body)
		}
	}
	if n := len(e.Uploads()); n != 0 {
		t.Errorf("%d uploads were taken", n)
	}
}

// What was uploaded is found wherever it belongs.
func TestUpload(t *testing.T) {
	t.Parallel()
	e := own(t, emulator.WithSeed(1))
	f := with(
		"name=Ein Schöner Morgen", "description=Slow\r\nand low", "tags-0-tag=Funk", "tags-1-tag=Birdsong at Dawn", "tags-2-tag=", "tags-3-tag=funk",
		"sections-1-artist=Somebody New", "sections-1-song=First Light", "sections-2-artist=somebody new", "sections-2-song=Second Light",
		"sections-2-start_time=300", "sections-4-chapter=Talk", "sections-4-start_time=610", "sections-5-chapter=",
		"hosts-0-username=SPARTACUS", "hosts-1-username=nobody", "disable_comments=1",
	).and(cover)
	key := uploaded(t, e, pro, f)
	if want := "/demo/ein-sch%C3%B6ner-morgen/"; key != want {
		t.Fatalf("the key is %q, want %q", key, want)
	}
	show := getJSON(t, e, key)
	sum := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	at1 := population().Now.Add(time.Second).Format(time.RFC3339)
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
		"0 <nil> <nil> First Light Somebody New\n", "1 300 <nil> Second Light Somebody New\n", "2 610 Talk <nil> <nil>\n",
	}, sections); diff != "" {
		t.Errorf("sections (-want +got):\n%s", diff)
	}
	for _, path := range []string{
		"/me/cloudcasts/?access_token=" + pro, "/demo/cloudcasts/", "/new/", "/genres/funk/latest/", "/genres/birdsong-at-dawn/latest/",
		"/genres/city:london/latest/", "/artist/somebody-new/new/", "/track/somebody-new/second-light/new/", "/search/?type=cloudcast&q=sch%C3%B6ner",
	} {
		if got := keys(getJSON(t, e, path)); got[0] != key {
			t.Errorf("%s begins with %s", path, got[0])
		}
	}
	feed := getJSON(t, e, "/demo/feed/")["data"].([]any)
	if at(feed, "type") != "upload" || at(feed, "cloudcasts.key") != key {
		t.Errorf("the feed begins with %v", feed[0])
	}
	if n := getJSON(t, shared(), "/demo/")["cloudcast_count"].(float64); getJSON(t, e, "/demo/")["cloudcast_count"] != n+1 {
		t.Error("the owner's count has not grown")
	}
	if n := len(getJSON(t, e, "/artist/somebody-new/new/")["data"].([]any)); n != 1 {
		t.Errorf("the artist has it %d times", n)
	}

	// Its cover is drawn from what was sent.
	picture := at(show, "pictures.small").(string)
	if !strings.Contains(picture, "/unsafe/25x25/extaudio/"+sum(cover.body)[:1]+"/") {
		t.Errorf("the cover is %s", picture)
	}
	if w := get(t, e, strings.TrimPrefix(picture, host)); w.Code != 200 || w.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("the cover: status %d", w.Code)
	}
	other := uploaded(t, e, pro, with("name=Ein schöner Morgen!").and(upfile{"picture", "b.gif", "", "GIF89a"}))
	if other != "/demo/ein-sch%C3%B6ner-morgen-2/" {
		t.Errorf("the second of the name has the key %s", other)
	}
	if at(getJSON(t, e, other), "pictures.small") == picture {
		t.Error("two pictures make one cover")
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
	if err := json.Unmarshal(control(e, http.MethodGet, "uploads", "").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("uploads (-want +got):\n%s", diff)
	}
	e.Reset()
	if w := get(t, e, key); w.Code != http.StatusNotFound || len(e.Uploads()) != 0 {
		t.Errorf("after a reset: status %d, %d uploads", w.Code, len(e.Uploads()))
	}
}

// Who sees what is unlisted, scheduled or of a passed day.
func TestUpload_visibility(t *testing.T) {
	t.Parallel()
	clock := &dial{population().Now.Add(time.Hour)}
	e := own(t, emulator.WithClock(clock.read))
	day := clock.now.Add(24 * time.Hour)
	date := "publish_date=" + day.UTC().Format("2006-01-02T15:04:05Z")
	for name, tt := range map[string]struct {
		fields                        []string
		found, byOwner, public, later bool // later: public after the day
	}{
		"plain":              {nil, true, true, true, true},
		"unlisted":           {[]string{"unlisted=1"}, true, true, false, false},
		"not unlisted":       {[]string{"unlisted=0"}, true, true, true, true},
		"scheduled":          {[]string{date}, false, true, false, true},
		"unlisted beats day": {[]string{"unlisted=1", date}, true, true, false, false},
		"passed day":         {[]string{"publish_date=2020-01-01T00:00:00Z"}, true, true, true, true},
	} {
		clock.now = day.Add(-24 * time.Hour)
		key := uploaded(t, e, pro, with(append(tt.fields, "name=Visible "+name)...))
		check := func(when string, found, public bool) {
			t.Helper()
			if got := get(t, e, key).Code == 200; got != found {
				t.Errorf("%s %s: found: %t", name, when, got)
			}
			if got := get(t, e, key+"?access_token="+pro).Code == 200; got != tt.byOwner {
				t.Errorf("%s %s: found by its owner: %t", name, when, got)
			}
			for _, path := range []string{"/demo/cloudcasts/", "/new/"} {
				if got := listed(t, e, path, key); got != public {
					t.Errorf("%s %s: on %s: %t", name, when, path, got)
				}
			}
			feed := getJSON(t, e, "/demo/feed/")["data"].([]any)
			if got := at(feed, "cloudcasts.key") == key; got != public {
				t.Errorf("%s %s: in the feed: %t", name, when, got)
			}
		}
		check("at first", tt.found, tt.public)
		clock.now = day
		check("on the day", tt.found || tt.later, tt.later)
		if name == "scheduled" {
			if got := getJSON(t, e, key)["created_time"]; got != day.UTC().Format(time.RFC3339) {
				t.Errorf("it was published at %v", got)
			}
		}
		send(e, http.MethodPost, "/upload"+key+"edit/", pro, "application/x-www-form-urlencoded", strings.NewReader("unpublish=1"))
	}
}

// With a lag a new key is not found for a while, but its owner can edit it.
func TestUpload_lag(t *testing.T) {
	t.Parallel()
	clock := &dial{population().Now.Add(time.Hour)}
	e := own(t, emulator.WithClock(clock.read), emulator.WithSettings(emulator.Settings{Lag: time.Minute}))
	key := uploaded(t, e, pro, with("name=Later"))
	again := uploaded(t, e, pro, with("name=Later"))
	if again != "/demo/later-2/" {
		t.Errorf("the second of the name has the key %s", again)
	}
	clock.now = clock.now.Add(30 * time.Second)
	edited(t, e, key, pro, only("name=Much later", "unlisted=0"))
	if w := submit(t, e, "/upload"+key+"edit/", simple, only("name=x")); w.Code != http.StatusNotFound {
		t.Errorf("somebody else's edit: status %d", w.Code)
	}
	if w := get(t, e, key+"?access_token="+pro); w.Code != http.StatusNotFound || listed(t, e, "/new/", key) {
		t.Errorf("before the lag is over: status %d", w.Code)
	}
	clock.now = clock.now.Add(30 * time.Second)
	if got := getJSON(t, e, key)["name"]; got != "Later" || !listed(t, e, "/new/", key) {
		t.Errorf("after the first lag it is called %v", got)
	}
	clock.now = clock.now.Add(30 * time.Second)
	if got := getJSON(t, e, key)["name"]; got != "Much later" {
		t.Errorf("after both it is called %v", got)
	}
}
