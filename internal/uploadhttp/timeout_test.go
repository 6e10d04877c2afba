package uploadhttp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/upload"
)

// slowHead is a form up to the content of its only file.
const (
	slowHead = "--b\r\nContent-Disposition: form-data; name=operations\r\n\r\n" + sendQuery +
		"\r\n--b\r\nContent-Disposition: form-data; name=map\r\n\r\n" + sendMap +
		"\r\n--b\r\nContent-Disposition: form-data; name=0; filename=x\r\n\r\n"
	slowTail = "\r\n--b--\r\n"
)

// A slowConn is a response, and the request body of its connection, whose reads fail after the
// read deadline.
type slowConn struct {
	*httptest.ResponseRecorder
	*io.PipeReader
	deadline time.Time
}

func (c *slowConn) SetReadDeadline(at time.Time) error {
	c.deadline = at
	return nil
}

func (c *slowConn) Read(p []byte) (int, error) {
	n, err := c.PipeReader.Read(p)
	if !c.deadline.IsZero() && time.Now().After(c.deadline) {
		return 0, os.ErrDeadlineExceeded
	}
	return n, err
}

// serveSlowly serves a form of unknown length that feed writes, and returns the response and
// its duration.
func serveSlowly(t *testing.T, h http.Handler, feed func(write func(string))) (response string, took time.Duration) {
	t.Helper()
	in, out := io.Pipe()
	go func() {
		defer out.Close()
		feed(func(text string) { _, _ = io.WriteString(out, text) })
	}()
	conn := &slowConn{ResponseRecorder: httptest.NewRecorder(), PipeReader: in}
	r := request(t, conn, formType, preflight)
	r.ContentLength = -1
	start := time.Now()
	h.ServeHTTP(conn, r)
	took = time.Since(start)
	_ = in.Close()
	return conn.Body.String(), took
}

// While a file is transferred, at any speed, the operation's timeout does not apply.
func TestTimeout_transfer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		body, took := serveSlowly(t, endpoint{timeout: 3 * time.Second}, func(write func(string)) {
			write(slowHead)
			for range 3600 {
				time.Sleep(time.Second)
				write("x")
			}
			write(slowTail)
		})
		if !strings.Contains(body, strings.Repeat("x", 3600)) || took != time.Hour {
			t.Errorf("transfer took %v, want 1h with the whole file: %.200s", took, body)
		}
	})
}

// The form's first parts must arrive within ten seconds, and its files without a pause of a
// minute.
func TestTimeout_client(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ beforeMap, beforeFile, within time.Duration }{
		"slow first parts": {11 * time.Second, 0, 0},
		"pause":            {time.Second, 61 * time.Second, 0},
		"pause, later":     {time.Second, 0, 67 * time.Second}, // the deadline is moved every six seconds
		"just in time":     {9 * time.Second, 59 * time.Second, 59 * time.Second},
		"without a pause":  {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				body, _ := serveSlowly(t, endpoint{}, func(write func(string)) {
					write(slowHead[:100])
					time.Sleep(test.beforeMap)
					write(slowHead[100:])
					time.Sleep(test.beforeFile)
					write("x")
					time.Sleep(test.within)
					write("y" + slowTail)
				})
				want := "stopped sending"
				if name == "just in time" || name == "without a pause" {
					want = "variables.f=0,x,,xy"
				}
				if !strings.Contains(body, want) {
					t.Errorf("body = %s, want %s", body, want)
				}
			})
		})
	}
}

// The operation's timeout applies until the first file is read.
func TestTimeout_before(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		body, took := serveSlowly(t, endpoint{timeout: 3 * time.Second, send: wait}, func(write func(string)) { write(slowHead) })
		if !strings.Contains(body, "UPSTREAM_TIMEOUT") || took != 3*time.Second {
			t.Errorf("response after %v, want UPSTREAM_TIMEOUT after 3s: %s", took, body)
		}
	})
}

// An upload ends if Mixcloud accepts no byte for two minutes.
func TestTimeout_stalled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		send := func(ctx context.Context) (string, error) {
			src, _ := upload.FromContext(ctx)
			if _, err := src.Next(ctx); err != nil {
				return "", err
			}
			return wait(ctx)
		}
		body, took := serveSlowly(t, endpoint{timeout: 3 * time.Second, send: send}, func(write func(string)) {
			write(slowHead + strings.Repeat("x", 100))
			write("this is not read")
		})
		if !strings.Contains(body, "UPSTREAM_TIMEOUT") || took != 2*time.Minute {
			t.Errorf("response after %v, want UPSTREAM_TIMEOUT after 2m: %s", took, body)
		}
	})
}

// Mixcloud has five minutes to respond after the last byte.
func TestTimeout_after(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		send := func(ctx context.Context) (string, error) {
			if _, err := readFiles(ctx); err != nil {
				return "", err
			}
			derived, cancel := context.WithCancel(ctx)
			defer cancel()
			_, err := wait(derived)
			if !errors.Is(derived.Err(), context.DeadlineExceeded) {
				t.Errorf("derived context ended with %v, want DeadlineExceeded", derived.Err())
			}
			return "", err
		}
		body, took := serveSlowly(t, endpoint{timeout: 3 * time.Second, send: send}, func(write func(string)) { write(slowHead + "x" + slowTail) })
		if !strings.Contains(body, "UPSTREAM_TIMEOUT") || took != 5*time.Minute {
			t.Errorf("response after %v, want UPSTREAM_TIMEOUT after 5m: %s", took, body)
		}
	})
}

// The operation ends with the request's own context.
func TestTimeout_clientLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		start := time.Now()
		r := request(t, strings.NewReader(slowHead), formType, preflight)
		rec := serve(endpoint{send: wait}, r.WithContext(ctx))
		if took := time.Since(start); took != time.Second || !strings.Contains(rec.Body.String(), "UPSTREAM_UNAVAILABLE") {
			t.Errorf("response after %v, want UPSTREAM_UNAVAILABLE after 1s: %s", took, rec.Body)
		}
	})
}
