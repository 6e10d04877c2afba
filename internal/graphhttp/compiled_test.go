package graphhttp_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/internal/compiled"
	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/manifest"
)

// Each operation finds the values that were compiled from its document, however the client
// identifies the document.
func TestCompiledDocument(t *testing.T) {
	t.Parallel()
	var current *compiled.Document
	schema := newStub()
	resolve := schema.fields["hello"]
	schema.fields["hello"] = func(ctx context.Context, args map[string]any) (any, error) {
		if compiled.From(ctx) != current {
			t.Error("the resolver found another document than the middleware")
		}
		return resolve(ctx, args)
	}
	h := graphhttp.New(schema, graphhttp.Options{Around: func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		current = compiled.From(ctx)
		return next(ctx)
	}})
	if err := h.SetManifest([]manifest.Operation{{ID: "hello-1", Text: "query Hello { hello }"}}); err != nil {
		t.Fatal(err)
	}
	documentOf := func(body string) *compiled.Document {
		t.Helper()
		current = nil
		r := request(t, http.MethodPost, "/graphql", body, "Content-Type: application/json")
		if rec := serve(h, r); !strings.Contains(rec.Body.String(), `"hello":"you"`) {
			t.Fatalf("%s: got %s, want hello", body, rec.Body)
		}
		if current == nil {
			t.Fatalf("%s: the operation's context contains no compiled document", body)
		}
		return current
	}
	const two = `"query":"query A { hello } query B { hello }"`
	for name, pair := range map[string][2]string{
		"text":           {`{"query":"{ hello }"}`, `{"query":"{ hello }","variables":{}}`},
		"operation name": {`{` + two + `,"operationName":"A"}`, `{` + two + `,"operationName":"A"}`},
		"persisted":      {persisted(t, "{ hello }", sha("{ hello }")), persisted(t, "", sha("{ hello }"))},
		"manifest":       {`{"documentId":"hello-1"}`, `{"query":"query Hello { hello }"}`},
	} {
		if documentOf(pair[0]) != documentOf(pair[1]) {
			t.Errorf("%s: the second request has another document than the first", name)
		}
	}
	if documentOf(`{`+two+`,"operationName":"A"}`) == documentOf(`{`+two+`,"operationName":"B"}`) {
		t.Error("two operations of a document share their values, want values for each operation")
	}
	long := `{"query":"{ hello } #` + strings.Repeat("-", 10_000) + `"}`
	first := documentOf(long)
	if documentOf(long) == first {
		t.Error("two requests share the values of a document that is too long for the cache, want separate values")
	}
}
