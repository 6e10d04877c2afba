package mixcloud

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var testBaseURLs = []string{"http://127.0.0.1:8080/emulator", "http://127.0.0.1:8080/emulator/www/", "https://Mix.Example"}

func TestParseRef(t *testing.T) {
	t.Parallel()
	tests := map[string]refText{
		// Keys of all kinds.
		"/spartacus/":                       {KindUser, "/spartacus/"},
		"/spartacus/party-time/":            {KindCloudcast, "/spartacus/party-time/"},
		"/NTSRadio/knee-deep/":              {KindCloudcast, "/NTSRadio/knee-deep/"},
		"/genres/funk/":                     {KindTag, "/genres/funk/"},
		"/discover/funk/":                   {KindTag, "/discover/funk/"},
		"/tag/funk/":                        {KindTag, "/tag/funk/"},
		"/genres/funk+city:athens/":         {KindTag, "/genres/funk+city:athens/"},
		"/genres/city:athens+funk/":         {KindTag, "/genres/city:athens+funk/"},
		"/genres/city:athens/":              {KindCity, "/genres/city:athens/"},
		"/discover/city:athens/":            {KindCity, "/discover/city:athens/"},
		"/discover/city%3Aathens/":          {KindCity, "/discover/city:athens/"},
		"/categories/ambient/":              {KindCategory, "/categories/ambient/"},
		"/spartacus/playlists/best-of/":     {KindPlaylist, "/spartacus/playlists/best-of/"},
		"/artist/aphex-twin/":               {KindArtist, "/artist/aphex-twin/"},
		"/track/michael-jackson/everybody/": {KindTrack, "/track/michael-jackson/everybody/"},
		"/spartacus/popular/":               {KindCloudcast, "/spartacus/popular/"},
		"/spartacus/me/":                    {KindCloudcast, "/spartacus/me/"},
		"/spartacus/playlists/cloudcasts/":  {KindPlaylist, "/spartacus/playlists/cloudcasts/"},

		// Slashes and case.
		"spartacus/party-time":    {KindCloudcast, "/spartacus/party-time/"},
		"/spartacus/party-time":   {KindCloudcast, "/spartacus/party-time/"},
		"spartacus/":              {KindUser, "/spartacus/"},
		" /spartacus/\n":          {KindUser, "/spartacus/"},
		"/Genres/funk/":           {KindTag, "/genres/funk/"},
		"/SPARTACUS/Playlists/x/": {KindPlaylist, "/SPARTACUS/playlists/x/"},
		"/example.com/":           {KindUser, "/example.com/"},

		// Unicode, raw and escaped, with digits in both cases.
		"/趙曉慧/":                         {KindUser, "/%E8%B6%99%E6%9B%89%E6%85%A7/"},
		"/%E8%B6%99%E6%9B%89%E6%85%A7/": {KindUser, "/%E8%B6%99%E6%9B%89%E6%85%A7/"},
		"/bob/ml%c3%b6/":                {KindCloudcast, "/bob/ml%C3%B6/"},
		"/bob/mlö":                      {KindCloudcast, "/bob/ml%C3%B6/"},
		"/%73partacus/":                 {KindUser, "/spartacus/"},
		"/genres/a%2Bb+c/":              {KindTag, "/genres/a%2Bb+c/"},
		"/bob/100%25/":                  {KindCloudcast, "/bob/100%25/"},
		"/bob/%2525/":                   {KindCloudcast, "/bob/%2525/"},

		// URLs.
		"https://www.mixcloud.com/spartacus/party-time/":          {KindCloudcast, "/spartacus/party-time/"},
		"http://www.mixcloud.com/spartacus/party-time":            {KindCloudcast, "/spartacus/party-time/"},
		"HTTPS://WWW.MixCloud.COM/spartacus/":                     {KindUser, "/spartacus/"},
		"https://mixcloud.com/spartacus/":                         {KindUser, "/spartacus/"},
		"https://m.mixcloud.com/spartacus/":                       {KindUser, "/spartacus/"},
		"https://api.mixcloud.com/spartacus/?metadata=1":          {KindUser, "/spartacus/"},
		"https://app.mixcloud.com/spartacus/":                     {KindUser, "/spartacus/"},
		"www.mixcloud.com/spartacus/":                             {KindUser, "/spartacus/"},
		"mixcloud.com/spartacus":                                  {KindUser, "/spartacus/"},
		"//www.mixcloud.com/spartacus/":                           {KindUser, "/spartacus/"},
		"https://www.mixcloud.com:443/spartacus/":                 {KindUser, "/spartacus/"},
		"https://www.mixcloud.com/bob/x/?utm_source=a&b=../c#t=1": {KindCloudcast, "/bob/x/"},
		"https://www.mixcloud.com/趙曉慧/x/#/y":                      {KindCloudcast, "/%E8%B6%99%E6%9B%89%E6%85%A7/x/"},
		"https://www.mixcloud.com/genres/funk+city:athens/":       {KindTag, "/genres/funk+city:athens/"},

		// Configured base URLs, the longest one first.
		"http://127.0.0.1:8080/emulator/spartacus/":      {KindUser, "/spartacus/"},
		"http://127.0.0.1:8080/emulator/www/spartacus/x": {KindCloudcast, "/spartacus/x/"},
		"127.0.0.1:8080/emulator/spartacus/":             {KindUser, "/spartacus/"},
		"https://mix.example/spartacus/":                 {KindUser, "/spartacus/"},
		"https://MIX.example/spartacus/":                 {KindUser, "/spartacus/"},
	}
	for in, want := range tests {
		got, err := ParseRef(in, testBaseURLs...)
		if err != nil {
			t.Errorf("ParseRef(%q): %v, want %v", in, err, want)
			continue
		}
		if diff := cmp.Diff(want, refTextOf(got)); diff != "" {
			t.Errorf("ParseRef(%q) (-want +got):\n%s", in, diff)
		}
		if again, err := ParseRef(got.Key.String()); err != nil || refTextOf(again) != refTextOf(got) {
			t.Errorf("ParseRef(%q): its key is parsed as %v, %v; want the same reference", in, again, err)
		}
	}
}

