package graphhttp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/upload"
)

// A drip is a body that comes a little at a time.
type drip struct {
	*io.PipeReader
	w *io.PipeWriter
}

func newDrip() drip {
	r, w := io.Pipe()
	return drip{r, w}
}

func (d drip) send(text string) { _, _ = io.WriteString(d.w, text) }

const (
	dripHead = "--b\r\nContent-Disposition: form-data; name=operations\r\n\r\n" + sendQuery +
		"\r\n--b\r\nContent-Disposition: form-data; name=map\r\n\r\n" + sendMap +
		"\r\n--b\r\nContent-Disposition: form-data; name=0; filename=x\r\n\r\n"
	dripTail = "\r\n--b--\r\n"
)

func dripped(t *testing.T, h http.Handler, feed func(d drip)) (answer string, took time.Duration) {
	t.Helper()
	d := newDrip()
	go func() {
		defer d.w.Close()
		feed(d)
	}()
	r := request(t, http.MethodPost, "/graphql", "x", formType, preflight, newer)
	r.Body, r.ContentLength = d, -1
	start := time.Now()
	rec := serve(h, r)
	took = time.Since(start)
	_ = d.Close()
	return rec.Body.String(), took
}

// While a file flows, however slowly, the operation's timeout stands still.
func TestTimeout_flowing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		body, took := dripped(t, graphhttp.New(newStub(), graphhttp.Options{Timeout: 3 * time.Second}), func(d drip) {
			d.send(dripHead)
			for range 3600 {
				time.Sleep(time.Second)
				d.send("x")
			}
			d.send(dripTail)
		})
		if !strings.Contains(body, strings.Repeat("x", 3600)) || took != time.Hour {
			t.Errorf("after %v: %.200s", took, body)
		}
	})
}

// Until the first file is asked for, the operation's timeout runs.
func TestTimeout_before(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		s.fields["send"] = s.fields["wait"]
		body, took := dripped(t, graphhttp.New(s, graphhttp.Options{Timeout: 3 * time.Second}), func(d drip) { d.send(dripHead) })
		if !strings.Contains(body, "UPSTREAM_TIMEOUT") || took != 3*time.Second {
			t.Errorf("after %v: %s", took, body)
		}
	})
}

// An upload that Mixcloud takes nothing of does not stand for ever.
func TestTimeout_stalled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		s.fields["send"] = func(ctx context.Context, args map[string]any) (any, error) {
			src, _ := upload.From(ctx)
			if _, err := src.Next(ctx); err != nil {
				return nil, err
			}
			return s.fields["wait"](ctx, args)
		}
		body, took := dripped(t, graphhttp.New(s, graphhttp.Options{Timeout: 3 * time.Second}), func(d drip) {
			d.send(dripHead + strings.Repeat("x", 100))
			d.send("nobody reads this")
		})
		if !strings.Contains(body, "UPSTREAM_TIMEOUT") || took != 2*time.Minute {
			t.Errorf("after %v: %s", took, body)
		}
	})
}

// After the last byte there is time for Mixcloud to look at the file, and an end
// to it.
func TestTimeout_after(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		s.fields["send"] = func(ctx context.Context, args map[string]any) (any, error) {
			if _, err := readAll(ctx, args); err != nil {
				return nil, err
			}
			derived, cancel := context.WithCancel(ctx)
			defer cancel()
			_, err := s.fields["wait"](derived, args)
			if !errors.Is(derived.Err(), context.DeadlineExceeded) {
				t.Errorf("a context below ends with %v", derived.Err())
			}
			return nil, err
		}
		body, took := dripped(t, graphhttp.New(s, graphhttp.Options{Timeout: 3 * time.Second}), func(d drip) { d.send(dripHead + "x" + dripTail) })
		if !strings.Contains(body, "UPSTREAM_TIMEOUT") || took != 5*time.Minute {
			t.Errorf("after %v: %s", took, body)
		}
	})
}

// The end of the request's own context is the operation's.
func TestTimeout_clientLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		s.fields["send"] = s.fields["wait"]
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		start := time.Now()
		r := request(t, http.MethodPost, "/graphql", dripHead, formType, preflight, newer)
		rec := serve(graphhttp.New(s, graphhttp.Options{}), r.WithContext(ctx))
		if took := time.Since(start); took != time.Second || !strings.Contains(rec.Body.String(), "UPSTREAM_UNAVAILABLE") {
			t.Errorf("after %v: %s", took, rec.Body)
		}
	})
}
