package projection

import (
	"context"
	"math"
	"strconv"

	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/mixcloud/rawjson"
)

// A page is a connection that can be written: every connection of package model that was made of items as received.
type page interface {
	Len() int
	JSON(i int) rawjson.Value
	Cursor(i int) string
	Item(i int) any
	Info() *model.PageInfo
	TotalCount(ctx context.Context) (*int, error)
}

// A connection is a connection that was read for a response.
type connection struct {
	page    page // nil for null
	total   *int // if it is selected
	results *results
}

// connection writes a connection.
func (w *writer) connection(p *plan, c *connection) bool {
	if c.page == nil {
		return w.null()
	}
	w.size.Fields += int64(len(p.slots))
	w.size.Tasks += p.tasks
	if len(p.slots) > 0 {
		w.size.Read += int64(c.page.Len())
	}
	for i := range p.slots {
		s := &p.slots[i]
		w.buf = append(w.buf, s.prefix...)
		ok := true
		switch s.kind {
		case kindTypename:
			w.buf = append(append(append(w.buf, '"'), p.typ...), '"')
		case kindNodes, kindEdges:
			ok = w.items(s, c)
		case kindPageInfo:
			w.pageInfo(s.child, c.page.Info())
		case kindTotalCount:
			ok = w.total(c.total)
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return w.end(p)
}

// end writes the end of an object.
func (w *writer) end(p *plan) bool {
	if len(p.slots) == 0 {
		w.buf = append(w.buf, '{')
	}
	w.buf = append(w.buf, '}')
	return len(w.buf) <= w.max
}

// items writes the nodes or the edges of a connection.
func (w *writer) items(s *slot, c *connection) bool {
	n := c.page.Len()
	w.size.Items += int64(n)
	if int64(n)*s.child.tasks > maxTasks {
		return false
	}
	w.buf = append(w.buf, '[')
	for i := range n {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		if ok := s.kind == kindNodes && w.node(s.child, c, i) || s.kind == kindEdges && w.edge(s.child, c, i); !ok {
			return false
		}
	}
	w.buf = append(w.buf, ']')
	return true
}

// node writes an item of a connection.
func (w *writer) node(p *plan, c *connection, i int) bool {
	v := c.page.JSON(i)
	if v.Kind() == 0 { // the item was changed
		return false
	}
	outer, index := w.page, w.index
	w.page, w.index = c.page, i
	ok := w.object(p, v, false, c.results)
	w.page, w.index = outer, index
	return ok
}

// edge writes an item of a connection with its cursor.
func (w *writer) edge(p *plan, c *connection, i int) bool {
	w.size.Fields += int64(len(p.slots))
	w.size.Tasks += p.tasks
	for j := range p.slots {
		s := &p.slots[j]
		w.buf = append(w.buf, s.prefix...)
		ok := true
		switch s.kind {
		case kindTypename:
			w.buf = append(append(append(w.buf, '"'), p.typ...), '"')
		case kindCursor:
			w.buf = append(append(append(w.buf, '"'), c.page.Cursor(i)...), '"')
		case kindNode:
			ok = w.node(s.child, c, i)
		case kindTime:
			v := c.page.JSON(i)
			ok = v.Kind() != 0 && w.time(v.Member(s.member))
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return w.end(p)
}

// pageInfo writes the position of a page.
func (w *writer) pageInfo(p *plan, info *model.PageInfo) {
	w.size.Fields += int64(len(p.slots))
	for i := range p.slots {
		s := &p.slots[i]
		w.buf = append(w.buf, s.prefix...)
		switch s.kind {
		case kindTypename:
			w.buf = append(w.buf, `"PageInfo"`...)
		case kindHasNextPage:
			w.boolean(info.HasNextPage)
		case kindHasPreviousPage:
			w.boolean(info.HasPreviousPage)
		case kindStartCursor:
			w.cursor(info.StartCursor)
		default:
			w.cursor(info.EndCursor)
		}
	}
	w.end(p)
}

func (w *writer) boolean(b bool) { w.buf = strconv.AppendBool(w.buf, b) }

func (w *writer) cursor(c *string) {
	if c == nil {
		w.null()
		return
	}
	w.buf = append(append(append(w.buf, '"'), *c...), '"')
}

// total writes the number of items of a list.
func (w *writer) total(n *int) bool {
	if n == nil {
		return w.null()
	}
	w.buf = strconv.AppendInt(w.buf, int64(*n), 10)
	return *n >= math.MinInt32 && *n <= math.MaxInt32
}
