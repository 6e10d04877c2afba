package lookahead

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"

	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/graph/lists"
	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/internal/compiled"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

var schema = generated.NewExecutableSchema(generated.Config{}).Schema()

func newAhead() *Ahead {
	return New(schema, func(key string) (mixcloud.Input, error) { return mixcloud.ParseInput(key) }, func(l lists.List) string { return l.Segment })
}

func operationContext(t testing.TB, query string) *graphql.OperationContext {
	t.Helper()
	doc, err := gqlparser.LoadQueryWithRules(schema, query, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0]}
}

// A plan contains the lists below the root fields that look up resources, in any fragments that
// apply to the type of the resource, and nothing else.
func TestCompile(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ query, want string }{
		"no lists":         {`{ user(username: "a") { name } popular { nodes { user { cloudcasts { totalCount } } } } }`, ""},
		"nested lists":     {`{ user(username: "a") { followers { nodes { cloudcasts { totalCount } } } } }`, "user:User.followers"},
		"fragments":        {`{ ...q } fragment q on Query { a: tag(name: "a") { ... { hot { totalCount } } ...t ...t } } fragment t on Tag { latest { totalCount } }`, "tag:Tag.hot tag:Tag.latest"},
		"types of a node":  {`{ node(id: "x") { ... on Resource { ... on User { feed { totalCount } } ... on City { hot { totalCount } } } ... on Comment { user { feed { totalCount } } } } }`, "node:City.hot node:User.feed"},
		"a mutation":       {`mutation { followUser(input: {username: "a"}) { user { followers { totalCount } } } }`, ""},
		"schema and names": {`{ __typename __schema { types { name } } viewer { __typename listenLater { totalCount } } }`, "viewer:User.listenLater"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			oc := operationContext(t, tt.query)
			var got []string
			for _, root := range newAhead().compile(oc.Operation) {
				for _, kind := range []string{"City", "Tag", "User"} {
					for _, l := range root.lists[kind] {
						got = append(got, root.field.Name+":"+kind+"."+l.field.Name)
					}
				}
			}
			if text := strings.Join(got, " "); text != tt.want {
				t.Errorf("plan = %q, want %q", text, tt.want)
			}
		})
	}
}

// Fragments that are spread many times do not make the plan larger than maxSelections.
func TestCompile_Bound(t *testing.T) {
	t.Parallel()
	var query strings.Builder
	query.WriteString("{")
	for i := range 100 {
		fmt.Fprintf(&query, ` a%d: user(username: "a%d") { ...many }`, i, i)
	}
	query.WriteString(" } fragment many on User {")
	for i := range 1000 {
		fmt.Fprintf(&query, " b%d: cloudcasts(first: %d) { totalCount }", i, i%100)
	}
	query.WriteString(" }")
	total := 0
	for _, root := range newAhead().compile(operationContext(t, query.String()).Operation) {
		total += len(root.lists["User"])
	}
	if total < maxSelections-1000 || total > maxSelections {
		t.Errorf("the plan has %d lists, want %d to %d", total, maxSelections-1000, maxSelections)
	}
}

// BenchmarkStart measures the time that look-ahead adds to an operation whose resources are cached.
func BenchmarkStart(b *testing.B) {
	e, err := emulator.New()
	if err != nil {
		b.Fatal(err)
	}
	client, err := mixcloud.New(mixcloud.WithAPIURL("https://mixcloud.test"), mixcloud.WithHTTPClient(&http.Client{Transport: e.Transport()}))
	if err != nil {
		b.Fatal(err)
	}
	store := upstream.NewStore(client, upstream.Options{})
	b.Cleanup(func() { _ = store.Close(context.WithoutCancel(b.Context())) })
	a, session := newAhead(), store.Session("")
	for name, query := range map[string]string{
		"without lists": `{ user(username: "spartacus") { name } }`,
		"cached":        `{ user(username: "spartacus") { name cloudcasts(first: 20) { nodes { name } } } }`,
	} {
		b.Run(name, func(b *testing.B) {
			oc := operationContext(b, query)
			ctx := loaders.Into(compiled.Into(b.Context(), new(compiled.Document)), loaders.New(b.Context(), session))
			if _, err := loaders.Users.Load(ctx, mixcloud.ParseKey("/spartacus/")); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				a.Start(ctx, oc)
			}
		})
	}
}
