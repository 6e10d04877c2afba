package graphhttp

import (
	"context"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/trace"
)

// TraceHeader, with the value true, requests a trace of the operation in extensions.trace, if
// [Options.Trace] permits it.
const TraceHeader = "X-GraphQL-Trace"

var traceKey = http.CanonicalHeaderKey(TraceHeader)

// tracing records the operations that request it. Subscriptions have no trace.
type tracing struct{}

func (tracing) ExtensionName() string                   { return "Tracing" }
func (tracing) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext starts the recording, and records the resolvers of the operation.
func (tracing) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	s := statsFrom(ctx)
	if s == nil || !headerIsTrue(oc, traceKey) || oc.Operation.Operation == ast.Subscription {
		return nil
	}
	recorder := trace.New()
	s.trace = recorder
	resolve := oc.ResolverMiddleware
	oc.ResolverMiddleware = func(ctx context.Context, next graphql.Resolver) (any, error) {
		field := graphql.GetFieldContext(ctx)
		if field == nil || !field.IsResolver {
			return resolve(ctx, next)
		}
		start := time.Now()
		defer func() { recorder.Field(pathOf(field.Path()), start) }()
		return resolve(ctx, next)
	}
	return nil
}

// InterceptResponse adds the trace.
func (tracing) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	resp := next(ctx)
	if recorder := Trace(ctx); resp != nil && recorder != nil {
		extend(resp, "trace", recorder.End())
	}
	return resp
}

// Trace returns the recorder of the operation of ctx, or nil.
func Trace(ctx context.Context) *trace.Recorder {
	if s := statsFrom(ctx); s != nil {
		return s.trace
	}
	return nil
}

// pathOf returns the elements of a path, which are strings and integers.
func pathOf(path ast.Path) []any {
	elements := make([]any, len(path))
	for i, element := range path {
		switch e := element.(type) {
		case ast.PathName:
			elements[i] = string(e)
		case ast.PathIndex:
			elements[i] = int(e)
		}
	}
	return elements
}
