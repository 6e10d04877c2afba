package graphhttp_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/idempotency"
)

type principalKey struct{}

// newPrincipalStub returns a handler whose principal is the header X-Principal, and the number of
// executed mutations.
func newPrincipalStub(t *testing.T) (http.Handler, *atomic.Int64) {
	t.Helper()
	done := new(atomic.Int64)
	s := newStub()
	s.fields["set"] = func(ctx context.Context, args map[string]any) (any, error) {
		switch args["to"] {
		case int64(0):
			return nil, gqlerr.Invalid("to", "must not be 0") // nothing was sent
		case int64(1):
			panic("before anything was sent")
		}
		done.Add(1)
		idempotency.MarkSent(ctx)
		switch args["to"] {
		case int64(2):
			panic("after it was sent")
		case int64(3):
			return nil, gqlerr.NotFound("Unknown outcome.")
		}
		return fmt.Sprint("done ", done.Load()), nil
	}
	s.fields["send"] = func(ctx context.Context, args map[string]any) (any, error) {
		done.Add(1)
		idempotency.MarkSent(ctx)
		return readAll(ctx, args)
	}
	h := graphhttp.New(s, graphhttp.Options{Principal: func(ctx context.Context) string {
		principal, _ := ctx.Value(principalKey{}).(string)
		return principal
	}})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), principalKey{}, r.Header.Get("X-Principal"))))
	}), done
}

func set(to int) string {
	return fmt.Sprintf(`{"query":"mutation($n: Int) { set(to: $n) }","variables":{"n":%d}}`, to)
}

// sendAs sends a mutation of a principal with an idempotency key.
func sendAs(t *testing.T, h http.Handler, principal, key, body string) *httptest.ResponseRecorder {
	t.Helper()
	return serve(h, request(t, http.MethodPost, "/graphql", body, "Content-Type: application/json", newer, "X-Principal: "+principal, "Idempotency-Key: "+key))
}

func TestIdempotencyKey_AccessLog(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		to       int
		internal bool
	}{"success": {4, false}, "panic": {2, true}} {
		h, _ := newPrincipalStub(t)
		var out strings.Builder
		sendAs(t, graphhttp.AccessLog(slog.New(slog.NewTextHandler(&out, nil)), 1)(h), "me", "k", set(tt.to))
		if got := strings.Contains(out.String(), "code=INTERNAL"); got != tt.internal || !strings.Contains(out.String(), "operation=mutation") {
			t.Errorf("%s: the access log has an INTERNAL error: %v, want %v: %s", name, got, tt.internal, out.String())
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	type step struct {
		who, key, body string
		status         int
		want           string
		replayed       bool
		done           int64 // in total
	}
	tests := map[string][]step{
		"repeated request": {
			{"me", "k", set(9), 200, `{"data":{"set":"done 1"}}`, false, 1},
			{"me", "k", set(9), 200, `{"data":{"set":"done 1"}}`, true, 1},
			{"me", "k", set(9), 200, `{"data":{"set":"done 1"}}`, true, 1},
		},
		"another key": {
			{"me", "a", set(9), 200, "done 1", false, 1},
			{"me", "b", set(9), 200, "done 2", false, 2},
		},
		"another principal": {
			{"me", "k", set(9), 200, "done 1", false, 1},
			{"you", "k", set(8), 200, "done 2", false, 2},
		},
		"another body": {
			{"me", "k", set(9), 200, "done 1", false, 1},
			{"me", "k", set(8), 422, "was used for a different request", false, 1},
		},
		"anonymous": {
			{"", "k", set(9), 200, "done 1", false, 1},
			{"", "k", set(9), 200, "done 2", false, 2},
		},
		"failure before sending": {
			{"me", "k", set(0), 200, "must not be 0", false, 0},
			{"me", "k", set(9), 200, "done 1", false, 1},
		},
		"panic before sending": {
			{"me", "k", set(1), 200, "INTERNAL", false, 0},
			{"me", "k", set(9), 200, "done 1", false, 1},
		},
		"unknown outcome": {
			{"me", "k", set(3), 200, "Unknown outcome", false, 1},
			{"me", "k", set(3), 200, "Unknown outcome", true, 1},
		},
		"panic after sending": {
			{"me", "k", set(2), 200, "INTERNAL", false, 1},
			{"me", "k", set(2), 200, "INTERNAL", true, 1},
		},
		"invalid document": {
			{"me", "k", `{"query":"mutation { nope }"}`, 400, "nope", false, 0},
			{"me", "k", set(9), 200, "done 1", false, 1},
		},
		"query": {
			{"me", "k", `{"query":"{ hello }"}`, 200, "you", false, 0},
			{"me", "k", `{"query":"{ a: hello }"}`, 200, "you", false, 0},
		},
		"bad keys": {
			{"me", "", set(9), 400, "1 to 255 bytes", false, 0},
			{"me", strings.Repeat("x", 256), set(9), 400, "1 to 255 bytes", false, 0},
			{"me", "a\x01", set(9), 400, "control characters", false, 0},
			{"me", strings.Repeat("x", 255), set(9), 200, "done 1", false, 1},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, done := newPrincipalStub(t)
			for i, s := range steps {
				rec := sendAs(t, h, s.who, s.key, s.body)
				if rec.Code != s.status || !strings.Contains(rec.Body.String(), s.want) || done.Load() != s.done {
					t.Errorf("request %d: %d %s, executed %d times; want %d %s, %d times", i+1, rec.Code, rec.Body, done.Load(), s.status, s.want, s.done)
				}
				if replayed := rec.Header().Get("Idempotent-Replayed") == "true"; replayed != s.replayed {
					t.Errorf("request %d: replayed = %v, want %v", i+1, replayed, s.replayed)
				}
			}
		})
	}
}

