package graphhttp

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/accept"
	"mixcloud-graphql/internal/responselimit"
)

// A slowClient reads at a rate in bytes per second of virtual time; with 0 it reads nothing. It has no
// buffer.
type slowClient struct {
	*httptest.ResponseRecorder
	rate     int
	deadline time.Time
}

func (c *slowClient) SetWriteDeadline(t time.Time) error {
	c.deadline = t
	return nil
}

func (c *slowClient) Write(b []byte) (int, error) {
	need := 1000 * time.Hour
	if c.rate > 0 {
		need = time.Duration(len(b)) * time.Second / time.Duration(c.rate)
	}
	if left := time.Until(c.deadline); need > left {
		time.Sleep(left)
		return 0, os.ErrDeadlineExceeded
	}
	time.Sleep(need)
	return c.ResponseRecorder.Write(b)
}

// The deadline of a write moves with the client's progress: a slow client gets a large
// response, and a stalled one is soon disconnected.
func TestSend(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for name, tt := range map[string]struct {
		size, rate int
		whole      bool
		within     time.Duration
	}{
		"fast":                          {16 * mib, 10 * mib, true, 2 * time.Second},
		"slow and steady":               {16 * mib, 40 << 10, true, 410 * time.Second},
		"small, over a slow connection": {32 << 10, 2 << 10, true, 16 * time.Second},
		"reads nothing":                 {16 * mib, 0, false, 30 * time.Second},
		"slower than the minimum rate":  {16 * mib, 16 << 10, false, 60 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &slowClient{ResponseRecorder: httptest.NewRecorder(), rate: tt.rate}
				start := time.Now()
				err := send(c, make([]byte, tt.size))
				if took := time.Since(start); took > tt.within || (err == nil) != tt.whole {
					t.Errorf("send took %v, want at most %v; error %v, want success %v", took, tt.within, err, tt.whole)
				}
			})
		})
	}
}

// While too many bytes of other responses are unsent, no operation starts.
func TestUnsent_RefusesOperations(t *testing.T) {
	t.Parallel()
	unsent := responselimit.NewUnsentMemory(1000)
	h := withStats(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := (runner{unsent: unsent}).enter(w, r, accept.Types{Media: mediaJSON}); ok {
			t.Error("an operation was executed while too many responses were unsent")
		}
	}))
	waiting := unsent.Reserve()
	waiting.Set(1000)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/graphql", nil))
	if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") != "1" {
		t.Errorf("status %d, headers %v, want 503 with Retry-After 1", rec.Code, rec.Header())
	}
	for _, want := range []string{`"code":"LIMIT_EXCEEDED"`, `"retryable":true`, `"retryAfterMs":1000`} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("body %s lacks %s", rec.Body, want)
		}
	}
}
