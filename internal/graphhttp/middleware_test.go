package graphhttp_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/telemetry"
)

func TestChain_FirstIsOutermost(t *testing.T) {
	t.Parallel()
	var order []string
	step := func(name string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				order = append(order, name)
				next.ServeHTTP(w, r)
			})
		}
	}
	serve(graphhttp.Chain(http.NotFoundHandler(), step("a"), step("b")), request(t, "GET", "/", ""))
	if diff := cmp.Diff([]string{"a", "b"}, order); diff != "" {
		t.Errorf("order of the middleware differs (-want +got):\n%s", diff)
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		sent     string
		accepted bool
	}{
		"none":       {"", false},
		"valid":      {"7f3c-Ab_9.x", true},
		"longest":    {strings.Repeat("a", 64), true},
		"too short":  {"1234567", false},
		"too long":   {strings.Repeat("a", 65), false},
		"line break": {"12345678\n9", false},
		"quote":      {`12345678"`, false},
		"not ASCII":  {"12345678é", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var inside string
			h := graphhttp.RequestID(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inside = telemetry.RequestID(r.Context()) }))
			r := request(t, "GET", "/", "")
			r.Header["X-Request-Id"] = []string{tt.sent}
			got := serve(h, r).Header().Get("X-Request-Id")
			if got == "" || got != inside || (got == tt.sent) != tt.accepted {
				t.Errorf("request id: sent %q, response has %[3]q, handler has %q; want one id, equal to the sent one: %[2]v", tt.sent, tt.accepted, got, inside)
			}
		})
	}
}

func TestRecover(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	wrap := graphhttp.Recover(slog.New(slog.NewTextHandler(&log, nil)))
	rec := serve(wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("s3cret-canary") })), request(t, "GET", "/x", ""))
	if rec.Code != http.StatusInternalServerError || !strings.Contains(rec.Body.String(), `"code":"INTERNAL"`) || strings.Contains(rec.Body.String(), "canary") {
		t.Errorf("panic: status %d, want 500 with INTERNAL and without its text: %s", rec.Code, rec.Body)
	}
	if !strings.Contains(log.String(), "s3cret-canary") || !strings.Contains(log.String(), "stack=") {
		t.Errorf("log lacks the panic or its stack: %s", log.String())
	}

	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("recovered %v, want http.ErrAbortHandler", p)
		}
	}()
	serve(wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })), request(t, "GET", "/", ""))
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	h := graphhttp.SecurityHeaders(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
	}))
	got := serve(h, request(t, "GET", "/", "")).Header()
	want := http.Header{
		"X-Content-Type-Options":     {"nosniff"},
		"Referrer-Policy":            {"no-referrer"},
		"Cross-Origin-Opener-Policy": {"same-origin"},
		"Content-Security-Policy":    {"default-src 'self'"}, // a handler's own policy has precedence
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers differ (-want +got):\n%s", diff)
	}
}

// A line of the access log describes the request and its response, without their content.
func TestAccessLog(t *testing.T) {
	t.Parallel()
	const canary = "s3cret-canary"
	graph := graphhttp.New(newStub(), graphhttp.Options{})
	post := func(body string) *http.Request {
		return request(t, "POST", "/graphql?access_token="+canary, body, "Content-Type: application/json", "Authorization: Bearer "+canary, "Cookie: a="+canary)
	}
	tests := map[string]struct {
		handler http.Handler
		request *http.Request
		want    []string
	}{
		"query": {
			graph, post(`{"query":"query Hi($s:String) { hello(name: $s) }","variables":{"s":"` + canary + `"}}`),
			[]string{"level=INFO", "msg=request", "method=POST", "path=/graphql", "status=200", "bytes=34", "took=", "operation=query", "name=Hi"},
		},
		"errors":         {graph, post(`{"query":"mutation M { set } query Q { fail s3cret: hello }","operationName":"Q"}`), []string{"errors=1", "code=BAD_USER_INPUT", "name=Q"}},
		"invalid JSON":   {graph, post(canary), []string{"status=400"}},
		"long name":      {graph, post(`{"query":"query ` + strings.Repeat("n", 500) + ` { hello }"}`), []string{"name=" + strings.Repeat("n", 64) + "\n"}},
		"no handler":     {http.NotFoundHandler(), request(t, "GET", "/nothing", ""), []string{"method=GET", "path=/nothing", "status=404"}},
		"without a body": {http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), request(t, "GET", "/", ""), []string{"status=200", "bytes=0"}},
		"binary":         {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "abc") }), request(t, "GET", "/", ""), []string{"status=200", "bytes=3"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			serve(graphhttp.AccessLog(slog.New(slog.NewTextHandler(&out, nil)), 1)(tt.handler), tt.request)
			for _, part := range tt.want {
				if !strings.Contains(out.String(), part) {
					t.Errorf("log %q lacks %q", out.String(), part)
				}
			}
			if strings.Contains(out.String(), canary) {
				t.Errorf("log contains a secret: %s", out.String())
			}
			if strings.Count(out.String(), "\n") != 1 {
				t.Errorf("log = %q, want one line", out.String())
			}
		})
	}
}

// With sampling, all failed requests are logged, and a part of the successful ones.
func TestAccessLog_Sample(t *testing.T) {
	t.Parallel()
	for sample, want := range map[int]int{0: 12, 1: 12, 5: 3, 100: 1} {
		var out bytes.Buffer
		h := graphhttp.AccessLog(slog.New(slog.NewTextHandler(&out, nil)), sample)(graphhttp.New(newStub(), graphhttp.Options{}))
		for range 12 {
			for _, body := range []string{`{"query":"query OK { hello }"}`, `{"query":"{ fail }"}`, `nonsense`} {
				serve(h, request(t, "POST", "/graphql", body, "Content-Type: application/json"))
			}
		}
		for part, want := range map[string]int{"name=OK": want, "errors=1": 12, "status=400": 12} {
			if got := strings.Count(out.String(), part); got != want {
				t.Errorf("with a sample of %d, %d lines have %q, want %d", sample, got, part, want)
			}
		}
	}
}

// The access log's writer passes deadlines and flushing to the connection.
func TestAccessLog_Unwraps(t *testing.T) {
	t.Parallel()
	h := graphhttp.AccessLog(slog.New(slog.DiscardHandler), 1)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).Flush(); errors.Is(err, http.ErrNotSupported) {
			t.Error("Flush returned http.ErrNotSupported, want it passed to the connection")
		}
	}))
	if rec := serve(h, request(t, "GET", "/", "")); !rec.Flushed {
		t.Error("Flush did not reach the connection")
	}
}
