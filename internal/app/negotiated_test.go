package app

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
)

// A stalledBody is a request body that does not arrive in time.
type stalledBody struct{}

func (stalledBody) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

// Every refusal of the endpoint has the media type that the client accepts, the status and headers of HTTP, one line of Vary, and one
// GraphQL error with a code.
func TestNegotiated_Refusals(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, serverOptions{})
	type header = map[string]string
	for name, tt := range map[string]struct {
		method, target string
		header         header
		body           io.Reader
		status         int
		code           string
		want           header
	}{
		"not a query":            {"POST", "", header{"Content-Type": "application/json"}, strings.NewReader(`{"query":"{"}`), 400, "GRAPHQL_PARSE_FAILED", nil},
		"not JSON":               {"POST", "", header{"Content-Type": "application/json"}, strings.NewReader(`{`), 400, "BAD_USER_INPUT", nil},
		"a form":                 {"POST", "", header{"Content-Type": "multipart/form-data; boundary=b"}, strings.NewReader("--b--"), 400, "BAD_USER_INPUT", nil},
		"no token":               {"POST", "", header{"Content-Type": "application/json", "Authorization": "Basic x"}, strings.NewReader(`{"query":"{__typename}"}`), 401, "UNAUTHENTICATED", header{"Www-Authenticate": "Bearer"}},
		"another method":         {"DELETE", "", nil, nil, 405, "BAD_USER_INPUT", header{"Allow": "GET, HEAD, POST, OPTIONS"}},
		"a mutation by GET":      {"GET", "?query=mutation%7B__typename%7D", nil, nil, 405, "BAD_USER_INPUT", header{"Allow": "POST"}},
		"a subscription, no SSE": {"GET", "?query=subscription%7BuploadProgress(uploadId:%22x%22)%7B__typename%7D%7D", nil, nil, 406, "BAD_USER_INPUT", nil},
		"a stalled body":         {"POST", "", header{"Content-Type": "application/json"}, stalledBody{}, 408, "BAD_USER_INPUT", nil},
		"a stalled form":         {"POST", "", header{"Content-Type": "multipart/form-data; boundary=b", "X-Requested-With": "x"}, stalledBody{}, 408, "BAD_USER_INPUT", nil},
		"a large body":           {"POST", "", header{"Content-Type": "application/json"}, strings.NewReader(`{"query":"` + strings.Repeat("#", 1<<20) + `"}`), 413, "LIMIT_EXCEEDED", nil},
		"a large body in chunks": {"POST", "", header{"Content-Type": "application/json"}, io.MultiReader(strings.NewReader(`{"query":"` + strings.Repeat("#", 1<<20) + `"}`)), 413, "LIMIT_EXCEEDED", nil},
		"a long URL":             {"GET", "?query=%7B__typename%7D&x=" + strings.Repeat("x", 8<<10), nil, nil, 414, "LIMIT_EXCEEDED", nil},
		"plain text":             {"POST", "", header{"Content-Type": "text/plain"}, strings.NewReader(`{"query":"{__typename}"}`), 415, "BAD_USER_INPUT", header{"Accept-Post": "application/json"}},
		"compressed":             {"POST", "", header{"Content-Type": "application/json", "Content-Encoding": "gzip"}, strings.NewReader("x"), 415, "BAD_USER_INPUT", nil},
		"a bad idempotency key":  {"POST", "", header{"Content-Type": "application/json", "Idempotency-Key": "\x01"}, strings.NewReader(`{"query":"mutation{__typename}"}`), 400, "BAD_USER_INPUT", nil},
	} {
		for _, media := range []string{"application/graphql-response+json", "application/json"} {
			r := httptest.NewRequestWithContext(t.Context(), tt.method, "/graphql"+tt.target, tt.body)
			if tt.body == nil {
				r.Body, r.ContentLength = http.NoBody, 0
			}
			for name, value := range tt.header {
				r.Header.Set(name, value)
			}
			r.Header.Set("Accept", media)
			if tt.body != nil {
				if _, seekable := tt.body.(io.Seeker); seekable {
					_, _ = tt.body.(io.Seeker).Seek(0, io.SeekStart)
				} else if media == "application/json" {
					continue // the body has already been read
				}
			}
			w := httptest.NewRecorder()
			s.app.ServeHTTP(w, r)
			want := tt.status
			if media == "application/json" && tt.code == "GRAPHQL_PARSE_FAILED" {
				want = 200 // older clients expect 200 for a well-formed request
			}
			if w.Code != want {
				t.Errorf("%s: status = %d, want %d: %.200s", name, w.Code, want, w.Body)
			}
			if got := w.Header().Get("Content-Type"); got != media+"; charset=utf-8" {
				t.Errorf("%s: Content-Type = %q, want %s", name, got, media)
			}
			if vary := w.Header()["Vary"]; len(vary) != 1 || len(vary[0]) > 128 || !strings.Contains(vary[0], "Accept") {
				t.Errorf("%s: Vary = %q, want one line of at most 128 bytes", name, vary)
			}
			if got := w.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s: Cache-Control = %q, want no-store", name, got)
			}
			for header, part := range tt.want {
				if !strings.Contains(w.Header().Get(header), part) {
					t.Errorf("%s: %s = %q, want it to contain %s", name, header, w.Header().Get(header), part)
				}
			}
			var body struct{ Errors []responseError }
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || len(body.Errors) != 1 || body.Errors[0].code() != tt.code {
				t.Errorf("%s: body = %.200s, want one error %s (%v)", name, w.Body, tt.code, err)
			}
		}
	}
	if calls := s.takeCalls(); len(calls) > 0 {
		t.Errorf("calls = %v, want none", calls)
	}
}

