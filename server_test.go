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

// patience bounds each test of a process: only a broken one takes as long.
const patience = time.Minute

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

// command prepares the program in an environment without settings of its own;
// env adds NAME=VALUE lines.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append([]string{}, env...) // nil would be the environment of the test
	return cmd
}

// finish runs the program to its end.
func finish(t *testing.T, env []string, args ...string) (status int, stdout, stderr string) {
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

// A process is the program while it serves.
type process struct {
	*exec.Cmd
	base   string // from its first line
	stdout *bufio.Reader
	log    *bufio.Reader
	logged strings.Builder
}

// start starts the program and waits until it is ready.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: command(t, nil, args...)}
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
	t.Cleanup(func() { _ = p.Process.Kill() }) // it has ended, unless the test failed
	line, err := p.stdout.ReadString('\n')
	if err != nil {
		rest, _ := io.ReadAll(p.log)
		t.Fatalf("no first line: %v\n%s", err, rest)
	}
	base, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "ready ")
	if !ok || !strings.HasPrefix(base, "http://127.0.0.1:") {
		t.Fatalf("the first line is %q", line)
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

// waitFor reads the log up to a line with text in it.
func (p *process) waitFor(t *testing.T, text string) {
	t.Helper()
	for {
		line, err := p.log.ReadString('\n')
		p.logged.WriteString(line)
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			t.Fatalf("the log has no %q: %s", text, p.logged.String())
		}
	}
}

// end waits for the end, and returns what was left on stdout and the whole log.
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
		t.Fatalf("%s: %s: %s", r.URL, resp.Status, body)
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
	var answer struct {
		Data struct {
			User struct {
				Username   string
				Cloudcasts struct{ Nodes []struct{ Name string } }
			}
		}
	}
	if err := json.Unmarshal([]byte(do(t, r)), &answer); err != nil {
		t.Fatal(err)
	}
	if u := answer.Data.User; u.Username != "demo" || len(u.Cloudcasts.Nodes) != 2 {
		t.Errorf("got %+v", u)
	}
	if page := get(t, p.base+"/"); !strings.Contains(page, "<!doctype html>") {
		t.Errorf("the page is %.100s", page)
	}
	refused, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.base+"/graphql?query=%7Bviewer%7Bname%7D%7D&x="+canary, nil)
	if err != nil {
		t.Fatal(err)
	}
	refused.Header.Set("Authorization", "Bearer "+canary)
	if got := do(t, refused); !strings.Contains(got, "UNAUTHENTICATED") || strings.Contains(got, canary) {
		t.Errorf("a refused token is answered with %s", got)
	}

	p.signal(t)
	stdout, log := p.end(t)
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if stdout != "" {
		t.Errorf("there is more than one line on stdout: %q", stdout)
	}
	for _, part := range []string{"name=Hello", "msg=draining", "msg=drained"} {
		if !strings.Contains(log, part) {
			t.Errorf("the log lacks %q:\n%s", part, log)
		}
	}
	if strings.Contains(log, canary) {
		t.Errorf("the log tells a token:\n%s", log)
	}
}

// People sign in at the demo with a browser, as curl with a cookie jar does it.
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
	// By another name of this machine than the one that Mixcloud sends back to.
	login := strings.Replace(p.base, "127.0.0.1", "localhost", 1) + "/oauth/login?next=/livez"
	page, html := send(http.MethodGet, login, form, "")
	once := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(html)
	if once == nil {
		t.Fatalf("%s at %s has no form: %s", page.Status, page.Request.URL, html)
	}
	done, text := send(http.MethodPost, page.Request.URL.String(), form, "choice=allow&user=spartacus&form="+once[1])
	if done.Request.URL.String() != p.base+"/livez" || text != "ok\n" {
		t.Fatalf("in the end it is at %s: %s %s", done.Request.URL, done.Status, text)
	}
	const who = `{"query":"{ viewer { username } }"}`
	if _, got := send(http.MethodPost, p.base+"/graphql", asJSON, who, "X-Requested-With"); !strings.Contains(got, `"username":"spartacus"`) {
		t.Errorf("the viewer is %s", got)
	}
	if _, got := send(http.MethodPost, p.base+"/graphql", asJSON, who); !strings.Contains(got, `"viewer":null`) {
		t.Errorf("without a header the viewer is %s", got)
	}
	if _, got := send(http.MethodGet, p.base+"/oauth/logout", form, ""); !strings.Contains(got, `<form method="post" action="/oauth/logout">`) {
		t.Errorf("there is no button to sign out: %s", got)
	}
	send(http.MethodPost, p.base+"/oauth/logout", form, "next=/livez")
	if _, got := send(http.MethodPost, p.base+"/graphql", asJSON, who, "X-Requested-With"); !strings.Contains(got, `"viewer":null`) {
		t.Errorf("signed out, the viewer is %s", got)
	}
	p.signal(t)
	if _, log := p.end(t); strings.Contains(log, "attempt=") || strings.Contains(log, "code=") || !strings.Contains(log, "signed in") {
		t.Errorf("the log tells too much, or too little:\n%s", log)
	}
}

