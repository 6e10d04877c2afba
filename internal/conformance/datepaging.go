package conformance

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// pageBetween fetches a page of a user's shows with the given bounds in its query.
func pageBetween(ctx context.Context, s *session, user, bounds string) (page, []time.Time, error) {
	p, err := s.page(ctx, "/"+user+"/"+datedList+"/?limit=7&"+bounds)
	if err != nil {
		return page{}, nil, err
	}
	times, err := p.times()
	return p, times, err
}

// checkUntil checks the page whose bound until is the time of another page's last item.
func checkUntil(ctx context.Context, s *session, format func(time.Time) string, check func(bound time.Time, got []time.Time) error) error {
	user, _, times, err := s.datedPage(ctx, 7)
	if err != nil {
		return err
	}
	bound := times[len(times)-1]
	_, got, err := pageBetween(ctx, s, user, "until="+format(bound))
	if err != nil {
		return err
	}
	if len(got) == 0 {
		return inconclusive("no item is older than %s", bound.Format(time.DateTime))
	}
	return check(bound, got)
}

func unixText(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func notNewerThanBound(bound time.Time, got []time.Time) error {
	if got[0].After(bound) {
		return differs("the page until %s has an item with the time %s", bound.Format(time.DateTime), got[0].Format(time.DateTime))
	}
	return nil
}

// pageSince fetches the page whose bound since is the time of the fourth of seven
// items. It returns an inconclusive error if the bound has no effect.
func pageSince(ctx context.Context, s *session) (user string, whole page, bound time.Time, got []time.Time, err error) {
	user, whole, times, err := s.datedPage(ctx, 7)
	if err != nil {
		return "", page{}, time.Time{}, nil, err
	}
	bound = times[3]
	if !times[2].After(bound) {
		return "", page{}, time.Time{}, nil, inconclusive("two items have the same time")
	}
	_, got, err = pageBetween(ctx, s, user, "since="+boundText(bound))
	if err == nil && (len(got) == 0 || got[len(got)-1].Before(bound)) {
		err = inconclusive("since has no effect, or there is no item after it")
	}
	return user, whole, bound, got, err
}

var datePagingProbes = []probe{
	{
		name: "newest-first", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "Lists paged by date begin with the newest item.",
		check: func(ctx context.Context, s *session) error {
			_, p, _, err := s.datedPage(ctx, 7)
			if err != nil {
				return err
			}
			var before time.Time
			for i, o := range p.items {
				t, _ := timeOf(o, "created_time")
				if i > 0 && t.After(before) {
					return differs("%s is after an older item", text(o, "key"))
				}
				before = t
			}
			return nil
		},
	},
	{
		name: "date-links-by-default", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "Without an offset, the next link of a user's list has until.",
		check: func(ctx context.Context, s *session) error {
			_, p, _, err := s.datedPage(ctx, 7)
			if err != nil {
				return err
			}
			raw, query, ok := p.link("next")
			switch {
			case !ok:
				return inconclusive("there is no next link")
			case !query.Has("until") || query.Has("offset"):
				return differs("the next link has %s", raw)
			}
			return nil
		},
	},
	{
		name: "date-links-have-item-times", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "The next link has the time of the page's last item, and the previous link that of its first one.",
		check: func(ctx context.Context, s *session) error {
			_, p, times, err := s.datedPage(ctx, 7)
			if err != nil {
				return err
			}
			checked := false
			for _, l := range []struct {
				name, bound string
				time        time.Time
			}{{"next", "until", times[6]}, {"previous", "since", times[0]}} {
				_, query, _ := p.link(l.name)
				t, err := time.Parse(time.DateTime, query.Get(l.bound))
				if err != nil {
					continue
				}
				checked = true
				if !t.Equal(l.time) {
					return differs("the %s link has the time %s instead of %s", l.name, t.Format(time.DateTime), l.time.Format(time.DateTime))
				}
			}
			if !checked {
				return inconclusive("no link has a time")
			}
			return nil
		},
	},
	{
		name: "previous-on-first-date-page", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "The first page by date also has a previous link.",
		check: func(ctx context.Context, s *session) error {
			_, p, _, err := s.datedPage(ctx, 7)
			if err != nil {
				return err
			}
			if _, query, _ := p.link("next"); !query.Has("until") {
				return inconclusive("the next link is not by date")
			}
			if _, _, ok := p.link("previous"); !ok {
				return differs("there is no previous link")
			}
			return nil
		},
	},
	{
		name: "short-date-page-is-last", section: "paging", confidence: Observed, paths: []string{"/{user}/{list}/"},
		rule: "A page by date with fewer items than its limit has no next link.",
		check: func(ctx context.Context, s *session) error {
			_, p, err := s.shortList(ctx)
			if err != nil {
				return err
			}
			if raw, _, ok := p.link("next"); ok {
				return differs("the page has %d items and limit 100, but its next link has %s", len(p.items), raw)
			}
			return nil
		},
	},
	{
		name: "past-the-end-by-date", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "After the end of a list by date, data is empty and there is no paging.",
		check: func(ctx context.Context, s *session) error {
			user, _, _, err := s.datedPage(ctx, 7)
			if err != nil {
				return err
			}
			p, err := s.page(ctx, "/"+user+"/"+datedList+"/?limit=7&until=2000-01-01+00%3A00%3A00")
			switch {
			case err != nil:
				return err
			case len(p.items) > 0:
				return inconclusive("until has no effect")
			case has(p.envelope, "paging"):
				return differs("paging is %v", p.envelope["paging"])
			}
			return nil
		},
	},
	{
		name: "until-as-text", section: "paging", confidence: Documented, paths: []string{"/{user}/cloudcasts/"},
		rule: "The bound until may be a UTC time in the form YYYY-MM-DD HH:MM:SS.",
		check: func(ctx context.Context, s *session) error {
			return checkUntil(ctx, s, boundText, notNewerThanBound)
		},
	},
	{
		name: "until-as-seconds", section: "paging", confidence: Documented, paths: []string{"/{user}/cloudcasts/"},
		rule: "The bound until may be Unix seconds.",
		check: func(ctx context.Context, s *session) error {
			return checkUntil(ctx, s, unixText, notNewerThanBound)
		},
	},
	{
		name: "until-is-exclusive", section: "unknown", confidence: Inferred, paths: []string{"/{user}/cloudcasts/"},
		rule: "An item with the time of until is not on the page.",
		check: func(ctx context.Context, s *session) error {
			return checkUntil(ctx, s, boundText, func(bound time.Time, got []time.Time) error {
				switch {
				case got[0].After(bound):
					return inconclusive("until has no effect")
				case got[0].Equal(bound):
					return differs("the page has an item with the time %s", bound.Format(time.DateTime))
				}
				return nil
			})
		},
	},
	{
		name: "since-is-exclusive", section: "unknown", confidence: Inferred, paths: []string{"/{user}/cloudcasts/"},
		rule: "An item with the time of since is not on the page.",
		check: func(ctx context.Context, s *session) error {
			_, _, bound, got, err := pageSince(ctx, s)
			if err == nil && got[len(got)-1].Equal(bound) {
				return differs("the page has an item with the time %s", bound.Format(time.DateTime))
			}
			return err
		},
	},
	{
		name: "since-returns-the-nearest", section: "unknown", confidence: Unknown, paths: []string{"/{user}/cloudcasts/"},
		rule: "With since alone a page has the items nearest to it, not the newest of the list.",
		check: func(ctx context.Context, s *session) error {
			user, whole, bound, _, err := pageSince(ctx, s)
			if err != nil {
				return err
			}
			if _, query, ok := whole.link("next"); ok && query.Has("offset") {
				return inconclusive("the list is not paged by date")
			}
			p, err := s.page(ctx, "/"+user+"/"+datedList+"/?limit=2&since="+boundText(bound))
			if err != nil {
				return err
			}
			newest := whole.items[0]
			if first, last := whole.items[0], whole.items[len(whole.items)-1]; text(first, "created_time") < text(last, "created_time") {
				newest = last
			}
			if slices.Contains(p.keys(), text(newest, "key")) {
				return differs("the page has the newest item of the list")
			}
			return nil
		},
	},
	{
		name: "invalid-date-is-ignored", section: "unknown", confidence: Unknown, paths: []string{"/{user}/cloudcasts/"},
		rule: "A bound that is not a time is ignored.",
		check: func(ctx context.Context, s *session) error {
			user, whole, _, err := s.datedPage(ctx, 7)
			if err != nil {
				return err
			}
			a, err := s.get(ctx, "/"+user+"/"+datedList+"/?limit=7&until=soon")
			if err != nil {
				return err
			}
			p, err := parsePage(a, nil)
			if err != nil {
				return differs("the response is not a page: %s", err)
			}
			if !slices.Equal(p.keys(), whole.keys()) {
				return differs("the page has %d items that differ from those without until", len(p.items))
			}
			return nil
		},
	},
	{
		name: "links-have-one-bound", section: "unknown", confidence: Unknown, paths: []string{"/{user}/cloudcasts/"},
		rule: "A link by date has one bound only, even if the request had two.",
		check: func(ctx context.Context, s *session) error {
			user, _, times, err := s.datedPage(ctx, 7)
			if err != nil {
				return err
			}
			p, err := s.page(ctx, "/"+user+"/"+datedList+"/?limit=2&since="+boundText(times[6])+"&until="+boundText(times[0]))
			if err != nil {
				return err
			}
			checked := false
			for _, name := range []string{"next", "previous"} {
				raw, query, ok := p.link(name)
				if ok && query.Has("since") && query.Has("until") {
					return differs("the %s link has %s", name, raw)
				}
				checked = checked || ok
			}
			if !checked {
				return inconclusive("the page has no links")
			}
			return nil
		},
	},
}
