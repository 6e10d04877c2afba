package graphhttp_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/idempotency"
)

// occupy takes the only slot of a controller.
func occupy(t *testing.T, controller *admission.Controller) *admission.Slot {
	t.Helper()
	slot, err := controller.Admit(t.Context())
	if err != nil {
		t.Fatalf("Admit failed with a free slot: %v", err)
	}
	return slot
}

// endpoints returns the endpoint with its own controller, and one behind the middleware.
func endpoints(s *stub, o graphhttp.Options, controller *admission.Controller) map[string]http.Handler {
	own := o
	own.Admission = controller
	if o.Bodies == nil {
		o.Bodies = graphhttp.NewBodyMemory(0)
	}
	return map[string]http.Handler{
		"endpoint":   graphhttp.New(s, own),
		"middleware": graphhttp.Admission(controller, o.Bodies, "/graphql", 0, slog.New(slog.DiscardHandler))(graphhttp.New(s, own)),
	}
}

// Without a free slot every request, in every media type, is refused after the maximum wait,
// before it is parsed, with the right status, headers and body.
func TestAdmission_Refusal(t *testing.T) {
	t.Parallel()
	const want = `{"errors":[{"message":"The server is overloaded. Try again in a second.",` +
		`"extensions":{"code":"LIMIT_EXCEEDED","retryAfterMs":1000,"retryable":true}}]}`
	const asJSON = "Content-Type: application/json"
	for name, tt := range map[string]struct {
		method, target, body string
		headers              []string
		media                string
	}{
		"query":             {"POST", "/graphql", `{"query":"{ hello }"}`, []string{asJSON}, "application/json"},
		"new media type":    {"POST", "/graphql", `{"query":"{ hello }"}`, []string{asJSON, newer}, "application/graphql-response+json"},
		"old media type":    {"POST", "/graphql", `{"query":"{ hello }"}`, []string{asJSON, "Accept: application/json"}, "application/json"},
		"malformed JSON":    {"POST", "/graphql", `{`, []string{asJSON}, "application/json"},
		"syntax error":      {"POST", "/graphql", `{"query":"{"}`, []string{asJSON}, "application/json"},
		"mutation":          {"POST", "/graphql", `{"query":"mutation { set }"}`, []string{asJSON, "Idempotency-Key: k"}, "application/json"},
		"GET":               {"GET", "/graphql?query={hello}", "", nil, "application/json"},
		"GET, no variables": {"GET", "/graphql?query={hello}&variables=x", "", nil, "application/json"},
		"query as events":   {"POST", "/graphql", `{"query":"{ hello }"}`, []string{asJSON, eventStream}, "application/json"},
		"subscription":      {"GET", "/graphql?query=subscription{count(to:1)}", "", []string{eventStream}, "application/json"},
		"upload":            {"POST", "/graphql", formOf(sendQuery, sendMap, file("0", "content")), []string{formType, preflight}, "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				controller := admission.New(1, time.Second)
				for way, h := range endpoints(newStub(), graphhttp.Options{}, controller) {
					slot := occupy(t, controller)
					began := time.Now()
					rec := serve(h, request(t, tt.method, tt.target, tt.body, tt.headers...))
					if took := time.Since(began); took != time.Second {
						t.Errorf("%s: refused after %v, want 1s", way, took)
					}
					if diff := cmp.Diff(want, rec.Body.String()); diff != "" {
						t.Errorf("%s: body differs (-want +got):\n%s", way, diff)
					}
					got := []any{rec.Code, rec.Header().Get("Content-Type"), rec.Header().Get("Retry-After"), rec.Header().Get("Cache-Control")}
					if diff := cmp.Diff([]any{503, tt.media + "; charset=utf-8", "1", "no-store"}, got); diff != "" {
						t.Errorf("%s: status and headers differ (-want +got):\n%s", way, diff)
					}
					slot.Close()
					rec = serve(h, request(t, tt.method, tt.target, tt.body, tt.headers...))
					if rec.Code == http.StatusServiceUnavailable || strings.Contains(rec.Body.String(), "LIMIT_EXCEEDED") {
						t.Errorf("%s: status %d with a free slot, want no refusal: %s", way, rec.Code, rec.Body)
					}
					occupy(t, controller).Close()
				}
			})
		})
	}
}

