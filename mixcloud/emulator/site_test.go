package emulator_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/mixcloud/emulator/world"
)

func TestOEmbed(t *testing.T) {
	t.Parallel()
	c := sharedWorld().Cloudcast("spartacus", "party-time")
	frame := `<iframe width="100%" height="120" src="` + host + `/www/widget/iframe/?feed=` +
		url.QueryEscape("https://www.mixcloud.com"+c.Key()) + `&amp;hide_cover=1" frameborder="0"></iframe>`
	want := map[string]any{
		"version": "1.0", "type": "rich", "provider_name": "Mixcloud", "provider_url": "https://www.mixcloud.com/",
		"title": c.Name, "author_name": c.Owner.Name, "author_url": "https://www.mixcloud.com/spartacus/",
		"html": frame, "embed": frame, "image": host + "/www/unsafe/600x600/" + c.Picture,
		"url": "https://www.mixcloud.com/spartacus/party-time/", "width": "100%", "height": 120.0, "cache_age": 86400.0,
	}
	for _, pageURL := range []string{
		"https://www.mixcloud.com/spartacus/party-time/", "http://mixcloud.com/SPARTACUS/party-time", "https://m.mixcloud.com/spartacus/party-time/?utm=x",
		host + "/www/spartacus/party-time/", host + "/www/spartacus/party-time/?x=y",
	} {
		got := getJSON(t, sharedEmulator(), "/www/oembed/?format=json&url="+url.QueryEscape(pageURL))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("oEmbed of %s (-want +got):\n%s", pageURL, diff)
		}
	}
	for _, pageURL := range []string{"", "x", "/spartacus/", "https://www.mixcloud.com/", "https://www.mixcloud.com/no-such-user/", "https://example.com/spartacus/", "ftp://www.mixcloud.com/demo/", "https://www.mixcloud.com" + world.DraftCloudcast, "https://www.mixcloud.com/%zz/"} {
		if w := get(t, sharedEmulator(), "/www/oembed/?url="+url.QueryEscape(pageURL)); w.Code != http.StatusNotFound {
			t.Errorf("oEmbed of %q: status %d, want 404", pageURL, w.Code)
		}
	}
}

func TestOEmbed_parameters(t *testing.T) {
	t.Parallel()
	const about = "/www/oembed/?url=https%3A%2F%2Fwww.mixcloud.com%2Fdemo%2F"
	for query, want := range map[string]struct {
		width, height any
		src           string
	}{
		"":                            {"100%", 120.0, "&amp;hide_cover=1\""},
		"&width=400&height=60":        {400.0, 60.0, "&amp;hide_cover=1\""},
		"&maxwidth=300&maxheight=100": {300.0, 100.0, ""},
		"&maxwidth=300&width=200":     {200.0, 120.0, ""},
		"&maxheight=1000":             {"100%", 120.0, ""},
		"&light=1&color=%23ff8800":    {"100%", 120.0, "&amp;hide_cover=1&amp;light=1&amp;color=ff8800\""},
		"&light=0&color=red":          {"100%", 120.0, "&amp;hide_cover=1\""},
	} {
		got := getJSON(t, sharedEmulator(), about+query)
		if got["width"] != want.width || got["height"] != want.height || !strings.Contains(got["html"].(string), want.src) {
			t.Errorf("%s: width %v, height %v, html %v; want %v, %v, html with %q", query, got["width"], got["height"], got["html"], want.width, want.height, want.src)
		}
	}
	p := sharedWorld().User("demo").Playlists[0]
	if got := getJSON(t, sharedEmulator(), "/www/oembed/?url="+url.QueryEscape("https://www.mixcloud.com"+p.Key())); got["title"] != p.Name {
		t.Errorf("the playlist has the title %v, want %q", got["title"], p.Name)
	}
}

