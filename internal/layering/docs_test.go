package layering

import (
	"io/fs"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// TestLinksOfDocuments fails if a document links to a file or a heading that does not exist.
func TestLinksOfDocuments(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	checked := 0
	texts := documents(t)
	for name, text := range texts {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, err := url.Parse(m[1])
			if err != nil {
				t.Errorf("%s: invalid link %q: %v", name, m[1], err)
				continue
			}
			if target.IsAbs() { // of the web
				continue
			}
			checked++
			file := name
			if target.Path != "" {
				file = path.Join(path.Dir(name), target.Path)
			}
			if _, err := os.Stat(path.Join("../..", file)); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, m[1])
			} else if target.Fragment != "" && !slices.Contains(headingIDs(texts[file]), target.Fragment) {
				t.Errorf("%s links to %s, which has no such heading", name, m[1])
			}
		}
	}
	if checked < 100 {
		t.Errorf("%d links were checked, want at least 100", checked)
	}
}

// headingIDs returns the fragments of the headings of a document, as GitHub generates them.
func headingIDs(text string) (ids []string) {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		ids = append(ids, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, m[1]))
	}
	return ids
}

// documents returns the text of each Markdown file of the repository, by its path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	root := os.DirFS("../..")
	texts := map[string]string{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if name != "." && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".")) {
				return fs.SkipDir
			}
			return nil
		case path.Ext(name) != ".md":
			return nil
		}
		text, err := fs.ReadFile(root, name)
		texts[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// TestReadmeLength fails if the README is too long. Reference sections belong to docs.
func TestReadmeLength(t *testing.T) {
	t.Parallel()
	const maximum = 250
	if lines := strings.Count(documents(t)["README.md"], "\n"); lines < 50 || lines > maximum {
		t.Errorf("README.md has %d lines, want 50 to %d", lines, maximum)
	}
}

// TestMap fails if docs/architecture.md does not list a package, or lists a folder that
// does not exist. Bench and examples are one line each.
func TestMap(t *testing.T) {
	t.Parallel()
	const document = "docs/architecture.md"
	root := os.DirFS("../..")
	text, err := fs.ReadFile(root, document)
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```text\n")
	block, _, _ = strings.Cut(block, "```")
	listed := map[string]bool{}
	for line := range strings.Lines(block) {
		name, _, _ := strings.Cut(line, " ")
		name = strings.TrimSuffix(name, "/")
		listed[name] = true
		if found, err := fs.Glob(root, name); err != nil || found == nil {
			t.Errorf("%s lists %s, which does not exist", document, name)
		}
	}
	for _, m := range layers {
		if m.dir != "." && !listed[m.dir] {
			t.Errorf("%s does not list the package %s", document, m.dir)
		}
	}
}
