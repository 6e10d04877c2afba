package mixcloud

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestParseInput(t *testing.T) {
	t.Parallel()
	const site = "https://www.mixcloud.com"
	tests := map[string]refText{
		// Copied from a browser, a message or a page.
		site + "/spartacus/party-time/?utm_source=widget&utm_medium=web":           {KindCloudcast, "/spartacus/party-time/"},
		site + "/spartacus/party-time/?play=1#t=4m":                                {KindCloudcast, "/spartacus/party-time/"},
		"HTTPS://WWW.MIXCLOUD.COM/spartacus/party-time/":                           {KindCloudcast, "/spartacus/party-time/"},
		"m.mixcloud.com/spartacus":                                                 {KindUser, "/spartacus/"},
		site + "/discover/funk/?order=latest":                                      {KindTag, "/discover/funk/"},
		site + "/tag/funk/":                                                        {KindTag, "/tag/funk/"},
		site + "/genres/funk+city:athens/":                                         {KindTag, "/genres/funk+city:athens/"},
		site + "/spartacus/playlists/best-of/":                                     {KindPlaylist, "/spartacus/playlists/best-of/"},
		"<" + site + "/spartacus/party-time/>":                                     {KindCloudcast, "/spartacus/party-time/"},
		`"` + site + `/spartacus/party-time/"`:                                     {KindCloudcast, "/spartacus/party-time/"},
		site + "/spartacus/party-time/.":                                           {KindCloudcast, "/spartacus/party-time/"},
		site + "/spartacus/party-time/).":                                          {KindCloudcast, "/spartacus/party-time/"},
		site + "/spartacus/party-time,":                                            {KindCloudcast, "/spartacus/party-time/"},
		"www.mixcloud.com/spartacus/party-time!":                                   {KindCloudcast, "/spartacus/party-time/"},
		"\u200b" + site + "/spartacus/party-time/\u200b\ufeff":                     {KindCloudcast, "/spartacus/party-time/"},
		"\u202a/spartacus/party-time/\u202c\u00a0":                                 {KindCloudcast, "/spartacus/party-time/"},
		url.QueryEscape(site + "/spartacus/party-time/"):                           {KindCloudcast, "/spartacus/party-time/"},
		"%2Fspartacus%2Fparty-time%2F":                                             {KindCloudcast, "/spartacus/party-time/"},
		"/example.com/":                                                            {KindUser, "/example.com/"},
		"/spartacus/live/":                                                         {KindCloudcast, "/spartacus/live/"},
		"/genres/select/":                                                          {KindTag, "/genres/select/"},
		"/categories/about/":                                                       {KindCategory, "/categories/about/"},
		"/artist/stream/":                                                          {KindArtist, "/artist/stream/"},
		"/spartacus/playlists/uploads/":                                            {KindPlaylist, "/spartacus/playlists/uploads/"},
		"http://127.0.0.1:8080/emulator/www/spartacus/party-time/":                 {KindCloudcast, "/spartacus/party-time/"},
		"http://127.0.0.1:8080/emulator/www/widget/iframe/?feed=%2Fbob%2Fx%2F":     {KindCloudcast, "/bob/x/"},
		"https://player-widget.mixcloud.com/widget/iframe/?hide_cover=1&feed=/b/x": {KindCloudcast, "/b/x/"},
		"//player-widget.mixcloud.com/?feed=%2Fspartacus%2Fplaylists%2Fbest-of%2F": {KindPlaylist, "/spartacus/playlists/best-of/"},

		// Old and new players (observed).
		site + "/widget/iframe/?feed=https%3A%2F%2Fwww.mixcloud.com%2Fbob%2Fx%2F&amp;hide_cover=1": {KindCloudcast, "/bob/x/"},
		site + "/widget/iframe/?hide_cover=1&amp;light=1&amp;feed=%2FNTSRadio%2Fknee-deep%2F":      {KindCloudcast, "/NTSRadio/knee-deep/"},
		site + "/widget/iframe/?feed=https%253A%252F%252Fwww.mixcloud.com%252Fbob%252Fx%252F":      {KindCloudcast, "/bob/x/"},
		site + "/media/swf/player/mixcloudLoader.swf?feed=http%3A%2F%2Fwww.mixcloud.com%2Fbob%2Fx": {KindCloudcast, "/bob/x/"},
		site + "/widget/iframe/?feed=https%3A%2F%2Fwww.mixcloud.com%2Fbob%2Fr%25C3%25A9mi%2F":      {KindCloudcast, "/bob/r%C3%A9mi/"},
	}
	for in, want := range tests {
		got, err := ParseInput(in, testBaseURLs...)
		if err != nil || refTextOf(got.Ref) != want || !got.Received.IsZero() {
			t.Errorf("ParseInput(%q) = %+v, %v; want %v without a received key", in, got, err, want)
		}
	}
}