func TestOEmbed_XML(t *testing.T) {
	t.Parallel()
	const path = "/www/oembed/?url=https%3A%2F%2Fwww.mixcloud.com%2Fspartacus%2Fparty-time%2F"
	w := get(t, sharedEmulator(), path+"&format=xml&callback=f")
	if kind := w.Header().Get("Content-Type"); kind != "text/xml; charset=utf-8" {
		t.Errorf("Content-Type = %q, want text/xml; charset=utf-8", kind)
	}
	var doc struct {
		XMLName xml.Name `xml:"oembed"`
		Title   string   `xml:"title"`
		HTML    string   `xml:"html"`
		Width   string   `xml:"width"`
	}
	if err := xml.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	inJSON := getJSON(t, sharedEmulator(), path)
	if doc.Title != inJSON["title"] || doc.HTML != inJSON["html"] || doc.Width != "100%" {
		t.Errorf("oEmbed in XML is %+v, in JSON %v; want the same title, html and width", doc, inJSON)
	}
}

// TestSite checks that every URL of the emulator in the API's responses has a page.
func TestSite(t *testing.T) {
	t.Parallel()
	greek := sharedWorld().Cloudcast("νυχτερινό-τραμ", "τελευταία-στάση-κυψέλη")
	for path, want := range map[string]string{
		"/www/":                       "emulator",
		"/www/spartacus/":             "Spartacus",
		"/www/spartacus/party-time/":  "Party Time",
		"/www" + world.GreekCloudcast: greek.Name,
		"/www" + sharedWorld().User("demo").Playlists[0].Key():                                          sharedWorld().User("demo").Playlists[0].Name,
		"/www/widget/iframe/?hide_cover=1&feed=https%3A%2F%2Fwww.mixcloud.com%2Fspartacus%2Fparty-time": "Party Time",
		"/www/widget/iframe/?feed=%2Fspartacus%2Fparty-time%2F&light=1&color=00ff00":                    "#00ff00",
	} {
		w := get(t, sharedEmulator(), path)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(w.Body.String(), want) {
			t.Errorf("GET %s: status %d, Content-Type %q; want 200, text/html; charset=utf-8, and %q in the body: %.200s", path, w.Code, w.Header().Get("Content-Type"), want, w.Body)
		}
	}
	for _, path := range []string{"/www/no-such-user/", "/www/demo/nothing/", "/www" + world.DraftCloudcast, "/www/widget/iframe/?feed=x", "/www/a/b/c/d/", "/www/demo/playlists/x/", "/www/unsafe/10x/a"} {
		if w := get(t, sharedEmulator(), path); w.Code != http.StatusNotFound && w.Code != http.StatusBadRequest {
			t.Errorf("GET %s: status %d, want 404 or 400", path, w.Code)
		}
	}
}

// TestPictures checks that every picture in a response exists in the size of its URL.
func TestPictures(t *testing.T) {
	t.Parallel()
	pictures := map[string]any{}
	for _, path := range []string{"/demo/", "/OldFolksAtHome/", "/spartacus/party-time/", "/categories/ambient/"} {
		response := getJSON(t, sharedEmulator(), path)
		for _, member := range []string{"pictures", "cover_pictures"} {
			set, _ := response[member].(map[string]any)
			for name, pictureURL := range set {
				pictures[path+member+name] = pictureURL
			}
		}
	}
	if len(pictures) < 8+3+8+10+5 {
		t.Fatalf("found %d pictures, want at least %d", len(pictures), 8+3+8+10+5)
	}
	for name, pictureURL := range pictures {
		path := strings.TrimPrefix(pictureURL.(string), host)
		w := get(t, sharedEmulator(), path)
		config, _, err := image.DecodeConfig(bytes.NewReader(w.Body.Bytes()))
		if err != nil || !strings.HasPrefix(w.Header().Get("Content-Type"), "image/") {
			t.Errorf("picture %s: Content-Type = %q, decoding: %v; want an image", name, w.Header().Get("Content-Type"), err)
			continue
		}
		var width, height int
		size, _, _ := strings.Cut(strings.TrimPrefix(path, "/www/unsafe/"), "/")
		if n, _ := fmt.Sscanf(size, "%dx%d", &width, &height); n != 2 || config.Width != width || config.Height != height {
			t.Errorf("picture %s has %dx%d pixels, want %s", name, config.Width, config.Height, size)
		}
	}
	for _, size := range []string{"0x10", "10x0", "-1x10", "9999x10", "x", "10", "10x10x10"} {
		if w := get(t, sharedEmulator(), "/www/unsafe/"+size+"/profile/a"); w.Code != http.StatusBadRequest {
			t.Errorf("GET of a picture with the size %q: status %d, want 400", size, w.Code)
		}
	}
}
