package emulator

import (
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

const (
	defaultLimit = 20  // documented
	maxLimit     = 100 // inferred: 100 were given, more were never seen asked for
)

// A list is what a connection holds, before it is cut into pages.
type list struct {
	name  string                // the envelope's; "" for none
	n     int                   // how many items
	at    func(i int) time.Time // when item i came onto the list, newest first; nil where pages go by offset only
	item  func(i int)           // writes item i as an element
	whole bool                  // takes no notice of limit and offset, and has no links
}

// page writes the part of a list that the query asks for, in its envelope:
// data, paging {next, previous}, name (observed 2026:
// user_cloudcasts_date_page1_2026_subset.json).
func (c *call) page(l list) {
	lo, hi, next, previous := c.cut(l)
	if c.breaks(offsetLinksAbsent) && !c.byDate(l) {
		next, previous = nil, nil
	}
	if c.fault.is(FaultEmptyPage) {
		hi = lo
		if next == nil {
			next = link{}
		}
	}
	if c.fault.is(FaultRepeatedPage) {
		next = c.same()
	}

	c.open('{')
	if c.metadata && c.breaks(typedEnvelopes) {
		c.string("type", "list")
	}
	c.list("data")
	if c.breaks(oldestFirst) && c.byDate(l) {
		for i := hi - 1; i >= lo; i-- {
			l.item(i)
		}
	} else {
		for i := lo; i < hi; i++ {
			l.item(i)
		}
	}
	c.close(']')
	if next != nil || previous != nil || c.breaks(pagingPastEnd) && lo == hi {
		c.object("paging")
		if next != nil {
			c.string("next", c.href(next))
		}
		if previous != nil {
			c.string("previous", c.href(previous))
		}
		c.close('}')
	}
	if l.name != "" && !c.breaks(noListNames) {
		c.string("name", c.marked(l.name))
	}
	c.close('}')
}

// byDate says whether a page's links go by date: where the list can, unless the
// request has an offset, even one of 0 (documented).
func (c *call) byDate(l list) bool {
	if l.at == nil || c.breaks(offsetLinksByDefault) {
		return false
	}
	offset, given := c.query["offset"]
	return !given || c.breaks(offsetZeroKeepsDates) && offset[0] == "0"
}

// cut finds the items of the page, from lo up to but not including hi, and its
// links; nil for a link that is not there.
func (c *call) cut(l list) (lo, hi int, next, previous link) {
	switch {
	case l.whole:
		return 0, l.n, nil, nil
	case c.byDate(l):
		return c.cutByDate(l)
	}
	return c.cutByOffset(l)
}

// cutByDate pages the newer way. The link to the previous page is there even on
// the first one; the next one is absent if the page is short; an empty page has
// no links (observed 2018-26: user_cloudcasts_date_page1_2026_subset.json,
// user_cloudcasts_empty_2018.json).
func (c *call) cutByDate(l list) (lo, hi int, next, previous link) {
	lo, hi, onlySince := c.window(l)
	limit := c.limit()
	if hi-lo > limit {
		if onlySince && c.settings.SinceOrder == SinceNearest && !c.breaks(sinceNewest) {
			lo = hi - limit
		} else {
			hi = lo + limit
		}
	}
	if lo == hi {
		return lo, hi, nil, nil
	}
	if hi-lo == limit && !c.lastKnown(hi, l.n) || c.breaks(nextOnShortPage) {
		next = link{"until": c.linkTime(l.at(hi - 1))}
	}
	if c.query.Has("until") || c.query.Has("since") || !c.breaks(noPreviousOnFirstPage) {
		previous = link{"since": c.linkTime(l.at(lo))}
	}
	return lo, hi, next, previous
}

// window gives the items between since and until, both exclusive (inferred: an
// inclusive bound would give the last item of a page again on the next).
func (c *call) window(l list) (lo, hi int, onlySince bool) {
	hi = l.n
	until, bounded := c.bound("until")
	if bounded {
		if c.breaks(untilInclusive) {
			until++
		}
		lo = sort.Search(l.n, func(i int) bool { return l.at(i).Unix() < until })
	}
	if since, ok := c.bound("since"); ok {
		if c.breaks(sinceInclusive) {
			since--
		}
		hi = lo + sort.Search(l.n-lo, func(i int) bool { return l.at(lo+i).Unix() <= since })
		return lo, hi, !bounded
	}
	return lo, hi, false
}

// bound reads since or until: Unix seconds, or a time of UTC as text
// (documented). One that is neither counts as absent (inferred).
func (c *call) bound(name string) (int64, bool) {
	value := c.query.Get(name)
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return seconds, !c.breaks(secondsIgnored)
	}
	if t, err := time.Parse(time.DateTime, value); err == nil {
		return t.Unix(), !c.breaks(textTimesIgnored)
	}
	return 0, value != "" && c.breaks(badDatesEmpty)
}

