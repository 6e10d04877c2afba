package uploadhttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A timer that fires while the deadline is moved is restarted.
func TestMovableDeadline_firesEarly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := withMovableDeadline(t.Context(), time.Minute)
		defer c.cancel()
		c.timer.Stop()
		if c.expired() {
			t.Error("deadline expired early")
		}
		<-c.Done()
		if took := time.Since(start); took != time.Minute || !errors.Is(c.Err(), context.DeadlineExceeded) {
			t.Errorf("context ended after %v with %v, want 1m with DeadlineExceeded", took, c.Err())
		}
	})
}

// A deadlineRecorder is a response that records the read deadlines of its
// connection, as times from its start; 0 is none.
type deadlineRecorder struct {
	*httptest.ResponseRecorder
	start     time.Time
	deadlines []time.Duration
}

func (r *deadlineRecorder) SetReadDeadline(at time.Time) error {
	if at.IsZero() {
		r.deadlines = append(r.deadlines, 0)
	} else {
		r.deadlines = append(r.deadlines, at.Sub(r.start))
	}
	return nil
}

func controllerOf(t *testing.T) *http.ResponseController {
	t.Helper()
	return http.NewResponseController(&deadlineRecorder{ResponseRecorder: httptest.NewRecorder()})
}

// The head has one deadline. After it only the idle timeout applies, and no deadline remains
// after the last byte.
func TestBody_deadlines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rec := &deadlineRecorder{ResponseRecorder: httptest.NewRecorder(), start: time.Now()}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader("123456789"))
		b := newBody(rec, r, Options{HeadTimeout: 10 * time.Second, IdleTimeout: time.Minute})
		one := make([]byte, 1)
		read := func() {
			t.Helper()
			if _, err := b.Read(one); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
		}
		read() // at 0 s
		read()
		b.endHead()
		read() // at 10 s
		read()
		read() // at 20 s; a deadline is moved after more than a tenth of the idle timeout
		read()
		if _, err := io.Copy(io.Discard, b); err != nil { // at 30 s
			t.Fatal(err)
		}
		const s = time.Second
		if want := []time.Duration{10 * s, 70 * s, 80 * s, 90 * s, 0}; !slices.Equal(rec.deadlines, want) {
			t.Errorf("read deadlines = %v, want %v", rec.deadlines, want)
		}
		if !b.stop() {
			t.Error("stop() = false, want the body read to its end")
		}
		if _, err := b.Read(one); !errors.Is(err, errStopped) {
			t.Errorf("Read after the response = %v, want errStopped", err)
		}
	})
}
