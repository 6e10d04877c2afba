package graphhttp

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"mixcloud-graphql/internal/coerce"
)

// A server is gqlgen's executor with its own replacement for CreateOperationContext: parse,
// validate, coerce variables, then run the extensions that may refuse the operation. gqlgen's
// own validates variables less strictly than the specification, reports only the first error,
// and leaves custom scalars to the executor, which has run other fields by then. Everything
// after the preparation is gqlgen's.
type server struct {
	*executor.Executor

	transports []graphql.Transport
	schema     *ast.Schema
	input      *coerce.Coercer
	rules      map[string]core.RuleFunc // replaces gqlparser's rules of the same name
	recover    graphql.RecoverFunc
	cache      queryCache
	limits     documentLimits

	parameters []graphql.OperationParameterMutator
	contexts   []graphql.OperationContextMutator
	fields     []graphql.FieldInterceptor
	roots      []graphql.RootFieldInterceptor

	fieldMiddleware graphql.FieldMiddleware // aroundField and aroundRoot, created once instead of for each operation
	rootMiddleware  graphql.RootFieldMiddleware
}

func newServer(schema graphql.ExecutableSchema, scalars map[string]coerce.Scalar, hide bool) *server {
	s := &server{Executor: executor.New(schema), schema: schema.Schema()}
	s.input = coerce.New(s.schema, scalars)
	s.input.Suggest = !hide
	s.fieldMiddleware, s.rootMiddleware = s.aroundField, s.aroundRoot
	s.rules = map[string]core.RuleFunc{
		coerce.RuleName:                         s.input.Rule,
		rules.SingleFieldSubscriptionsRule.Name: singleRootField,
	}
	if hide {
		hideSchema(s.rules)
	}
	return s
}

// Use adds an extension. prepare calls the ones that inspect an operation before its execution,
// and gqlgen calls all others.
func (s *server) Use(extension graphql.HandlerExtension) {
	s.Executor.Use(extension)
	if x, ok := extension.(graphql.OperationParameterMutator); ok {
		s.parameters = append(s.parameters, x)
	}
	if x, ok := extension.(graphql.OperationContextMutator); ok {
		s.contexts = append(s.contexts, x)
	}
	if x, ok := extension.(graphql.FieldInterceptor); ok {
		s.fields = append(s.fields, x)
	}
	if x, ok := extension.(graphql.RootFieldInterceptor); ok {
		s.roots = append(s.roots, x)
	}
}

// ServeHTTP passes a request to the first transport that supports it.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil {
			err := s.PresentRecoveredError(r.Context(), p)
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write(encode(&graphql.Response{Errors: gqlerror.List{gqlerror.WrapIfUnwrapped(err)}, Data: []byte("null")}))
		}
	}()
	for _, t := range s.transports {
		if t.Supports(r) {
			t.Do(w, r, s.Executor)
			return
		}
	}
}

// prepare returns the context of an operation, or errors if it cannot be executed. The context
// is never nil.
func (s *server) prepare(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	oc := &graphql.OperationContext{
		DisableIntrospection:   true, // until an extension enables it
		RecoverFunc:            s.recover,
		ResolverMiddleware:     s.fieldMiddleware,
		RootResolverMiddleware: s.rootMiddleware,
		Stats:                  graphql.Stats{Read: params.ReadTime, OperationStart: params.ReadTime.Start},
	}
	ctx = graphql.WithOperationContext(ctx, oc)
	for _, x := range s.parameters {
		if err := x.MutateOperationParameters(ctx, params); err != nil {
			return oc, gqlerror.List{err}
		}
	}
	oc.RawQuery, oc.OperationName = params.Query, params.OperationName
	oc.Extensions, oc.Headers = params.Extensions, params.Headers

	doc, op, errs := s.document(ctx, &oc.Stats, params.Query, params.OperationName)
	oc.Doc, oc.Operation = doc.QueryDocument, op
	if len(errs) > 0 {
		return oc, errs
	}
	if state := stateFrom(ctx); state != nil {
		state.compiled = doc.values
	}
	if oc.Variables, errs = s.input.Variables(oc.Operation, params.Variables); len(errs) > 0 {
		return oc, invalid(errs...)
	}
	oc.Stats.Validation.End = graphql.Now()
	for _, x := range s.contexts {
		if err := x.MutateOperationContext(ctx, oc); err != nil {
			return oc, gqlerror.List{err}
		}
	}
	return oc, nil
}

// document limits, parses and validates a document, or takes it from the cache, and finds the
// named operation.
func (s *server) document(ctx context.Context, stats *graphql.Stats, query, name string) (document, *ast.OperationDefinition, gqlerror.List) {
	stats.Parsing.Start = graphql.Now()
	key := query
	doc, known := s.cache.Get(ctx, key)
	if !known && name != "" {
		key = query + "\x00" + name // no document contains NUL
		doc, known = s.cache.Get(ctx, key)
	}
	if !known {
		if err := s.limits.check(query); err != nil {
			return document{}, nil, gqlerror.List{err}
		}
		parsed, err := parse(query, s.limits.tokens)
		if err != nil {
			return document{}, nil, gqlerror.List{err}
		}
		doc = newDocument(parsed)
	}
	stats.Parsing.End = graphql.Now()
	stats.Validation.Start = stats.Parsing.End
	if len(doc.Operations) == 0 {
		return document{}, nil, invalid(gqlerror.Errorf("no operation provided"))
	}
	if !known {
		if errs := validator.ValidateWithRules(s.schema, doc.QueryDocument, validationRules(s.rules)); len(errs) > 0 {
			return document{}, nil, invalid(errs...)
		}
	}
	op := doc.Operations.ForName(name)
	switch {
	case op == nil:
		return doc, nil, invalid(gqlerror.Errorf("operation %s not found", name))
	case known:
	case len(doc.Operations) == 1:
		s.cache.Add(ctx, query, doc)
	default:
		// Validation leaves the variables of a fragment bound to the last operation that
		// spreads it, and the executor would use that operation's defaults: bind them to this
		// one.
		core.Walk(s.schema, &ast.QueryDocument{Operations: ast.OperationList{op}, Fragments: doc.Fragments}, new(core.Events))
		s.cache.Add(ctx, key, doc)
	}
	return doc, op, nil
}

// parse parses a document. Its errors have the code of a syntax error.
func parse(query string, tokens int) (*ast.QueryDocument, *gqlerror.Error) {
	if err := checkSurrogates(query); err != nil {
		errcode.Set(err, errcode.ParseFailed)
		return nil, err
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, tokens)
	if err == nil {
		return doc, nil
	}
	syntax, ok := errors.AsType[*gqlerror.Error](err)
	if !ok {
		syntax = gqlerror.Wrap(err)
	}
	explainEmpty(syntax, query)
	errcode.Set(syntax, errcode.ParseFailed)
	return nil, syntax
}

func invalid(errs ...*gqlerror.Error) gqlerror.List {
	for _, err := range errs {
		errcode.Set(err, errcode.ValidationFailed)
	}
	return errs
}

// aroundField calls the extensions around a field, the first outermost.
func (s *server) aroundField(ctx context.Context, next graphql.Resolver) (any, error) {
	for _, x := range slices.Backward(s.fields) {
		inner := next
		next = func(ctx context.Context) (any, error) { return x.InterceptField(ctx, inner) }
	}
	return next(ctx)
}

func (s *server) aroundRoot(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	for _, x := range slices.Backward(s.roots) {
		inner := next
		next = func(ctx context.Context) graphql.Marshaler { return x.InterceptRootField(ctx, inner) }
	}
	return next(ctx)
}
