package layering

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"
)

const module = "mixcloud-graphql"

// layers lists, for each directory with Go files, the packages of this module that it may
// import. "x/..." means x and all packages below it. Tests may import more (see below). A
// directory that is not in the list is an error. The rules for other modules are in outside.
//
// The list begins with the lowest layer: a package may import only packages that precede it in
// the list.
var layers = []struct {
	dir     string
	imports []string
}{
	{"mixcloud/emulator/world", nil},
	{"mixcloud/emulator", []string{"mixcloud/emulator/..."}}, // not mixcloud: with shared code, both could contain the same mistake, and tests would pass
	{"mixcloud/rawjson", nil},
	{"mixcloud", []string{"mixcloud/rawjson"}},
	{"internal/telemetry", nil},
	{"internal/accept", nil},
	{"internal/layering", nil},
	{"internal/race", nil},     // for tests
	{"internal/show", nil},     // for tests
	{"internal/markdown", nil}, // for tests
	{"internal/manifest", nil},
	{"internal/words", nil},
	{"internal/trace", nil},
	{"internal/static", []string{"internal/accept"}},
	{"internal/playground", []string{"internal/static"}},
	{"internal/conformance", nil}, // checks raw bytes, so it must not use the decoding of the client
	{"internal/admission", nil},
	{"internal/connlimit", []string{"internal/telemetry"}},
	{"internal/compiled", nil}, // values compiled from a document, which several packages store
	{"internal/opstats", nil},  // the statistics of an operation, which several packages share
	{"internal/idempotency", nil},
	{"internal/upload", nil},
	{"internal/breaker", nil},
	{"internal/redisurl", nil},
	{"internal/ratelimit", nil},
	{"internal/monotime", nil},
	{"internal/cache", []string{"internal/monotime"}},
	{"internal/inflight", []string{"internal/monotime"}},
	{"internal/fairqueue", []string{"internal/monotime", "internal/ratelimit"}},
	{"internal/clientlimit", []string{"internal/ratelimit"}},
	{"internal/config", []string{"internal/redisurl", "internal/telemetry"}},
	{"internal/gqlerr", []string{"internal/accept", "internal/telemetry", "mixcloud"}},
	{"internal/coerce", []string{"internal/gqlerr"}},
	{"internal/auth", []string{"internal/accept", "internal/gqlerr", "mixcloud"}},
	{"internal/uploadhttp", []string{"internal/admission", "internal/gqlerr", "internal/upload"}},
	{"internal/responselimit", []string{"internal/admission", "internal/compiled", "internal/gqlerr"}},
	{"internal/graphhttp", []string{"internal/accept", "internal/admission", "internal/clientlimit", "internal/coerce", "internal/compiled", "internal/gqlerr", "internal/idempotency", "internal/manifest", "internal/opstats", "internal/responselimit", "internal/telemetry", "internal/trace", "internal/uploadhttp"}},
	{"internal/upstream", []string{"internal/admission", "internal/breaker", "internal/cache", "internal/fairqueue", "internal/gqlerr", "internal/idempotency", "internal/inflight", "internal/monotime", "internal/opstats", "internal/ratelimit", "internal/telemetry", "internal/trace", "mixcloud"}},
	{"internal/redistest", []string{"internal/redisurl"}}, // for tests
	{"internal/redis", []string{"internal/idempotency", "internal/ratelimit", "internal/redisurl", "internal/telemetry", "internal/upload", "internal/upstream"}},
	{"graph/paging", []string{"internal/gqlerr", "mixcloud"}},
	{"graph/schema", nil},
	{"graph/model", []string{"graph/paging", "internal/coerce", "internal/gqlerr", "internal/upload", "mixcloud/..."}},
	{"graph/lists", []string{"graph/paging", "internal/upstream", "mixcloud"}},
	{"graph/cost", []string{"graph/lists", "graph/model", "graph/paging", "internal/compiled", "internal/opstats"}},
	{"graph/loaders", []string{"graph/model", "graph/paging", "internal/admission", "internal/gqlerr", "internal/telemetry", "internal/upstream", "mixcloud/..."}},
	{"graph/lookahead", []string{"graph/lists", "graph/loaders", "graph/model", "graph/paging", "internal/compiled", "internal/upstream", "mixcloud"}},
	{"graph/generated", []string{"graph/model", "graph/paging", "internal/opstats", "internal/upload", "mixcloud"}},
	{"graph/resolvers", []string{"graph/generated", "graph/lists", "graph/loaders", "graph/model", "graph/paging", "internal/gqlerr", "internal/opstats", "internal/upload", "internal/upstream", "mixcloud/..."}},
	{"graph/projection", []string{"graph/lists", "graph/loaders", "graph/model", "internal/compiled", "mixcloud/..."}},
	{"internal/app", []string{"graph/...", "internal/...", "mixcloud/..."}},
	{".", []string{"internal/app", "internal/config"}}, // main: flags, signals, exit status
}