func TestParseRef_Invalid(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"nothing":                              "",
		"a space":                              " ",
		"only a slash":                         "/",
		"only slashes":                         "//",
		"many slashes":                         "////",
		"an empty element":                     "/spartacus//party-time/",
		"dots":                                 "/spartacus/../bob/",
		"a dot":                                "/./spartacus/",
		"escaped dots":                         "/spartacus/%2e%2E/",
		"dots alone":                           "..",
		"an escaped slash":                     "/spartacus%2Fparty-time/",
		"a backslash":                          `/spartacus\party-time/`,
		"an escaped control":                   "/spartacus%00/",
		"an inner line break":                  "/sparta\ncus/",
		"a space inside":                       "/party time/",
		"an escaped space":                     "/party%20time/",
		"a broken escape":                      "/100%/",
		"bad UTF-8":                            "/%FF/",
		"raw bad UTF-8":                        "/\xff/",
		"popular":                              "/popular/",
		"hot":                                  "/popular/hot/",
		"new":                                  "/new/",
		"search":                               "/search/?q=x",
		"upload":                               "/upload/",
		"me":                                   "/me/",
		"a list of the viewer":                 "/me/cloudcasts/",
		"oauth":                                "https://www.mixcloud.com/oauth/authorize",
		"oembed":                               "https://www.mixcloud.com/oembed/?url=x",
		"developers":                           "https://www.mixcloud.com/developers/",
		"categories":                           "/categories/",
		"a list of a category":                 "/categories/ambient/cloudcasts/",
		"genres":                               "/genres/",
		"a list of a tag":                      "/genres/funk/popular/",
		"an empty tag":                         "/genres/funk+/",
		"no city":                              "/genres/city:/",
		"artist":                               "/artist/",
		"a list of an artist":                  "/artist/aphex-twin/popular/",
		"half a track":                         "/track/michael-jackson/",
		"a list of a track":                    "/track/michael-jackson/everybody/new/",
		"a user's list":                        "/spartacus/followers/",
		"a user's list in capitals":            "/spartacus/FOLLOWERS/",
		"listen later":                         "/spartacus/listen-later/",
		"an action":                            "/spartacus/follow/",
		"playlists":                            "/spartacus/playlists/",
		"a list of a playlist":                 "/spartacus/playlists/x/cloudcasts/",
		"a list of a cloudcast":                "/spartacus/party-time/comments/",
		"an embed":                             "/spartacus/party-time/embed-json/",
		"a feed entry":                         "/spartacus/feed/566658648/",
		"a page of a feed":                     "https://www.mixcloud.com/spartacus/feed/#566658648",
		"a comment":                            "/comments/cr/204/28/c8955637/",
		"a page of comments":                   "https://www.mixcloud.com/comments/cr/204/28/#c8955637",
		"another site":                         "https://example.com/spartacus/",
		"another site, no scheme":              "example.com/spartacus/",
		"a look-alike":                         "https://mixcloud.com.example.com/spartacus/",
		"a longer name":                        "https://notmixcloud.com/spartacus/",
		"another subdomain":                    "https://evil.mixcloud.com/spartacus/",
		"a deeper subdomain":                   "https://www.www.mixcloud.com/spartacus/",
		"the player":                           "https://player-widget.mixcloud.com/widget/iframe/?feed=%2Fa%2Fb%2F",
		"a user in the URL":                    "https://www.mixcloud.com@example.com/spartacus/",
		"a password in the URL":                "https://a:b@www.mixcloud.com/spartacus/",
		"another port":                         "https://www.mixcloud.com:8443/spartacus/",
		"another scheme":                       "ftp://www.mixcloud.com/spartacus/",
		"javascript":                           "javascript:alert(1)",
		"data":                                 "data:text/html,x",
		"the site itself":                      "https://www.mixcloud.com/",
		"the site without a slash":             "https://www.mixcloud.com",
		"a base URL itself":                    "http://127.0.0.1:8080/emulator/",
		"a path next to a base URL":            "http://127.0.0.1:8080/emulators/spartacus/",
		"a path above a base URL":              "http://127.0.0.1:8080/spartacus/",
		"another port than that of a base URL": "http://127.0.0.1:8081/emulator/spartacus/",
		"much too long":                        "/" + strings.Repeat("a", 10_000) + "/",
		"too long for a key":                   "/" + strings.Repeat("ö", 1_000) + "/" + strings.Repeat("ö", 1_000),
		"four elements":                        "/a/b/c/d/",
	}
	for reason, in := range tests {
		ref, err := ParseRef(in, testBaseURLs...)
		var invalid *InvalidError
		if !errors.As(err, &invalid) || !errors.Is(err, ErrInvalid) || refTextOf(ref) != (refText{}) {
			t.Errorf("%s: ParseRef(%q) = %v, %v; want an InvalidError", reason, in, ref, err)
		}
	}
}

