package app

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mixcloud-graphql/internal/markdown"
)

// TestDocs_Recipes compares the recipes of documents with the programs in testdata
// that the tests of the clients run. The comment before a recipe names the file and
// the part of it between "// docs: NAME" and "// docs: end"; without a name the
// recipe is the whole file. -update-readme rewrites the recipes.
func TestDocs_Recipes(t *testing.T) {
	for path, minimum := range map[string]int{"../../README.md": 2, "../../docs/clients.md": 13} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		updated, end, recipes := "", 0, 0
		for _, block := range markdown.Blocks(string(text)) {
			if block.Comment == "" {
				continue
			}
			recipes++
			code := recipe(t, block.Comment)
			if code != block.Text && !*updateReadme {
				t.Errorf("%s:%d: the recipe differs from testdata/%s. To update it, run: go test ./internal/app -run TestDocs_Recipes -update-readme", path, block.Line, block.Comment)
			}
			updated += string(text[end:block.Start]) + code
			end = block.End
		}
		if recipes < minimum {
			t.Errorf("%s has %d recipes, want at least %d", path, recipes, minimum)
		}
		if *updateReadme {
			if err := os.WriteFile(path, []byte(updated+string(text[end:])), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// recipe returns the code that a comment names, without the indentation of its
// first line.
func recipe(t *testing.T, comment string) string {
	t.Helper()
	file, name, _ := strings.Cut(comment, " ")
	source, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	code := string(source)
	if name != "" {
		_, after, found := strings.Cut(code, "// docs: "+name+"\n")
		if !found {
			t.Fatalf("testdata/%s has no recipe %q", file, name)
		}
		code, _, _ = strings.Cut(after, "// docs: end\n")
	}
	code = strings.Trim(code, "\n")
	if indentation := regexp.MustCompile(`^[ \t]+`).FindString(code); indentation != "" {
		code = strings.ReplaceAll("\n"+code, "\n"+indentation, "\n")[1:]
	}
	return strings.TrimRight(code, " \t\n") + "\n"
}
