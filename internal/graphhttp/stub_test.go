package graphhttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/upload"
)

// A stub is an executable schema without gqlgen's generated code: each root field is a
// function, and selections below the root are only validated.
type stub struct {
	schema *ast.Schema
	fields map[string]func(ctx context.Context, args map[string]any) (any, error)
}

var sdl = gqlparser.MustLoadSchema(&ast.Source{Input: `
	scalar Any
	type Query { echo(of: Any): String hello(name: String = "you", n: Int): String nest: Query fail: String wait: String panic: String color(of: Color): String many: In2 }
	enum Color { RED GREEN }
	type In2 { a: String }
	type Mutation {
		set(to: Int): String
		send(file: Upload, files: [Upload], input: In, inputs: [In]): String
		edit(in: In): String
	}
	type Subscription { count(to: Int!): Int broken: Int panics: Int }
	scalar Upload
	input In { name: String deep: In file: Upload files: [Upload!] }
`})

func newStub() *stub {
	return &stub{sdl, map[string]func(context.Context, map[string]any) (any, error){
		"hello": func(_ context.Context, args map[string]any) (any, error) { return args["name"], nil },
		"echo":  func(context.Context, map[string]any) (any, error) { return nil, nil },
		"nest":  func(context.Context, map[string]any) (any, error) { return struct{}{}, nil },
		"set":   func(context.Context, map[string]any) (any, error) { return "done", nil },
		"send":  readAll,
		"edit":  readAll,
		"fail":  func(context.Context, map[string]any) (any, error) { return nil, gqlerr.Invalid("x", "is wrong") },
		"wait": func(ctx context.Context, _ map[string]any) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"panic": func(context.Context, map[string]any) (any, error) { panic("s3cret-canary") },
	}}
}

// readAll reads the files of its request and returns a description of them.
func readAll(ctx context.Context, _ map[string]any) (any, error) {
	src, ok := upload.FromContext(ctx)
	if !ok {
		return "no files", nil
	}
	var all []string
	for {
		part, err := src.Next(ctx)
		if errors.Is(err, io.EOF) {
			return strings.Join(all, ";"), nil
		}
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(part.Body)
		if err != nil {
			return nil, err
		}
		all = append(all, fmt.Sprintf("%s=%s,%s,%s,%s", part.File.Path, part.File.Part, part.Filename, part.ContentType, body))
	}
}

func (s *stub) Schema() *ast.Schema { return s.schema }

func (s *stub) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (s *stub) Exec(ctx context.Context) graphql.ResponseHandler {
	if oc := graphql.GetOperationContext(ctx); oc.Operation.Operation == ast.Subscription {
		return s.subscribe(ctx, graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{"Subscription"})[0])
	}
	return func(ctx context.Context) *graphql.Response {
		oc := graphql.GetOperationContext(ctx)
		data := map[string]any{}
		root := map[ast.Operation]string{ast.Query: "Query", ast.Mutation: "Mutation"}[oc.Operation.Operation]
		for _, f := range graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{root}) {
			data[f.Alias] = s.resolve(graphql.WithFieldContext(ctx, &graphql.FieldContext{
				Object: root, Field: f, Args: f.ArgumentMap(oc.Variables),
			}))
		}
		text, err := json.Marshal(data)
		if err != nil {
			panic(err)
		}
		return &graphql.Response{Data: text}
	}
}

// subscribe sends a number each second, until its end or until the client leaves.
func (s *stub) subscribe(ctx context.Context, f graphql.CollectedField) graphql.ResponseHandler {
	switch f.Name {
	case "broken":
		graphql.AddError(ctx, gqlerr.Unauthenticated("Sign in."))
		return func(context.Context) *graphql.Response { return nil }
	case "panics":
		return func(context.Context) *graphql.Response { panic("s3cret-canary") }
	}
	to, _ := f.ArgumentMap(graphql.GetOperationContext(ctx).Variables)["to"].(int64)
	n := int64(0)
	return func(ctx context.Context) *graphql.Response {
		if n++; n > to {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
			return &graphql.Response{Data: fmt.Appendf(nil, "{\"count\":\n%d}", n)}
		}
	}
}

func (s *stub) resolve(ctx context.Context) (value any) {
	fc := graphql.GetFieldContext(ctx)
	defer func() {
		if p := recover(); p != nil {
			graphql.AddError(ctx, graphql.GetOperationContext(ctx).Recover(ctx, p))
			value = nil
		}
	}()
	if fc.Field.Name == "__schema" {
		if graphql.GetOperationContext(ctx).DisableIntrospection {
			graphql.AddError(ctx, errors.New("introspection disabled"))
			return nil
		}
		return struct{}{}
	}
	value, err := s.fields[fc.Field.Name](ctx, fc.Args)
	if err != nil {
		graphql.AddError(ctx, err)
		return nil
	}
	return value
}

// request returns a request; headers are "Name: value" lines.
func request(t testing.TB, method, target, body string, headers ...string) *http.Request {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, target, reader)
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ": ")
		if !ok {
			t.Fatalf("header %q is not of the form \"Name: value\"", h)
		}
		r.Header.Add(name, value)
	}
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// post sends a JSON body to a handler of the stub with the options.
func post(t *testing.T, o graphhttp.Options, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return serve(graphhttp.New(newStub(), o), request(t, http.MethodPost, "/graphql", body, append([]string{"Content-Type: application/json"}, headers...)...))
}