func (c *call) linkTime(t time.Time) string {
	if c.breaks(shiftedLinkTimes) {
		t = t.Add(-time.Second)
	}
	if c.breaks(isoTimesInLinks) {
		return t.UTC().Format("2006-01-02T15:04:05Z")
	}
	return t.UTC().Format(time.DateTime)
}

// cutByOffset pages the older way: no previous link on the first page, no next
// link on a short one; past the end only the previous one (observed 2018:
// user_cloudcasts_offset_middle_2018.json,
// user_feed_offset_last_page_2018_subset.json). That a full last page has a next
// link is inferred.
func (c *call) cutByOffset(l list) (lo, hi int, next, previous link) {
	if l.at != nil {
		lo, hi, _ = c.window(l)
	} else {
		hi = l.n
	}
	limit, offset := c.limit(), c.offset()
	lo = min(lo+offset, hi)
	hi = min(lo+limit, hi)
	step := limit
	if c.breaks(offsetLinksByOne) {
		step = 1
	}
	if hi-lo == limit && !c.lastKnown(hi, l.n) || hi > lo && c.breaks(nextOnShortPage) {
		next = link{"offset": strconv.Itoa(offset + step)}
	}
	if (offset > 0 || c.breaks(previousAtOffsetZero)) && (hi > lo || !c.breaks(noPreviousPastEnd)) {
		previous = link{"offset": strconv.Itoa(max(0, offset-step))}
	}
	return lo, hi, next, previous
}

// lastKnown says that a page which ends at hi is told to be the last one.
func (c *call) lastKnown(hi, n int) bool { return hi == n && c.breaks(noNextOnFullLastPage) }

// limit is the page's size: 20 unless the query has a better number (inferred
// for 0 and below), and never above the cap.
func (c *call) limit() int {
	most := c.settings.pageCap()
	if c.breaks(pageCapFifty) {
		most = min(most, 50)
	}
	limit, err := strconv.Atoi(c.query.Get("limit"))
	switch {
	case err == nil && limit == 0 && c.breaks(limitZeroEmpty):
		return 0
	case err == nil && limit < 0 && c.breaks(negativeLimitOne):
		return 1
	case err != nil || limit <= 0:
		limit = defaultLimit
		if c.breaks(defaultLimitTen) {
			limit = 10
		}
	case c.breaks(limitAboveCapHonoured):
		return limit
	}
	return min(limit, most)
}

// offset is where the page begins. The cap keeps sums from overflowing.
func (c *call) offset() int {
	offset, err := strconv.Atoi(c.query.Get("offset"))
	if err == nil && offset < 0 && c.breaks(negativeOffsetEmpty) {
		return 1 << 30
	}
	if err != nil || offset < 0 || c.breaks(offsetIgnored) {
		return 0
	}
	return min(offset, 1<<30)
}

// A link is the one parameter in which a page's neighbour differs from it.
type link map[string]string

// same is a link to the page itself.
func (c *call) same() link {
	l := link{}
	for _, name := range []string{"offset", "since", "until"} {
		if c.query.Has(name) {
			l[name] = c.query.Get(name)
		}
	}
	return l
}

// href spells a link: the same URL with limit spelled out, the parameters in
// alphabetical order, a space as + (observed 2018-26). A link by date has its own
// bound instead of those of the request; one by offset stays within them
// (inferred: a previous link with both bounds could only lead to nothing).
func (c *call) href(l link) string {
	params := make(url.Values, len(c.query)+2)
	for name, values := range c.query {
		switch name {
		case "since", "until":
			if c.query.Has("offset") || c.breaks(linksKeepBounds) {
				params[name] = values
			}
		case "callback", "offset":
		case "access_token":
			if c.breaks(tokenInLinks) {
				params[name] = values
			}
		case "metadata":
			if !c.breaks(linksDropMetadata) {
				params[name] = values
			}
		default:
			params[name] = values
		}
	}
	params.Set("limit", strconv.Itoa(c.limit()))
	if c.breaks(linksWithoutLimit) {
		params.Del("limit")
	}
	for name, value := range l {
		params.Set(name, value)
	}
	query := params.Encode() // sorts
	if c.breaks(unsortedLinks) {
		parts := strings.Split(query, "&")
		slices.Reverse(parts)
		query = strings.Join(parts, "&")
	}
	base := c.base
	if c.breaks(otherSchemeLinks) {
		base = otherScheme(base)
	}
	return base + c.linkPath() + "?" + query
}

func otherScheme(base string) string {
	if rest, ok := strings.CutPrefix(base, "https://"); ok {
		return "http://" + rest
	}
	return "https://" + strings.TrimPrefix(base, "http://")
}

// linkPath is the path as requested, whatever the case of its user name
// (observed 2017).
func (c *call) linkPath() string {
	if !c.breaks(canonicalLinks) || len(c.args) == 0 {
		return c.path
	}
	u := c.world.User(c.args[0])
	first, rest, _ := strings.Cut(strings.TrimPrefix(c.path, "/"), "/")
	if u == nil || !strings.EqualFold(first, strings.Trim(u.Key(), "/")) {
		return c.path
	}
	return u.Key() + rest
}