// outside lists packages of other modules that a directory and all below it must not import.
var outside = []struct {
	dir       string
	forbidden []string
	reason    string
}{
	{"mixcloud", []string{"github.com/99designs", "github.com/vektah", "github.com/graph-gophers"}, "the client does not depend on GraphQL"},
	{"mixcloud/emulator", []string{"github.com/", "golang.org/x/", "go.", "pgregory.net"}, "the emulator depends only on the standard library"},
	{"graph", []string{"net/http/httptest", "github.com/alecthomas"}, "the graph does not depend on the command line"},
	{".", []string{"github.com/99designs/gqlgen/graphql/playground"}, "that page loads scripts from another origin"},
}

// A file is a Go file with its imports.
type file struct {
	name, dir string
	test      bool
	generated bool
	lines     int
	imports   []string
}

// files parses every Go file of the module. It opens them itself, because the test cache does
// not notice changes of files that "go list" reads.
func files(t *testing.T) []file {
	t.Helper()
	root := os.DirFS("../..")
	var all []file
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if name != "." && (base == "testdata" || base == "node_modules" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) {
				return fs.SkipDir
			}
			if _, err := fs.Stat(root, path.Join(name, "go.mod")); err == nil && name != "." {
				return fs.SkipDir // another module
			}
			return nil
		case path.Ext(name) != ".go":
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		f := file{
			name: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
			generated: ast.IsGenerated(parsed), lines: bytes.Count(text, []byte("\n")),
		}
		for _, i := range parsed.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, p)
		}
		all = append(all, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestImportsPointDownwards(t *testing.T) {
	t.Parallel()
	allowed := map[string][]string{}
	for _, m := range layers {
		allowed[m.dir] = m.imports
	}
	seen := map[string]bool{}
	for _, f := range files(t) {
		if isOutsideServer(f.dir) {
			continue
		}
		seen[f.dir] = true
		imports, listed := allowed[f.dir]
		if !listed {
			t.Errorf("%s: the folder is not in the table of this test: add it with its permitted imports", f.name)
			continue
		}
		if f.test {
			continue
		}
		for _, i := range f.imports {
			if own, inside := inModule(i); inside && !covers(imports, own) {
				t.Errorf("%s imports %s, which %s must not import", f.name, own, f.dir)
			}
		}
	}
	for dir := range allowed {
		if !seen[dir] {
			t.Errorf("the table lists %s, which has no Go files", dir)
		}
	}
}

// Tests may import all packages except internal/app. The tests of the client and the emulator
// must not import packages of the server.
func TestImportsOfTests(t *testing.T) {
	t.Parallel()
	for _, f := range files(t) {
		for _, i := range f.imports {
			own, inside := inModule(i)
			switch {
			case !inside:
			case own == "internal/app" && !isOutsideServer(f.dir) && f.dir != "." && f.dir != "internal/app":
				t.Errorf("%s imports internal/app, which is above all other packages", f.name)
			case own == "internal/race" || own == "internal/show": // for tests; they do not depend on the server
			case strings.HasPrefix(f.dir, "mixcloud") && !strings.HasPrefix(own, "mixcloud"):
				t.Errorf("%s imports %s: the client and the emulator must not depend on the server", f.name, own)
			}
		}
	}
}

func TestImportsFromOutside(t *testing.T) {
	t.Parallel()
	for _, f := range files(t) {
		if f.test {
			continue
		}
		for _, rule := range outside {
			if rule.dir != "." && f.dir != rule.dir && !strings.HasPrefix(f.dir, rule.dir+"/") {
				continue
			}
			for _, i := range f.imports {
				for _, prefix := range rule.forbidden {
					if strings.HasPrefix(i, prefix) {
						t.Errorf("%s imports %s: %s", f.name, i, rule.reason)
					}
				}
			}
		}
	}
}

// maxLines is the maximum length of a file without tests.
const maxLines = 420

// TestFilesAreShort fails for files that are too long. Split them by topic.
func TestFilesAreShort(t *testing.T) {
	t.Parallel()
	for _, f := range files(t) {
		if !f.test && !f.generated && f.lines > maxLines {
			t.Errorf("%s has %d lines, want at most %d", f.name, f.lines, maxLines)
		}
	}
}

// Each entry of the table permits only imports of packages that precede it, so that the permitted
// imports contain no cycle.
func TestTableIsInOrder(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, m := range layers {
		for _, i := range m.imports {
			dir, below := strings.CutSuffix(i, "/...")
			if !below && !known[dir] {
				t.Errorf("the table permits %s to import %s, which follows it in the table", m.dir, i)
			}
		}
		known[m.dir] = true
	}
}

// isOutsideServer reports whether a folder is outside of the server: benchmarks and examples may
// import every package.
func isOutsideServer(dir string) bool {
	top, _, _ := strings.Cut(dir, "/")
	return top == "bench" || top == "examples"
}

func inModule(imported string) (dir string, inside bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

func covers(imports []string, dir string) bool {
	for _, i := range imports {
		prefix, below := strings.CutSuffix(i, "/...")
		if dir == prefix || below && strings.HasPrefix(dir, prefix+"/") {
			return true
		}
	}
	return false
}