// A refText is a Ref with the text of its key, so that it can be compared with ==.
type refText struct {
	Kind Kind
	Key  string
}

func refTextOf(ref Ref) refText { return refText{ref.Kind, ref.Key.String()} }

// FuzzParseRef checks that parsing a key again returns the same key, and that the
// key is a valid path below a base URL.
func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"/spartacus/", "spartacus", "https://www.mixcloud.com/a/b/?c#d", "/genres/a+city:b/", "/%2e%2e/", "//a/b", "http://127.0.0.1:8080/emulator/www/a/b", "/a/playlists/b", "/TAG/x", "/a%2Bb/c+d/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := ParseRef(s, testBaseURLs...)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("ParseRef(%q): error %v, want an ErrInvalid", s, err)
			}
			return
		}
		if again, err := ParseRef(ref.Key.String(), testBaseURLs...); err != nil || refTextOf(again) != refTextOf(ref) {
			t.Errorf("ParseRef(%q) = %v, whose key is parsed as %v, %v; want the same reference", s, ref, again, err)
		}
		u, err := url.Parse("http://host.test" + ref.Key.String())
		if err != nil || u.Host != "host.test" || u.EscapedPath() != ref.Key.String() || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("ParseRef(%q): the key %q as the path of a URL is parsed as %v, %v; want the key unchanged", s, ref.Key, u, err)
		}
		if strings.Contains(u.Path, "//") || strings.Contains(u.Path, "/../") || !utf8.ValidString(u.Path) {
			t.Errorf("ParseRef(%q): the key %q has the path %q, want valid UTF-8 without // and /../", s, ref.Key, u.Path)
		}
		if kind, err := ParseRef(ref.Key.Canonical().String()); err != nil || kind.Kind != ref.Kind {
			t.Errorf("ParseRef(%q): its canonical key is parsed as %v, %v; want kind %v", s, kind, err, ref.Kind)
		}
	})
}
