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

// meteredHeaders are those of an answer that say what it cost and for how long
// it is good.
var meteredHeaders = []string{"Cache-Control", "ETag", "Vary", "Retry-After", "RateLimit", "RateLimit-Policy"}

// A step is one thing that a case in testdata/metered does, a line each:
//
//	GET | POST [Header: value; …]   asks the case's query, and shows the answer
//	quiet                           asks it and shows nothing
//	wait 90s                        lets time pass
//	fault reset | rate-limit 30s …  disturbs Mixcloud from now on
//	well                            undoes that
func step(t *testing.T, s *testServer, line, query string) string {
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
	case "well":
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
	synctest.Wait() // for what goes on in the background
	calls := s.calls()
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
	b.WriteString(indented(t, response{w.Code, w.Header(), w.Body.Bytes()}))
	for _, call := range calls {
		b.WriteString(call + "\n")
	}
	return b.String()
}

// TestMetered plays the cases that say what clients learn of costs, budgets,
// freshness and limits.
func TestMetered(t *testing.T) {
	t.Parallel()
	sharedWorld()
	files, err := filepath.Glob("testdata/metered/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(archive.Files) != 3 || len(archive.Comment) < 30 {
				t.Fatalf("a case has prose, query.graphql, steps and want")
			}
			query := string(archive.Files[0].Data)
			var got strings.Builder
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, serverOptions{config: config.Serve{UpstreamRate: 20, UpstreamBurst: 200}, emulator: []emulator.Option{emulator.WithLatency(callTime)}})
				defer func() {
					if err := s.app.store.Close(t.Context()); err != nil {
						t.Error(err)
					}
				}()
				for line := range strings.Lines(string(archive.Files[1].Data)) {
					got.WriteString(step(t, s, strings.TrimSpace(line), query))
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
				t.Errorf("(- wanted, + got)\n%s", diff)
			}
		})
	}
}

// TestMetered_RetryAfter holds that whoever is told to wait is told the same
// everywhere: in the error, in the header and by rateLimit.
func TestMetered_RetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, serverOptions{})
		if err := s.emulator.Fail(emulator.Fault{Match: "/spartacus/", Kind: emulator.FaultRateLimit, RetryAfter: 90 * time.Second}); err != nil {
			t.Fatal(err)
		}
		const query = `{ user(username: "spartacus") { name } rateLimit { retryAt } }`
		for range 3 {
			var data struct{ RateLimit struct{ RetryAt *time.Time } }
			a := s.ask(t, "", query, nil)
			errs := a.decode(t, &data)
			if len(errs) != 1 || errs[0].code() != "RATE_LIMITED" {
				t.Fatalf("%s", a.body)
			}
			ms, _ := errs[0].Extensions["retryAfterMs"].(float64)
			seconds := strconv.Itoa((int(ms) + 999) / 1000)
			if got := a.header.Get("Retry-After"); got != seconds {
				t.Errorf("Retry-After is %q, retryAfterMs %v", got, ms)
			}
			if got := a.header.Get("RateLimit"); !slices.Contains(strings.Split(got, ";"), "t="+seconds) {
				t.Errorf("RateLimit is %q, retryAfterMs %v", got, ms)
			}
			// The first answer may be under way before the refusal is.
			if at := data.RateLimit.RetryAt; at != nil && int(time.Until(*at).Seconds()+0.999) != (int(ms)+999)/1000 {
				t.Errorf("retryAt is in %v, retryAfterMs %v", time.Until(*at), ms)
			}
			time.Sleep(7 * time.Second)
		}
		if err := s.app.store.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// While all slots are taken, an operation is refused after the maximum wait, in
// every media type and without a call. Health checks and pages need no slot.
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
				t.Errorf("%s: status %d, header %v\n%s", accept, w.Code, w.Header(), w.Body)
			}
			if took := time.Since(began); took != time.Second {
				t.Errorf("refused after %v", took)
			}
		}
		for _, path := range []string{"/livez", "/readyz", "/"} {
			w, began := httptest.NewRecorder(), time.Now()
			s.app.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
			if w.Code != http.StatusOK || time.Since(began) > 0 {
				t.Errorf("%s: status %d after %v", path, w.Code, time.Since(began))
			}
		}
		if calls := s.calls(); len(calls) > 0 {
			t.Errorf("calls were made: %q", calls)
		}
		for _, slot := range slots {
			slot.Close()
		}
		if a := s.ask(t, "", `{ popular(first: 1) { nodes { name } } }`, nil); a.status != http.StatusOK {
			t.Errorf("afterwards: status %d, %s", a.status, a.body)
		}
		if err := s.app.store.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A hundred operations that all wait for Mixcloud, with more fields side by side
// than there are slots, need no longer than one of them.
func TestMetered_WaitingHoldsNothingUp(t *testing.T) {
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
				if a := s.ask(t, "", query, nil); a.status != http.StatusOK || bytes.Contains(a.body, []byte("errors")) {
					t.Errorf("status %d, %s", a.status, a.body)
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); took > 21*time.Second { // two rounds of calls
			t.Errorf("took %v", took)
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
