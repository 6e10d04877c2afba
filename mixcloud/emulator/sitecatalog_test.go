package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// TestSite_URLs checks that the url members of responses lead to pages of the emulator's site, and that the links of these
// pages lead to pages as well.
func TestSite_URLs(t *testing.T) {
	t.Parallel()
	urlMember := regexp.MustCompile(`"url":\s*"https://www\.mixcloud\.com(/[^"]*)"`)
	link := regexp.MustCompile(`href="` + regexp.QuoteMeta(host) + `(/www/[^"]*)"`)
	found := map[string]bool{}
	for _, path := range []string{
		"/popular/?metadata=1&limit=20", "/categories/", "/genres/funk/?metadata=1", "/search/?q=radio&type=tag", "/search/?q=london&type=city",
		"/spartacus/party-time/?metadata=1", "/demo/playlists/", "/discover/city:london/",
	} {
		body := get(t, sharedEmulator(), path).Body.String()
		for _, m := range urlMember.FindAllStringSubmatch(body, -1) {
			var plain string
			if err := json.Unmarshal([]byte(`"`+m[1]+`"`), &plain); err != nil {
				t.Fatal(err)
			}
			found["/www"+plain] = true
		}
	}
	if len(found) < 80 {
		t.Fatalf("found %d different URLs, want at least 80", len(found))
	}
	next := map[string]bool{}
	for path := range found {
		w := get(t, sharedEmulator(), path)
		if w.Code != http.StatusOK {
			t.Errorf("GET %s: status %d, want 200", path, w.Code)
		}
		for _, m := range link.FindAllStringSubmatch(w.Body.String(), -1) {
			next[m[1]] = true
		}
	}
	for path := range next {
		if w := get(t, sharedEmulator(), path); w.Code != http.StatusOK {
			t.Errorf("GET %s (a link in a page): status %d, want 200", path, w.Code)
		}
	}
	if len(next) < 80 {
		t.Errorf("found %d different links in the pages, want at least 80", len(next))
	}
}

func TestSite_Catalog(t *testing.T) {
	t.Parallel()
	artist := sharedWorld().Artists[0]
	for path, want := range map[string]string{
		"/www/genres/funk/":                       "Funk",
		"/www/tag/funk/":                          "Funk",
		"/www/discover/funk+city:london/":         "Funk &#43; London",
		"/www/discover/city:london/":              "London",
		"/www/categories/ambient/":                "Ambient",
		"/www" + artist.Key():                     artist.Name,
		"/www" + artist.Tracks[0].Key():           artist.Name,
		"/www/genres/no-such-tag/":                "",
		"/www/genres/funk/popular/":               "",
		"/www/discover/city:atlantis/":            "",
		"/www/categories/x/":                      "",
		"/www/categories/ambient/users/":          "",
		"/www/artist/no-such-artist/":             "",
		"/www/track/no-such-artist/no-such-song/": "",
	} {
		w := get(t, sharedEmulator(), path)
		if want == "" {
			if w.Code != http.StatusNotFound {
				t.Errorf("%s: status %d, want 404", path, w.Code)
			}
			continue
		}
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<h1 dir=\"auto\">"+want) && !strings.Contains(w.Body.String(), want) {
			t.Errorf("GET %s: status %d, want 200 and a page with %q: %.200s", path, w.Code, want, w.Body)
		}
	}
}

// TestPlayer checks that the player's page refers to its script and to audio that exist, and that a browser can request a
// part of the audio.
func TestPlayer(t *testing.T) {
	t.Parallel()
	page := get(t, sharedEmulator(), "/www/widget/iframe/?feed=%2Fspartacus%2Fparty-time%2F")
	if policy := page.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self'") || strings.Contains(policy, "script-src 'unsafe") {
		t.Errorf("Content-Security-Policy = %q, want script-src 'self' without 'unsafe…'", policy)
	}
	m := regexp.MustCompile(`src="` + regexp.QuoteMeta(host) + `(/www/widget/player\.js)"[\s\S]*data-length="3064" data-audio="` + regexp.QuoteMeta(host) + `(/www/widget/audio/\?feed=[^"]*)"`).FindStringSubmatch(page.Body.String())
	if m == nil {
		t.Fatalf("the player's page has no URLs of its script and audio, want both:\n%s", page.Body)
	}
	if script := get(t, sharedEmulator(), m[1]); script.Code != http.StatusOK || !strings.HasPrefix(script.Header().Get("Content-Type"), "text/javascript") {
		t.Errorf("GET %s: status %d, Content-Type %q; want 200, text/javascript", m[1], script.Code, script.Header().Get("Content-Type"))
	}
	whole := get(t, sharedEmulator(), m[2])
	if whole.Code != http.StatusOK || whole.Header().Get("Content-Type") != "audio/wav" || whole.Body.Len() < 100_000 {
		t.Fatalf("GET %s: status %d, Content-Type %q, %d bytes; want 200, audio/wav, at least 100000", m[2], whole.Code, whole.Header().Get("Content-Type"), whole.Body.Len())
	}
	r := httptest.NewRequest(http.MethodGet, host+m[2], nil)
	r.Header.Set("Range", "bytes=100-199")
	part := do(sharedEmulator(), r)
	if part.Code != http.StatusPartialContent || part.Body.String() != whole.Body.String()[100:200] {
		t.Errorf("GET of bytes 100-199 of the audio: status %d, %d bytes; want 206, these 100 bytes", part.Code, part.Body.Len())
	}
	other := get(t, sharedEmulator(), "/www/widget/audio/?feed=%2Fdemo%2F")
	if other.Code != http.StatusOK || other.Body.String() == whole.Body.String() {
		t.Errorf("audio of another feed: status %d, same audio: %t; want 200, false", other.Code, other.Body.String() == whole.Body.String())
	}
	for _, path := range []string{"/www/widget/audio/", "/www/widget/audio/?feed=/no-such-user/", "/www/widget/audio/?feed=//evil.example/x/"} {
		if w := get(t, sharedEmulator(), path); w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, w.Code)
		}
	}
}
