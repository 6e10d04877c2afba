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
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/race"
)

// The tests of this file run published client libraries, unchanged, against the
// demo on a loopback port. The programs are in testdata/clients and
// testdata/genqlient; what they print is in the test's log. CI must run all of
// them; elsewhere a test is skipped if node, chromium or node_modules is missing. The race detector's run leaves them
// out, because what they test is on the other side of the socket.

const clientsFolder = "testdata/clients"

// inCI reports whether tests must not be skipped for a missing tool.
func inCI() bool {
	ci := os.Getenv("CI")
	return ci != "" && ci != "0" && ci != "false"
}

// installing lets one test at a time install packages.
var installing sync.Mutex

// nodeWith returns the path of node, for a folder whose packages are installed.
func nodeWith(t *testing.T, folder string) string {
	t.Helper()
	installing.Lock()
	defer installing.Unlock()
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(folder, "node_modules"))
	}
	if err != nil && inCI() {
		var report []byte
		report, err = exec.CommandContext(t.Context(), "npm", "ci", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: this test needs node and npm\n%s", err, report)
		}
	}
	if err != nil {
		t.Skipf("%v: to run this test, install node, and run npm ci in internal/app/%s", err, folder)
	}
	return node
}

// serveDemo serves the demo, with the defaults of the command line and more
// flags, and returns it with its address.
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

// serveBusyDemo is [serveDemo] of a server that refuses every operation, as an
// overloaded one does.
func serveBusyDemo(t *testing.T, flags ...string) string {
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

// runClient runs a program of testdata/clients with variables NAME=VALUE of the
// environment, beside DEMO, the address of a server of its own.
func runClient(t *testing.T, script string, environ ...string) {
	t.Helper()
	if race.Enabled {
		t.Skip("the run without the race detector has it")
	}
	node := nodeWith(t, clientsFolder)
	_, demo := serveDemo(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "--test-reporter=spec", filepath.Join(clientsFolder, script))
	cmd.Env = append(append(os.Environ(), "DEMO="+demo, "BUSY="+serveBusyDemo(t)), environ...)
	report, err := cmd.CombinedOutput()
	t.Logf("%s", report)
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

// All audits of graphql-http for servers pass, recommendations included.
func TestClient_GraphQLHTTPAudits(t *testing.T) {
	t.Parallel()
	runClient(t, "audits.mjs")
}

// Apollo Client pages, writes, uploads, uses persisted queries by GET and shows
// refusals as GraphQL errors.
func TestClient_Apollo(t *testing.T) {
	t.Parallel()
	_, limited := serveDemo(t, "--client-requests", "1")
	runClient(t, "apollo.mjs", "LIMITED="+limited)
}

// urql pages with Graphcache, uploads, watches the upload over server-sent
// events, uses persisted queries by GET and shows refusals as GraphQL errors.
func TestClient_Urql(t *testing.T) {
	t.Parallel()
	runClient(t, "urql.mjs")
}

// relay-compiler accepts operations that refetch every type that is a Node and
// page through every connection, and the Relay runtime executes them.
func TestClient_Relay(t *testing.T) {
	t.Parallel()
	runClient(t, "relay.mjs")
}

// The recipes of the README work for a signed-in viewer.
func TestClient_Readme(t *testing.T) {
	t.Parallel()
	runClient(t, "readme.mjs")
}

// The manifest that relay-compiler writes loads with all its operations, and the
// Relay runtime executes them by their ids on a server that executes nothing else.
func TestClient_RelayPersisted(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "app")
	runClient(t, "relay-manifest.mjs", "WORK="+folder)
	_, locked := serveDemo(t, "--only-persisted", "--manifest", filepath.Join(folder, "persisted.json"))
	runClient(t, "relay-persisted.mjs", "WORK="+folder, "LOCKED="+locked)
}

// The manifest that Apollo's generate-persisted-query-manifest wrote loads, and
// Apollo Client executes its operations on a server that executes nothing else.
func TestClient_ApolloPersisted(t *testing.T) {
	t.Parallel()
	_, locked := serveDemo(t, "--only-persisted", "--manifest", filepath.Join(clientsFolder, "apollo-manifest.json"))
	runClient(t, "apollo-persisted.mjs", "LOCKED="+locked)
}

// A page of another origin, in a real browser, queries, writes with a bearer
// token, uploads a file and reads server-sent events. It can read the headers
// that it is promised, and refusals; the session cookie is for the origins of
// --allow-origin only.
func TestClient_Browser(t *testing.T) {
	t.Parallel()
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		if inCI() {
			t.Fatal("this test needs chromium")
		}
		t.Skip("to run this test, install chromium")
	}
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>A page of another origin</title>")
	}))
	t.Cleanup(page.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(page.URL, "http://"), ":")
	// Chromium is told that all names below .test are this machine.
	origin, other := "http://app.test:"+port, "http://other.test:"+port
	_, shared := serveDemo(t, "--allow-origin", origin)
	runClient(t, "browser.mjs", "CHROMIUM="+browser, "ORIGIN="+origin, "OTHER_ORIGIN="+other, "SHARED="+shared)
}

// A client that genqlient generates from the schema that the server publishes
// reads, writes and gets typed errors. It is a module of its own, so that this
// one does not depend on genqlient.
func TestClient_Genqlient(t *testing.T) {
	t.Parallel()
	if race.Enabled {
		t.Skip("the run without the race detector has it")
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
			t.Fatalf("%v\n%s", err, report)
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
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, report)
		}
		t.Log(report)
	}
}