// The response to HEAD has the status and the headers of GET, without the body.
func TestNegotiated_Head(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, serverOptions{})
	base := listenAndServe(t, s.app, "http")
	send := func(method, query string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, base+"/graphql?query="+url.QueryEscape(query), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "gzip") // http.Transport sends it only with GET
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	for _, query := range []string{`{user(username:"demo"){name}}`, `{__typename}`, `{nope}`, `{popular(first:50){nodes{key url name}}}`} {
		head, get := send(http.MethodHead, query), send(http.MethodGet, query)
		body, err := io.ReadAll(head.Body)
		if err != nil || len(body) > 0 {
			t.Errorf("%s: body of HEAD has %d bytes, want 0 (error %v)", query, len(body), err)
		}
		for _, name := range []string{"Content-Type", "Vary", "ETag", "Content-Encoding"} {
			if head.Header.Get(name) != get.Header.Get(name) {
				t.Errorf("%s: %s of HEAD = %q, want %q as with GET", query, name, head.Header.Get(name), get.Header.Get(name))
			}
		}
		if head.StatusCode != get.StatusCode {
			t.Errorf("%s: status of HEAD = %d, want %d as with GET", query, head.StatusCode, get.StatusCode)
		}
	}
}

// The response to "Expect: 100-continue" for a body that is too large is 413, not 100 Continue.
func TestNegotiated_TooLargeBeforeContinue(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, serverOptions{config: config.Serve{DrainTimeout: 10 * time.Second}})
	base := listenAndServe(t, s.app, "http")
	for length, want := range map[string]string{"1048577": "HTTP/1.1 413 ", "2": "HTTP/1.1 100 "} {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAccept: application/graphql-response+json\r\n"+
			"Expect: 100-continue\r\nContent-Length: "+length+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, want) {
			t.Errorf("Content-Length %s: status line = %q, want %s (error %v)", length, line, want, err)
		}
	}
}

// A browser that opens the endpoint is redirected to the playground with the operation, which is not executed.
func TestNegotiated_BrowserGetsThePlayground(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, serverOptions{})
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for name, tt := range map[string]struct{ query, accept, want string }{
		"no query":           {"", browser, "./"},
		"a query":            {"?query=" + url.QueryEscape(`{ a: user(username: "a+b") { name } }`), browser, "./#query=%7B%20a%3A%20user%28username%3A%20%22a%2Bb%22%29%20%7B%20name%20%7D%20%7D"},
		"all parameters":     {"?operationName=A&variables=%7B%7D&query=query+A%7Bhot%7Bnodes%7Bkey%7D%7D%7D&extensions=%7B%7D", browser, "./#operationName=A&query=query%20A%7Bhot%7Bnodes%7Bkey%7D%7D%7D&variables=%7B%7D"},
		"a mutation":         {"?query=mutation%7B__typename%7D", browser, "./#query=mutation%7B__typename%7D"},
		"a client":           {"?query=%7B__typename%7D", "*/*", ""},
		"a client with HTML": {"?query=%7B__typename%7D", "text/html, application/json", ""},
	} {
		w := get(t, s.app, "/graphql"+tt.query, func(r *http.Request) { r.Header.Set("Accept", tt.accept) })
		if got := w.Header().Get("Location"); got != tt.want || (w.Code == http.StatusSeeOther) != (tt.want != "") {
			t.Errorf("%s: status = %d, Location = %q, want Location %q and status 303 if it is not empty: %.200s", name, w.Code, got, tt.want, w.Body)
		}
		if tt.want != "" && (w.Header().Get("Cache-Control") != "no-store" || !strings.Contains(w.Header().Get("Vary"), "Accept")) {
			t.Errorf("%s: headers = %v, want no-store and Vary with Accept", name, w.Header())
		}
	}
	if calls := s.takeCalls(); len(calls) > 0 {
		t.Errorf("calls = %v, want none", calls)
	}
}
