package conformance

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
)

// fetchOEmbed fetches the oEmbed data of a show of the chart.
func fetchOEmbed(ctx context.Context, s *session, format string) (*response, error) {
	key, err := s.cloudcastKey(ctx, nil)
	if err != nil {
		return nil, err
	}
	a, err := s.fetch(ctx, request{base: onOEmbed, ref: "/?format=" + format + "&url=" + url.QueryEscape("https://www.mixcloud.com"+key)})
	if err == nil && a.status != http.StatusOK {
		return nil, inconclusive("%s", a)
	}
	return a, err
}

var embedProbes = []probe{
	{
		name: "embed-html-is-a-frame", section: "embedding", confidence: Documented, paths: []string{"/{user}/{cloudcast}/embed-html/"},
		rule: "embed-html/ below a cloudcast's key returns the player's iframe as HTML.",
		check: func(ctx context.Context, s *session) error {
			key, err := s.cloudcastKey(ctx, nil)
			if err != nil {
				return err
			}
			a, err := s.get(ctx, key+"embed-html/")
			switch {
			case err != nil:
				return err
			case a.status != http.StatusOK:
				return inconclusive("%s", a)
			case !bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("<iframe ")):
				return differs("the body begins with %q", a.body[:min(len(a.body), 20)])
			}
			return nil
		},
	},
	{
		name: "embed-json-has-html", section: "embedding", confidence: Documented, paths: []string{"/{user}/{cloudcast}/embed-json/"},
		rule: "embed-json/ below a cloudcast's key returns an object with the player's iframe in html.",
		check: func(ctx context.Context, s *session) error {
			key, err := s.cloudcastKey(ctx, nil)
			if err != nil {
				return err
			}
			a, err := s.get(ctx, key+"embed-json/")
			if err != nil {
				return err
			}
			o, isObject := a.doc.(object)
			switch {
			case a.status != http.StatusOK || a.doc == nil:
				return inconclusive("%s", a)
			case !isObject || !strings.HasPrefix(text(o, "html"), "<iframe "):
				return differs("the body begins with %q", a.body[:min(len(a.body), 30)])
			}
			return nil
		},
	},
	{
		name: "embed-takes-a-height", section: "embedding", confidence: Documented, paths: []string{"/{user}/{cloudcast}/embed-json/"},
		rule: "The parameter height sets the height of the iframe.",
		check: func(ctx context.Context, s *session) error {
			key, err := s.cloudcastKey(ctx, nil)
			if err != nil {
				return err
			}
			a, err := s.get(ctx, key+"embed-json/?height=77")
			if err != nil {
				return err
			}
			if a.status != http.StatusOK || !bytes.Contains(a.body, []byte("<iframe ")) && !bytes.Contains(a.body, []byte(`\u003ciframe `)) {
				return inconclusive("%s", a)
			}
			if !bytes.Contains(a.body, []byte("77")) {
				return differs("the height 77 is not in %q", a.body)
			}
			return nil
		},
	},
	{
		name: "player-page", section: "embedding", confidence: Observed, paths: []string{"site /widget/iframe/"},
		rule: "The page in the iframe is widget/iframe/ of the site, which may redirect to the player's own host.",
		check: func(ctx context.Context, s *session) error {
			a, err := s.fetch(ctx, request{base: onSite, ref: "/widget/iframe/?hide_cover=1&feed=" + url.QueryEscape(exampleCloudcast)})
			switch {
			case err != nil:
				return err
			case a.status == http.StatusNotFound:
				return differs("the page was not found: %s", a)
			case a.status >= 400:
				return inconclusive("%s", a)
			}
			return nil
		},
	},
	{
		name: "oembed-members", section: "unknown", confidence: ClientCode, paths: []string{"oembed /"},
		rule: "An oEmbed response has version, type, provider, title, author, html, url, width and height, and its type is rich.",
		check: func(ctx context.Context, s *session) error {
			o, err := parseResource(fetchOEmbed(ctx, s, "json"))
			if err != nil {
				return err
			}
			want := []string{"version", "type", "provider_name", "provider_url", "title", "author_name", "author_url", "html", "url", "width", "height"}
			if lacking := missing(o, want); len(lacking) > 0 {
				return differs("these members are missing: %s", strings.Join(lacking, ", "))
			}
			if o["type"] != "rich" {
				return differs("the type is %v", o["type"])
			}
			return nil
		},
	},
	{
		name: "oembed-picture-is-image", section: "embedding", confidence: ClientCode, paths: []string{"oembed /"},
		rule: "oEmbed returns the picture in image, not in thumbnail_url.",
		check: func(ctx context.Context, s *session) error {
			o, err := parseResource(fetchOEmbed(ctx, s, "json"))
			if err == nil && (has(o, "thumbnail_url") || !has(o, "image")) {
				return differs("thumbnail_url is %v, image is %v", o["thumbnail_url"], o["image"])
			}
			return err
		},
	},
	{
		name: "oembed-xml", section: "embedding", confidence: Documented, paths: []string{"oembed /"},
		rule: "oEmbed returns XML for format=xml.",
		check: func(ctx context.Context, s *session) error {
			a, err := fetchOEmbed(ctx, s, "xml")
			if err != nil {
				return err
			}
			body := bytes.TrimSpace(a.body)
			if !bytes.HasPrefix(body, []byte("<?xml")) && !bytes.HasPrefix(body, []byte("<oembed")) {
				return differs("the body begins with %q", body[:min(len(body), 20)])
			}
			return nil
		},
	},
}
