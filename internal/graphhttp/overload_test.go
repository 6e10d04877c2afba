package graphhttp_test

import (
	"context"
	"fmt"
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

// occupy takes all slots of a gate that has one.
func occupy(t *testing.T, gate *admission.Gate) *admission.Slot {
	t.Helper()
	slot, err := gate.Enter(t.Context())
	if err != nil {
		t.Fatal("the slot is not free")
	}
	return slot
}

// gated are the endpoint with a gate of its own, and one behind the middleware.
func gated(s *stub, o graphhttp.Options, gate *admission.Gate) map[string]http.Handler {
	own := o
	own.Admission = gate
	if o.Bodies == nil {
		o.Bodies = graphhttp.NewBodies(0)
	}
	return map[string]http.Handler{
		"endpoint":   graphhttp.New(s, own),
		"middleware": graphhttp.Admission(gate, o.Bodies, "/graphql", 0, slog.New(slog.DiscardHandler))(graphhttp.New(s, own)),
	}
}

// Whatever is asked, in every media type: without a free slot it is refused after
// the maximum wait, with a status, a header and a body that say so, before it is
// parsed.
func TestAdmission_Refusal(t *testing.T) {
	t.Parallel()
	const want = `{"errors":[{"message":"The server has more operations to process than it can. Try again in a second.",` +
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
		"no JSON":           {"POST", "/graphql", `{`, []string{asJSON}, "application/json"},
		"no document":       {"POST", "/graphql", `{"query":"{"}`, []string{asJSON}, "application/json"},
		"mutation":          {"POST", "/graphql", `{"query":"mutation { set }"}`, []string{asJSON, "Idempotency-Key: k"}, "application/json"},
		"GET":               {"GET", "/graphql?query={hello}", "", nil, "application/json"},
		"GET, no variables": {"GET", "/graphql?query={hello}&variables=x", "", nil, "application/json"},
		"query for events":  {"POST", "/graphql", `{"query":"{ hello }"}`, []string{asJSON, eventStream}, "application/json"},
		"subscription":      {"GET", "/graphql?query=subscription{count(to:1)}", "", []string{eventStream}, "application/json"},
		"upload":            {"POST", "/graphql", formed(sendQuery, sendMap, file("0", "content")), []string{formType, preflight}, "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				gate := admission.New(1, time.Second)
				for way, h := range gated(newStub(), graphhttp.Options{}, gate) {
					slot := occupy(t, gate)
					began := time.Now()
					rec := serve(h, request(t, tt.method, tt.target, tt.body, tt.headers...))
					if took := time.Since(began); took != time.Second {
						t.Errorf("%s: refused after %v", way, took)
					}
					if diff := cmp.Diff(want, rec.Body.String()); diff != "" {
						t.Error(way, diff)
					}
					got := []any{rec.Code, rec.Header().Get("Content-Type"), rec.Header().Get("Retry-After"), rec.Header().Get("Cache-Control")}
					if diff := cmp.Diff([]any{503, tt.media + "; charset=utf-8", "1", "no-store"}, got); diff != "" {
						t.Error(way, diff)
					}
					slot.Leave()
					rec = serve(h, request(t, tt.method, tt.target, tt.body, tt.headers...))
					if rec.Code == http.StatusServiceUnavailable || strings.Contains(rec.Body.String(), "LIMIT_EXCEEDED") {
						t.Errorf("%s: refused though the slot is free: %d %s", way, rec.Code, rec.Body)
					}
					occupy(t, gate).Leave()
				}
			})
		})
	}
}

// A client that leaves while its operation is queued: nothing is executed.
func TestAdmission_ClientLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(1, time.Second)
		s := newStub()
		s.fields["set"] = func(context.Context, map[string]any) (any, error) {
			t.Error("executed")
			return nil, nil
		}
		slot := occupy(t, gate)
		for way, h := range gated(s, graphhttp.Options{}, gate) {
			ctx, leave := context.WithTimeout(t.Context(), 300*time.Millisecond)
			began := time.Now()
			rec := serve(h, request(t, "POST", "/graphql", `{"query":"mutation { set }"}`, "Content-Type: application/json").WithContext(ctx))
			if took := time.Since(began); took != 300*time.Millisecond || rec.Code != 499 {
				t.Errorf("%s: status %d after %v", way, rec.Code, took)
			}
			leave()
		}
		slot.Leave()
	})
}

