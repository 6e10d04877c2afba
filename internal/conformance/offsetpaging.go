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
		return "", page{}, page{}, inconclusive("fewer than three items at %s", list)
	}
	return list, first, later, nil
}

// offsetWorks reports whether the offset has an effect.
func offsetWorks(first, later page) bool { return first.keys()[0] != later.keys()[0] }

var offsetPagingProbes = []probe{
	{
		name: "offset-zero-links-by-offset", section: "paging", confidence: Documented, paths: []string{"/{user}/cloudcasts/"},
		rule: "offset=0 makes a list by date link by offset.",
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
		rule: "A page begins at the item that its offset counts to.",
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
		rule: "A full page by offset has a link next.",
		check: func(ctx context.Context, s *session) error {
			_, first, later, err := offsetPages(ctx, s)
			if err != nil {
				return err
			}
			for _, p := range []page{first, later} {
				if _, _, ok := p.link("next"); !ok {
					return differs("there is none: %s", p.response)
				}
			}
			return nil
		},
	},
	{
		name: "offset-links-step-by-limit", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "The links by offset lead one limit forward and back, not below 0.",
		check: func(ctx context.Context, s *session) error {
			_, first, later, err := offsetPages(ctx, s)
			if err != nil {
				return err
			}
			if !offsetWorks(first, later) {
				return inconclusive("the offset has no effect")
			}
			looked := false
			for _, l := range []struct{ name, offset string }{{"next", "7"}, {"previous", "1"}} {
				_, query, _ := later.link(l.name)
				if got := query.Get("offset"); got != "" {
					looked = true
					if got != l.offset {
						return differs("from offset 4 with limit 3, %s leads to %s", l.name, got)
					}
				}
			}
			if !looked {
				return inconclusive("no link has an offset")
			}
			return nil
		},
	},
	{
		name: "no-previous-at-offset-zero", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "The first page by offset has no link previous.",
		check: func(ctx context.Context, s *session) error {
			_, first, _, err := offsetPages(ctx, s)
			if err != nil {
				return err
			}
			raw, query, ok := first.link("previous")
			switch {
			case ok && query.Has("since"):
				return inconclusive("its links go by date")
			case ok:
				return differs("it has %s", raw)
			}
			return nil
		},
	},
	{
		name: "previous-past-the-end", section: "paging", confidence: Observed, paths: []string{"/{user}/{list}/"},
		rule: "A page by offset past the end is empty and has a link previous.",
		check: func(ctx context.Context, s *session) error {
			_, _, later, err := offsetPages(ctx, s)
			if err != nil {
				return err
			}
			if _, _, ok := later.link("previous"); !ok {
				return inconclusive("pages by offset have no links at all")
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
				return differs("it has none")
			}
			return nil
		},
	},
	{
		name: "full-last-page-has-next", section: "unknown", confidence: Inferred, paths: []string{"/{user}/{list}/"},
		rule: "A last page that is exactly full has a link next, which leads to an empty page.",
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
				return inconclusive("%d items of %d", len(p.items), n)
			}
			if _, _, ok := p.link("next"); !ok {
				return differs("%d items, limit %d, and there is none", n, n)
			}
			return nil
		},
	},
	{
		name: "negative-offset-is-zero", section: "unknown", confidence: Unknown, paths: []string{"/{user}/cloudcasts/"},
		rule: "A negative offset counts as 0.",
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
				return differs("%s", err)
			case strings.Join(p.keys(), " ") != strings.Join(first.keys(), " "):
				return differs("the page has other items")
			}
			return nil
		},
	},
}