// inFlight sends the beginning of a request and returns when the server waits
// for the rest of it.
func inFlight(t *testing.T, p *process) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 26\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer := bufio.NewReader(conn)
	line, err := answer.ReadString('\n')
	if err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%v: %q", err, line)
	}
	if _, err := answer.ReadString('\n'); err != nil { // the empty line after it
		t.Fatal(err)
	}
	return conn, answer
}

func TestDrain_AnswersWhatIsInFlight(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo", "--addr=127.0.0.1:0")
	conn, answer := inFlight(t, p)
	p.signal(t)
	p.waitFor(t, "msg=draining")
	if _, err := io.WriteString(conn, `{"query":"{ __typename }"}`); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(answer, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), `"__typename":"Query"`) {
		t.Errorf("%v: %s", err, body)
	}
	p.end(t)
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

func TestDrain_Timeout(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo", "--addr=127.0.0.1:0", "--drain-timeout=10ms")
	inFlight(t, p)
	p.signal(t)
	_, log := p.end(t)
	if code := p.ProcessState.ExitCode(); code != 1 || !strings.Contains(log, "still in flight") {
		t.Errorf("exit status %d:\n%s", code, log)
	}
}

func TestSecondSignal_EndsAtOnce(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo", "--addr=127.0.0.1:0", "--drain-timeout=1h")
	inFlight(t, p)
	p.signal(t)
	p.waitFor(t, "msg=draining")
	p.signal(t)
	p.end(t)
	if ws := p.ProcessState.Sys().(syscall.WaitStatus); !ws.Signaled() || ws.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", p.ProcessState)
	}
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, name := range []string{"serve", "emulator"} {
		status, stdout, stderr := finish(t, nil, name, "--addr="+ln.Addr().String())
		if status != 1 || stdout != "" || !strings.Contains(stderr, "cannot listen on "+ln.Addr().String()) {
			t.Errorf("%s: status %d, stdout %q, stderr %q", name, status, stdout, stderr)
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
		"all problems at once": {
			args:   []string{"--api-url=ftp://x", "--max-upstream=0"},
			env:    []string{"MIXCLOUD_GRAPHQL_REQUEST_TIMEOUT=0s"},
			status: 2,
			stderr: []string{"--api-url must", "--max-upstream must", "--request-timeout must", "--help"},
		},
		"unknown flag":   {args: []string{"--nope"}, status: 2, stderr: []string{"unknown flag --nope"}},
		"not a duration": {args: []string{"--drain-timeout=soon"}, status: 2, stderr: []string{"--drain-timeout"}},
		"help":           {args: []string{"--help"}, stdout: []string{"serve", "emulator", "conformance", "version"}},
		"sign-in in the clear": {
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
			status, stdout, stderr := finish(t, tt.env, tt.args...)
			if status != tt.status {
				t.Errorf("exit status %d, want %d", status, tt.status)
			}
			for got, parts := range map[string][]string{stdout: tt.stdout, stderr: tt.stderr} {
				for _, part := range parts {
					if !strings.Contains(got, part) {
						t.Errorf("%q lacks %q", got, part)
					}
				}
			}
			if len(tt.stdout) == 0 && stdout != "" || len(tt.stderr) == 0 && stderr != "" {
				t.Errorf("too many words: stdout %q, stderr %q", stdout, stderr)
			}
		})
	}
}

// The emulator served alone is a Mixcloud that is as this project believes; a
// server that answers anything is not, and none at all cannot be compared.
func TestEmulatorAndConformance(t *testing.T) {
	t.Parallel()
	p := start(t, "emulator", "--addr=127.0.0.1:0")
	if user := get(t, p.base+"/demo/"); !strings.Contains(user, `"/demo/"`) {
		t.Errorf("the demo user is %s", user)
	}
	file := filepath.Join(t.TempDir(), "report.json")
	compare := func(base string) (int, string, string) {
		return finish(t, []string{"MIXCLOUD_GRAPHQL_TOKEN=demo-token"},
			"conformance", "--api-url="+base, "--site-url="+base+"/www", "--rate=1000", "--report="+file, "--log-level=error")
	}
	if status, stdout, stderr := compare(p.base); status != 0 {
		t.Errorf("against the emulator: status %d\n%s%s", status, stdout, stderr)
	}
	report, err := os.ReadFile(file)
	if err != nil || !json.Valid(report) || bytes.Contains(report, []byte("demo-token")) {
		t.Errorf("%v: the report is no JSON, or holds the token: %.300s", err, report)
	}
	p.signal(t)
	p.end(t)
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the emulator ended with %d", code)
	}

	if status, _, _ := compare(p.base); status != 1 {
		t.Errorf("against nobody: status %d", status)
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	defer other.Close()
	if status, _, stderr := compare(other.URL); status != 3 || !strings.Contains(stderr, "differs") {
		t.Errorf("against something else: status %d: %s", status, stderr)
	}
}
