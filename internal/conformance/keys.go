package conformance

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var lowerEscape = regexp.MustCompile(`%[0-9A-F]?[a-f]`)

var keyProbes = []probe{
	{
		name: "key-finds-its-resource", section: "keys", confidence: Documented,
		rule: "The API's root followed by a key is the URL of the resource with that key.",
		check: func(ctx context.Context, s *session) error {
			key, err := s.cloudcastKey(ctx, nil)
			if err != nil {
				return err
			}
			o, err := s.object(ctx, key)
			if err != nil {
				return err
			}
			if got := text(o, "key"); got != key {
				return differs("%s has the key %q", key, got)
			}
			return nil
		},
	},
	{
		name: "url-is-site-and-key", section: "keys", confidence: Documented,
		rule: "The url of a resource is https://www.mixcloud.com followed by its key.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.chartPage(ctx)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				for _, r := range append(objects(o["tags"]), o, member(o, "user")) {
					if key, got := text(r, "key"), text(r, "url"); got != "https://www.mixcloud.com"+key {
						return differs("%q has the url %q", key, got)
					}
				}
			}
			return nil
		},
	},
	{
		name: "keys-percent-encoded", section: "keys", confidence: Observed,
		rule: "Keys and URLs contain non-ASCII characters percent-encoded, in upper case.",
		check: func(ctx context.Context, s *session) error {
			var wrong string
			err := s.findCloudcast(ctx, func(o object) bool {
				encoded := false
				for _, r := range []object{o, member(o, "user")} {
					for _, name := range []string{"key", "url"} {
						v := text(r, name)
						if strings.ContainsFunc(v, func(r rune) bool { return r > '~' }) || lowerEscape.MatchString(v) {
							wrong = v
						}
						encoded = encoded || escaped.MatchString(v)
					}
				}
				return encoded || wrong != ""
			})
			if wrong != "" {
				return differs("a key or URL is %q", wrong)
			}
			return err
		},
	},
	{
		name: "slugs-are-plain-text", section: "keys", confidence: Observed,
		rule: "Slugs and user names are plain text where the key is percent-encoded.",
		check: func(ctx context.Context, s *session) error {
			var wrong string
			err := s.findCloudcast(ctx, func(o object) bool {
				shows := false
				for _, r := range []struct{ key, slug string }{
					{text(o, "key"), text(o, "slug")},
					{text(member(o, "user"), "key"), text(member(o, "user"), "username")},
				} {
					parts := strings.Split(strings.Trim(r.key, "/"), "/")
					plain, err := url.PathUnescape(parts[len(parts)-1])
					if err != nil || !strings.ContainsFunc(plain, func(r rune) bool { return r > '~' }) {
						continue
					}
					shows = true
					if r.slug != plain {
						wrong = r.slug
					}
				}
				return shows
			})
			if wrong != "" {
				return differs("a slug or user name is %q", wrong)
			}
			return err
		},
	},
	{
		name: "user-path-any-case", section: "keys", confidence: Observed, paths: []string{"/{user}/"},
		rule: "A user name in a path may have any case.",
		check: func(ctx context.Context, s *session) error {
			name, err := s.canonicalName(ctx)
			if err != nil {
				return err
			}
			a, err := s.get(ctx, "/"+swapCase(name)+"/")
			if err != nil {
				return err
			}
			o, err := parseResource(a, nil)
			switch {
			case err == nil && strings.EqualFold(text(o, "key"), "/"+name+"/"):
				return nil
			case a.doc == nil:
				return err
			}
			return differs("/%s/ is not the same user as /%s/: %s", swapCase(name), name, a)
		},
	},
	{
		name: "members-begin-with-key-url-name", section: "resources", confidence: Observed,
		rule: "Users, cloudcasts and tags begin with the members key, url and name.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.chartPage(ctx)
			if err != nil {
				return err
			}
			for _, names := range firstMembers(p.body) {
				if !slices.Equal(names, []string{"key", "url", "name"}) {
					return differs("a resource begins with the members %s", strings.Join(names, ", "))
				}
			}
			return nil
		},
	},
}

// swapCase swaps the case of a name's ASCII letters.
func swapCase(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, name)
}