// A slowWriter is a client that takes its time to read: meanwhile no slot is held.
type slowWriter struct {
	*httptest.ResponseRecorder
	t    *testing.T
	gate *admission.Gate
}

func (w *slowWriter) free(what string) {
	slot, err := w.gate.Enter(w.t.Context())
	if err != nil {
		w.t.Errorf("a slot is held while %s", what)
	}
	slot.Leave()
}

func (w *slowWriter) WriteHeader(status int) {
	w.free("the header is written")
	w.ResponseRecorder.WriteHeader(status)
}

func (w *slowWriter) Write(b []byte) (int, error) {
	w.free(fmt.Sprintf("%.20q is written", b))
	return w.ResponseRecorder.Write(b)
}

// The slot is given back before anything is written, whatever becomes of the
// operation, and afterwards in any case.
func TestAdmission_NotWhileWriting(t *testing.T) {
	t.Parallel()
	const asJSON = "Content-Type: application/json"
	for name, tt := range map[string]struct {
		method, target, body string
		headers              []string
		want                 string // of the response
	}{
		"query":              {"POST", "/graphql", `{"query":"{ hello }"}`, []string{asJSON}, `"hello":"you"`},
		"GET":                {"GET", "/graphql?query={hello}", "", nil, `"hello":"you"`},
		"GET, no variables":  {"GET", "/graphql?query={hello}&variables=x", "", nil, "BAD_USER_INPUT"},
		"no JSON":            {"POST", "/graphql", `{`, []string{asJSON}, "BAD_USER_INPUT"},
		"no document":        {"POST", "/graphql", `{"query":"{"}`, []string{asJSON}, "GRAPHQL_PARSE_FAILED"},
		"invalid document":   {"POST", "/graphql", `{"query":"{ nope }"}`, []string{asJSON}, "GRAPHQL_VALIDATION_FAILED"},
		"field error":        {"POST", "/graphql", `{"query":"{ fail }"}`, []string{asJSON}, "BAD_USER_INPUT"},
		"panic":              {"POST", "/graphql", `{"query":"{ panic }"}`, []string{asJSON}, "INTERNAL"},
		"dry run":            {"POST", "/graphql", `{"query":"{ hello }"}`, []string{asJSON, "X-GraphQL-Dry-Run: true"}, "data"},
		"mutation":           {"POST", "/graphql", `{"query":"mutation { set }"}`, []string{asJSON, "Idempotency-Key: k"}, `"set":"done"`},
		"the same again":     {"POST", "/graphql", `{"query":"mutation { set }"}`, []string{asJSON, "Idempotency-Key: again"}, `"set":"done"`},
		"mutation with GET":  {"GET", "/graphql?query=mutation{set}", "", nil, "BAD_USER_INPUT"},
		"query for events":   {"POST", "/graphql", `{"query":"{ hello }"}`, []string{asJSON, eventStream}, `"hello":"you"`},
		"subscription":       {"GET", "/graphql?query=subscription{count(to:2)}", "", []string{eventStream}, `"count": 2`},
		"broken at once":     {"GET", "/graphql?query=subscription{broken}", "", []string{eventStream}, "UNAUTHENTICATED"},
		"upload":             {"POST", "/graphql", formed(sendQuery, sendMap, file("0", "content")), []string{formType, preflight}, "content"},
		"upload, cut":        {"POST", "/graphql", formed(sendQuery, sendMap, "--b\r\n"), []string{formType, preflight}, "BAD_USER_INPUT"},
		"not acceptable":     {"POST", "/graphql", `{"query":"{ hello }"}`, []string{asJSON, "Accept: image/png"}, "BAD_USER_INPUT"},
		"too large":          {"POST", "/graphql", `{"query":"{ hello }` + strings.Repeat(" ", 2<<20) + `"}`, []string{asJSON}, "LIMIT_EXCEEDED"},
		"form without files": {"POST", "/graphql", formed(`{"query":"{ hello }"}`, `{}`), []string{formType, preflight}, `"hello":"you"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				gate := admission.New(1, time.Millisecond)
				for way, h := range gated(newStub(), graphhttp.Options{Audience: func(context.Context) string { return "a" }}, gate) {
					for range 2 {
						w := &slowWriter{httptest.NewRecorder(), t, gate}
						h.ServeHTTP(w, request(t, tt.method, tt.target, tt.body, tt.headers...))
						if !strings.Contains(w.Body.String(), tt.want) {
							t.Errorf("%s: got %s", way, w.Body)
						}
						occupy(t, gate).Leave()
					}
				}
			})
		})
	}
}

// A query computes in a slot, a subscription does not.
func TestAdmission_Subscription(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(1, time.Millisecond)
		s := newStub()
		s.fields["hello"] = func(ctx context.Context, _ map[string]any) (any, error) {
			if _, err := gate.Enter(ctx); err == nil {
				t.Error("a query computes without a slot")
			}
			return "you", nil
		}
		h := gated(s, graphhttp.Options{}, gate)["middleware"]
		for range 3 { // side by side
			go serve(h, request(t, "GET", "/graphql?query=subscription{count(to:10)}", "", eventStream))
			synctest.Wait()
		}
		for range 5 {
			time.Sleep(time.Second)
			if rec := serve(h, request(t, "GET", "/graphql?query={hello}", "")); rec.Code != http.StatusOK {
				t.Errorf("got %d %s", rec.Code, rec.Body)
			}
		}
		occupy(t, gate).Leave()
	})
}

// While files flow, no slot is held, however slowly the client sends them; before
// the first file and after the last the operation computes in one.
func TestAdmission_Files(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(1, time.Millisecond)
		h := graphhttp.New(newStub(), graphhttp.Options{Admission: gate})
		head, tail, _ := strings.Cut(formed(sendQuery, sendMap, file("0", "content")), "content")
		body, _ := dripped(t, h, func(d drip) {
			for _, piece := range []string{head[:40], head[40:], "con", "tent", tail[:5], tail[5:]} {
				d.send(piece)
				time.Sleep(5 * time.Second)
				occupy(t, gate).Leave()
			}
		})
		if !strings.Contains(body, "content") {
			t.Errorf("got %s", body)
		}
		occupy(t, gate).Leave()
	})
}

// While the store of idempotency keys or of documents is asked, no slot is held.
func TestAdmission_Stores(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := admission.New(1, time.Millisecond)
		asked := 0
		free := func() {
			occupy(t, gate).Leave()
			asked++
		}
		h := graphhttp.New(newStub(), graphhttp.Options{
			Admission: gate, Audience: func(context.Context) string { return "a" },
			Writes: slowStore{free}, Queries: slowQueries{free},
		})
		asJSON := "Content-Type: application/json"
		serve(h, request(t, "POST", "/graphql", `{"query":"mutation { set }"}`, asJSON, "Idempotency-Key: k"))
		serve(h, request(t, "POST", "/graphql", persisted(t, "", sha("{ hello }")), asJSON))
		if asked != 2 {
			t.Errorf("%d stores were asked", asked)
		}
		occupy(t, gate).Leave()
	})
}

type (
	slowStore   struct{ asked func() }
	slowQueries struct{ asked func() }
)

func (s slowStore) Begin(context.Context, idempotency.Name, idempotency.Fingerprint) (idempotency.Claim, *idempotency.Answer, error) {
	s.asked()
	return nil, nil, idempotency.ErrInFlight
}

func (s slowQueries) Get(context.Context, string) (string, bool) {
	s.asked()
	return "", false
}

func (slowQueries) Add(context.Context, string, string) {}
