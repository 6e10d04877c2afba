package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// processTimeout is the time limit of each process that a test starts.
const processTimeout = time.Minute

// binary builds the program once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "mixcloud-graphql-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "mixcloud-graphql")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// command returns the command that runs the program with args. Its environment contains only the
// NAME=VALUE lines of env.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), processTimeout)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append([]string{}, env...) // not nil, which would mean the environment of the test
	return cmd
}

// runToEnd runs the program until it exits.
func runToEnd(t *testing.T, env []string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	cmd := command(t, env, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if _, exited := errors.AsType[*exec.ExitError](err); !exited {
			t.Fatal(err)
		}
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// A process is a running server.
type process struct {
	*exec.Cmd
	base   string // the base URL, from the first line on stdout
	stdout *bufio.Reader
	log    *bufio.Reader
	logged strings.Builder
}

// start starts the program and waits until it is ready.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startWith(t, nil, args...)
}

// startWith is start with environment variables.
func startWith(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: command(t, env, args...)}
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdout, p.log = bufio.NewReader(stdout), bufio.NewReader(stderr)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() }) // for tests that fail before it has ended
	line, err := p.stdout.ReadString('\n')
	if err != nil {
		rest, _ := io.ReadAll(p.log)
		t.Fatalf("cannot read the first line of stdout: %v\n%s", err, rest)
	}
	base, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "ready ")
	if !ok || !strings.HasPrefix(base, "http://127.0.0.1:") {
		t.Fatalf("first line of stdout = %q, want \"ready http://127.0.0.1:PORT\"", line)
	}
	p.base = base
	return p
}

func (p *process) signal(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// waitFor reads the log up to a line that contains text.
func (p *process) waitFor(t *testing.T, text string) {
	t.Helper()
	for {
		line, err := p.log.ReadString('\n')
		p.logged.WriteString(line)
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			t.Fatalf("log = %s, want a line with %q", p.logged.String(), text)
		}
	}
}

// end waits until the process has ended, and returns the rest of stdout and the whole log.
func (p *process) end(t *testing.T) (stdout, log string) {
	t.Helper()
	out, err := io.ReadAll(p.stdout)
	if err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(p.log)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		if _, exited := errors.AsType[*exec.ExitError](err); !exited {
			t.Fatal(err)
		}
	}
	return string(out), p.logged.String() + string(rest)
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, r)
}

func do(t *testing.T, r *http.Request) string {
	t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: status = %s, want 200: %s", r.URL, resp.Status, body)
	}
	return string(body)
}

