package emulator

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Deviations that change a page of a list: its items, name or links. See [rule].

// setLink sets a link of the page, or removes it if href is "".
func (d *document) setLink(name, href string) {
	page := d.page()
	paging := page.object("paging")
	switch {
	case paging == nil && href == "":
	case paging == nil:
		page.put("paging", &object{members: []member{{name, href}}}, "name")
	case href != "":
		paging.put(name, href, "previous")
	default:
		paging.delete(name)
		if len(paging.members) == 0 {
			page.delete("paging")
		}
	}
}

// dropLinks removes links of a page.
func dropLinks(names ...string) deviation {
	return changeJSON(func(_ *call, d *document) {
		for _, name := range names {
			d.setLink(name, "")
		}
	})
}

// changeLinks changes every link of a page. The function is not called for a page
// without links.
func changeLinks(f func(c *call, name, href string) string) deviation {
	return changeJSON(func(c *call, d *document) {
		paging := d.page().object("paging")
		if paging == nil {
			return
		}
		for i, m := range paging.members {
			paging.members[i].value = f(c, m.name, m.value.(string))
		}
	})
}

// changeLinkParams changes the parameters of every link of a page.
func changeLinkParams(f func(c *call, name string, params url.Values)) deviation {
	return changeLinks(func(c *call, name, href string) string {
		base, query, _ := strings.Cut(href, "?")
		params, err := url.ParseQuery(query)
		if err != nil {
			return href
		}
		f(c, name, params)
		return base + "?" + params.Encode()
	})
}

func reverseParams(_ *call, _, href string) string {
	base, query, _ := strings.Cut(href, "?")
	parts := strings.Split(query, "&")
	slices.Reverse(parts)
	return base + "?" + strings.Join(parts, "&")
}

func swapScheme(_ *call, _, href string) string {
	if rest, ok := strings.CutPrefix(href, "https://"); ok {
		return "http://" + rest
	}
	return "https://" + strings.TrimPrefix(href, "http://")
}

// canonicalUserPath writes the user name in the path as in the user's key.
func canonicalUserPath(c *call, _, href string) string {
	segments := strings.SplitN(c.sent.path, "/", 3)
	name, err := url.PathUnescape(segments[1])
	u := c.world.User(name)
	if err != nil || u == nil || len(segments) < 3 {
		return href
	}
	return strings.Replace(href, c.base+c.sent.path, c.base+u.Key()+segments[2], 1)
}

func withoutLimit(_ *call, _ string, params url.Values)  { params.Del("limit") }
func withoutMeta(_ *call, _ string, params url.Values)   { params.Del("metadata") }
func withSentToken(c *call, _ string, params url.Values) { copyParam(c, params, "access_token") }

func withSentBounds(c *call, _ string, params url.Values) {
	copyParam(c, params, "since")
	copyParam(c, params, "until")
}

// copyParam copies a parameter of the request to the link, unless the link has it.
func copyParam(c *call, params url.Values, name string) {
	if c.sent.query.Has(name) && !params.Has(name) {
		params[name] = c.sent.query[name]
	}
}

// linkByOne makes links by offset move by one item, regardless of the limit.
func linkByOne(c *call, name string, params url.Values) {
	offset := max(0, c.offset()-1)
	if name == "next" {
		offset = c.offset() + 1
	}
	params.Set("offset", strconv.Itoa(offset))
}

// linkTimes changes the times in links by date.
func linkTimes(f func(time.Time) string) deviation {
	return changeLinkParams(func(_ *call, _ string, params url.Values) {
		for _, name := range []string{"since", "until"} {
			if t, err := time.Parse(time.DateTime, params.Get(name)); err == nil {
				params.Set(name, f(t))
			}
		}
	})
}

func secondBefore(t time.Time) string { return linkTime(t.Add(-time.Second)) }
func isoTime(t time.Time) string      { return t.Format("2006-01-02T15:04:05Z") }

// nextOnAll adds a next link to every page that has items, even if it is not full.
func nextOnAll(c *call, d *document) {
	s := c.listPage
	switch {
	case s.unpaged || s.lo == s.hi:
	case s.byDate:
		d.setLink("next", c.href(link{"until": linkTime(s.time(s.hi - 1))}))
	default:
		d.setLink("next", c.href(link{"offset": strconv.Itoa(c.offset() + c.limit())}))
	}
}

// noNextAtEnd removes the next link of a page that has the last item of the list.
func noNextAtEnd(c *call, d *document) {
	if c.listPage.hi == c.listPage.n {
		d.setLink("next", "")
	}
}

func emptyPaging(c *call, d *document) {
	if page := d.page(); c.listPage.lo == c.listPage.hi && !page.has("paging") {
		page.put("paging", &object{}, "name")
	}
}

func noPreviousIfEmpty(c *call, d *document) {
	if c.listPage.lo == c.listPage.hi {
		d.setLink("previous", "")
	}
}

func previousAtZero(c *call, d *document) {
	if c.offset() == 0 {
		d.setLink("previous", c.href(link{"offset": "0"}))
	}
}

// unbounded applies if the query has neither since nor until.
func unbounded(c *call) bool { return !c.query.Has("since") && !c.query.Has("until") }

func reverseItems(_ *call, d *document) { slices.Reverse(d.page().get("data").([]any)) }

// pageUnpagedList divides a list without pages into pages by offset.
func pageUnpagedList(c *call, d *document) {
	l := c.listPage.list
	lo, hi, next, previous := c.pageRangeByOffset(l)
	page := d.page()
	page.put("data", page.get("data").([]any)[lo:hi])
	for name, to := range map[string]link{"next": next, "previous": previous} {
		if to != nil {
			d.setLink(name, c.href(to))
		}
	}
}

// linkByCreationTime makes the links of search results use creation times.
func linkByCreationTime(c *call, d *document) {
	if c.sent.query.Has("offset") {
		return
	}
	items := d.page().get("data").([]any)
	hasNext := d.page().object("paging").has("next")
	d.page().delete("paging")
	if len(items) == 0 {
		return
	}
	created := func(item any) string {
		t, _ := time.Parse(time.RFC3339, item.(*object).text("created_time"))
		return linkTime(t)
	}
	if hasNext {
		d.setLink("next", c.href(link{"until": created(items[len(items)-1])}))
	}
	d.setLink("previous", c.href(link{"since": created(items[0])}))
}

// setListName sets the name of the list.
func setListName(name string) deviation {
	return changeJSON(func(c *call, d *document) {
		if c.listPage.paged {
			d.page().put("name", c.marked(name))
		}
	})
}

func nameFollowing(c *call, d *document) {
	if u, err := c.findUser(); err == nil {
		d.page().put("name", c.marked(u.Name+"'s following"))
	}
}

func noName(_ *call, d *document) { d.page().delete("name") }

func typedEnvelope(_ *call, d *document) { d.page().put("type", "list", "data") }
