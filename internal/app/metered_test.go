package app

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/mixcloud/emulator"
)

// meteredHeaders are the response headers about cost, rate limits and caching.
var meteredHeaders = []string{"Cache-Control", "ETag", "Vary", "Retry-After", "RateLimit", "RateLimit-Policy"}

// runStep runs one step of a case in testdata/metered and returns its output. A step is one line:
//
//	GET | POST [Header: value; …]   sends the case's query and shows the response
//	quiet                           sends the query and shows nothing
//	wait 90s                        waits
//	fault reset | rate-limit 30s …  adds a fault to the emulator
//	clear-faults                    removes all faults
func runStep(t *testing.T, s *testServer, line, query string) string {
	t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "wait":
		d, err := time.ParseDuration(rest)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(d)
		return ""
	case "fault":
		kind, wait, _ := strings.Cut(rest, " ")
		f := emulator.Fault{Kind: emulator.FaultKind(kind)}
		if wait != "" {
			d, err := time.ParseDuration(wait)
			if err != nil {
				t.Fatal(err)
			}
			f.RetryAfter = d
		}
		if err := s.emulator.Fail(f); err != nil {
			t.Fatal(err)
		}
		return ""
	case "clear-faults":
		s.emulator.ClearFaults()
		return ""
	case "quiet":
		word = http.MethodPost
	}
	var r *http.Request
	if word == http.MethodGet {
		r = httptest.NewRequestWithContext(t.Context(), word, "/graphql?query="+url.QueryEscape(query), nil)
	} else {
		r = httptest.NewRequestWithContext(t.Context(), word, "/graphql", strings.NewReader(`{"query":`+strconv.Quote(query)+`}`))
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Accept", "application/graphql-response+json")
	for part := range strings.SplitSeq(rest, "; ") {
		if name, value, ok := strings.Cut(part, ": "); ok {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	s.app.ServeHTTP(w, r)
	synctest.Wait() // for calls in the background
	calls := s.takeCalls()
	if line == "quiet" {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "> %s\n%d\n", line, w.Code)
	for _, name := range meteredHeaders {
		for _, value := range w.Header().Values(name) {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	b.WriteString(normalizeBody(t, response{w.Code, w.Header(), w.Body.Bytes()}))
	for _, call := range calls {
		b.WriteString(call + "\n")
	}
	return b.String()
}

// TestMetered runs the cases in testdata/metered, which show what responses report about cost, budget, freshness and rate
// limits.
func TestMetered(t *testing.T) {
	t.Parallel()
	sharedWorld()
	files, err := filepath.Glob("testdata/metered/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d cases, want at least 10 (error %v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(archive.Files) != 3 || len(archive.Comment) < 30 {
				t.Fatalf("a case must have a first line that describes the tested behavior, and the sections query.graphql, steps and want")
			}
			query := string(archive.Files[0].Data)
			var got strings.Builder
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, serverOptions{config: config.Serve{UpstreamRate: 20, UpstreamBurst: 200}, emulator: []emulator.Option{emulator.WithLatency(callLatency)}})
				defer func() {
					if err := s.app.store.Close(t.Context()); err != nil {
						t.Error(err)
					}
				}()
				for line := range strings.Lines(string(archive.Files[1].Data)) {
					got.WriteString(runStep(t, s, strings.TrimSpace(line), query))
				}
			})
			if *update {
				archive.Files[2].Data = []byte(got.String())
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(archive.Files[2].Data), got.String()); diff != "" {
				t.Errorf("output differs (- want, + got):\n%s", diff)
			}
		})
	}
}

