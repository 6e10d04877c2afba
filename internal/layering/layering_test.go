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

// may lists, for each directory with Go files, which packages of this module
// its programs may import; "x/..." is x and all below it. Tests may import more
// (see below). A directory that is not listed is an error: a new package must
// say where it stands. What may be imported from elsewhere is in outside.
//
// The order is the architecture, from the bottom: no line names one below it.
var may = []struct {
	dir     string
	imports []string
}{
	{"mixcloud/emulator/world", nil},
	{"mixcloud/emulator", []string{"mixcloud/emulator/..."}}, // and not mixcloud: a shared mistake would cancel itself out
	{"mixcloud", nil},
	{"internal/telemetry", nil},
	{"internal/accept", nil},
	{"internal/layering", nil},
	{"internal/race", nil},     // for tests
	{"internal/show", nil},     // for tests
	{"internal/markdown", nil}, // for tests
	{"internal/manifest", nil},
	{"internal/static", []string{"internal/accept"}},
	{"internal/playground", []string{"internal/static"}},
	{"internal/conformance", nil}, // judges bytes, so it shares no decoding with the client
	{"internal/admission", nil},
	{"internal/connlimit", []string{"internal/telemetry"}},
	{"internal/opstats", nil}, // the types of the figures of an operation, which several packages share
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
	{"internal/responselimit", []string{"internal/admission", "internal/gqlerr"}},
	{"internal/graphhttp", []string{"internal/accept", "internal/admission", "internal/clientlimit", "internal/coerce", "internal/gqlerr", "internal/idempotency", "internal/manifest", "internal/opstats", "internal/responselimit", "internal/telemetry", "internal/uploadhttp"}},
	{"internal/upstream", []string{"internal/admission", "internal/breaker", "internal/cache", "internal/fairqueue", "internal/gqlerr", "internal/idempotency", "internal/inflight", "internal/monotime", "internal/opstats", "internal/ratelimit", "internal/telemetry", "mixcloud"}},
	{"internal/redistest", []string{"internal/redisurl"}}, // for tests
	{"internal/redis", []string{"internal/idempotency", "internal/ratelimit", "internal/redisurl", "internal/telemetry", "internal/upload", "internal/upstream"}},
	{"graph/paging", []string{"internal/gqlerr", "mixcloud"}},
	{"graph/schema", nil},
	{"graph/model", []string{"graph/paging", "internal/coerce", "internal/gqlerr", "internal/upload", "mixcloud"}},
	{"graph/lists", []string{"graph/paging", "internal/upstream", "mixcloud"}},
	{"graph/cost", []string{"graph/lists", "graph/model", "graph/paging", "internal/opstats"}},
	{"graph/loaders", []string{"graph/model", "graph/paging", "internal/admission", "internal/gqlerr", "internal/telemetry", "internal/upstream", "mixcloud"}},
	{"graph/generated", []string{"graph/model", "graph/paging", "internal/opstats", "internal/upload", "mixcloud"}},
	{"graph/resolvers", []string{"graph/generated", "graph/lists", "graph/loaders", "graph/model", "graph/paging", "internal/gqlerr", "internal/opstats", "internal/upload", "internal/upstream", "mixcloud"}},
	{"internal/app", []string{"graph/...", "internal/...", "mixcloud/..."}},
	{".", []string{"internal/app", "internal/config"}}, // main: flags, signals, exit status
}

// outside forbids packages of other modules to a directory and all below it.
var outside = []struct {
	dir       string
	forbidden []string
	reason    string
}{
	{"mixcloud", []string{"github.com/99designs", "github.com/vektah", "github.com/graph-gophers"}, "the client knows nothing of GraphQL"},
	{"mixcloud/emulator", []string{"github.com/", "golang.org/x/", "go.", "pgregory.net"}, "the emulator needs the standard library alone"},
	{"graph", []string{"net/http/httptest", "github.com/alecthomas"}, "the graph knows no command line"},
	{".", []string{"github.com/99designs/gqlgen/graphql/playground"}, "that page loads scripts from elsewhere"},
}

// A file is a Go file and what it imports.
type file struct {
	name, dir string
	test      bool
	generated bool
	lines     int
	imports   []string
}

// files parses every Go file of the module. It reads them itself: the test
// cache notices files that a test opens, not those that "go list" looks at.
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
	for _, m := range may {
		allowed[m.dir] = m.imports
	}
	seen := map[string]bool{}
	for _, f := range files(t) {
		if free(f.dir) {
			continue
		}
		seen[f.dir] = true
		imports, listed := allowed[f.dir]
		if !listed {
			t.Errorf("%s: its folder is not in the table of this test: say there what it may import", f.name)
			continue
		}
		if f.test {
			continue
		}
		for _, i := range f.imports {
			if own, ours := inModule(i); ours && !covers(imports, own) {
				t.Errorf("%s imports %s, which is not below %s", f.name, own, f.dir)
			}
		}
	}
	for dir := range allowed {
		if !seen[dir] {
			t.Errorf("the table names %s, where there is no Go file", dir)
		}
	}
}

// Tests may import everything except internal/app, and the tests of client and
// emulator nothing of the server.
func TestImportsOfTests(t *testing.T) {
	t.Parallel()
	for _, f := range files(t) {
		for _, i := range f.imports {
			own, ours := inModule(i)
			switch {
			case !ours:
			case own == "internal/app" && !free(f.dir) && f.dir != "." && f.dir != "internal/app":
				t.Errorf("%s imports internal/app, which stands above everything", f.name)
			case own == "internal/race" || own == "internal/show": // for tests, they know nothing of the server
			case strings.HasPrefix(f.dir, "mixcloud") && !strings.HasPrefix(own, "mixcloud"):
				t.Errorf("%s imports %s: the client and the emulator know nothing of the server", f.name, own)
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

// maxLines is the longest that a file of a program may be.
const maxLines = 420

// TestFilesAreShort fails for a file that is too long to read at once: split it by
// what it holds.
func TestFilesAreShort(t *testing.T) {
	t.Parallel()
	for _, f := range files(t) {
		if !f.test && !f.generated && f.lines > maxLines {
			t.Errorf("%s has %d lines, at most %d are allowed", f.name, f.lines, maxLines)
		}
	}
}

// The table goes upwards: a line names only what stands above it in the file,
// so that there is no circle even in what is merely allowed.
func TestTableIsInOrder(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, m := range may {
		for _, i := range m.imports {
			dir, below := strings.CutSuffix(i, "/...")
			if !below && !known[dir] {
				t.Errorf("%s may import %s, which comes later", m.dir, i)
			}
		}
		known[m.dir] = true
	}
}

// free reports whether a folder is outside of the server: benchmarks and examples may
// import every package.
func free(dir string) bool {
	top, _, _ := strings.Cut(dir, "/")
	return top == "bench" || top == "examples"
}

func inModule(imported string) (dir string, ours bool) {
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
