package conformance

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// pageBetween fetches a user's shows between bounds.
func pageBetween(ctx context.Context, s *session, user, bounds string) (page, []time.Time, error) {
	p, err := s.page(ctx, "/"+user+"/"+datedList+"/?limit=7&"+bounds)
	if err != nil {
		return page{}, nil, err
	}
	times, err := p.times()
	return p, times, err
}

// checkUntil checks the page whose bound until is the time of another page's last item.
func checkUntil(ctx context.Context, s *session, spell func(time.Time) string, judge func(bound time.Time, got []time.Time) error) error {
	user, _, times, err := s.datedPage(ctx, 7)
	if err != nil {
		return err
	}
	bound := times[len(times)-1]
	_, got, err := pageBetween(ctx, s, user, "until="+spell(bound))
	if err != nil {
		return err
	}
	if len(got) == 0 {
		return inconclusive("nothing is older than %s", bound.Format(time.DateTime))
	}
	return judge(bound, got)
}

func unixText(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func olderThanBound(bound time.Time, got []time.Time) error {
	if got[0].After(bound) {
		return differs("until %s there is an item of %s", bound.Format(time.DateTime), got[0].Format(time.DateTime))
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
		return "", page{}, time.Time{}, nil, inconclusive("two items are of one second")
	}
	_, got, err = pageBetween(ctx, s, user, "since="+boundText(bound))
	if err == nil && (len(got) == 0 || got[len(got)-1].Before(bound)) {
		err = inconclusive("since has no effect, or there is nothing after it")
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
					return differs("%s stands after an older item", text(o, "key"))
				}
				before = t
			}
			return nil
		},
	},
	{
		name: "date-links-by-default", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "Without an offset, a user's list links to its next page by until.",
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
		name: "date-links-tell-item-times", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "The link next has the time of the page's last item, and previous that of its first.",
		check: func(ctx context.Context, s *session) error {
			_, p, times, err := s.datedPage(ctx, 7)
			if err != nil {
				return err
			}
			looked := false
			for _, l := range []struct {
				name, bound string
				time        time.Time
			}{{"next", "until", times[6]}, {"previous", "since", times[0]}} {
				_, query, _ := p.link(l.name)
				t, err := time.Parse(time.DateTime, query.Get(l.bound))
				if err != nil {
					continue
				}
				looked = true
				if !t.Equal(l.time) {
					return differs("%s has %s instead of %s", l.name, t.Format(time.DateTime), l.time.Format(time.DateTime))
				}
			}
			if !looked {
				return inconclusive("no link has a time")
			}
			return nil
		},
	},
	{
		name: "previous-on-first-date-page", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "The first page by date has a link previous too.",
		check: func(ctx context.Context, s *session) error {
			_, p, _, err := s.datedPage(ctx, 7)
			if err != nil {
				return err
			}
			if _, query, _ := p.link("next"); !query.Has("until") {
				return inconclusive("no link goes by date")
			}
			if _, _, ok := p.link("previous"); !ok {
				return differs("there is none")
			}
			return nil
		},
	},
	{
		name: "short-date-page-is-last", section: "paging", confidence: Observed, paths: []string{"/{user}/{list}/"},
		rule: "A page by date with fewer items than its limit has no link next.",
		check: func(ctx context.Context, s *session) error {
			_, p, err := s.shortList(ctx)
			if err != nil {
				return err
			}
			if raw, _, ok := p.link("next"); ok {
				return differs("%d items of 100, and next has %s", len(p.items), raw)
			}
			return nil
		},
	},
	{
		name: "past-the-end-by-date", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "Past the end of a list by date, data is empty and there is no paging.",
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
		rule: "The bound until may be a time of UTC as YYYY-MM-DD HH:MM:SS.",
		check: func(ctx context.Context, s *session) error {
			return checkUntil(ctx, s, boundText, olderThanBound)
		},
	},
	{
		name: "until-as-seconds", section: "paging", confidence: Documented, paths: []string{"/{user}/cloudcasts/"},
		rule: "The bound until may be Unix seconds.",
		check: func(ctx context.Context, s *session) error {
			return checkUntil(ctx, s, unixText, olderThanBound)
		},
	},
	{
		name: "until-is-exclusive", section: "unknown", confidence: Inferred, paths: []string{"/{user}/cloudcasts/"},
		rule: "An item whose time is until itself is not on the page.",
		check: func(ctx context.Context, s *session) error {
			return checkUntil(ctx, s, boundText, func(bound time.Time, got []time.Time) error {
				switch {
				case got[0].After(bound):
					return inconclusive("until has no effect")
				case got[0].Equal(bound):
					return differs("an item of %s is there", bound.Format(time.DateTime))
				}
				return nil
			})
		},
	},
	{
		name: "since-is-exclusive", section: "unknown", confidence: Inferred, paths: []string{"/{user}/cloudcasts/"},
		rule: "An item whose time is since itself is not on the page.",
		check: func(ctx context.Context, s *session) error {
			_, _, bound, got, err := pageSince(ctx, s)
			if err == nil && got[len(got)-1].Equal(bound) {
				return differs("an item of %s is there", bound.Format(time.DateTime))
			}
			return err
		},
	},
	{
		name: "since-gives-the-nearest", section: "unknown", confidence: Unknown, paths: []string{"/{user}/cloudcasts/"},
		rule: "With since alone a page holds the items nearest to it, not the newest of the list.",
		check: func(ctx context.Context, s *session) error {
			user, whole, bound, _, err := pageSince(ctx, s)
			if err != nil {
				return err
			}
			if _, query, ok := whole.link("next"); ok && query.Has("offset") {
				return inconclusive("the list does not page by date")
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
				return differs("the newest item of the list is there")
			}
			return nil
		},
	},
	{
		name: "unreadable-date-is-ignored", section: "unknown", confidence: Unknown, paths: []string{"/{user}/cloudcasts/"},
		rule: "A bound that is no time counts as none.",
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
				return differs("%s", err)
			}
			if !slices.Equal(p.keys(), whole.keys()) {
				return differs("the page has %d other items", len(p.items))
			}
			return nil
		},
	},
	{
		name: "links-name-one-bound", section: "unknown", confidence: Unknown, paths: []string{"/{user}/cloudcasts/"},
		rule: "A link by date has one bound only, also for a page that was asked for with two.",
		check: func(ctx context.Context, s *session) error {
			user, _, times, err := s.datedPage(ctx, 7)
			if err != nil {
				return err
			}
			p, err := s.page(ctx, "/"+user+"/"+datedList+"/?limit=2&since="+boundText(times[6])+"&until="+boundText(times[0]))
			if err != nil {
				return err
			}
			looked := false
			for _, name := range []string{"next", "previous"} {
				raw, query, ok := p.link(name)
				if ok && query.Has("since") && query.Has("until") {
					return differs("%s has %s", name, raw)
				}
				looked = looked || ok
			}
			if !looked {
				return inconclusive("there is no link")
			}
			return nil
		},
	},
}
