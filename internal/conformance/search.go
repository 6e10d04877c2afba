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

// searchCheck returns a check that a search for the chart's most common tag returns
// items of a kind.
func searchCheck(params, kind string, is func(object) bool) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error {
		tag, err := s.commonTag(ctx)
		if err != nil {
			return err
		}
		p, err := s.page(ctx, "/search/?limit=5&q="+strings.ReplaceAll(tag, "-", "+")+params)
		if err != nil {
			return err
		}
		if len(p.items) == 0 {
			return differs("the search for %q has no results", tag)
		}
		return checkItems(p.response, kind, is)
	}
}

var searchProbes = []probe{
	{
		name: "search-cloudcasts", section: "lists", confidence: Observed, paths: []string{"/search/"},
		rule:  "A search with type=cloudcast returns cloudcasts.",
		check: searchCheck("&type=cloudcast", "cloudcasts", isCloudcast),
	},
	{
		name: "search-uploads", section: "lists", confidence: Documented, paths: []string{"/search/"},
		rule:  "A search with type=upload also returns cloudcasts.",
		check: searchCheck("&type=upload", "cloudcasts", isCloudcast),
	},
	{
		name: "search-tags", section: "unknown", confidence: Observed, paths: []string{"/search/"},
		rule:  "A search with type=tag returns tags.",
		check: searchCheck("&type=tag", "tags", isTag),
	},
	{
		name: "search-users", section: "unknown", confidence: Observed, paths: []string{"/search/"},
		rule: "A search with type=user returns users.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.page(ctx, "/search/?limit=5&q="+exampleUser+"&type=user")
			if err != nil {
				return err
			}
			if len(p.items) == 0 {
				return differs("the search for %q has no results", exampleUser)
			}
			return checkItems(p.response, "users", isUser)
		},
	},
	{
		name: "search-without-type", section: "unknown", confidence: Unknown, paths: []string{"/search/"},
		rule:  "A search without a type returns cloudcasts.",
		check: searchCheck("", "cloudcasts", isCloudcast),
	},
	{
		name: "search-has-no-name", section: "lists", confidence: Observed, paths: []string{"/search/"},
		rule: "Search results have no name.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.page(ctx, "/search/?limit=5&q="+exampleUser+"&type=user")
			if err == nil && has(p.envelope, "name") {
				return differs("the name is %v", p.envelope["name"])
			}
			return err
		},
	},
	{
		name: "search-pages-by-offset", section: "paging", confidence: Observed, paths: []string{"/search/"},
		rule: "The links of search results are by offset.",
		check: func(ctx context.Context, s *session) error {
			tag, err := s.commonTag(ctx)
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
				return inconclusive("there is no next link")
			case !query.Has("offset"):
				return differs("the next link has %s", raw)
			}
			return nil
		},
	},
}