// If a client leaves while its operation is queued, the operation is not executed.
func TestAdmission_ClientLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		controller := admission.New(1, time.Second)
		s := newStub()
		s.fields["set"] = func(context.Context, map[string]any) (any, error) {
			t.Error("the mutation of a client that left was executed")
			return nil, nil
		}
		slot := occupy(t, controller)
		for way, h := range endpoints(s, graphhttp.Options{}, controller) {
			ctx, leave := context.WithTimeout(t.Context(), 300*time.Millisecond)
			began := time.Now()
			rec := serve(h, request(t, "POST", "/graphql", `{"query":"mutation { set }"}`, "Content-Type: application/json").WithContext(ctx))
			if took := time.Since(began); took != 300*time.Millisecond || rec.Code != 499 {
				t.Errorf("%s: status %d after %v, want 499 after 300ms", way, rec.Code, took)
			}
			leave()
		}
		slot.Close()
	})
}

// A slowWriter is a slow client: no slot may be held while it reads.
type slowWriter struct {
	*httptest.ResponseRecorder
	t          *testing.T
	controller *admission.Controller
}

func (w *slowWriter) free(what string) {
	slot, err := w.controller.Admit(w.t.Context())
	if err != nil {
		w.t.Errorf("slot is occupied while %s, want it free", what)
	}
	slot.Close()
}

func (w *slowWriter) WriteHeader(status int) {
	w.free("the header is written")
	w.ResponseRecorder.WriteHeader(status)
}

func (w *slowWriter) Write(b []byte) (int, error) {
	w.free(fmt.Sprintf("%.20q is written", b))
	return w.ResponseRecorder.Write(b)
}

