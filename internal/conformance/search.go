package conformance

import (
	"context"
	"strings"
)

func isTag(o object) bool {
	key := text(o, "key")
	return !has(o, "username") && !has(o, "slug") &&
		(strings.HasPrefix(key, "/genres/") || strings.HasPrefix(key, "/discover/") || strings.HasPrefix(key, "/tag/"))
}

// found wants a search for the chart's commonest tag to give items of a kind.
func found(params, kind string, is func(object) bool) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		tag, err := s.tagOf(ctx)
		if err != nil {
			return err
		}
		p, err := s.page(ctx, "/search/?limit=5&q="+strings.ReplaceAll(tag, "-", "+")+params)
		if err != nil {
			return err
		}
		if len(p.items) == 0 {
			return differs("nothing was found for %q", tag)
		}
		return holdsKind(p.answer, kind, is)
	}
}

var searchProbes = []probe{
	{
		name: "search-cloudcasts", section: "lists", sure: Observed, asks: []string{"/search/"},
		rule:  "A search with type=cloudcast gives cloudcasts.",
		judge: found("&type=cloudcast", "cloudcasts", isCloudcast),
	},
	{
		name: "search-uploads", section: "lists", sure: Documented, asks: []string{"/search/"},
		rule:  "A search with type=upload gives cloudcasts too.",
		judge: found("&type=upload", "cloudcasts", isCloudcast),
	},
	{
		name: "search-tags", section: "unknown", sure: Observed, asks: []string{"/search/"},
		rule:  "A search with type=tag gives tags.",
		judge: found("&type=tag", "tags", isTag),
	},
	{
		name: "search-users", section: "unknown", sure: Observed, asks: []string{"/search/"},
		rule: "A search with type=user gives users.",
		judge: func(ctx context.Context, s *session) error {
			p, err := s.page(ctx, "/search/?limit=5&q="+example+"&type=user")
			if err != nil {
				return err
			}
			if len(p.items) == 0 {
				return differs("nobody was found for %q", example)
			}
			return holdsKind(p.answer, "users", isUser)
		},
	},
	{
		name: "search-without-type", section: "unknown", sure: Unknown, asks: []string{"/search/"},
		rule:  "A search without a type gives cloudcasts.",
		judge: found("", "cloudcasts", isCloudcast),
	},
	{
		name: "search-has-no-name", section: "lists", sure: Observed, asks: []string{"/search/"},
		rule: "A search's answer has no name.",
		judge: func(ctx context.Context, s *session) error {
			p, err := s.page(ctx, "/search/?limit=5&q="+example+"&type=user")
			if err == nil && has(p.envelope, "name") {
				return differs("it is called %v", p.envelope["name"])
			}
			return err
		},
	},
	{
		name: "search-pages-by-offset", section: "paging", sure: Observed, asks: []string{"/search/"},
		rule: "The links of a search go by offset.",
		judge: func(ctx context.Context, s *session) error {
			tag, err := s.tagOf(ctx)
			if err != nil {
				return err
			}
			p, err := s.page(ctx, "/search/?limit=5&q="+strings.ReplaceAll(tag, "-", "+")+"&type=cloudcast")
			if err != nil {
				return err
			}
			raw, query, ok := p.link("next")
			switch {
			case !ok:
				return unsure("there is no next link")
			case !query.Has("offset"):
				return differs("the next link has %s", raw)
			}
			return nil
		},
	},
}
