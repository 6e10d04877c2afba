package layering

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestNamesInDocuments fails if a page names a Go file that does not exist, or an exported
// name such as upload.Hub or upstream.Session.RecordWrite that its package does not declare.
func TestNamesInDocuments(t *testing.T) {
	t.Parallel()
	folders := map[string]string{} // by the names of packages
	for _, m := range layers {
		folders[path.Base(m.dir)] = m.dir
	}
	goFile := regexp.MustCompile("`([a-z]+(?:/[a-z]+)+/\\w+\\.go)`")
	goName := regexp.MustCompile("`([a-z]+)\\.([A-Z]\\w*)(?:\\.([A-Z]\\w*))?`")
	checked := 0
	for name, text := range documents(t) {
		if !strings.HasPrefix(name, "docs/") || strings.HasPrefix(name, "docs/adr/") { // decisions keep the names of their time
			continue
		}
		for _, m := range goFile.FindAllStringSubmatch(text, -1) {
			checked++
			if _, err := os.Stat(path.Join("../..", m[1])); err != nil {
				t.Errorf("%s names %s, which does not exist", name, m[1])
			}
		}
		for _, m := range goName.FindAllStringSubmatch(text, -1) {
			folder, known := folders[m[1]]
			if !known {
				continue
			}
			checked++
			source := goSource(t, folder)
			for _, exported := range m[2:] {
				if exported != "" && !regexp.MustCompile(`(?m)^(func (\([^)]*\) )?|type |\s+|var |const )`+exported+`\b`).MatchString(source) {
					t.Errorf("%s names %s, but package %s declares no %s", name, m[0], m[1], exported)
				}
			}
		}
	}
	if checked < 10 {
		t.Errorf("%d names were checked, want at least 10", checked)
	}
}

// TestUpstreamFiles checks that the section of docs/architecture.md about the layers of
// internal/upstream lists exactly the files of that package.
func TestUpstreamFiles(t *testing.T) {
	t.Parallel()
	text := documents(t)["docs/architecture.md"]
	_, block, _ := strings.Cut(text, "\nThe files of `internal/upstream` ")
	_, block, _ = strings.Cut(block, "```text\n")
	block, _, _ = strings.Cut(block, "```")
	var listed []string
	for line := range strings.Lines(block) {
		files, _, _ := strings.Cut(line, "  ")
		for file := range strings.SplitSeq(files, ", ") {
			listed = append(listed, strings.TrimSpace(file)+".go")
		}
	}
	var want []string
	names, err := filepath.Glob("../../internal/upstream/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, "_test.go") {
			want = append(want, filepath.Base(name))
		}
	}
	slices.Sort(listed)
	if !slices.Equal(listed, want) {
		t.Errorf("docs/architecture.md lists the files %v, want %v", listed, want)
	}
}

// goSource returns the Go files of a folder, without tests.
func goSource(t *testing.T, folder string) string {
	t.Helper()
	names, err := filepath.Glob(path.Join("../..", folder, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s has no Go files (error %v)", folder, err)
	}
	var b strings.Builder
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
	return b.String()
}
