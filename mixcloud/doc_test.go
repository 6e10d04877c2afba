package mixcloud

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the table of endpoints in doc.go")

// endpointTable returns the table of the package comment. Endpoints with the same
// method and the same path after the first segment share a line.
func endpointTable() string {
	type row struct{ method, path, ops string }
	var rows []row
	split := func(path string) (first, rest string) {
		first, rest, _ = strings.Cut(path[1:], "/")
		return first, rest
	}
	for _, e := range Endpoints() {
		first, rest := split(e.Path)
		i := slices.IndexFunc(rows, func(r row) bool {
			of, tail := split(strings.Split(r.path, ",")[0])
			samePlace := tail == rest && of != first && (first == "me" && of == "{user}" && rest != "" || slices.Contains([]string{"discover", "tag"}, first) && of == "genres")
			return r.method == e.Method && (r.path == e.Path || samePlace && r.ops == e.Op)
		})
		switch {
		case i < 0:
			rows = append(rows, row{e.Method, e.Path, e.Op})
		case rows[i].path == e.Path:
			rows[i].ops += ", " + e.Op
		default:
			rows[i].path += ", /" + first + "/…"
		}
	}
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "//\t%-53s %s\n", r.method+" "+r.path, r.ops)
	}
	return b.String()
}

// TestDocumentedEndpoints compares the table in the package comment with Endpoints,
// or rewrites it.
func TestDocumentedEndpoints(t *testing.T) { // not parallel: it may rewrite doc.go
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), "//\tGET /{user}/ ")
	_, tail, ended := strings.Cut(rest, "\n//\n")
	if !found || !ended {
		t.Fatal("doc.go has no table of endpoints between the line of GET /{user}/ and an empty line")
	}
	want := head + endpointTable() + "//\n" + tail
	if *update {
		if err := os.WriteFile("doc.go", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("the table in mixcloud/doc.go differs from Endpoints. To rewrite it, run: go test ./mixcloud -run DocumentedEndpoints -update (-Endpoints +table):\n%s", diff)
	}
	for _, e := range Endpoints() {
		if _, ok := reflect.TypeFor[*Client]().MethodByName(e.Op); !ok {
			t.Errorf("Client has no method %s", e.Op)
		}
	}
}

// TestEveryNameIsDocumented checks that all exported names have a comment.
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
