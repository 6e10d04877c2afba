package mixcloud

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var documented = regexp.MustCompile(`^\s(GET|POST|DELETE) (/\S+?)(?:, (.+?))?\s{2,}(.+)$`)

// TestDocumentedEndpoints holds the package comment's table against the list.
func TestDocumentedEndpoints(t *testing.T) {
	t.Parallel()
	source, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	var got []Endpoint
	for line := range strings.Lines(source.Doc.Text()) {
		m := documented.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			continue
		}
		paths := []string{m[2]}
		for prefix := range strings.SplitSeq(m[3], ", ") {
			if prefix == "" {
				continue
			}
			_, tail, _ := strings.Cut(m[2][1:], "/")
			paths = append(paths, strings.TrimSuffix(prefix, "…")+tail)
		}
		for _, path := range paths {
			for op := range strings.SplitSeq(m[4], ", ") {
				got = append(got, Endpoint{m[1], path, op})
			}
		}
	}
	order := func(a, b Endpoint) int { return strings.Compare(a.Path+" "+a.Op, b.Path+" "+b.Op) }
	want := Endpoints()
	slices.SortFunc(want, order)
	slices.SortFunc(got, order)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Endpoints (-) and the package comment (+):\n%s", diff)
	}
	for _, e := range want {
		if _, ok := reflect.TypeFor[*Client]().MethodByName(e.Op); !ok {
			t.Errorf("there is no method %s", e.Op)
		}
	}
}

// TestEveryNameIsDocumented: exported names have a comment.
func TestEveryNameIsDocumented(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		source, err := parser.ParseFile(set, f.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		missing := func(at token.Pos, name string) { t.Errorf("%s: %s has no comment", set.Position(at), name) }
		for _, d := range source.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil {
					missing(d.Pos(), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if s, ok := s.(*ast.TypeSpec); ok && s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
						missing(s.Pos(), s.Name.Name)
					}
					if s, ok := s.(*ast.ValueSpec); ok && s.Names[0].IsExported() && d.Doc == nil && s.Doc == nil {
						missing(s.Pos(), s.Names[0].Name)
					}
				}
			}
		}
	}
}
