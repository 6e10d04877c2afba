package emulator

import (
	"net/url"
	"sort"
	"strconv"
	"time"
)

const (
	defaultLimit = 20  // documented
	maxLimit     = 100 // inferred: the longest observed page has 100 items
	maxOffset    = 1 << 30
)

// A list is the content of a connection, before paging.
type list struct {
	name    string                // of the envelope; "" for none
	n       int                   // number of items
	time    func(i int) time.Time // when item i was added, newest first; nil if the list is paged by offset only
	write   func(i int)           // writes item i as an element
	unpaged bool                  // ignores limit and offset, and has no links
}

// A listPage is the part of a list that is in the response.
type listPage struct {
	list
	lo, hi int // the items, hi excluded
	paged  bool
	byDate bool
}

// page writes the part of a list that the query selects, in its envelope:
// data, paging {next, previous}, name (observed 2026:
// user_cloudcasts_date_page1_2026_subset.json).
func (c *call) page(l list) {
	lo, hi, next, previous := c.pageRange(l)
	c.listPage = listPage{list: l, lo: lo, hi: hi, paged: true, byDate: c.byDate(l)}
	if c.fault.is(FaultEmptyPage) {
		hi = lo
		if next == nil {
			next = link{}
		}
	}
	if c.fault.is(FaultRepeatedPage) {
		next = c.selfLink()
	}

	c.open('{')
	c.list("data")
	for i := lo; i < hi; i++ {
		l.write(i)
	}
	c.close(']')
	if next != nil || previous != nil {
		c.object("paging")
		if next != nil {
			c.string("next", c.href(next))
		}
		if previous != nil {
			c.string("previous", c.href(previous))
		}
		c.close('}')
	}
	if l.name != "" {
		c.string("name", c.marked(l.name))
	}
	c.close('}')
}

// byDate reports whether a page has links by date: the list must support this, and the
// request must have no offset, not even 0 (documented).
func (c *call) byDate(l list) bool {
	return l.time != nil && !c.query.Has("offset")
}

// pageRange returns the items of the page, from lo to hi-1, and its links; nil for an
// absent link.
func (c *call) pageRange(l list) (lo, hi int, next, previous link) {
	switch {
	case l.unpaged:
		return 0, l.n, nil, nil
	case c.byDate(l):
		return c.pageRangeByDate(l)
	}
	return c.pageRangeByOffset(l)
}

// pageRangeByDate pages by date. Even the first page has a previous link; a page that
// is not full has no next link; an empty page has no links (observed 2018-26:
// user_cloudcasts_date_page1_2026_subset.json, user_cloudcasts_empty_2018.json).
func (c *call) pageRangeByDate(l list) (lo, hi int, next, previous link) {
	lo, hi, onlySince := c.window(l)
	limit := c.limit()
	if hi-lo > limit {
		if onlySince && c.settings.SinceOrder == SinceNearest {
			lo = hi - limit
		} else {
			hi = lo + limit
		}
	}
	if lo == hi {
		return lo, hi, nil, nil
	}
	if hi-lo == limit {
		next = link{"until": linkTime(l.time(hi - 1))}
	}
	return lo, hi, next, link{"since": linkTime(l.time(lo))}
}

// window returns the items between since and until, both exclusive (inferred: with
// inclusive bounds the last item of a page would be on the next page too).
func (c *call) window(l list) (lo, hi int, onlySince bool) {
	hi = l.n
	until, bounded := c.bound("until")
	if bounded {
		lo = sort.Search(l.n, func(i int) bool { return l.time(i).Unix() < until })
	}
	if since, ok := c.bound("since"); ok {
		hi = lo + sort.Search(l.n-lo, func(i int) bool { return l.time(lo+i).Unix() <= since })
		return lo, hi, !bounded
	}
	return lo, hi, false
}

// bound parses since or until: Unix seconds, or a UTC time (documented). It ignores an
// invalid value (inferred).
func (c *call) bound(name string) (int64, bool) {
	value := c.query.Get(name)
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return seconds, true
	}
	if t, err := time.Parse(time.DateTime, value); err == nil {
		return t.Unix(), true
	}
	return 0, false
}

func linkTime(t time.Time) string { return t.UTC().Format(time.DateTime) }

// pageRangeByOffset pages by offset: the first page has no previous link, a page that
// is not full has no next link; a page past the end has only a previous link (observed
// 2018: user_cloudcasts_offset_middle_2018.json,
// user_feed_offset_last_page_2018_subset.json). That a full last page has a next link
// is inferred.
func (c *call) pageRangeByOffset(l list) (lo, hi int, next, previous link) {
	if l.time != nil {
		lo, hi, _ = c.window(l)
	} else {
		hi = l.n
	}
	limit, offset := c.limit(), c.offset()
	lo = min(lo+offset, hi)
	hi = min(lo+limit, hi)
	if hi-lo == limit {
		next = link{"offset": strconv.Itoa(offset + limit)}
	}
	if offset > 0 {
		previous = link{"offset": strconv.Itoa(max(0, offset-limit))}
	}
	return lo, hi, next, previous
}

// limit returns the page size of the query, by default 20, at most the page cap. For a
// limit of 0 or less it returns 20 (inferred).
func (c *call) limit() int {
	limit, err := strconv.Atoi(c.query.Get("limit"))
	if err != nil || limit <= 0 {
		limit = defaultLimit
	}
	return min(limit, c.pageCap)
}

// offset returns the offset of the query, limited so that sums do not overflow.
func (c *call) offset() int {
	offset, err := strconv.Atoi(c.query.Get("offset"))
	if err != nil || offset < 0 {
		return 0
	}
	return min(offset, maxOffset)
}

// A link contains the parameters of a paging link that differ from those of the
// request.
type link map[string]string

// selfLink returns a link to the requested page.
func (c *call) selfLink() link {
	l := link{}
	for _, name := range []string{"offset", "since", "until"} {
		if c.sent.query.Has(name) {
			l[name] = c.sent.query.Get(name)
		}
	}
	return l
}

// href returns the URL of a link: the requested URL, with the user name as sent
// (observed 2017), with limit, sorted parameters and spaces as + (observed 2018-26). A
// link by date has its own bound instead of the request's; one by offset also has the
// request's (inferred: a previous link with both bounds would always be empty).
func (c *call) href(l link) string {
	params := make(url.Values, len(c.sent.query)+2)
	for name, values := range c.sent.query {
		switch name {
		case "since", "until":
			if c.sent.query.Has("offset") {
				params[name] = values
			}
		case "access_token", "callback", "offset":
		default:
			params[name] = values
		}
	}
	params.Set("limit", strconv.Itoa(c.limit()))
	for name, value := range l {
		params.Set(name, value)
	}
	return c.base + c.sent.path + "?" + params.Encode() // sorted by name
}
