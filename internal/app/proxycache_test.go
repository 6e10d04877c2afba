package app

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A cacheProxy is a caching proxy that operators put in front of the server. At its second address it stores responses for one second
// only, and then revalidates them.
type cacheProxy struct {
	program string
	config  string // a format with the proxy's two addresses, the server's address, the user directive and the server's port
	args    func(dir, config string, own, short string) []string
}

var cacheProxies = []cacheProxy{
	{"nginx", `
daemon off; pid nginx.pid; error_log stderr warn; worker_processes 1;
%[4]s
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  proxy_cache_path kept keys_zone=kept:1m; proxy_cache_path short keys_zone=short:1m;
  proxy_http_version 1.1;
  server { listen %[1]s; location / { proxy_pass http://%[3]s; proxy_cache kept; proxy_cache_revalidate on; } }
  server { listen %[2]s; location / { proxy_pass http://%[3]s; proxy_cache short; proxy_cache_revalidate on;
    proxy_ignore_headers Cache-Control; proxy_cache_valid 200 1s; } }
}`, func(dir, config, _, _ string) []string { return []string{"-p", dir, "-c", config, "-e", "stderr"} }},
	// Without these rules Varnish would not look up requests with a token or a cookie. With them only Vary and Cache-Control decide.
	{"varnishd", `
vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "%[5]s"; }
sub vcl_recv { if (req.method == "GET") { return (hash); } }
sub vcl_backend_response {
  if (bereq.http.X-Short) { set beresp.ttl = 1s; set beresp.grace = 0s; set beresp.keep = 60s; }
}
sub vcl_hash { hash_data(req.http.X-Short); }
`, func(dir, config, own, short string) []string {
		return []string{"-F", "-j", "none", "-n", filepath.Join(dir, "work"), "-T", "none", "-s", "malloc,16m", "-f", config, "-a", own, "-a", short}
	}},
}

// requireProgram returns the path of a program. If it is missing, the test fails in CI and is skipped elsewhere.
func requireProgram(t *testing.T, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	if inCI() {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// freeAddress returns an unused loopback address.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// start runs the proxy in front of a server, and returns its addresses.
func (p cacheProxy) start(t *testing.T, server string) (own, short string) {
	t.Helper()
	path := requireProgram(t, p.program)
	dir := t.TempDir()
	own, short = freeAddress(t), freeAddress(t)
	user := ""
	if os.Getuid() == 0 {
		user = "user root;" // so that the workers of nginx can write to the directory
	}
	_, port, _ := net.SplitHostPort(server)
	config := filepath.Join(dir, "config")
	text := fmt.Sprintf(p.config+"%.0[1]s%.0[2]s%.0[3]s%.0[4]s%.0[5]s", own, short, server, user, port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log logBuffer
	cmd := exec.CommandContext(t.Context(), path, p.args(dir, config, own, short)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &log, &log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // it reports the interrupt
		if t.Failed() {
			t.Logf("%s: %s", p.program, log.String())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", short)
		if err == nil {
			conn.Close()
			return own, short
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not accept connections: %v\n%s", p.program, err, log.String())
		}
	}
}

// An origin is the server behind the proxies. It records the statuses of its responses to them.
type origin struct {
	*testServer
	address string

	mu       sync.Mutex
	statuses []int // of the responses
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	o := &origin{testServer: newTestServer(t, serverOptions{})}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		o.app.ServeHTTP(rec, r)
		o.mu.Lock()
		o.statuses = append(o.statuses, rec.Code)
		o.mu.Unlock()
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}))
	t.Cleanup(srv.Close)
	o.address = strings.TrimPrefix(srv.URL, "http://")
	return o
}

// takeStatuses returns the statuses of the responses since the last takeStatuses.
func (o *origin) takeStatuses() []int {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer func() { o.statuses = nil }()
	return o.statuses
}

// getThrough sends a GET request to a proxy, with headers of the form "Name: value", and returns the uncompressed body.
func getThrough(t *testing.T, address, query string, headers ...string) (body string, header http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/graphql?query="+url.QueryEscape(query), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "identity")
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status = %d, want 200: %s", resp.StatusCode, text)
	}
	return decompressed(t, resp.Header.Get("Content-Encoding"), text), resp.Header
}

// A caching proxy in front of the server stores responses to anonymous requests, one for each content coding and media type. It never
// stores a response for a token or a cookie. The server responds to its revalidation without a call.
func TestProxyCache(t *testing.T) {
	t.Parallel()
	for _, p := range cacheProxies {
		t.Run(p.program, func(t *testing.T) {
			t.Parallel()
			o := newOrigin(t)
			proxy, short := p.start(t, o.address)
			checkRequests := func(want int, when string) {
				t.Helper()
				if got := o.takeStatuses(); len(got) != want {
					t.Errorf("%s: server received %d requests, want %d", when, len(got), want)
				}
			}

			first, _ := getThrough(t, proxy, popularQuery)
			checkRequests(1, "first request")
			if again, _ := getThrough(t, proxy, popularQuery); again != first {
				t.Errorf("second response = %s, want %s as the first", again, first)
			}
			checkRequests(0, "second request")
			getThrough(t, proxy, popularQuery, "Accept: application/graphql-response+json")
			checkRequests(1, "another media type")
			zipped, header := getThrough(t, proxy, popularQuery, "Accept-Encoding: gzip")
			if zipped != first || header.Get("Content-Encoding") != "gzip" {
				t.Errorf("headers of the compressed response = %v, want Content-Encoding gzip and the same content", header)
			}
			o.takeStatuses() // Varnish always requests gzip
			if again, _ := getThrough(t, proxy, popularQuery, "Accept-Encoding: gzip"); again != first {
				t.Errorf("second compressed response = %s, want %s as the first", again, first)
			}
			checkRequests(0, "second compressed request")

			const viewer = `{viewer{username}}`
			for range 2 {
				for _, tt := range []struct{ header, want string }{
					{"Authorization: Bearer demo-token", `"username":"demo"`},
					{"Authorization: Bearer HarbourFM-token", `"username":"HarbourFM"`},
					{"Cookie: a=b", `"viewer":null`},
					{"X-Nothing: x", `"viewer":null`},
				} {
					if body, _ := getThrough(t, proxy, viewer, tt.header); !strings.Contains(body, tt.want) {
						t.Errorf("%s: response = %s, want %s", tt.header, body, tt.want)
					}
				}
			}
			checkRequests(8, "requests with a token or a cookie, and without calls")
			getThrough(t, proxy, popularQuery, "Authorization: Bearer demo-token")
			getThrough(t, proxy, popularQuery, "Authorization: Bearer demo-token")
			checkRequests(2, "requests with a token for a stored response")

			o.takeCalls()
			getThrough(t, short, popularQuery, "X-Short: 1")
			checkRequests(1, "first request to the second address")
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
				if body, _ := getThrough(t, short, popularQuery, "X-Short: 1"); body != first {
					t.Fatalf("response of the second address = %s, want %s", body, first)
				}
				if statuses := o.takeStatuses(); len(statuses) > 0 {
					if statuses[0] != http.StatusNotModified {
						t.Errorf("statuses of the revalidation = %v, want 304", statuses)
					}
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("proxy did not revalidate within 20s")
				}
			}
			if calls := o.takeCalls(); len(calls) > 0 {
				t.Errorf("calls during revalidation = %v, want none", calls)
			}
		})
	}
}

// decompressed returns the body without its content coding.
func decompressed(t *testing.T, coding string, body []byte) string {
	t.Helper()
	if coding != "gzip" {
		return string(body)
	}
	from, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
