package uploadhttp

import (
	"io"
	"net/http"
	"time"
)

// If a response is sent before the end of the request body, the server reads and discards the
// rest for a short time. If it closed the connection with unread bytes, TCP would send a reset,
// which may arrive before the response.
const (
	drainTimeout = time.Second
	maxDrain     = 64 << 20 // bytes
)

// Drain is middleware that reads the rest of an HTTP/2 request's body after its response, for
// at most a second. Without it the server resets the stream as soon as a refusal is sent, and
// some clients (curl) that are still sending then report the reset instead of the response.
// HTTP/1.1 connections are drained by net/http and, for forms, by [Request.Close].
func Drain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, length := r.Body, r.ContentLength
		next.ServeHTTP(w, r)
		// A client that expects 100 Continue has sent nothing yet, and a read of the body would
		// send 100 Continue.
		if r.ProtoMajor != 2 || length == 0 || r.Header.Get("Expect") != "" {
			return
		}
		ctrl := http.NewResponseController(w)
		if ctrl.Flush() == nil && ctrl.SetReadDeadline(time.Now().Add(drainTimeout)) == nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(body, maxDrain))
		}
	})
}

// drain discards the rest of an HTTP/1 body after its response. When the handler returns,
// net/http discards some of the rest, closes its own side of the connection and waits a short
// time for the client. net/http does not wait for a client that sent Expect: 100-continue, so
// drain discards the rest of its body.
func (b *body) drain() {
	if !b.http1 {
		return
	}
	b.conn.stopReadAhead()
	if !b.setDrainDeadline() || b.ctrl.Flush() != nil {
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(b.reader, maxDrain))
}

// setDrainDeadline sets the last deadline of a body that was not read completely, and reports
// whether drain must discard the rest.
func (b *body) setDrainDeadline() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return false
	}
	_ = b.ctrl.SetReadDeadline(time.Now().Add(drainTimeout))
	begun := !b.armed.IsZero()
	return b.expects && b.stopped && begun
}
