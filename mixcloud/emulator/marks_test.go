package emulator_test

import (
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

var anyMark = regexp.MustCompile(`\\u27e6(m:[0-9a-f]{8})\\u27e7`)

// TestMarks checks that every response to a request with a token has its mark and no
// other, and that responses to anonymous requests have no mark.
func TestMarks(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t, emulator.WithMarks())
	plain := newEmulator(t)
	for _, r := range []string{
		"/me/", "/demo/", world.BusyCloudcast, world.EmptyCloudcast, "/demo/cloudcasts/", "/demo/followers/", "/demo/feed/", "/me/listen-later/",
		"/demo/comments/", "/demo/playlists/", "/popular/", "/search/?q=a&type=user", "/search/?q=a&type=tag", "/genres/funk/", "/genres/city:london/",
		"/categories/", "/categories/ambient/", artistPath(), trackPath(), world.BusyCloudcast + "listeners/", "/tidewrack/favorites/",
	} {
		for _, token := range []string{"demo-token", "spartacus-token"} {
			separator := "?"
			if strings.Contains(r, "?") {
				separator = "&"
			}
			path := r + separator + "access_token=" + token
			text := get(t, e, path).Body.String()
			found := anyMark.FindAllStringSubmatch(text, -1)
			if len(found) == 0 && !(r == "/me/listen-later/" && token != "demo-token") {
				t.Errorf("GET %s: the response has no mark, want the mark of %s", path, token)
			}
			for _, m := range found {
				if "⟦"+m[1]+"⟧" != emulator.Mark(token) {
					t.Errorf("GET %s: mark %s, want %s", path, m[1], emulator.Mark(token))
				}
			}
			// Without its marks, the response must equal that of an emulator without
			// marks.
			bare := anyMark.ReplaceAllString(strings.ReplaceAll(text, ` \u27e6`, `\u27e6`), "")
			if want := get(t, plain, path).Body.String(); bare != want {
				t.Errorf("%s differs in more than marks:\n%s", path, cmp.Diff(want, bare))
			}
		}
		if text := get(t, e, r).Body.String(); anyMark.MatchString(text) {
			t.Errorf("GET %s without a token: the response has a mark, want none", r)
		}
	}
	mark := emulator.Mark("demo-token")
	for name, text := range map[string]string{
		"action": send(e, http.MethodPost, "/spartacus/follow/", "demo-token", "", nil).Body.String(),
		"upload": postForm(t, e, "/upload/", "demo-token", withAudio("name=Marked")).Body.String(),
	} {
		if got := at(object(t, []byte(text)), "result.message").(string); !strings.HasSuffix(got, mark) {
			t.Errorf("%s: message %q, want it to end with the mark %s", name, got, mark)
		}
		if strings.Contains(textAt(object(t, []byte(text)), "result.key"), "m:") {
			t.Errorf("%s: the key contains a mark, want none: %s", name, text)
		}
	}
	if name := getJSON(t, e, "/demo/marked/")["name"]; name != "Marked" {
		t.Errorf("name = %v, want Marked: the mark was stored with the upload", name)
	}
	show := getJSON(t, e, "/spartacus/party-time/?access_token=demo-token")
	for path, name := range map[string]string{"name": "Party Time", "tags.name": "Funky house", "user.name": sharedWorld().User("spartacus").Name} {
		if got := at(show, path); got != name+" "+mark {
			t.Errorf("%s = %v, want %s %s", path, got, name, mark)
		}
	}
}

// textAt returns the string at a path of member names, or "" if it is absent.
func textAt(v any, path string) string {
	s, _ := at(v, path).(string)
	return s
}

func TestMark(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, token := range []string{"", "a", "b", "demo-token", "spartacus-token", "demo-token2"} {
		mark := emulator.Mark(token)
		if !regexp.MustCompile(`^⟦m:[0-9a-f]{8}⟧$`).MatchString(mark) || seen[mark] || mark != emulator.Mark(token) {
			t.Errorf("Mark(%q) = %q, want ⟦m:⟧ with 8 hexadecimal digits, the same in every call and different for each token", token, mark)
		}
		seen[mark] = true
	}
}

// TestMarks_setting checks that marks can be enabled and disabled while the emulator
// runs.
func TestMarks_setting(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	marked := func() bool { return anyMark.MatchString(get(t, e, "/demo/?access_token=demo-token").Body.String()) }
	if marked() {
		t.Error("the response has a mark by default, want none")
	}
	if w := writeControl(e, http.MethodPost, "settings", `{"marks": true}`); w.Code != 200 || !marked() {
		t.Errorf("POST settings {marks: true}: status %d, want 200, and marks in responses", w.Code)
	}
	if writeControl(e, http.MethodPost, "settings", `{"marks": false}`); marked() {
		t.Error("the response has a mark after marks were disabled, want none")
	}
	for _, body := range []string{`{"readRate": -1}`, `{"readRate": "fast"}`, `{"marks": 1}`} {
		if w := writeControl(e, http.MethodPost, "settings", body); w.Code != 400 {
			t.Errorf("POST settings %s: status %d, want 400", body, w.Code)
		}
	}
	if w := writeControl(e, http.MethodPost, "settings", `{"readRate": 1048576}`); at(object(t, w.Body.Bytes()), "readRate") != 1048576.0 {
		t.Errorf("POST settings: %s, want readRate 1048576", w.Body)
	}
}

// TestMarks_concurrent checks with concurrent requests of two tokens and of anonymous
// clients that no response has the mark of another token.
func TestMarks_concurrent(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t, emulator.WithMarks())
	client := &http.Client{Transport: e.Transport()}
	var wg sync.WaitGroup
	for i, token := range []string{"demo-token", "spartacus-token", ""} {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(i)))
			paths := []string{"/spartacus/", "/demo/followers/?limit=3", "/popular/?limit=3", "/demo/feed/?limit=3", "/new/?limit=3", world.BusyCloudcast, "/tidewrack/"}
			for range 300 {
				path := paths[random.IntN(len(paths))]
				if token != "" {
					separator := "?"
					if strings.Contains(path, "?") {
						separator = "&"
					}
					path += separator + "access_token=" + token
				}
				body := fetch(client, host+path, maxBody).body
				if random.IntN(4) == 0 && token != "" {
					body = send(e, []string{http.MethodPost, http.MethodDelete}[random.IntN(2)], "/tidewrack/follow/", token, "", nil).Body.String()
				}
				found := anyMark.FindAllStringSubmatch(body, -1)
				for _, m := range found {
					if token == "" || "⟦"+m[1]+"⟧" != emulator.Mark(token) {
						t.Errorf("%s with the token %q: mark %s, want only the mark of this token", path, token, m[1])
					}
				}
			}
		})
	}
	wg.Wait()
}
