package responselimit

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/gqlerr"
)

var errTimeout = &gqlerr.Error{Code: gqlerr.CodeLimitExceeded, Message: "late", Err: context.DeadlineExceeded}

// execute runs an operation whose root field name is resolved by each of the resolvers, in the same way as gqlgen.
func execute(ctx context.Context, t *testing.T, operation string, limits Limits, resolvers ...graphql.Resolver) *graphql.Response {
	t.Helper()
	doc, err := gqlparser.LoadQueryWithRules(schema, operation+" { name }", nil)
	if err != nil {
		t.Fatal(err)
	}
	l := New(schema, limits)
	oc := &graphql.OperationContext{
		Doc: doc, Operation: doc.Operations[0],
		ResolverMiddleware:     func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) },
		RootResolverMiddleware: func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) },
	}
	handler := l.InterceptOperation(graphql.WithOperationContext(ctx, oc), func(ctx context.Context) graphql.ResponseHandler {
		return func(context.Context) *graphql.Response {
			ctx := graphql.WithResponseContext(ctx, Presenter(func(ctx context.Context, err error) *gqlerror.Error { return gqlerr.Public(ctx, err) }), nil)
			return l.InterceptResponse(ctx, func(ctx context.Context) *graphql.Response {
				field := graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{"Query", "Mutation"})[0]
				ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Query", Field: field})
				for _, resolver := range resolvers {
					if _, err := oc.ResolverMiddleware(ctx, resolver); err != nil {
						graphql.AddError(ctx, err)
					}
				}
				return &graphql.Response{Data: []byte("{}"), Errors: graphql.GetErrors(ctx)}
			})
		}
	})
	return handler(ctx)
}

// The deadline passes while the operation waits for another service, while it computes, or both.
func TestDeadline(t *testing.T) {
	t.Parallel()
	wait := func(ctx context.Context) (any, error) {
		<-ctx.Done()
		synctest.Wait() // until the counter has expired
		return nil, ctx.Err()
	}
	compute := func(context.Context) (any, error) {
		time.Sleep(time.Minute) // simulates computing
		return "", nil
	}
	call := func(ctx context.Context) (any, error) { return "", ctx.Err() }
	immediate := func(context.Context) (any, error) { return "", nil }
	repeat := func(r graphql.Resolver) (rs []graphql.Resolver) {
		for range 3 * maxOvertimeFields {
			rs = append(rs, r)
		}
		return rs
	}
	for name, tt := range map[string]struct {
		operation string
		resolvers []graphql.Resolver
		waited    bool
		want      string // data and error codes
	}{
		"in time":                              {"query", repeat(immediate), false, "{} []"},
		"waits":                                {"query", []graphql.Resolver{wait}, true, "{} [UPSTREAM_TIMEOUT]"},
		"waits, then needs another call":       {"query", []graphql.Resolver{wait, call}, true, "{} [UPSTREAM_TIMEOUT UPSTREAM_TIMEOUT]"},
		"waits, with many fields left":         {"query", append(repeat(immediate), append([]graphql.Resolver{wait}, repeat(immediate)...)...), true, "null [UPSTREAM_TIMEOUT]"},
		"computes":                             {"query", append([]graphql.Resolver{compute}, repeat(immediate)...), false, "null [LIMIT_EXCEEDED]"},
		"computes, with few fields left":       {"query", []graphql.Resolver{compute, immediate, immediate}, false, "{} []"},
		"computes, then needs calls":           {"query", append([]graphql.Resolver{compute}, repeat(call)[:100]...), false, "null [LIMIT_EXCEEDED]"},
		"mutation computes, then needs a call": {"mutation", []graphql.Resolver{compute, call}, false, "{} [UPSTREAM_TIMEOUT]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), 30*time.Second, errTimeout)
				defer cancel()
				resp := execute(ctx, t, tt.operation, Limits{Waited: func(context.Context) bool { return tt.waited }}, tt.resolvers...)
				codes := []any{}
				for _, err := range resp.Errors {
					codes = append(codes, err.Extensions["code"])
				}
				if got := fmt.Sprint(string(resp.Data), " ", codes); got != tt.want {
					t.Errorf("data and error codes = %s, want %s", got, tt.want)
				}
			})
		})
	}
}

// A limited number of fields run after the client has left.
func TestClientLeaves(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	executed := 0
	resolvers := make([]graphql.Resolver, 0, 2*maxOvertimeFields+1)
	resolvers = append(resolvers, func(ctx context.Context) (any, error) {
		leave()
		for c := counterOf(ctx); c.state.Load() == running; { // until the counter has expired
			time.Sleep(time.Millisecond)
		}
		return "", nil
	})
	for range 2 * maxOvertimeFields {
		resolvers = append(resolvers, func(context.Context) (any, error) { executed++; return "", nil })
	}
	resp := execute(ctx, t, "query", Limits{}, resolvers...)
	if executed != maxOvertimeFields || string(resp.Data) != "null" || len(resp.Errors) != 1 {
		t.Errorf("%d fields ran after the client had left, want %d; data %s, errors %v", executed, maxOvertimeFields, resp.Data, resp.Errors)
	}
}

// A list that would start too many tasks waits for others, unless the operation ends.
func TestTasks_Start(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ts := new(tasks)
		ts.reset()
		ts.add(2)
		started := make(chan bool, 3)
		for range 3 {
			go func() { started <- ts.start(maxRunning - 1) }()
		}
		wantStarted := func(want int) {
			t.Helper()
			synctest.Wait()
			if len(started) != want {
				t.Fatalf("%d lists started, want %d", len(started), want)
			}
		}
		wantStarted(0)
		ts.done()
		wantStarted(1)
		for range maxRunning - 2 {
			ts.done()
		}
		wantStarted(1)
		ts.done()
		wantStarted(2)
		ts.end()
		wantStarted(3)
		if a, b, c := <-started, <-started, <-started; !a || !b || c {
			t.Errorf("started = %v, %v, %v, want true, true, false", a, b, c)
		}
	})
}

// A resolver that panics is no longer counted as running.
func TestField_PanicEndsTask(t *testing.T) {
	t.Parallel()
	c, ctx := operation(t, "{ name }", Limits{Concurrent: func(string, string) bool { return true }})
	ctx = fieldContext(ctx, c, "name")
	graphql.GetFieldContext(ctx).IsResolver = true
	c.tasks.add(1)
	func() {
		defer func() { _ = recover() }()
		_, _ = c.oc.ResolverMiddleware(ctx, func(context.Context) (any, error) { panic("x") })
	}()
	if n := c.tasks.running.Load(); n != 0 {
		t.Errorf("%d running tasks, want 0", n)
	}
}