func TestParseInput_Invalid(t *testing.T) {
	t.Parallel()
	const site = "https://www.mixcloud.com"
	tests := map[string]string{ // a part of the reason
		"/spartacus/uploads/":          `"uploads" of a profile`,
		"/spartacus/Stream":            `"stream" of a profile`,
		site + "/spartacus/reposts/":   `"reposts" of a profile`,
		site + "/spartacus/select/":    `"select" of a profile`,
		site + "/spartacus/about/?x=1": `"about" of a profile`,
		site + "/live/spartacus/":      "live stream",
		site + "/live/":                "live stream",
		site + "/LIVE/spartacus/":      "live stream",
		"/select/":                     "page of the site",
		"/select/spartacus/":           "page of the site",
		"/pro/":                        "page of the site",
		"/pro/playlists/x/":            "page of the site",
		"/spartacus/favorites/":        "names a list",
		"/discover/funk/popular/":      "a list, not",
		site + "/widget/iframe/":       "without a feed",
		site + "/widget/iframe/?feed=": "without a feed",
		"https://player-widget.mixcloud.com/widget/iframe/?x=1":                         "without a feed",
		site + "/widget/iframe/?feed=%2Flive%2Fx%2F":                                    "live stream",
		site + "/widget/iframe/?feed=%2Fx%2Fuploads%2F":                                 `"uploads" of a profile`,
		site + "/widget/iframe/?feed=https%3A%2F%2Fevil.example%2F":                     "another site",
		site + "/widget/iframe/?feed=%2Fwidget%2Fiframe%2F":                             "page or a list",
		`<iframe width="100%" src="` + site + `/widget/iframe/?feed=%2Fx%2F"></iframe>`: "HTML",
		"https://evil.example/?feed=%2Fx%2F":                                            "another site",
		"https://www.mixcloud.com@evil.example/spartacus/":                              "another site",
		"https://evil.example@www.mixcloud.com/spartacus/":                              "another site",
		"https://www.mixcloud.com.evil.example/spartacus/":                              "another site",
		"https://evil.example\\@www.mixcloud.com/spartacus/":                            "another site",
		"https://player-widget.mixcloud.com.evil/?feed=/a/b/":                           "another site",
		"":                         "empty",
		"\u200b \ufeff":            "empty",
		strings.Repeat("a", 10000): "too long",
		site + "/widget/iframe/?feed=" + strings.Repeat("a", 9000): "too long",
	}
	for in, want := range tests {
		got, err := ParseInput(in, testBaseURLs...)
		if invalid, ok := errors.AsType[*InvalidError](err); !ok || invalid.Arg != "key" || !strings.Contains(invalid.Reason, want) {
			t.Errorf("ParseInput(%.100q) = %+v, %v; want an InvalidError for key whose reason contains %q", in, got, err, want)
		}
	}
}

// TestParseRef_AcceptsSlugsThatInputRefuses checks that ParseRef, which reads keys
// from responses, accepts every slug that a show can have.
func TestParseRef_AcceptsSlugsThatInputRefuses(t *testing.T) {
	t.Parallel()
	for key, kind := range map[string]Kind{
		"/spartacus/uploads/": KindCloudcast, "/spartacus/stream/": KindCloudcast, "/spartacus/reposts/": KindCloudcast,
		"/spartacus/select/": KindCloudcast, "/spartacus/about/": KindCloudcast, "/live/spartacus/": KindCloudcast,
		"/live/": KindUser, "/select/": KindUser, "/pro/": KindUser,
		"/bob/re%CC%81mi/": KindCloudcast,
	} {
		if ref, err := ParseRef(key); err != nil || refTextOf(ref) != (refText{kind, key}) {
			t.Errorf("ParseRef(%s) = %v, %v; want kind %v with the same key", key, ref, err, kind)
		}
	}
}