func TestDemo(t *testing.T) {
	t.Parallel()
	const canary = "s3cret-canary"
	p := start(t, "--demo", "--addr=127.0.0.1:0", "--log-level=debug")

	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.base+"/graphql",
		strings.NewReader(`{"query":"query Hello { user(username: \"demo\") { username cloudcasts(first: 2) { nodes { name } } } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	var response struct {
		Data struct {
			User struct {
				Username   string
				Cloudcasts struct{ Nodes []struct{ Name string } }
			}
		}
	}
	if err := json.Unmarshal([]byte(do(t, r)), &response); err != nil {
		t.Fatal(err)
	}
	if u := response.Data.User; u.Username != "demo" || len(u.Cloudcasts.Nodes) != 2 {
		t.Errorf("user = %+v, want demo with 2 cloudcasts", u)
	}
	if page := get(t, p.base+"/"); !strings.Contains(page, "<!doctype html>") {
		t.Errorf("GET / = %.100s, want an HTML page", page)
	}
	refused, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base+"/graphql?query=%7Bviewer%7Bname%7D%7D&x="+canary, nil)
	if err != nil {
		t.Fatal(err)
	}
	refused.Header.Set("Authorization", "Bearer "+canary)
	if got := do(t, refused); !strings.Contains(got, "UNAUTHENTICATED") || strings.Contains(got, canary) {
		t.Errorf("response to a refused token = %s, want UNAUTHENTICATED without the token", got)
	}

	p.signal(t)
	stdout, log := p.end(t)
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status = %d, want 0", code)
	}
	if stdout != "" {
		t.Errorf("stdout after the first line = %q, want nothing", stdout)
	}
	for _, part := range []string{"name=Hello", "msg=draining", "msg=drained"} {
		if !strings.Contains(log, part) {
			t.Errorf("log does not contain %q:\n%s", part, log)
		}
	}
	if strings.Contains(log, canary) {
		t.Errorf("log contains a token:\n%s", log)
	}
}

// A browser can sign in at the demo. The test does what curl does with a cookie jar.
func TestDemo_SignIn(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo", "--addr=127.0.0.1:0", "--log-level=debug")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	send := func(method, address, kind, body string, headers ...string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		for _, name := range headers {
			r.Header.Set(name, "test")
		}
		resp, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(text)
	}
	const form, asJSON = "application/x-www-form-urlencoded", "application/json"
	// The host is not the one of the redirect URI, but another name of this machine.
	login := strings.Replace(p.base, "127.0.0.1", "localhost", 1) + "/oauth/login?next=/livez"
	page, html := send(http.MethodGet, login, form, "")
	once := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(html)
	if once == nil {
		t.Fatalf("page at %s has no form: %s: %s", page.Request.URL, page.Status, html)
	}
	done, text := send(http.MethodPost, page.Request.URL.String(), form, "choice=allow&user=spartacus&form="+once[1])
	if done.Request.URL.String() != p.base+"/livez" || text != "ok\n" {
		t.Fatalf("sign-in ended at %s, want %s/livez: %s: %s", done.Request.URL, p.base, done.Status, text)
	}
	const viewer = `{"query":"{ viewer { username } }"}`
	if _, got := send(http.MethodPost, p.base+"/graphql", asJSON, viewer, "X-Requested-With"); !strings.Contains(got, `"username":"spartacus"`) {
		t.Errorf("response after sign-in = %s, want the viewer spartacus", got)
	}
	if _, got := send(http.MethodPost, p.base+"/graphql", asJSON, viewer); !strings.Contains(got, `"viewer":null`) {
		t.Errorf("response without a CSRF header = %s, want viewer null", got)
	}
	if _, got := send(http.MethodGet, p.base+"/oauth/logout", form, ""); !strings.Contains(got, `<form method="post" action="/oauth/logout">`) {
		t.Errorf("sign-out page = %s, want a form", got)
	}
	send(http.MethodPost, p.base+"/oauth/logout", form, "next=/livez")
	if _, got := send(http.MethodPost, p.base+"/graphql", asJSON, viewer, "X-Requested-With"); !strings.Contains(got, `"viewer":null`) {
		t.Errorf("response after sign-out = %s, want viewer null", got)
	}
	p.signal(t)
	if _, log := p.end(t); strings.Contains(log, "attempt=") || strings.Contains(log, "code=") || !strings.Contains(log, "signed in") {
		t.Errorf("log contains a code or an attempt, or does not contain \"signed in\":\n%s", log)
	}
}

// startRequest sends the headers of a request and returns when the server waits for its body.
func startRequest(t *testing.T, p *process) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 26\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response := bufio.NewReader(conn)
	line, err := response.ReadString('\n')
	if err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("response = %q (error %v), want 100 Continue", line, err)
	}
	if _, err := response.ReadString('\n'); err != nil { // the empty line
		t.Fatal(err)
	}
	return conn, response
}

func TestDrain_CompletesRequestsInFlight(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo", "--addr=127.0.0.1:0")
	conn, response := startRequest(t, p)
	p.signal(t)
	p.waitFor(t, "msg=draining")
	if _, err := io.WriteString(conn, `{"query":"{ __typename }"}`); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(response, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), `"__typename":"Query"`) {
		t.Errorf("body = %s (error %v), want the typename", body, err)
	}
	p.end(t)
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status = %d, want 0", code)
	}
}

func TestDrain_Timeout(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo", "--addr=127.0.0.1:0", "--drain-timeout=10ms")
	startRequest(t, p)
	p.signal(t)
	_, log := p.end(t)
	if code := p.ProcessState.ExitCode(); code != 1 || !strings.Contains(log, "still in flight") {
		t.Errorf("exit status = %d, want 1 and a log with \"still in flight\":\n%s", code, log)
	}
}

func TestSecondSignal_EndsTheProcess(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo", "--addr=127.0.0.1:0", "--drain-timeout=1h")
	startRequest(t, p)
	p.signal(t)
	p.waitFor(t, "msg=draining")
	p.signal(t)
	p.end(t)
	if ws := p.ProcessState.Sys().(syscall.WaitStatus); !ws.Signaled() || ws.Signal() != syscall.SIGTERM {
		t.Errorf("process state = %v, want ended by SIGTERM", p.ProcessState)
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, name := range []string{"serve", "emulator"} {
		status, stdout, stderr := runToEnd(t, nil, name, "--addr="+ln.Addr().String())
		if status != 1 || stdout != "" || !strings.Contains(stderr, "cannot listen on "+ln.Addr().String()) {
			t.Errorf("%s: exit status = %d, want 1; stdout = %q, want none; stderr = %q, want \"cannot listen\"", name, status, stdout, stderr)
		}
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args, env []string
		status    int
		stdout    []string
		stderr    []string
	}{
		"all problems are reported": {
			args:   []string{"--api-url=ftp://x", "--max-upstream=0"},
			env:    []string{"MIXCLOUD_GRAPHQL_REQUEST_TIMEOUT=0s"},
			status: 2,
			stderr: []string{"--api-url must", "--max-upstream must", "--request-timeout must", "--help"},
		},
		"unknown flag":   {args: []string{"--nope"}, status: 2, stderr: []string{"unknown flag --nope"}},
		"not a duration": {args: []string{"--drain-timeout=soon"}, status: 2, stderr: []string{"--drain-timeout"}},
		"help":           {args: []string{"--help"}, stdout: []string{"serve", "emulator", "conformance", "healthcheck", "version"}},
		"sign-in without https": {
			args: []string{"--oauth-client-id=app", "--public-url=http://graph.example"}, env: []string{"MIXCLOUD_GRAPHQL_SECRET_KEY=short"},
			status: 2, stderr: []string{"--public-url must begin with https://", "_OAUTH_CLIENT_SECRET", "_SECRET_KEY must have at least 32 bytes"},
		},
		"help of a command": {
			args: []string{"emulator", "--help"}, stdout: []string{"--seed", "MIXCLOUD_GRAPHQL_SEED"},
		},
		"origins": {
			args:   []string{"--config=testdata/config.yaml"},
			env:    []string{"MIXCLOUD_GRAPHQL_REQUEST_TIMEOUT=0s", "MIXCLOUD_GRAPHQL_MAX_UPSTREM=3", "MIXCLOUD_GRAPHQL_SECRET_KEY_FILE=testdata/none"},
			status: 2,
			stderr: []string{
				"testdata/config.yaml, line 4: max-alias is not a setting", "did you mean max-aliases?",
				"(set in testdata/config.yaml, line 3)", "(set by MIXCLOUD_GRAPHQL_REQUEST_TIMEOUT)",
				"MIXCLOUD_GRAPHQL_MAX_UPSTREM is not a variable", "did you mean MIXCLOUD_GRAPHQL_MAX_UPSTREAM?", "open testdata/none:",
			},
		},
		"print config of a file": {
			args: []string{"--config=testdata/good.yaml", "--print-config"}, env: []string{"MIXCLOUD_GRAPHQL_MAX_UPSTREAM=3", "MIXCLOUD_GRAPHQL_SERVICE_HOST=10.0.0.1"},
			stdout: []string{"MIXCLOUD_GRAPHQL_MAX_UPSTREAM=3\n", "MIXCLOUD_GRAPHQL_CACHE_BYTES=64MiB\n", "MIXCLOUD_GRAPHQL_REQUEST_TIMEOUT=1m\n"},
		},
		"schema":       {args: []string{"schema"}, env: []string{"MIXCLOUD_GRAPHQL_NOPE=x"}, stdout: []string{"type Query {", "@specifiedBy("}},
		"version":      {args: []string{"version"}, stdout: []string{"mixcloud-graphql ", "go1."}},
		"--version":    {args: []string{"--version"}, env: []string{"MIXCLOUD_GRAPHQL_NOPE=x"}, stdout: []string{"mixcloud-graphql ", "go1."}},
		"print config": {args: []string{"--print-config", "--demo"}, env: []string{"MIXCLOUD_GRAPHQL_MAX_UPSTREAM=3"}, stdout: []string{"MIXCLOUD_GRAPHQL_DEMO=true\n", "MIXCLOUD_GRAPHQL_MAX_UPSTREAM=3\n"}},
		"no report": {
			args: []string{"conformance", "--report=/nonexistent/report.json"}, status: 1, stderr: []string{"cannot write the report"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := runToEnd(t, tt.env, tt.args...)
			if status != tt.status {
				t.Errorf("exit status = %d, want %d", status, tt.status)
			}
			for got, parts := range map[string][]string{stdout: tt.stdout, stderr: tt.stderr} {
				for _, part := range parts {
					if !strings.Contains(got, part) {
						t.Errorf("output %q does not contain %q", got, part)
					}
				}
			}
			if len(tt.stdout) == 0 && stdout != "" || len(tt.stderr) == 0 && stderr != "" {
				t.Errorf("stdout = %q and stderr = %q, want only the expected one of them", stdout, stderr)
			}
		})
	}
}

// The conformance command finds no difference in the emulator, finds differences in a server that returns {} for every
// path, and fails if the server cannot be reached.
func TestConformance_ComparesServers(t *testing.T) {
	t.Parallel()
	p := start(t, "emulator", "--addr=127.0.0.1:0")
	if user := get(t, p.base+"/demo/"); !strings.Contains(user, `"/demo/"`) {
		t.Errorf("GET /demo/ = %s, want the user", user)
	}
	file := filepath.Join(t.TempDir(), "report.json")
	compare := func(base string) (int, string, string) {
		return runToEnd(t, []string{"MIXCLOUD_GRAPHQL_TOKEN=demo-token"},
			"conformance", "--api-url="+base, "--site-url="+base+"/www", "--rate=1000", "--report="+file, "--log-level=error")
	}
	if status, stdout, stderr := compare(p.base); status != 0 {
		t.Errorf("emulator: exit status = %d, want 0\n%s%s", status, stdout, stderr)
	}
	report, err := os.ReadFile(file)
	if err != nil || !json.Valid(report) || bytes.Contains(report, []byte("demo-token")) {
		t.Errorf("report is not JSON or contains the token (error %v): %.300s", err, report)
	}
	p.signal(t)
	p.end(t)
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status of the emulator = %d, want 0", code)
	}

	if status, _, _ := compare(p.base); status != 1 {
		t.Errorf("stopped emulator: exit status = %d, want 1", status)
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	defer other.Close()
	if status, _, stderr := compare(other.URL); status != 3 || !strings.Contains(stderr, "differs") {
		t.Errorf("another server: exit status = %d, want 3: %s", status, stderr)
	}
}
