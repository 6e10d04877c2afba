package layering

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each row of the table in docs/security.md links to a test, and each linked test exists.
func TestSecurityDoc(t *testing.T) {
	t.Parallel()
	const doc = "../../docs/security.md"
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\[(Test\w+)\]\(([^)]+)\)`)
	rows := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ---") || strings.HasPrefix(line, "| recommendation ") {
			continue
		}
		rows++
		tests := link.FindAllStringSubmatch(line, -1)
		if len(tests) == 0 {
			t.Errorf("docs/security.md has a row without a test: %s", line)
		}
		for _, l := range tests {
			source, err := os.ReadFile(filepath.Join(filepath.Dir(doc), l[2]))
			if err != nil {
				t.Error(err)
			} else if !strings.Contains(string(source), "func "+l[1]+"(") {
				t.Errorf("docs/security.md names the test %s in %s, which does not exist", l[1], l[2])
			}
		}
	}
	if rows < 20 {
		t.Errorf("docs/security.md has %d rows, want at least 20", rows)
	}
}