// While the first request is in flight, the second is refused immediately.
func TestIdempotencyKey_inFlight(t *testing.T) {
	t.Parallel()
	begun, end := make(chan struct{}), make(chan struct{})
	s := newStub()
	s.fields["set"] = func(ctx context.Context, _ map[string]any) (any, error) {
		close(begun)
		idempotency.MarkSent(ctx)
		<-end
		return "done", nil
	}
	h := graphhttp.New(s, graphhttp.Options{Principal: func(context.Context) string { return "me" }})
	first := make(chan *httptest.ResponseRecorder)
	go func() { first <- sendAs(t, h, "me", "k", set(9)) }()
	<-begun
	rec := sendAs(t, h, "me", "k", set(9))
	if rec.Code != http.StatusConflict || !strings.Contains(rec.Body.String(), "in progress") || rec.Header().Get("Retry-After") == "" {
		t.Errorf("same key in flight: status %d, want 409 with Retry-After: %s", rec.Code, rec.Body)
	}
	if rec := sendAs(t, h, "me", "k", set(8)); rec.Code != http.StatusUnprocessableEntity {
		t.Errorf("same key with another body: status %d, want 422: %s", rec.Code, rec.Body)
	}
	close(end)
	if rec := <-first; rec.Code != 200 {
		t.Errorf("first request: status %d, want 200: %s", rec.Code, rec.Body)
	}
	if rec := sendAs(t, h, "me", "k", set(9)); rec.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("same key after the end: status %d, want a replay: %s", rec.Code, rec.Body)
	}
}

// The files of a replayed request are not read: they need not even arrive.
func TestIdempotencyKey_files(t *testing.T) {
	t.Parallel()
	h, done := newPrincipalStub(t)
	send := func(body io.Reader, key string) *httptest.ResponseRecorder {
		r := request(t, http.MethodPost, "/graphql", "x", formType, preflight, newer, "X-Principal: me", "Idempotency-Key: "+key)
		r.Body = io.NopCloser(body)
		return serve(h, r)
	}
	head := strings.TrimSuffix(formOf(sendQuery, sendMap, file("0", "content")), "content\r\n--b--\r\n")
	check(t, send(strings.NewReader(formOf(sendQuery, sendMap, file("0", "content"))), "k"), 200, "content")

	again := send(io.MultiReader(strings.NewReader(head), unreadBody{t}), "k")
	check(t, again, 200, "content")
	if again.Header().Get("Idempotent-Replayed") != "true" || again.Header().Get("Connection") != "close" {
		t.Errorf("headers of the replay = %v, want Idempotent-Replayed true and Connection close", again.Header())
	}
	for what, body := range map[string]string{
		"another file name":     strings.Replace(head, "x.mp3", "y.mp3", 1),
		"another type":          strings.Replace(head, "audio/mpeg", "audio/mp4", 1),
		"another map":           strings.Replace(strings.Replace(head, `{"0"`, `{"1"`, 1), `name="0"`, `name="1"`, 1),
		"other operations":      strings.Replace(head, "send(", "s: send(", 1),
		"white space elsewhere": strings.Replace(head, "mutation(", "mutation (", 1),
	} {
		if rec := send(io.MultiReader(strings.NewReader(body), unreadBody{t}), "k"); rec.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d, want 422: %s", what, rec.Code, rec.Body)
		}
	}
	check(t, send(strings.NewReader(formOf(sendQuery, sendMap, file("0", "other bytes"))), "k"), 200, `,content"`)
	check(t, send(strings.NewReader(formOf(sendQuery, sendMap)), "k2"), 400, "without the file")
	check(t, send(strings.NewReader(formOf(sendQuery, sendMap, file("0", "content"))), "k2"), 200, "content")
	// This request was partly sent to Mixcloud, so its failure is its stored result.
	cut := strings.TrimSuffix(formOf(sendQuery, sendMap, file("0", "content")), "\r\n--b--\r\n")
	check(t, send(strings.NewReader(cut), "k3"), 400, "is incomplete")
	check(t, send(strings.NewReader(cut), "k3"), 400, "is incomplete")
	if done.Load() != 3 {
		t.Errorf("write was sent %d times, want 3", done.Load())
	}
}

// unreadBody is a body that must not be read.
type unreadBody struct{ t *testing.T }

func (n unreadBody) Read([]byte) (int, error) {
	n.t.Error("the file was read, want the request refused before it")
	return 0, io.ErrUnexpectedEOF
}

// A failing store prevents the write, which might be a repetition.
func TestIdempotencyKey_storeFails(t *testing.T) {
	t.Parallel()
	s := newStub()
	h := graphhttp.New(s, graphhttp.Options{Principal: func(context.Context) string { return "me" }, Writes: brokenStore{}})
	rec := sendAs(t, h, "me", "k", set(9))
	if rec.Code != http.StatusServiceUnavailable || !strings.Contains(rec.Body.String(), "UPSTREAM_UNAVAILABLE") || strings.Contains(rec.Body.String(), "canary") {
		t.Errorf("store fails: status %d, want 503 with UPSTREAM_UNAVAILABLE and without the cause: %s", rec.Code, rec.Body)
	}
}

type brokenStore struct{}

func (brokenStore) Begin(context.Context, idempotency.Name, idempotency.Fingerprint) (idempotency.Claim, *idempotency.Response, error) {
	return nil, nil, fmt.Errorf("s3cret-canary")
}