func TestInput_NFC(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		in            func() (Input, error)
		key, received string
	}{
		{"key", func() (Input, error) { return ParseInput("/bob/re\u0301mi/") }, "/bob/r%C3%A9mi/", "/bob/re%CC%81mi/"},
		{"composed key", func() (Input, error) { return ParseInput("/bob/r\u00e9mi/") }, "/bob/r%C3%A9mi/", ""},
		{"escaped key", func() (Input, error) { return ParseInput("/bob/re%cc%81mi/") }, "/bob/r%C3%A9mi/", "/bob/re%CC%81mi/"},
		{"URL", func() (Input, error) { return ParseInput("https://www.mixcloud.com/bo\u0308b/?a=1") }, "/b%C3%B6b/", "/bo%CC%88b/"},
		{"player", func() (Input, error) {
			return ParseInput("https://www.mixcloud.com/widget/iframe/?feed=%2Fbob%2Fre%25CC%2581mi%2F")
		}, "/bob/r%C3%A9mi/", "/bob/re%CC%81mi/"},
		{"tags", func() (Input, error) { return ParseInput("/genres/cafe\u0301+a%2Bb/") }, "/genres/caf%C3%A9+a%2Bb/", "/genres/cafe%CC%81+a%2Bb/"},
		{"user", func() (Input, error) { return UserInput(" Re\u0301mi ") }, "/R%C3%A9mi/", "/Re%CC%81mi/"},
		{"escaped user", func() (Input, error) { return UserInput("Re%CC%81mi") }, "/R%C3%A9mi/", "/Re%CC%81mi/"},
		{"tag", func() (Input, error) { return TagInput("E\u0301lectro") }, "/genres/%C3%A9lectro/", "/genres/e%CC%81lectro/"},
		{"tag with another lower case", func() (Input, error) { return TagInput("I\u0307zmir") }, "/genres/izmir/", "/genres/i%CC%87zmir/"},
		{"plain tag", func() (Input, error) { return TagInput("Drum & Bass") }, "/genres/drum-bass/", ""},
		{"city", func() (Input, error) { return CityInput("city:Sa\u0303o Paulo") }, "/genres/city:s%C3%A3o-paulo/", "/genres/city:sa%CC%83o-paulo/"},
		{"category", func() (Input, error) { return CategoryInput("cafe\u0301") }, "/categories/caf%C3%A9/", "/categories/cafe%CC%81/"},
		{
			"discovery", func() (Input, error) { return DiscoverInput([]string{"funk", "cafe\u0301"}, "Ko\u0308ln") },
			"/genres/funk+caf%C3%A9+city:k%C3%B6ln/", "/genres/funk+cafe%CC%81+city:ko%CC%88ln/",
		},
		{"Korean", func() (Input, error) { return UserInput("\u1112\u1161\u11ab") }, "/%ED%95%9C/", "/%E1%84%92%E1%85%A1%E1%86%AB/"},
	}
	for _, test := range tests {
		got, err := test.in()
		if err != nil || got.Key.String() != test.key || got.Received.String() != test.received {
			t.Errorf("%s: got %+v, %v; want the key %s, received as %s", test.name, got, err, test.key, test.received)
		}
	}
}

func TestInput_InvalidNames(t *testing.T) {
	t.Parallel()
	const pageURL = "https://www.mixcloud.com/spartacus/"
	tests := map[string]func() (Input, error){
		"username live":   func() (Input, error) { return UserInput("live") },
		"username Pro":    func() (Input, error) { return UserInput("Pro") },
		"username select": func() (Input, error) { return UserInput("select") },
		"username URL":    func() (Input, error) { return UserInput(pageURL) },
		"name tag URL":    func() (Input, error) { return TagInput(pageURL) },
		"name city URL":   func() (Input, error) { return CityInput(pageURL) },
		"slug URL":        func() (Input, error) { return CategoryInput(url.QueryEscape(pageURL)) },
		"tags URL":        func() (Input, error) { return DiscoverInput([]string{pageURL}, "") },
		"city URL, found": func() (Input, error) { return DiscoverInput(nil, pageURL) },
	}
	for name, in := range tests {
		got, err := in()
		if invalid, ok := errors.AsType[*InvalidError](err); !ok || !strings.HasPrefix(name, invalid.Arg) {
			t.Errorf("%s: got %+v, %v; want an InvalidError for the argument that the case name starts with", name, got, err)
		}
	}
}

// TestParseInput_Property checks that the key is in NFC and a valid path, and that
// parsing it again returns the same key.
func TestParseInput_Property(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ae\u0301\u0308\u1112\u1161/%+.,<>\" ?#&=:\u200b\\é")), 1, 40, -1).Draw(t, "text")
		in, err := ParseInput(rapid.SampledFrom([]string{"", "/", "https://www.mixcloud.com/", "https://www.mixcloud.com/widget/iframe/?feed="}).Draw(t, "before") + text)
		if err != nil {
			return
		}
		plain, err := url.PathUnescape(in.Key.String())
		if err != nil || !norm.NFC.IsNormalString(plain) {
			t.Fatalf("ParseInput(%q): key %q, want an escaped path in NFC", text, in.Key)
		}
		for _, key := range in.Keys() {
			again, err := ParseRef(key.String())
			if err != nil || again.Key.String() != key.String() || again.Kind != in.Kind {
				t.Fatalf("ParseInput(%q): key %q is parsed as %v, %v; want the same key, of kind %v", text, key, again, err, in.Kind)
			}
		}
	})
}
