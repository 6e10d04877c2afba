// Package projection writes the response from the bytes of Mixcloud's responses.
//
// The executor decodes each object to a struct, calls a function for each field, and encodes the
// results. Most selections need none of this, because the JSON of the object contains every
// selected value. A [Projection] is a field interceptor: it lets the resolver of a field run, and
// if the selection below the field can be written from JSON, it returns finished JSON instead of
// the resolver's value. Fields that only the full form of a resource contains, and connections, are
// resolved first, through the same loaders and resolvers.
//
// The Projection writes either the whole value that a resolver returns or nothing of it. It leaves
// the value to the executor if it meets a member of an unexpected kind, an error, a stale response,
// or a viewer with recent writes. The executor then receives the resolver's value unchanged, and
// repeats no call, because the loaders of the operation keep all loaded values. So errors, paths
// and null propagation are always the executor's, and switching the projection off changes nothing
// but the speed.
//
// A selection is compiled to a [plan] once for each document. The files: fields.go contains the
// table of fields, plan.go compiles it, resolve.go makes loads and reads connections, and write.go,
// connection.go and pictures.go write.
package projection

import (
	"context"
	"io"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/compiled"
	"mixcloud-graphql/mixcloud/rawjson"
)

// Options are the dependencies of a Projection.
type Options struct {
	// Schema is the schema that clients see.
	Schema *ast.Schema
	// Resolvers is the generated.ResolverRoot.
	Resolvers any
	// Concurrent reports whether the executor resolves a field of an object type in its own goroutine.
	Concurrent func(object, field string) bool
	// Room returns the number of bytes by which the response may still grow.
	Room func(context.Context) int64
}

// A Projection is a gqlgen extension. It is safe for concurrent use.
type Projection struct {
	schema     *ast.Schema
	methods    map[string]method
	types      map[string][]string // the names that CollectFields takes for each object type
	concurrent func(object, field string) bool
	room       func(context.Context) int64

	written, left atomic.Int64
}

// New returns a projection.
func New(o Options) *Projection {
	p := &Projection{schema: o.Schema, methods: methods(o.Resolvers, o.Schema), types: map[string][]string{}, concurrent: o.Concurrent, room: o.Room}
	for name, def := range o.Schema.Types {
		if def.Kind == ast.Object {
			p.types[name] = []string{name}
			for _, implemented := range o.Schema.GetImplements(def) {
				p.types[name] = append(p.types[name], implemented.Name)
			}
		}
	}
	return p
}

// Counts returns how many values were written from JSON, and how many were left to the executor although their selection
// could be written.
func (p *Projection) Counts() (written, left int64) { return p.written.Load(), p.left.Load() }

// ExtensionName implements [graphql.HandlerExtension].
func (*Projection) ExtensionName() string { return "Projection" }

// Validate implements [graphql.HandlerExtension].
func (*Projection) Validate(graphql.ExecutableSchema) error { return nil }

// A Result is finished JSON. It implements [graphql.Marshaler].
type Result struct {
	json []byte
	size Size
}

// MarshalGQL implements [graphql.Marshaler].
func (r *Result) MarshalGQL(w io.Writer) { _, _ = w.Write(r.json) }

// ResponseSize returns the amounts with which the JSON counts toward the limits of a response.
func (r *Result) ResponseSize() (fields, bytes, tasks, items, read int64) {
	return r.size.Fields, int64(len(r.json)), r.size.Tasks, r.size.Items, r.size.Read
}

// InterceptField runs the resolver of a field, and writes its value if it can be written.
func (p *Projection) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	value, err := next(ctx)
	if err != nil || value == nil {
		return value, err
	}
	f := graphql.GetFieldContext(ctx)
	if len(f.Field.Selections) == 0 {
		return value, nil
	}
	s, ok := sourceOf(value)
	if !ok {
		return value, nil
	}
	oc := graphql.GetOperationContext(ctx)
	if oc.Operation.Operation != ast.Query {
		return value, nil
	}
	if s.typ == "" {
		s.typ = f.Field.Definition.Type.Name()
	}
	plan := p.plan(ctx, oc, f.Field, s.typ)
	if plan == nil {
		return value, nil
	}
	if written := p.write(ctx, oc, plan, s); written != nil {
		p.written.Add(1)
		return written, nil
	}
	p.left.Add(1)
	return value, nil
}

// A source is a value of the executor that can be written.
type source struct {
	typ    string // "" for a connection
	value  any
	json   rawjson.Value
	isFull bool
	page   page
}