// The error's retryAfterMs, the Retry-After header, the RateLimit header and the field rateLimit report the same time.
func TestMetered_RetryAfterIsConsistent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, serverOptions{})
		if err := s.emulator.Fail(emulator.Fault{Match: "/spartacus/", Kind: emulator.FaultRateLimit, RetryAfter: 90 * time.Second}); err != nil {
			t.Fatal(err)
		}
		const query = `{ user(username: "spartacus") { name } rateLimit { retryAt } }`
		for range 3 {
			var data struct{ RateLimit struct{ RetryAt *time.Time } }
			resp := s.execute(t, "", query, nil)
			errs := resp.decode(t, &data)
			if len(errs) != 1 || errs[0].code() != "RATE_LIMITED" {
				t.Fatalf("response = %s, want one RATE_LIMITED error", resp.body)
			}
			ms, _ := errs[0].Extensions["retryAfterMs"].(float64)
			seconds := strconv.Itoa((int(ms) + 999) / 1000)
			if got := resp.header.Get("Retry-After"); got != seconds {
				t.Errorf("Retry-After = %q, want %q for retryAfterMs %v", got, seconds, ms)
			}
			if got := resp.header.Get("RateLimit"); !slices.Contains(strings.Split(got, ";"), "t="+seconds) {
				t.Errorf("RateLimit = %q, want t=%s for retryAfterMs %v", got, seconds, ms)
			}
			// rateLimit may be resolved before the first call is refused.
			if at := data.RateLimit.RetryAt; at != nil && int(time.Until(*at).Seconds()+0.999) != (int(ms)+999)/1000 {
				t.Errorf("retryAt is in %v, want it to agree with retryAfterMs %v", time.Until(*at), ms)
			}
			time.Sleep(7 * time.Second)
		}
		if err := s.app.store.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// If all admission slots are taken, an operation is refused after the maximum wait, in every media type and without a
// call. Health checks and pages need no slot.
func TestMetered_Overload(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, serverOptions{config: config.Serve{MaxWait: time.Second}})
		var slots []*admission.Slot
		for range runtime.GOMAXPROCS(0) {
			slot, err := s.app.admit.Admit(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			slots = append(slots, slot)
		}
		for _, accept := range []string{"application/json", "application/graphql-response+json"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(`{"query":"{ popular { nodes { name } } }"}`))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", accept)
			w, began := httptest.NewRecorder(), time.Now()
			s.app.ServeHTTP(w, r)
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `"retryAfterMs":1000`) || strings.Contains(w.Body.String(), `"data"`) {
				t.Errorf("%s: status = %d, header = %v, want 503 with a retry after 1 s and no data:\n%s", accept, w.Code, w.Header(), w.Body)
			}
			if took := time.Since(began); took != time.Second {
				t.Errorf("%s: refused after %v, want 1s", accept, took)
			}
		}
		for _, path := range []string{"/livez", "/readyz", "/"} {
			w, began := httptest.NewRecorder(), time.Now()
			s.app.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
			if w.Code != http.StatusOK || time.Since(began) > 0 {
				t.Errorf("%s: status = %d after %v, want 200 at once", path, w.Code, time.Since(began))
			}
		}
		if calls := s.takeCalls(); len(calls) > 0 {
			t.Errorf("calls = %q, want none", calls)
		}
		for _, slot := range slots {
			slot.Close()
		}
		if resp := s.execute(t, "", `{ popular(first: 1) { nodes { name } } }`, nil); resp.status != http.StatusOK {
			t.Errorf("status with free slots = %d, want 200: %s", resp.status, resp.body)
		}
		if err := s.app.store.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// An operation that waits for a call holds no admission slot: a hundred operations, with more parallel fields than there
// are slots, take as long as one of them.
func TestMetered_WaitingOperationsHoldNoSlot(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, serverOptions{
			noCache: true, emulator: []emulator.Option{emulator.WithLatency(10 * time.Second)},
			config: config.Serve{MaxWait: time.Millisecond, MaxUpstream: 1024, UpstreamRate: 10_000, UpstreamBurst: 10_000},
		})
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				query := fmt.Sprintf(`{ a: popular(first: %d) { nodes { name description user { name biog } } } b: hot(first: %[1]d) { nodes { name description } } }`, 1+i%5)
				if resp := s.execute(t, "", query, nil); resp.status != http.StatusOK || bytes.Contains(resp.body, []byte("errors")) {
					t.Errorf("status = %d, want 200 without errors: %s", resp.status, resp.body)
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); took > 21*time.Second { // two rounds of calls
			t.Errorf("duration = %v, want 2 rounds of 10s", took)
		}
		for range runtime.GOMAXPROCS(0) { // all slots are free again
			if _, err := s.app.admit.Admit(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if err := s.app.store.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
