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

	// unbounded stands for since or until where the argument is absent.
	unbounded = -1
	// endOfTime is the last second that a list can be bounded by: Mixcloud writes
	// years with four digits.
	endOfTime = 253402300799
)

// A page is the part of a list that the arguments ask for.
type page struct {
	size         int
	fromEnd      bool // the last ones, of a list that comes whole
	offset       int
	offsetGiven  bool
	after        string
	since, until int64 // Unix seconds, both exclusive; unbounded if absent
}

// filtered says that the page may not begin at the top of the whole list.
func (p page) filtered() bool {
	return p.offset > 0 || p.after != "" || p.bounded()
}

// bounded reports whether the page is of a part of the list that times bound.
func (p page) bounded() bool { return p.since != unbounded || p.until != unbounded }

// page reads the arguments. A problem is one that the client is told of; then
// no call is made.
func (w *walker) page(f *ast.Field, l list) (p page, problem bool) {
	args := f.ArgumentMap(w.variables)
	p.size, p.since, p.until = defaultPage, unbounded, unbounded
	if args["before"] != nil {
		w.fail(errors.New("ideal: no plan for paging backward"))
		return p, true
	}
	first, last, offset := args["first"], args["last"], args["offset"]
	switch {
	case first != nil && last != nil, last != nil && !l.whole:
		return p, true
	case first != nil:
		p.size = number(first)
	case last != nil:
		p.size, p.fromEnd = number(last), true
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
	// Lists have whole seconds: what is newer than 12:00:00.5 is newer than
	// 12:00:00, and what is older than it is older than 12:00:01.
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
		if p.offset < 0 || p.after != "" || p.bounded() || p.fromEnd {
			return p, true
		}
	}
	return p, false
}

// list fetches a page and goes on with its items. Filter is what the list's
// address needs beside the page.
func (w *walker) list(n node, f *ast.Field, path, filter string, l list) {
	p, problem := w.page(f, l)
	if problem {
		return
	}
	if p.bounded() {
		// Mixcloud counts whole lists, so the total of a bounded one is null.
		l.counter = uncounted
	}
	if p.size == 0 { // an empty page costs nothing, a counter below it may
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
	case l.whole:
		add("limit", largestPage)
	case p.after != "":
		place, ok := w.question.Cursors[p.after]
		if !ok {
			w.fail(fmt.Errorf("ideal: the place of the cursor %q is not known", p.after))
			return
		}
		add("limit", int64(p.size))
		add("offset", int64(place+1))
	default:
		add("limit", int64(p.size))
		if p.offsetGiven {
			add("offset", int64(p.offset))
		}
		if p.since != unbounded && !l.dated {
			w.fail(errors.New("ideal: no plan for since on a list without times"))
			return
		}
		if p.until != unbounded {
			add("until", p.until)
		}
	}
	use := func(a *answer) {
		items := a.Data
		if l.whole {
			items = cut(items, p)
		}
		if p.since != unbounded {
			items = after(items, p.since)
		}
		w.connection(n, f.SelectionSet, l, items, a.Paging.Next == "" && !p.filtered())
	}
	w.need(c.Path+"?"+c.Query, c, func(a *answer) {
		switch {
		case a.found:
			use(a)
		case l.name == "latest/":
			// What is not found may only be called as it was until 2018.
			old := Call{Path: path[:len(path)-len("latest/")] + "new/", Query: c.Query}
			w.need(old.Path+"?"+old.Query, old, func(a *answer) {
				if a.found {
					use(a)
				}
			})
		}
	})
}

// cut takes a page out of a list that came whole.
func cut(items []*resource, p page) []*resource {
	if p.fromEnd {
		return items[max(0, len(items)-p.size):]
	}
	items = items[min(p.offset, len(items)):]
	return items[:min(p.size, len(items))]
}

// after returns the items that came onto their list after a second. Items are
// ordered newest first, so the first n of these are among the first n of all:
// the page that is read without since holds them, and the same page without a
// bound is the same call.
func after(items []*resource, since int64) []*resource {
	for i, r := range items {
		if r.listed().Unix() <= since {
			return items[:i]
		}
	}
	return items
}

// connection goes on with what is selected of a page. Complete says that it is
// the whole list, so that its length is known.
func (w *walker) connection(owner node, set ast.SelectionSet, l list, items []*resource, complete bool) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if !w.included(s.Directives) {
				continue
			}
			switch s.Name {
			case "edges": // each has the node among its own members
				w.connection(owner, s.SelectionSet, l, items, complete)
			case "nodes", "node":
				for _, r := range items {
					w.selection(node{typ: concrete(l.items, r), res: r}, s.SelectionSet)
				}
			case "totalCount":
				if l.counter == inFull && !complete {
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

// number reads an Int, which comes in as many forms as there are decoders.
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

// timeArgument reads a DateTime, which is text or Unix seconds; nil if absent.
// Text that is no time becomes a time that no list can be bounded by.
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
