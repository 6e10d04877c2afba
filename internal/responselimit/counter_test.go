package responselimit

import (
	"context"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	type Query { users: [User!]! name: String count: Int node: Node page: Page }
	type Mutation { name: String }
	type Page { users: [User!] }
	interface Node { id: ID! }
	type User implements Node { id: ID! name: String friends: [User!] }
	type Show implements Node { id: ID! title: String }
`})

type (
	User struct{}
	Show struct{}
	Page struct{ items int }
	node any
)

func (p *Page) Len() int { return p.items }

// operation returns the counter of an operation and a context to run it in.
func operation(t testing.TB, query string, limits Limits) (*counter, context.Context) {
	t.Helper()
	doc, err := gqlparser.LoadQueryWithRules(schema, query, nil)
	if err != nil {
		t.Fatal(err)
	}
	oc := &graphql.OperationContext{
		Doc: doc, Operation: doc.Operations[0],
		ResolverMiddleware:     func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) },
		RootResolverMiddleware: func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) },
	}
	ctx := graphql.WithOperationContext(t.Context(), oc)
	New(schema, limits).InterceptOperation(ctx, func(inner context.Context) graphql.ResponseHandler {
		ctx = inner
		return nil
	})
	return counterOf(ctx), ctx
}

// fieldContext returns the context of a root field.
func fieldContext(ctx context.Context, c *counter, name string) context.Context {
	for _, f := range graphql.CollectFields(c.oc, c.oc.Operation.SelectionSet, []string{"Query"}) {
		if f.Alias == name {
			return graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Query", Field: f})
		}
	}
	panic(name)
}

func resolve(ctx context.Context, c *counter, value any) (any, error) {
	return c.oc.ResolverMiddleware(ctx, func(context.Context) (any, error) { return value, nil })
}

// The size of a value is counted before gqlgen builds it.
func TestField_CountsBeforeResolving(t *testing.T) {
	t.Parallel()
	query := `{ users { id a: name __typename friends { id } } name count
		page { __typename } node { id ... on User { name __typename } ... on Show { a: title b: title c: title } } }`
	for name, tt := range map[string]struct {
		field         string
		value         any
		fields, bytes int64
	}{
		"null":              {"users", nil, 0, 4},
		"null page":         {"page", (*Page)(nil), 0, 4},
		"empty list":        {"users", []*User{}, 0, 2},
		"objects":           {"users", []*User{{}, {}}, 8, 2*int64(len(`{"id":,"a":,"__typename":"User","friends":}`)) + 3},
		"objects and nulls": {"users", []*User{{}, nil}, 4, int64(len(`[{"id":,"a":,"__typename":"User","friends":},null]`))},
		"text":              {"name", "a\"b\n\x01é", 0, int64(len(`"a\"b\n\u0001é"`))},
		"null text":         {"name", (*string)(nil), 0, 4},
		"number":            {"count", -1200, 0, 5},
		"one type":          {"node", &User{}, 3, int64(len(`{"id":,"name":,"__typename":"User"}`))},
		"other type":        {"node", node(&Show{}), 4, int64(len(`{"id":,"a":,"b":,"c":}`))},
		"unknown type":      {"node", &struct{}{}, 4, int64(len(`{"id":,"name":,"__typename":"User"}`))},
	} {
		c, ctx := operation(t, query, Limits{})
		if _, err := resolve(fieldContext(ctx, c, tt.field), c, tt.value); err != nil {
			t.Errorf("%s: resolve = %v, want no error", name, err)
		}
		if f, b := c.fields.Load(), c.bytes.Load(); f != tt.fields || b != tt.bytes {
			t.Errorf("%s: counted %d fields and %d bytes, want %d and %d", name, f, b, tt.fields, tt.bytes)
		}
	}
}

func TestField_StopsAtALimit(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]Limits{"fields": {Fields: 3}, "bytes": {Bytes: 30}} {
		c, ctx := operation(t, "{ users { id name } name }", limits)
		if _, err := resolve(fieldContext(ctx, c, "users"), c, []*User{{}, {}}); err == nil || ctx.Err() == nil {
			t.Errorf("%s: error %v, context %v; want an error and a canceled context", name, err, ctx.Err())
		}
		ran := false
		_, err := c.oc.ResolverMiddleware(fieldContext(ctx, c, "name"), func(context.Context) (any, error) { ran = true; return "", nil })
		if ran || err == nil {
			t.Errorf("%s: resolver ran %v with error %v, want an error and no run", name, ran, err)
		}
		root := c.oc.RootResolverMiddleware(ctx, func(context.Context) graphql.Marshaler { return graphql.True })
		if root != graphql.Null {
			t.Errorf("%s: root = %v, want null, because the response is not sent", name, root)
		}
	}
}

func TestUnsent(t *testing.T) {
	t.Parallel()
	u := NewUnsentMemory(3 * reservationStep)
	r := u.Reserve()
	c, ctx := operation(t, "{ name }", Limits{})
	c.reservation = r
	text := string(make([]byte, reservationStep/6)) // six bytes each as JSON
	for range 2 {
		if _, err := resolve(fieldContext(ctx, c, "name"), c, text); err != nil {
			t.Fatal(err)
		}
	}
	if got := u.Bytes(); got != reservationStep {
		t.Errorf("Bytes() = %d after a response grew to more than %d, want %[2]d", got, reservationStep)
	}
	other := u.Reserve()
	other.Set(2 * reservationStep)
	if !u.Full() {
		t.Error("Full() = false, want true")
	}
	r.Set(5)
	if u.Full() || u.Bytes() != 2*reservationStep+5 {
		t.Errorf("Full() = %v, Bytes() = %d, want false, %d", u.Full(), u.Bytes(), 2*reservationStep+5)
	}
	r.Set(0)
	other.Set(0)
	if u.Bytes() != 0 {
		t.Errorf("%d bytes left, want 0", u.Bytes())
	}
	var none *Reservation
	none.Set(1)
	none.add(1)
}

// BenchmarkField measures the cost of counting a field.
func BenchmarkField(b *testing.B) {
	users := make([]*User, 100)
	for i := range users {
		users[i] = &User{}
	}
	name := "a name of ordinary length"
	for _, bm := range []struct {
		name, field string
		value       any
	}{{"string", "name", &name}, {"int", "count", 1234}, {"object", "node", node(&User{})}, {"hundred objects", "users", users}} {
		c, ctx := operation(b, "{ users { id name __typename friends { id } } name count node { id } }", Limits{Fields: 1 << 60, Bytes: 1 << 60})
		ctx = fieldContext(ctx, c, bm.field)
		next := func(context.Context) (any, error) { return bm.value, nil }
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = c.oc.ResolverMiddleware(ctx, next)
			}
		})
		b.Run(bm.name+", all processors", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, _ = c.oc.ResolverMiddleware(ctx, next)
				}
			})
		})
	}
}

// The number of goroutines that a list starts is limited.
func TestField_LimitsGoroutines(t *testing.T) {
	t.Parallel()
	limits := Limits{Concurrent: func(object, field string) bool { return object == "User" && field == "name" }}
	c, ctx := operation(t, "{ users { id name a: name } }", limits)
	users := fieldContext(ctx, c, "users")
	if _, err := resolve(users, c, make([]*User, maxTasks)); err != nil {
		t.Errorf("list of nulls: resolve = %v, want no error", err)
	}
	list := make([]*User, maxTasks/2+1)
	for i := range list {
		list[i] = &User{}
	}
	if _, err := resolve(users, c, list[1:]); err != nil || c.tasks.running.Load() != maxTasks {
		t.Errorf("%d goroutines, want %d, and error %v", c.tasks.running.Load(), maxTasks, err)
	}
	if _, err := resolve(users, c, list); err == nil || c.exceeded.Load().Details["limit"] != "concurrent-fields" {
		t.Errorf("list that starts too many goroutines: resolve = %v, want the limit concurrent-fields", err)
	}
}

// The number of objects in all lists of a response is limited, even if few fields are selected.
func TestField_LimitsItems(t *testing.T) {
	t.Parallel()
	c, ctx := operation(t, "{ users { __typename } }", Limits{Fields: 1 << 60, Bytes: 1 << 60})
	users := make([]*User, maxItems/2)
	for i := range users {
		users[i] = &User{}
	}
	for round := range 3 {
		_, err := resolve(fieldContext(ctx, c, "users"), c, users)
		if failed := err != nil; failed != (round == 2) {
			t.Errorf("list %d of %d objects: error %v, want an error only for the third list", round+1, len(users), err)
		}
	}
	if e := c.exceeded.Load(); e == nil || e.Details["limit"] != "list-items" {
		t.Errorf("exceeded limit = %v, want list-items", e)
	}
}

// Items read for a list are counted even if none of them is selected.
func TestField_LimitsItemsRead(t *testing.T) {
	t.Parallel()
	c, ctx := operation(t, "{ page { __typename } }", Limits{})
	for round := range 3 {
		_, err := resolve(fieldContext(ctx, c, "page"), c, &Page{items: maxItems / 2})
		if failed := err != nil; failed != (round == 2) {
			t.Errorf("page %d of %d items: error %v, want an error only for the third page", round+1, maxItems/2, err)
		}
	}
	if e := c.exceeded.Load(); e == nil || e.Details["limit"] != "list-items" {
		t.Errorf("exceeded limit = %v, want list-items", e)
	}
	if _, err := resolve(fieldContext(ctx, c, "page"), c, (*Page)(nil)); err == nil {
		t.Error("field was resolved after the limit was exceeded")
	}
}
