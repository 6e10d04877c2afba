package ideal

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

const (
	defaultPage = 20
	largestPage = 100

	// unbounded is the value of since or until if the argument is absent.
	unbounded = -1
	// endOfTime is the upper limit of time bounds: Mixcloud writes years with four digits.
	endOfTime = 253402300799
)

// A page is the part of a list that the arguments select.
type page struct {
	size         int
	fromLast     bool // the last items, of an unpaged list
	offset       int
	offsetGiven  bool
	after        string
	since, until int64 // Unix seconds, both exclusive; unbounded if absent
}

// filtered reports whether the page may not begin with the first item of the whole list.
func (p page) filtered() bool {
	return p.offset > 0 || p.after != "" || p.bounded()
}

// bounded reports whether the page has a time bound.
func (p page) bounded() bool { return p.since != unbounded || p.until != unbounded }

// page parses the arguments. If they are not valid the server returns an error and makes no call.
func (w *walker) page(f *ast.Field, l list) (p page, invalid bool) {
	args := f.ArgumentMap(w.variables)
	p.size, p.since, p.until = defaultPage, unbounded, unbounded
	if args["before"] != nil {
		w.fail(errors.New("ideal: no plan for paging backward"))
		return p, true
	}
	first, last, offset := args["first"], args["last"], args["offset"]
	switch {
	case first != nil && last != nil, last != nil && !l.unpaged:
		return p, true
	case first != nil:
		p.size = number(first)
	case last != nil:
		p.size, p.fromLast = number(last), true
	}
	if p.size < 0 || p.size > largestPage {
		return p, true
	}
	since, until := timeArgument(args["since"]), timeArgument(args["until"])
	for _, bound := range []*time.Time{since, until} {
		if bound != nil && (bound.Unix() < 0 || bound.Unix() >= endOfTime) {
			return p, true
		}
	}
	if since != nil && until != nil && !since.Before(*until) {
		return p, true
	}
	// The times of items are whole seconds: an item that is newer than 12:00:00.5 is newer than
	// 12:00:00, and an older one is older than 12:00:01.
	if since != nil {
		p.since = since.Unix()
	}
	if until != nil {
		if p.until = until.Unix(); until.Nanosecond() > 0 {
			p.until++
		}
	}
	p.after, _ = args["after"].(string)
	if offset != nil {
		p.offset, p.offsetGiven = number(offset), true
		if p.offset < 0 || p.after != "" || p.bounded() || p.fromLast {
			return p, true
		}
	}
	return p, false
}

// list requires a page of a list, and walks its items. filter contains the query parameters of the
// list's URL, apart from those of the page.
func (w *walker) list(n node, f *ast.Field, path, filter string, l list) {
	p, invalid := w.page(f, l)
	if invalid {
		return
	}
	if p.bounded() {
		// Mixcloud counts whole lists, so the total of a bounded one is null.
		l.counter = uncounted
	}
	if p.size == 0 { // an empty page costs nothing, but its totalCount may
		w.connection(n, f.SelectionSet, l, nil, false)
		return
	}
	c := Call{Path: path, Query: filter}
	add := func(name string, value int64) {
		if c.Query != "" {
			c.Query += "&"
		}
		c.Query += name + "=" + strconv.FormatInt(value, 10)
	}
	switch {
	case l.unpaged:
		add("limit", largestPage)
	case p.after != "":
		index, ok := w.operation.Cursors[p.after]
		if !ok {
			w.fail(fmt.Errorf("ideal: the index of the cursor %q is unknown", p.after))
			return
		}
		add("limit", int64(p.size))
		add("offset", int64(index+1))
	default:
		add("limit", int64(p.size))
		if p.offsetGiven {
			add("offset", int64(p.offset))
		}
		if p.since != unbounded && !l.hasTimes {
			w.fail(errors.New("ideal: no plan for since on a list without times"))
			return
		}
		if p.until != unbounded {
			add("until", p.until)
		}
	}
	use := func(a *response) {
		items := a.Data
		if l.unpaged {
			items = slicePage(items, p)
		}
		if p.since != unbounded {
			items = newerThan(items, p.since)
		}
		w.connection(n, f.SelectionSet, l, items, a.Paging.Next == "" && !p.filtered())
	}
	w.require(c.Path+"?"+c.Query, c, func(a *response) {
		switch {
		case a.found:
			use(a)
		case l.name == "latest/":
			// A list that is not found may exist under its name of 2018.
			old := Call{Path: path[:len(path)-len("latest/")] + "new/", Query: c.Query}
			w.require(old.Path+"?"+old.Query, old, func(a *response) {
				if a.found {
					use(a)
				}
			})
		}
	})
}

// slicePage returns a page of an unpaged list.
func slicePage(items []*resource, p page) []*resource {
	if p.fromLast {
		return items[max(0, len(items)-p.size):]
	}
	items = items[min(p.offset, len(items)):]
	return items[:min(p.size, len(items))]
}

// newerThan returns the items that were added after a second. Items are ordered newest first, so the
// first n of them are among the first n items of the list: the page that is read without since
// contains them, and is the same call as a page without a bound.
func newerThan(items []*resource, since int64) []*resource {
	for i, r := range items {
		if r.listedAt().Unix() <= since {
			return items[:i]
		}
	}
	return items
}

// connection walks the selection of a page. complete reports whether the page is the whole list, so
// that its length is known.
func (w *walker) connection(owner node, set ast.SelectionSet, l list, items []*resource, complete bool) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if !w.included(s.Directives) {
				continue
			}
			switch s.Name {
			case "edges": // the items are in the member node of each edge
				w.connection(owner, s.SelectionSet, l, items, complete)
			case "nodes", "node":
				for _, r := range items {
					w.selection(node{typ: objectType(l.items, r), res: r}, s.SelectionSet)
				}
			case "totalCount":
				if l.counter == inFullForm && !complete {
					w.load(owner, func(node) {})
				}
			}
		case *ast.InlineFragment:
			if w.included(s.Directives) {
				w.connection(owner, s.SelectionSet, l, items, complete)
			}
		case *ast.FragmentSpread:
			if w.included(s.Directives) {
				w.connection(owner, s.Definition.SelectionSet, l, items, complete)
			}
		}
	}
}

// number converts an Int, whose Go type depends on the decoder.
func number(v any) int {
	switch v := v.(type) {
	case int:
		return v
	case int64:
		return int(v)
	case float64:
		return int(v)
	case json.Number:
		n, _ := v.Int64()
		return int(n)
	}
	return 0
}

// timeArgument parses a DateTime, which is a text or Unix seconds. It returns nil if the argument is
// absent. A text that is not a time becomes endOfTime, which is not valid as a bound.
func timeArgument(v any) *time.Time {
	if v == nil {
		return nil
	}
	t := time.Unix(int64(number(v)), 0)
	if text, ok := v.(string); ok {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			parsed = time.Unix(endOfTime, 0)
		}
		t = parsed
	}
	return &t
}
