package conformance

import (
	"context"
	"strconv"
	"strings"
)

// shifted gives a user's shows from the first and from the fifth on, by offset.
func shifted(ctx context.Context, s *session) (list string, first, later page, err error) {
	user, _, _, err := s.dated(ctx, 7)
	if err != nil {
		return "", page{}, page{}, err
	}
	list = "/" + user + "/" + filled + "/"
	if first, err = s.page(ctx, list+"?limit=3&offset=0"); err != nil {
		return "", page{}, page{}, err
	}
	if later, err = s.page(ctx, list+"?limit=3&offset=4"); err != nil {
		return "", page{}, page{}, err
	}
	if len(first.items) < 3 || len(later.items) < 3 {
		return "", page{}, page{}, unsure("fewer than three items at %s", list)
	}
	return list, first, later, nil
}

// skips says whether the offset has an effect.
func skips(first, later page) bool { return first.keys()[0] != later.keys()[0] }

var offsetPagingProbes = []probe{
	{
		name: "offset-zero-links-by-offset", section: "paging", sure: Documented, asks: []string{"/{user}/cloudcasts/"},
		rule: "offset=0 makes a list by date link by offset.",
		judge: func(ctx context.Context, s *session) error {
			_, first, _, err := shifted(ctx, s)
			if err != nil {
				return err
			}
			raw, query, ok := first.link("next")
			switch {
			case !ok:
				return unsure("there is no next link")
			case !query.Has("offset") || query.Has("until"):
				return differs("the next link has %s", raw)
			}
			return nil
		},
	},
	{
		name: "offset-skips-items", section: "paging", sure: Documented, asks: []string{"/{user}/cloudcasts/"},
		rule: "A page begins at the item that its offset counts to.",
		judge: func(ctx context.Context, s *session) error {
			user, whole, _, err := s.dated(ctx, 7)
			if err != nil {
				return err
			}
			p, err := s.page(ctx, "/"+user+"/"+filled+"/?limit=3&offset=4")
			if err != nil {
				return err
			}
			want := whole.keys()
			if text(whole.items[0], "created_time") < text(whole.items[6], "created_time") {
				return unsure("the list does not begin with its newest item")
			}
			if got := p.keys(); len(got) == 0 || got[0] != want[4] {
				return differs("at offset 4 the page begins with %s", strings.Join(got[:min(1, len(got))], ""))
			}
			return nil
		},
	},
	{
		name: "offset-pages-have-links", section: "paging", sure: Observed, asks: []string{"/{user}/cloudcasts/"},
		rule: "A full page by offset has a link next.",
		judge: func(ctx context.Context, s *session) error {
			_, first, later, err := shifted(ctx, s)
			if err != nil {
				return err
			}
			for _, p := range []page{first, later} {
				if _, _, ok := p.link("next"); !ok {
					return differs("there is none: %s", p.answer)
				}
			}
			return nil
		},
	},
	{
		name: "offset-links-step-by-limit", section: "paging", sure: Observed, asks: []string{"/{user}/cloudcasts/"},
		rule: "The links by offset lead one limit forward and back, not below 0.",
		judge: func(ctx context.Context, s *session) error {
			_, first, later, err := shifted(ctx, s)
			if err != nil {
				return err
			}
			if !skips(first, later) {
				return unsure("the offset has no effect")
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
				return unsure("no link has an offset")
			}
			return nil
		},
	},
	{
		name: "no-previous-at-offset-zero", section: "paging", sure: Observed, asks: []string{"/{user}/cloudcasts/"},
		rule: "The first page by offset has no link previous.",
		judge: func(ctx context.Context, s *session) error {
			_, first, _, err := shifted(ctx, s)
			if err != nil {
				return err
			}
			raw, query, ok := first.link("previous")
			switch {
			case ok && query.Has("since"):
				return unsure("its links go by date")
			case ok:
				return differs("it has %s", raw)
			}
			return nil
		},
	},
	{
		name: "previous-past-the-end", section: "paging", sure: Observed, asks: []string{"/{user}/{list}/"},
		rule: "A page by offset past the end is empty and has a link previous.",
		judge: func(ctx context.Context, s *session) error {
			_, _, later, err := shifted(ctx, s)
			if err != nil {
				return err
			}
			if _, _, ok := later.link("previous"); !ok {
				return unsure("pages by offset have no links at all")
			}
			list, _, err := s.short(ctx)
			if err != nil {
				return err
			}
			p, err := s.page(ctx, list+"?limit=20&offset=200")
			if err != nil {
				return err
			}
			if len(p.items) > 0 {
				return unsure("the offset has no effect")
			}
			if _, _, ok := p.link("previous"); !ok {
				return differs("it has none")
			}
			return nil
		},
	},
	{
		name: "full-last-page-has-next", section: "unknown", sure: Inferred, asks: []string{"/{user}/{list}/"},
		rule: "A last page that is exactly full has a link next, which leads to an empty page.",
		judge: func(ctx context.Context, s *session) error {
			list, whole, err := s.short(ctx)
			if err != nil {
				return err
			}
			n := len(whole.items)
			p, err := s.page(ctx, list+"?limit="+strconv.Itoa(n))
			if err != nil {
				return err
			}
			if len(p.items) != n {
				return unsure("%d items of %d", len(p.items), n)
			}
			if _, _, ok := p.link("next"); !ok {
				return differs("%d items, limit %d, and there is none", n, n)
			}
			return nil
		},
	},
	{
		name: "negative-offset-is-zero", section: "unknown", sure: Unknown, asks: []string{"/{user}/cloudcasts/"},
		rule: "A negative offset counts as 0.",
		judge: func(ctx context.Context, s *session) error {
			list, first, _, err := shifted(ctx, s)
			if err != nil {
				return err
			}
			a, err := s.get(ctx, list+"?limit=3&offset=-4")
			if err != nil {
				return err
			}
			p, err := listed(a, nil)
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
