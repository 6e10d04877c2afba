package projection

import (
	"context"
	"sync"
	"sync/atomic"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/rawjson"
)

// Loads and connections are resolved before anything is written. The resolver walks the objects in the order in which the
// writer writes them, starts all loads and reads of connections, and waits for them. The results are queues, which the
// writer takes from in the same order.

// results are the loads and the connections below a list of objects, in the order of the response.
type results struct {
	loads       []func() (rawjson.Value, error)
	loaded      []rawjson.Value
	connections []*connection
}

// nextLoad returns the full form of the next resource that was loaded.
func (r *results) nextLoad() rawjson.Value {
	first := r.loaded[0]
	r.loaded = r.loaded[1:]
	return first
}

// nextConnection returns the next connection.
func (r *results) nextConnection() *connection {
	first := r.connections[0]
	r.connections = r.connections[1:]
	return first
}

// A resolver makes the loads and reads the connections of one value.
type resolver struct {
	*Projection
	variables map[string]any
	group     sync.WaitGroup
	failed    atomic.Bool // the value must be left to the executor
}

// fail records that the value must be left to the executor.
func (r *resolver) fail() { r.failed.Store(true) }

// run runs a function in a goroutine. A panic counts as a failure: the executor calls the same
// resolver again, and reports it.
func (r *resolver) run(f func()) {
	r.group.Go(func() {
		defer func() {
			if recover() != nil {
				r.fail()
			}
		}()
		f()
	})
}

// object starts the loads and reads that an object needs. Parent is the graph object, or nil to
// decode it when it is needed.
func (r *resolver) object(ctx context.Context, p *plan, v rawjson.Value, isFull bool, parent any, to *results) {
	if !p.dynamic || r.failed.Load() {
		return
	}
	if p.loads && !isFull {
		to.loads = append(to.loads, r.load(ctx, p.typ, v))
	}
	for i := range p.slots {
		s := &p.slots[i]
		switch {
		case s.kind == kindConnection:
			if !loaders.From(ctx).MayProject() {
				r.fail()
				return
			}
			if parent == nil {
				parent = newNode(p.typ, v)
			}
			c := new(connection)
			to.connections = append(to.connections, c)
			r.run(func() { r.connection(ctx, s, parent, c) })
		case s.child == nil || !s.child.dynamic:
		case s.kind == kindObject:
			if m := v.Member(s.member); hasKey(m) {
				r.object(ctx, s.child, m, false, nil, to)
			}
		case s.kind == kindObjects:
			for m := range v.Member(s.member).Elements() {
				if hasKey(m) {
					r.object(ctx, s.child, m, false, nil, to)
				}
			}
		}
	}
}

// load starts the load of a resource and returns a function that waits for its full form.
func (r *resolver) load(ctx context.Context, typ string, v rawjson.Value) func() (rawjson.Value, error) {
	key := mixcloud.ParseKey(v.Member("key").Text())
	if typ == "User" {
		wait := loaders.Users.Start(ctx, key)
		return func() (rawjson.Value, error) {
			full, err := wait()
			if err != nil {
				return rawjson.Value{}, err
			}
			return full.JSON(), nil
		}
	}
	wait := loaders.Cloudcasts.Start(ctx, key)
	return func() (rawjson.Value, error) {
		full, err := wait()
		if err != nil {
			return rawjson.Value{}, err
		}
		return full.JSON(), nil
	}
}

// connection reads a connection of an object and resolves its items.
func (r *resolver) connection(ctx context.Context, s *slot, parent any, c *connection) {
	if r.failed.Load() {
		return
	}
	value, err := s.call.read(ctx, parent, r.variables)
	if err != nil {
		r.fail()
		return
	}
	read, ok := pageOf(value)
	if !ok {
		r.fail()
		return
	}
	if c.page = read; read != nil {
		r.items(ctx, s.child, c)
	}
}

// items resolves the items of a connection that was read.
func (r *resolver) items(ctx context.Context, p *plan, c *connection) {
	c.results = new(results)
	if !p.dynamic {
		return
	}
	wantsTotal := false
	for i := range p.slots {
		s := &p.slots[i]
		wantsTotal = wantsTotal || s.kind == kindTotalCount
		switch node := s.child; {
		case node == nil || !node.dynamic:
		case s.kind == kindNodes:
			r.nodes(ctx, node, c)
		case s.kind == kindEdges:
			for j := range node.slots {
				if e := &node.slots[j]; e.kind == kindNode {
					r.nodes(ctx, e.child, c)
				}
			}
		}
	}
	if wantsTotal {
		var err error
		if c.total, err = c.page.TotalCount(ctx); err != nil {
			r.fail()
		}
	}
	r.wait(c.results)
}

// nodes starts the loads and reads that the items of a connection need.
func (r *resolver) nodes(ctx context.Context, p *plan, c *connection) {
	for i := range c.page.Len() {
		v := c.page.JSON(i)
		if v.Kind() == 0 { // the item was changed
			r.fail()
			return
		}
		r.object(ctx, p, v, false, nil, c.results)
	}
}

// wait waits for the loads of results.
func (r *resolver) wait(to *results) {
	to.loaded = make([]rawjson.Value, len(to.loads))
	for i, wait := range to.loads {
		full, err := wait()
		if err != nil || full.Kind() == 0 {
			r.fail()
		}
		to.loaded[i] = full
	}
}

// newNode decodes the graph object of an item.
func newNode(typ string, v rawjson.Value) any {
	switch typ {
	case "User":
		return model.NewUser(mixcloud.FromJSON[mixcloud.User](v))
	case "Cloudcast":
		return model.NewCloudcast(mixcloud.FromJSON[mixcloud.Cloudcast](v))
	case "Tag":
		return model.NewTag(mixcloud.FromJSON[mixcloud.Tag](v))
	case "Playlist":
		return model.NewPlaylist(mixcloud.FromJSON[mixcloud.Playlist](v))
	}
	return nil // lists have no other objects with connections
}
