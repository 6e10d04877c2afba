package emulator

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestRules_AreComplete checks that the table has each rule once, with all fields.
func TestRules_AreComplete(t *testing.T) {
	t.Parallel()
	names, docs := map[string]bool{}, map[string]bool{}
	for _, r := range rules {
		if r.name == "" || names[r.name] {
			t.Errorf("rule name %q is empty or not unique", r.name)
		}
		if len(r.doc) < 10 || docs[r.doc] {
			t.Errorf("rule %s: the description %q has fewer than 10 characters, or is also that of another rule", r.name, r.doc)
		}
		if r.when == nil {
			t.Errorf("rule %s has no condition (when)", r.name)
		}
		if r.request == nil && r.document == nil && r.response == nil {
			t.Errorf("rule %s has no function that changes a request, a document or a response", r.name)
		}
		names[r.name], docs[r.doc] = true, true
	}
	if len(rules) != len(BrokenRules()) {
		t.Errorf("BrokenRules returned %d names, want %d, one per row of the table", len(BrokenRules()), len(rules))
	}
}

// TestRules_AreUsedInOnePlace checks that only the table contains names of rules,
// that only broken.go reads Emulator.broken, and that each phase is called in one
// place: in two for requests, because the site has pages in addition to the API.
func TestRules_AreUsedInOnePlace(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, r := range rules {
		names[r.name] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	uses := map[string][]string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				text, err := strconv.Unquote(n.Value)
				if n.Kind == token.STRING && err == nil && names[text] && file != "broken_rules.go" {
					t.Errorf("%s contains the rule name %q; only broken_rules.go may", file, text)
				}
			case *ast.Ident:
				if n.Name == "rules" && !strings.HasPrefix(file, "broken") {
					t.Errorf("%s uses the table of rules; only broken*.go may", file)
				}
			case *ast.SelectorExpr:
				switch n.Sel.Name {
				case "broken":
					if file != "broken.go" {
						t.Errorf("%s reads Emulator.broken; only broken.go may", file)
					}
				case "breakRequest", "breakDocument", "breakResponse":
					uses[n.Sel.Name] = append(uses[n.Sel.Name], file)
				}
			}
			return true
		})
	}
	for phase, want := range map[string]string{
		"breakRequest": "call.go site.go", "breakDocument": "response.go", "breakResponse": "call.go",
	} {
		if got := strings.Join(uses[phase], " "); got != want {
			t.Errorf("%s is called in %q, want %q", phase, got, want)
		}
	}
}
