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

// A cacheProxy is a program that keeps responses, as an operator would put it in front of the server. Its second address keeps
// everything for one second only, and then revalidates.
type cacheProxy struct {
	program string
	config  string // %s: the addresses of the proxy, of the one that revalidates, and of the server
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
	// Without these rules Varnish would pass every request with a token or a cookie: here Vary and Cache-Control decide.
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

// installed finds a program that is needed for a test. CI has all of them.
func installed(t *testing.T, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	if ci := os.Getenv("CI"); ci != "" && ci != "0" && ci != "false" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// freeAddress returns a loopback address that nothing listens on.
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
	path := installed(t, p.program)
	dir := t.TempDir()
	own, short = freeAddress(t), freeAddress(t)
	user := ""
	if os.Getuid() == 0 {
		user = "user root;" // so that its workers can write to the directory
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
		_ = cmd.Wait() // it was interrupted
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
			t.Fatalf("%s does not listen: %v\n%s", p.program, err, log.String())
		}
	}
}

// An origin is the server as the proxies reach it, with a record of what they ask.
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

// asked returns the statuses of the responses since it was last called.
func (o *origin) asked() []int {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer func() { o.statuses = nil }()
	return o.statuses
}

// through sends a GET through a proxy, with headers "Name: value", and returns the body.
func through(t *testing.T, address, query string, headers ...string) (body string, header http.Header) {
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

// A cache in front of the server serves anonymous requests, never stores a response for a token or a cookie, stores content codings
// and media types apart, and revalidates without a call to Mixcloud.
func TestProxyCache(t *testing.T) {
	t.Parallel()
	for _, p := range cacheProxies {
		t.Run(p.program, func(t *testing.T) {
			t.Parallel()
			o := newOrigin(t)
			kept, short := p.start(t, o.address)
			count := func(want int, why string) {
				t.Helper()
				if got := o.asked(); len(got) != want {
					t.Errorf("%s: the server was asked %d times, want %d", why, len(got), want)
				}
			}

			first, _ := through(t, kept, popularQuery)
			count(1, "the first")
			if again, _ := through(t, kept, popularQuery); again != first {
				t.Error("the cache has another response")
			}
			count(0, "the second")
			through(t, kept, popularQuery, "Accept: application/graphql-response+json")
			count(1, "another media type")
			zipped, header := through(t, kept, popularQuery, "Accept-Encoding: gzip")
			if zipped != first || header.Get("Content-Encoding") != "gzip" {
				t.Errorf("compressed: %v", header)
			}
			o.asked() // Varnish asks for gzip in any case
			if again, _ := through(t, kept, popularQuery, "Accept-Encoding: gzip"); again != first {
				t.Error("the cache has another compressed response")
			}
			count(0, "compressed again")

			const viewer = `{viewer{username}}`
			for range 2 {
				for _, who := range []struct{ header, want string }{
					{"Authorization: Bearer demo-token", `"username":"demo"`},
					{"Authorization: Bearer HarbourFM-token", `"username":"HarbourFM"`},
					{"Cookie: a=b", `"viewer":null`},
					{"X-Nothing: x", `"viewer":null`},
				} {
					if body, _ := through(t, kept, viewer, who.header); !strings.Contains(body, who.want) {
						t.Errorf("%s gets %s", who.header, body)
					}
				}
			}
			count(8, "responses for a token, for a cookie, or that read nothing")
			through(t, kept, popularQuery, "Authorization: Bearer demo-token")
			through(t, kept, popularQuery, "Authorization: Bearer demo-token")
			count(2, "with a token, what is kept for others")

			o.takeCalls()
			through(t, short, popularQuery, "X-Short: 1")
			count(1, "where it is kept for a second")
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
				if body, _ := through(t, short, popularQuery, "X-Short: 1"); body != first {
					t.Fatal("after a second: another response")
				}
				if statuses := o.asked(); len(statuses) > 0 {
					if statuses[0] != http.StatusNotModified {
						t.Errorf("revalidating: status %v, want 304", statuses)
					}
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("the cache does not revalidate")
				}
			}
			if calls := o.takeCalls(); len(calls) > 0 {
				t.Errorf("revalidating made the calls %v", calls)
			}
		})
	}
}

// decompressed undoes a content coding.
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
