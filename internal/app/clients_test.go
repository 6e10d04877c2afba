package app

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/race"
)

// The tests in this file run published client libraries against the demo on a loopback port. The programs are in
// testdata/clients and testdata/genqlient. Their output is in the log of the test. CI runs all of them. Elsewhere a test is
// skipped if node, chromium or node_modules is missing. With the race detector they are skipped too, as it slows them down
// and they add no coverage of Go code.

const clientsFolder = "testdata/clients"

// inCI reports whether the tests run in CI, where a missing tool is an error.
func inCI() bool {
	ci := os.Getenv("CI")
	return ci != "" && ci != "0" && ci != "false"
}

// installMu makes tests install packages one at a time.
var installMu sync.Mutex

// nodeFor returns the path of node, and in CI installs the packages of folder. Otherwise it skips the test if something is
// missing.
func nodeFor(t *testing.T, folder string) string {
	t.Helper()
	installMu.Lock()
	defer installMu.Unlock()
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(folder, "node_modules"))
	}
	if err != nil && inCI() {
		var report []byte
		report, err = exec.CommandContext(t.Context(), "npm", "ci", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts").CombinedOutput()
		if err != nil {
			t.Fatalf("npm ci failed, but this test needs node and npm: %v\n%s", err, report)
		}
	}
	if err != nil {
		t.Skipf("%v: to run this test, install node, and run npm ci in %s", err, path.Join("internal/app", filepath.ToSlash(folder)))
	}
	return node
}

// serveDemo serves the demo with the defaults of the command line and the given flags. It returns the server and its base
// URL.
func serveDemo(t *testing.T, flags ...string) (*App, string) {
	t.Helper()
	cmd, err := config.Parse(append([]string{"serve", "--demo"}, flags...), nil, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	cfg := *cmd.(*config.Serve)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.PublicURL = "http://" + ln.Addr().String()
	a, err := New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, a, ln)
	return a, cfg.PublicURL
}

// serveOverloadedDemo serves a demo that refuses every operation, because all admission slots are taken.
func serveOverloadedDemo(t *testing.T, flags ...string) string {
	t.Helper()
	a, url := serveDemo(t, append(flags, "--max-wait", "1ms")...)
	for range runtime.GOMAXPROCS(0) {
		slot, err := a.admit.Admit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(slot.Close)
	}
	return url
}

// runClient runs a program in testdata/clients. The environment has DEMO and BUSY, the base URLs of a demo and of an
// overloaded one, and the NAME=VALUE entries of environ.
func runClient(t *testing.T, script string, environ ...string) {
	t.Helper()
	if race.Enabled {
		t.Skip("runs without the race detector only")
	}
	node := nodeFor(t, clientsFolder)
	_, demo := serveDemo(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "--test-reporter=spec", filepath.Join(clientsFolder, script))
	cmd.Env = append(append(os.Environ(), "DEMO="+demo, "BUSY="+serveOverloadedDemo(t)), environ...)
	report, err := cmd.CombinedOutput()
	t.Logf("%s", report)
	if err != nil {
		t.Fatalf("%s failed: %v", script, err)
	}
}

// All server audits of graphql-http pass, including the recommendations.
func TestClient_GraphQLHTTPAudits(t *testing.T) {
	t.Parallel()
	runClient(t, "audits.mjs")
}

// Apollo Client pages, writes, uploads, sends persisted queries by GET and reports refusals as GraphQL errors.
func TestClient_Apollo(t *testing.T) {
	t.Parallel()
	_, limited := serveDemo(t, "--client-requests", "1")
	runClient(t, "apollo.mjs", "LIMITED="+limited)
}

// urql pages with Graphcache, uploads, reads upload progress from server-sent events, sends persisted queries by GET and
// reports refusals as GraphQL errors.
func TestClient_Urql(t *testing.T) {
	t.Parallel()
	runClient(t, "urql.mjs")
}

// relay-compiler accepts operations that refetch every Node type and page through every connection. The Relay runtime
// executes them.
func TestClient_Relay(t *testing.T) {
	t.Parallel()
	runClient(t, "relay.mjs")
}

// The recipes of the README work for a signed-in viewer.
func TestClient_Readme(t *testing.T) {
	t.Parallel()
	runClient(t, "readme.mjs")
}

// The server loads the manifest that relay-compiler writes. With --only-persisted, the Relay runtime executes its operations
// by their ids.
func TestClient_RelayPersisted(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "app")
	runClient(t, "relay-manifest.mjs", "WORK="+folder)
	_, locked := serveDemo(t, "--only-persisted", "--manifest", filepath.Join(folder, "persisted.json"))
	runClient(t, "relay-persisted.mjs", "WORK="+folder, "LOCKED="+locked)
}

// The server loads the manifest of Apollo's generate-persisted-query-manifest. With --only-persisted, Apollo Client executes
// its operations.
func TestClient_ApolloPersisted(t *testing.T) {
	t.Parallel()
	_, locked := serveDemo(t, "--only-persisted", "--manifest", filepath.Join(clientsFolder, "apollo-manifest.json"))
	runClient(t, "apollo-persisted.mjs", "LOCKED="+locked)
}

// In a real browser, a page of another origin can query, write with a bearer token, upload a file and read server-sent
// events. It can read the exposed headers and refusals. Only the origins of --allow-origin can use the session cookie.
func TestClient_Browser(t *testing.T) {
	t.Parallel()
	browser := browserFor(t)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>A page of another origin</title>")
	}))
	t.Cleanup(page.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(page.URL, "http://"), ":")
	// browser.mjs makes Chromium resolve all names below .test to this machine.
	origin, other := "http://app.test:"+port, "http://other.test:"+port
	_, shared := serveDemo(t, "--allow-origin", origin)
	runClient(t, "browser.mjs", "CHROMIUM="+browser, "ORIGIN="+origin, "OTHER_ORIGIN="+other, "SHARED="+shared)
}

// genqlient generates a client from the published schema. The client reads, writes and gets typed errors. It is a separate
// module, so that this module does not depend on genqlient.
func TestClient_Genqlient(t *testing.T) {
	t.Parallel()
	if race.Enabled {
		t.Skip("runs without the race detector only")
	}
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("testdata/genqlient")); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = folder
		report, err := cmd.CombinedOutput()
		return string(report), err
	}
	if report, err := run("mod", "download", "github.com/Khan/genqlient"); err != nil {
		if inCI() {
			t.Fatalf("go mod download failed: %v\n%s", err, report)
		}
		t.Skipf("%v: to run this test, let the go command download genqlient\n%s", err, report)
	}
	demo, url := serveDemo(t)
	if err := os.WriteFile(filepath.Join(folder, "schema.graphql"), get(t, demo, "/schema.graphql").Body.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"tool", "genqlient"}, {"run", ".", url + "/graphql"}} {
		report, err := run(args...)
		if err != nil {
			t.Fatalf("go %s failed: %v\n%s", strings.Join(args, " "), err, report)
		}
		t.Log(report)
	}
}