// sourceOf returns the source of a resolver's value. It returns false for null and for values that cannot be written.
func sourceOf(value any) (source, bool) {
	s := source{value: value}
	switch v := value.(type) {
	case page:
		s.page = v
	case *model.User:
		if v != nil {
			s.typ, s.json, s.isFull = "User", v.User.JSON(), v.Full() != nil
		}
	case *model.Cloudcast:
		if v != nil {
			s.typ, s.json, s.isFull = "Cloudcast", v.Cloudcast.JSON(), v.Full() != nil
		}
	case *model.Tag:
		if v != nil {
			s.typ, s.json, s.isFull = "Tag", v.Tag.JSON(), v.Full() != nil
		}
	case *model.City:
		if v != nil {
			s.typ, s.json, s.isFull = "City", v.Tag.JSON(), true
		}
	case *model.Category:
		if v != nil {
			s.typ, s.json, s.isFull = "Category", v.Category.JSON(), v.Full() != nil
		}
	case *model.Playlist:
		if v != nil {
			s.typ, s.json, s.isFull = "Playlist", v.Playlist.JSON(), v.Full() != nil
		}
	}
	_, isPage := pageOf(value)
	return s, s.json.Kind() == '{' || isPage && s.page != nil && !reflect.ValueOf(value).IsNil()
}

// pageOf returns a connection as a page; nil for a connection that is null. It returns false if it cannot be written.
func pageOf(value any) (page, bool) {
	if v := reflect.ValueOf(value); v.Kind() != reflect.Pointer || v.IsNil() {
		return nil, v.Kind() == reflect.Pointer
	}
	read, ok := value.(page)
	return read, ok && (read.Len() == 0 || read.JSON(0).Kind() != 0)
}

// A planKey is the key of a plan in a document.
type planKey struct {
	field *ast.Field
	typ   string
}

// A storedPlan is a plan with the selections for which it was compiled: a field can have several
// selection sets, because fields with the same response key are merged.
type storedPlan struct {
	selections ast.SelectionSet
	plan       *plan
	variable   bool // the plan depends on variables, so it is not stored
}

// plan returns the plan of a field's selection set, or nil.
func (p *Projection) plan(ctx context.Context, oc *graphql.OperationContext, f graphql.CollectedField, typ string) *plan {
	c := compiler{p, oc}
	stored := compiled.From(ctx).Get(planKey{f.Field, typ}, func() any {
		if usesVariables(oc.Doc, f.Selections, map[string]bool{}) {
			return &storedPlan{variable: true}
		}
		return &storedPlan{selections: slices.Clone(f.Selections), plan: c.compile(f.Selections, typ)}
	}).(*storedPlan)
	if stored.variable || !slices.Equal(stored.selections, f.Selections) {
		return c.compile(f.Selections, typ)
	}
	return stored.plan
}

// maxWait is the maximum time that a projection waits for loads and connections. Then the executor
// takes over, so that the fields that are complete are returned if others exceed the deadline.
const maxWait = 2 * time.Second

// waitLimit returns how long a projection may wait: at most half of the time until the deadline.
func waitLimit(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(maxWait, time.Until(deadline)/2)
	}
	return maxWait
}

// write writes a value. It returns nil if it must be left to the executor.
func (p *Projection) write(ctx context.Context, oc *graphql.OperationContext, of *plan, s source) *Result {
	operation := loaders.From(ctx)
	session := operation.Session()
	if !session.NoPendingWrites() || of.dynamic && (session.Traced() || session.HasStale()) {
		return nil
	}
	c := &connection{page: s.page, results: new(results)}
	if of.dynamic {
		ctx, cancel := context.WithTimeout(loaders.Speculative(ctx), waitLimit(ctx))
		defer cancel()
		r := &resolver{Projection: p, variables: oc.Variables}
		if s.page != nil {
			r.items(ctx, of, c)
		} else {
			r.object(ctx, of, s.json, s.isFull, s.value, c.results)
			r.wait(c.results)
		}
		r.group.Wait()
		if r.failed.Load() || session.HasStale() || !session.NoPendingWrites() {
			return nil
		}
	}
	w := writer{buf: of.newBuffer(), max: int(p.room(ctx)), anonymous: operation.Anonymous()}
	ok := false
	if s.page != nil {
		ok = w.connection(of, c)
	} else {
		ok = w.object(of, s.json, s.isFull, c.results)
	}
	if !ok || len(w.buf) > w.max {
		return nil
	}
	of.lastSize.Store(int64(len(w.buf)))
	return &Result{w.buf, w.size}
}