// The slot is released before anything is written, for every result, and is always free
// afterwards.
func TestAdmission_NotWhileWriting(t *testing.T) {
	t.Parallel()
	const asJSON = "Content-Type: application/json"
	for name, tt := range map[string]struct {
		method, target, body string
		headers              []string
		want                 string // of the response
	}{
		"query":                   {"POST", "/graphql", `{"query":"{ hello }"}`, []string{asJSON}, `"hello":"you"`},
		"GET":                     {"GET", "/graphql?query={hello}", "", nil, `"hello":"you"`},
		"GET, no variables":       {"GET", "/graphql?query={hello}&variables=x", "", nil, "BAD_USER_INPUT"},
		"malformed JSON":          {"POST", "/graphql", `{`, []string{asJSON}, "BAD_USER_INPUT"},
		"syntax error":            {"POST", "/graphql", `{"query":"{"}`, []string{asJSON}, "GRAPHQL_PARSE_FAILED"},
		"invalid document":        {"POST", "/graphql", `{"query":"{ nope }"}`, []string{asJSON}, "GRAPHQL_VALIDATION_FAILED"},
		"field error":             {"POST", "/graphql", `{"query":"{ fail }"}`, []string{asJSON}, "BAD_USER_INPUT"},
		"panic":                   {"POST", "/graphql", `{"query":"{ panic }"}`, []string{asJSON}, "INTERNAL"},
		"dry run":                 {"POST", "/graphql", `{"query":"{ hello }"}`, []string{asJSON, "X-GraphQL-Dry-Run: true"}, "data"},
		"mutation":                {"POST", "/graphql", `{"query":"mutation { set }"}`, []string{asJSON, "Idempotency-Key: k"}, `"set":"done"`},
		"repeated mutation":       {"POST", "/graphql", `{"query":"mutation { set }"}`, []string{asJSON, "Idempotency-Key: again"}, `"set":"done"`},
		"mutation with GET":       {"GET", "/graphql?query=mutation{set}", "", nil, "BAD_USER_INPUT"},
		"query as events":         {"POST", "/graphql", `{"query":"{ hello }"}`, []string{asJSON, eventStream}, `"hello":"you"`},
		"subscription":            {"GET", "/graphql?query=subscription{count(to:2)}", "", []string{eventStream}, `"count": 2`},
		"error before the stream": {"GET", "/graphql?query=subscription{broken}", "", []string{eventStream}, "UNAUTHENTICATED"},
		"upload":                  {"POST", "/graphql", formOf(sendQuery, sendMap, file("0", "content")), []string{formType, preflight}, "content"},
		"upload, cut":             {"POST", "/graphql", formOf(sendQuery, sendMap, "--b\r\n"), []string{formType, preflight}, "BAD_USER_INPUT"},
		"not acceptable":          {"POST", "/graphql", `{"query":"{ hello }"}`, []string{asJSON, "Accept: image/png"}, "BAD_USER_INPUT"},
		"too large":               {"POST", "/graphql", `{"query":"{ hello }` + strings.Repeat(" ", 2<<20) + `"}`, []string{asJSON}, "LIMIT_EXCEEDED"},
		"form without files":      {"POST", "/graphql", formOf(`{"query":"{ hello }"}`, `{}`), []string{formType, preflight}, `"hello":"you"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				controller := admission.New(1, time.Millisecond)
				for way, h := range endpoints(newStub(), graphhttp.Options{Principal: func(context.Context) string { return "a" }}, controller) {
					for range 2 {
						w := &slowWriter{httptest.NewRecorder(), t, controller}
						h.ServeHTTP(w, request(t, tt.method, tt.target, tt.body, tt.headers...))
						if !strings.Contains(w.Body.String(), tt.want) {
							t.Errorf("%s: got %s, want it to contain %s", way, w.Body, tt.want)
						}
						occupy(t, controller).Close()
					}
				}
			})
		})
	}
}

// A query holds a slot, a subscription does not.
func TestAdmission_Subscription(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		controller := admission.New(1, time.Millisecond)
		s := newStub()
		s.fields["hello"] = func(ctx context.Context, _ map[string]any) (any, error) {
			if _, err := controller.Admit(ctx); err == nil {
				t.Error("a subscription's query runs without a slot")
			}
			return "you", nil
		}
		h := endpoints(s, graphhttp.Options{}, controller)["middleware"]
		for range 3 { // in parallel
			go serve(h, request(t, "GET", "/graphql?query=subscription{count(to:10)}", "", eventStream))
			synctest.Wait()
		}
		for range 5 {
			time.Sleep(time.Second)
			if rec := serve(h, request(t, "GET", "/graphql?query={hello}", "")); rec.Code != http.StatusOK {
				t.Errorf("query while a subscription waits: status %d, want 200: %s", rec.Code, rec.Body)
			}
		}
		occupy(t, controller).Close()
	})
}

// While files are transferred, no slot is held, for any speed of the client. Before the first
// file and after the last the operation holds one.
func TestAdmission_Files(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		controller := admission.New(1, time.Millisecond)
		h := graphhttp.New(newStub(), graphhttp.Options{Admission: controller, Timeout: 3 * time.Second}) // it does not apply to files
		head, tail, _ := strings.Cut(formOf(sendQuery, sendMap, file("0", "content")), "content")
		in, out := io.Pipe()
		go func() {
			defer out.Close()
			for _, piece := range []string{head[:40], head[40:], "con", "tent", tail[:5], tail[5:]} {
				_, _ = io.WriteString(out, piece)
				time.Sleep(5 * time.Second)
				occupy(t, controller).Close()
			}
		}()
		r := request(t, http.MethodPost, "/graphql", "x", formType, preflight, newer)
		r.Body, r.ContentLength = in, -1
		if body := serve(h, r).Body.String(); !strings.Contains(body, `content"`) {
			t.Errorf("got %s, want the file's content", body)
		}
		occupy(t, controller).Close()
	})
}

// No slot is held during calls to the stores of idempotency keys and documents.
func TestAdmission_Stores(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		controller := admission.New(1, time.Millisecond)
		called := 0
		free := func() {
			occupy(t, controller).Close()
			called++
		}
		h := graphhttp.New(newStub(), graphhttp.Options{
			Admission: controller, Principal: func(context.Context) string { return "a" },
			Writes: slowStore{free}, Queries: slowQueries{free},
		})
		asJSON := "Content-Type: application/json"
		serve(h, request(t, "POST", "/graphql", `{"query":"mutation { set }"}`, asJSON, "Idempotency-Key: k"))
		serve(h, request(t, "POST", "/graphql", persisted(t, "", sha("{ hello }")), asJSON))
		if called != 2 {
			t.Errorf("%d stores were called, want 2", called)
		}
		occupy(t, controller).Close()
	})
}

type (
	slowStore   struct{ called func() }
	slowQueries struct{ called func() }
)

func (s slowStore) Begin(context.Context, idempotency.Name, idempotency.Fingerprint) (idempotency.Claim, *idempotency.Response, error) {
	s.called()
	return nil, nil, idempotency.ErrInFlight
}

func (s slowQueries) Get(context.Context, string) (string, bool) {
	s.called()
	return "", false
}

func (slowQueries) Add(context.Context, string, string) {}
