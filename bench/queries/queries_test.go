package queries

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/mixcloud/emulator/world"
)

func schema(t *testing.T) *ast.Schema {
	t.Helper()
	files, err := filepath.Glob("../../graph/schema/*.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	var sources []*ast.Source
	for _, name := range append(files, "../../graph/schema.graphqls") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: name, Input: string(text)})
	}
	s, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNamed(t *testing.T) {
	t.Parallel()
	all, err := Named()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 12 {
		t.Errorf("%d queries, want at least 12", len(all))
	}
	s := schema(t)
	names := make(map[string]bool)
	for _, q := range all {
		if _, err := gqlparser.LoadQueryWithRules(s, q.Text, nil); err != nil {
			t.Errorf("query %s is not valid: %v", q.Name, err)
		}
		if names[q.Name] {
			t.Errorf("two queries have the name %s", q.Name)
		}
		names[q.Name] = true
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	text := "# Description\n# in two lines.\n# variables: {\"n\": [\"a\"]}\n# token: demo-token\n# after: user.feed\n# ids: /a/ /b/c/\nquery { a }\n# token: not this one\n"
	got, err := parse("07-some-name.graphql", text)
	if err != nil {
		t.Fatal(err)
	}
	want := Query{
		Name: "some-name", Doc: "Description in two lines.", Text: text,
		Variables: map[string]any{"n": []any{"a"}}, Token: "demo-token", After: "user.feed", IDs: []string{"/a/", "/b/c/"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, invalid := range []string{"query { a }", "# Description.\n# variables: {\nquery { a }"} {
		if q, err := parse("1-x.graphql", invalid); err == nil {
			t.Errorf("parse(%q) = %v, want an error", invalid, q)
		}
	}
}

func TestGenerator(t *testing.T) {
	t.Parallel()
	s, w := schema(t), world.New(1)
	a, b, c := NewGenerator(s, w, 1), NewGenerator(s, w, 1), NewGenerator(s, w, 2)
	different := false
	for range 200 {
		query := a.Query()
		if again := b.Query(); again != query {
			t.Fatalf("the same seed generated different queries:\n%s\n%s", query, again)
		}
		different = different || c.Query() != query
		if _, err := gqlparser.LoadQueryWithRules(s, query, nil); err != nil {
			t.Errorf("the query is not valid: %v\n%s", err, query)
		}
	}
	if !different {
		t.Error("different seeds generated the same queries")
	}
}

// TestGenerated checks that the committed queries are valid: the schema may have new fields, but no
// field that they select was removed.
func TestGenerated(t *testing.T) {
	t.Parallel()
	files, err := Generated(schema(t))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for name, of := range files {
		if len(of) == 0 {
			t.Errorf("the file %s has no query", name)
		}
		for _, q := range of {
			_, text, _ := strings.Cut(q.Text, "{")
			texts[text] = true
		}
	}
	if len(texts) < 200 {
		t.Errorf("%d different queries, want at least 200", len(texts))
	}
}

// The error for a query that is not valid in the schema contains its position, and the command that
// generates new ones.
func TestParseGenerated(t *testing.T) {
	t.Parallel()
	s := schema(t)
	got, err := parseGenerated(s, "generated/x.graphql", "# comment\n\nquery Q1 { popular { nodes { name } } }\nquery Q2 { __typename }\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []Query{
		{Name: "generated/x.graphql:3", Text: "query Q1 { popular { nodes { name } } }"},
		{Name: "generated/x.graphql:4", Text: "query Q2 { __typename }"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	fields := &s.Types["Cloudcast"].Fields
	*fields = append(*fields, &ast.FieldDefinition{Name: "isSelect", Type: ast.NamedType("Boolean", nil)})
	if again, err := parseGenerated(s, "generated/x.graphql", "query Q1 { popular { nodes { name } } }"); err != nil || len(again) != 1 {
		t.Errorf("parseGenerated with a new field in the schema = %v, %v, want one query", again, err)
	}
	*fields = slices.DeleteFunc(*fields, func(f *ast.FieldDefinition) bool { return f.Name == "name" })
	_, err = parseGenerated(s, "generated/x.graphql", "# comment\nquery Q1 { popular { nodes { name } } }")
	if err == nil || !strings.Contains(err.Error(), "bench/queries/generated/x.graphql:2: ") || !strings.Contains(err.Error(), Command) {
		t.Errorf("parseGenerated without a field in the schema: error %v, want one with the line and the command %s", err, Command)
	}
}
