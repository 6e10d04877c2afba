package resolvers

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// gqlgen generates a function that panics for a field without a resolver, and comments
// out the code of a resolver without a field. Neither may be committed.
func TestNoStubs(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.resolvers.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d files *.resolvers.go, error %v, want at least one", len(files), err)
	}
	fset := token.NewFileSet()
	for _, name := range files {
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, comment := range file.Comments {
			if strings.Contains(comment.Text(), "!!! WARNING !!!") {
				t.Errorf("graph/resolvers/%s: no field of the schema uses the code below: move what is needed to another file, delete the rest",
					fset.Position(comment.Pos()))
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if callee, ok := call.Fun.(*ast.Ident); ok && callee.Name == "panic" {
					t.Errorf("graph/resolvers/%s: a field has no resolver: write it here or, if every form of the object contains it, delete this function, "+
						"add a field or method to the type in graph/model and run \"make generate\"", fset.Position(n.Pos()))
				}
			}
			return true
		})
	}
}
