package cost

import (
	"os"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// Directives returns the source that declares @cost and @listSize.
func Directives(t testing.TB) *ast.Source {
	t.Helper()
	const name = "../schema/cost.graphqls"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return &ast.Source{Name: name, Input: string(text)}
}
