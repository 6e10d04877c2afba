package conformance

import (
	"context"
	"strconv"
	"strings"
)

// offsetPages fetches a user's shows at the offsets 0 and 4.
func offsetPages(ctx context.Context, s *session) (list string, first, later page, err error) {
	user, _, _, err := s.datedPage(ctx, 7)
	if err != nil {
		return "", page{}, page{}, err
	}
	list = "/" + user + "/" + datedList + "/"
	if first, err = s.page(ctx, list+"?limit=3&offset=0"); err != nil {
		return "", page{}, page{}, err
	}
	if later, err = s.page(ctx, list+"?limit=3&offset=4"); err != nil {
		return "", page{}, page{}, err
	}
	if len(first.items) < 3 || len(later.items) < 3 {
		return "", page{}, page{}, inconclusive("%s has fewer than three items at an offset", list)
	}
	return list, first, later, nil
}

// offsetHasEffect reports whether the offset has an effect.
func offsetHasEffect(first, later page) bool { return first.keys()[0] != later.keys()[0] }

var offsetPagingProbes = []probe{
	{
		name: "offset-zero-links-by-offset", section: "paging", confidence: Documented, paths: []string{"/{user}/cloudcasts/"},
		rule: "With offset=0 the links of a list by date are by offset.",
		check: func(ctx context.Context, s *session) error {
			_, first, _, err := offsetPages(ctx, s)
			if err != nil {
				return err
			}
			raw, query, ok := first.link("next")
			switch {
			case !ok:
				return inconclusive("there is no next link")
			case !query.Has("offset") || query.Has("until"):
				return differs("the next link has %s", raw)
			}
			return nil
		},
	},
	{
		name: "offset-skips-items", section: "paging", confidence: Documented, paths: []string{"/{user}/cloudcasts/"},
		rule: "The offset is the number of items before the page.",
		check: func(ctx context.Context, s *session) error {
			user, whole, _, err := s.datedPage(ctx, 7)
			if err != nil {
				return err
			}
			p, err := s.page(ctx, "/"+user+"/"+datedList+"/?limit=3&offset=4")
			if err != nil {
				return err
			}
			want := whole.keys()
			if text(whole.items[0], "created_time") < text(whole.items[6], "created_time") {
				return inconclusive("the list does not begin with its newest item")
			}
			if got := p.keys(); len(got) == 0 || got[0] != want[4] {
				return differs("at offset 4 the page begins with %s", strings.Join(got[:min(1, len(got))], ""))
			}
			return nil
		},
	},
	{
		name: "offset-pages-have-links", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "A full page by offset has a next link.",
		check: func(ctx context.Context, s *session) error {
			_, first, later, err := offsetPages(ctx, s)
			if err != nil {
				return err
			}
			for _, p := range []page{first, later} {
				if _, _, ok := p.link("next"); !ok {
					return differs("a page has no next link: %s", p.response)
				}
			}
			return nil
		},
	},
	{
		name: "offset-links-step-by-limit", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "The links by offset are one limit forward and back, not below 0.",
		check: func(ctx context.Context, s *session) error {
			_, first, later, err := offsetPages(ctx, s)
			if err != nil {
				return err
			}
			if !offsetHasEffect(first, later) {
				return inconclusive("the offset has no effect")
			}
			checked := false
			for _, l := range []struct{ name, offset string }{{"next", "7"}, {"previous", "1"}} {
				_, query, _ := later.link(l.name)
				if got := query.Get("offset"); got != "" {
					checked = true
					if got != l.offset {
						return differs("at offset 4 with limit 3, the %s link has the offset %s", l.name, got)
					}
				}
			}
			if !checked {
				return inconclusive("no link has an offset")
			}
			return nil
		},
	},
	{
		name: "no-previous-at-offset-zero", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "The first page by offset has no previous link.",
		check: func(ctx context.Context, s *session) error {
			_, first, _, err := offsetPages(ctx, s)
			if err != nil {
				return err
			}
			raw, query, ok := first.link("previous")
			switch {
			case ok && query.Has("since"):
				return inconclusive("the links are by date")
			case ok:
				return differs("the previous link has %s", raw)
			}
			return nil
		},
	},
	{
		name: "previous-past-the-end", section: "paging", confidence: Observed, paths: []string{"/{user}/{list}/"},
		rule: "A page by offset after the end is empty and has a previous link.",
		check: func(ctx context.Context, s *session) error {
			_, _, later, err := offsetPages(ctx, s)
			if err != nil {
				return err
			}
			if _, _, ok := later.link("previous"); !ok {
				return inconclusive("pages by offset have no previous links")
			}
			list, _, err := s.shortList(ctx)
			if err != nil {
				return err
			}
			p, err := s.page(ctx, list+"?limit=20&offset=200")
			if err != nil {
				return err
			}
			if len(p.items) > 0 {
				return inconclusive("the offset has no effect")
			}
			if _, _, ok := p.link("previous"); !ok {
				return differs("the page has no previous link")
			}
			return nil
		},
	},
	{
		name: "full-last-page-has-next", section: "unknown", confidence: Inferred, paths: []string{"/{user}/{list}/"},
		rule: "A full last page has a next link, which leads to an empty page.",
		check: func(ctx context.Context, s *session) error {
			list, whole, err := s.shortList(ctx)
			if err != nil {
				return err
			}
			n := len(whole.items)
			p, err := s.page(ctx, list+"?limit="+strconv.Itoa(n))
			if err != nil {
				return err
			}
			if len(p.items) != n {
				return inconclusive("the page has %d items of %d", len(p.items), n)
			}
			if _, _, ok := p.link("next"); !ok {
				return differs("the page has %d items and limit %d, but no next link", n, n)
			}
			return nil
		},
	},
	{
		name: "negative-offset-is-zero", section: "unknown", confidence: Unknown, paths: []string{"/{user}/cloudcasts/"},
		rule: "A negative offset means 0.",
		check: func(ctx context.Context, s *session) error {
			list, first, _, err := offsetPages(ctx, s)
			if err != nil {
				return err
			}
			a, err := s.get(ctx, list+"?limit=3&offset=-4")
			if err != nil {
				return err
			}
			p, err := parsePage(a, nil)
			switch {
			case err != nil:
				return differs("the response is not a page: %s", err)
			case strings.Join(p.keys(), " ") != strings.Join(first.keys(), " "):
				return differs("the items differ from those at offset 0")
			}
			return nil
		},
	},
}
