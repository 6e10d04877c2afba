// Package responselimit limits the size of the response of one operation.
//
// A short query can select millions of fields, so a limit on the document does not limit the response. A [Limiter] is a
// gqlgen extension that counts an operation's fields (each response key of each object, including __typename and
// introspection) and bytes (keys, values and punctuation) during execution. For a field that returns objects, all their
// response keys are counted before gqlgen builds any of them: the number follows from the selection set and the number of
// objects, so memory is limited before it is allocated. The bytes of a scalar are counted when it is resolved. If a limit
// is exceeded, no further resolver runs, the operation's context is canceled, and the response is `data: null` with one
// error, LIMIT_EXCEEDED. Execution stops in the same way soon after the deadline and after the client has left. The one
// error is then the cause of the context, or UPSTREAM_TIMEOUT if the operation was waiting for another service.
//
// The package also limits the number of errors in a response to [MaxErrors] ([List]), rejects introspection that would
// exceed the limit, and counts the bytes of responses that are not yet sent ([UnsentMemory]).
package responselimit

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/gqlerr"
)

// Defaults of [Limits].
const (
	DefaultFields = 200_000
	DefaultBytes  = 16 << 20
)

// Limits apply to one response. A zero field means the default.
type Limits struct {
	Fields int64 // response keys of all objects, including __typename
	Bytes  int64 // of data, as JSON
	// Concurrent reports whether gqlgen resolves a field of an object type in its own goroutine. If nil, it never does.
	Concurrent func(object, field string) bool
	// Waited reports whether an operation was waiting for another service when its context ended. If nil, it always was.
	Waited func(context.Context) bool
}

// A Limiter applies its limits to every operation of a schema. It is safe for concurrent use.
type Limiter struct {
	schema *ast.Schema
	limits Limits
	types  map[string][]string // the type names of each object type, see typeNames
}

// New returns a limiter for the operations of schema.
func New(schema *ast.Schema, limits Limits) *Limiter {
	if limits.Fields == 0 {
		limits.Fields = DefaultFields
	}
	if limits.Bytes == 0 {
		limits.Bytes = DefaultBytes
	}
	if limits.Concurrent == nil {
		limits.Concurrent = func(string, string) bool { return false }
	}
	l := &Limiter{schema: schema, limits: limits, types: map[string][]string{}}
	for name, def := range schema.Types {
		if def.Kind == ast.Object {
			l.types[name] = typeNames(schema, def)
		}
	}
	return l
}

// typeNames returns the names that gqlgen passes to [graphql.CollectFields] for an object type. The order matters: with the
// same names, gqlgen finds the fields that this package collected in its cache.
func typeNames(schema *ast.Schema, def *ast.Definition) []string {
	names := []string{def.Name}
	for _, implemented := range schema.GetImplements(def) {
		names = append(names, implemented.Name)
	}
	return names
}

// ExtensionName implements [graphql.HandlerExtension].
func (*Limiter) ExtensionName() string { return "ResponseLimit" }

// Validate implements [graphql.HandlerExtension].
func (*Limiter) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext rejects an operation whose introspection alone would exceed the maximum number of fields.
func (l *Limiter) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	if oc.Operation.Operation != ast.Query || !introspects(ctx, oc.Operation) {
		return nil
	}
	if n := l.countIntrospection(oc); n > l.limits.Fields {
		return gqlerror.Wrap(l.fieldsError())
	}
	return nil
}

// InterceptOperation creates the counter of an operation.
func (l *Limiter) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	oc := graphql.GetOperationContext(ctx)
	c := &counter{limiter: l, oc: oc, reservation: ReservationOf(ctx), slot: admission.FromContext(ctx)}
	ctx, c.cancel = context.WithCancelCause(context.WithValue(ctx, counterKey{}, c))
	fields, roots := oc.ResolverMiddleware, oc.RootResolverMiddleware
	oc.ResolverMiddleware = func(ctx context.Context, next graphql.Resolver) (any, error) {
		return c.field(ctx, next, fields)
	}
	oc.RootResolverMiddleware = func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		value := roots(ctx, next)
		if c.state.Load() == stopped { // not sent, so do not marshal it
			return graphql.Null
		}
		return value
	}
	return next(ctx)
}

// InterceptResponse counts one response and replaces it if it exceeds a limit.
func (l *Limiter) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	c := counterOf(ctx)
	if c == nil { // rejected before execution
		return next(ctx)
	}
	c.begin()
	defer context.AfterFunc(ctx, c.expire)()
	var resp *graphql.Response
	if c.countRoot() {
		resp = next(ctx)
	}
	if err := c.failure(ctx); err != nil {
		return &graphql.Response{Data: []byte("null"), Errors: gqlerror.List{gqlerr.Public(ctx, err)}}
	}
	if resp != nil {
		resp.Errors = Counted(resp.Errors, int(c.errors.Load()))
	}
	return resp
}

func (l *Limiter) fieldsError() *gqlerr.Error {
	return &gqlerr.Error{
		Code: gqlerr.CodeLimitExceeded,
		Message: fmt.Sprintf("The response has more than %d fields, which is the limit. "+
			"Request smaller pages or fewer fields, or split the operation.", l.limits.Fields),
		Details: map[string]any{"limit": "max-response-fields", "maximum": l.limits.Fields},
	}
}

func (l *Limiter) bytesError() *gqlerr.Error {
	return &gqlerr.Error{
		Code: gqlerr.CodeLimitExceeded,
		Message: fmt.Sprintf("The response is larger than %d bytes, which is the limit. "+
			"Request smaller pages or fewer fields, or split the operation.", l.limits.Bytes),
		Details: map[string]any{"limit": "max-response-bytes", "maximum": l.limits.Bytes},
	}
}

func itemsError(message string) *gqlerr.Error {
	return &gqlerr.Error{
		Code:    gqlerr.CodeLimitExceeded,
		Message: fmt.Sprintf(message+"Request smaller pages or fewer lists, or split the operation.", maxItems),
		Details: map[string]any{"limit": "list-items", "maximum": maxItems},
	}
}

func tasksError(maximum int64) *gqlerr.Error {
	return &gqlerr.Error{
		Code: gqlerr.CodeLimitExceeded,
		Message: fmt.Sprintf("More than %d fields of the response, in one list or in total, would be resolved concurrently, which is the limit. "+
			"Request smaller pages or fewer fields, or split the operation.", maximum),
		Details: map[string]any{"limit": "concurrent-fields", "maximum": maximum},
	}
}
