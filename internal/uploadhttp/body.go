package uploadhttp

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// defaultIdleTimeout is the maximum pause of a client that sends a body.
const defaultIdleTimeout = time.Minute

// maxChunkHead is an upper bound of the number of bytes between the contents of two chunks.
const maxChunkHead = 64

// A body is a streaming request body. It sets its own read deadlines, because a server's
// ReadTimeout would interrupt an upload that takes hours. The first bytes, up to [body.endHead],
// must arrive within the head timeout. After that, Read fails only after a pause of more than the
// idle timeout.
type body struct {
	reader io.Reader
	conn   *conn // nil if the connection cannot read ahead, see [Listener]
	ctrl   *http.ResponseController
	idle   time.Duration

	http1   bool // the connection carries only this body
	expects bool // the client sent Expect: 100-continue

	mu      sync.Mutex
	headEnd time.Time // deadline of the first bytes; zero when only the idle timeout applies
	armed   time.Time // time of the last change of the read deadline
	ended   bool      // the body was read completely
	stopped bool
}

// errStopped is the error of a read after the response has begun.
var errStopped = errors.New("the response has started")

func newBody(w http.ResponseWriter, r *http.Request, o Options) *body {
	ctrl := http.NewResponseController(w)
	// The response may start, and end, while the client is still sending. Only the writers of
	// some tests do not support this.
	_ = ctrl.EnableFullDuplex()
	conn := connOf(r)
	conn.startReadAhead(r.ContentLength < 0)
	return &body{
		reader: r.Body, conn: conn, ctrl: ctrl, idle: o.IdleTimeout, headEnd: time.Now().Add(o.HeadTimeout),
		http1: r.ProtoMajor == 1, expects: r.Header.Get("Expect") != "",
	}
}

// endHead ends the head timeout: from now on only the idle timeout applies.
func (b *body) endHead() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.headEnd, b.armed = time.Time{}, time.Time{}
}

// Read reads from the body. Only one goroutine may call it at a time.
func (b *body) Read(p []byte) (int, error) {
	if err := b.setDeadline(); err != nil {
		return 0, err
	}
	n, err := b.reader.Read(p)
	// net/http returns a chunked body chunk by chunk. The buffer contains the head of the next
	// chunk and some of its content, so this does not block.
	for err == nil && n < len(p)/2 && b.conn.buffered() > maxChunkHead {
		var more int
		more, err = b.reader.Read(p[n:])
		n += more
	}
	if err != nil {
		b.finish(err)
	}
	return n, err
}

// setDeadline sets the connection's read deadline. It does so only at some reads, because it
// costs as much as a small read.
func (b *body) setDeadline() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	switch {
	case b.stopped:
		return errStopped
	case !b.headEnd.IsZero():
		if b.armed.IsZero() {
			b.armed = now
			_ = b.ctrl.SetReadDeadline(b.headEnd)
		}
	case now.Sub(b.armed) > b.idle/10:
		b.armed = now
		_ = b.ctrl.SetReadDeadline(now.Add(b.idle))
	}
	return nil
}

// finish removes the deadline after the last byte: net/http continues to read in order to
// detect that the client disconnects, which may be much later.
func (b *body) finish(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if errors.Is(err, io.EOF) {
		b.ended = true
	}
	if !b.stopped {
		_ = b.ctrl.SetReadDeadline(time.Time{})
	}
}

// stop ends the reading, and reports whether the body was read completely. If not, the connection
// cannot be reused: when the handler returns, net/http discards a bounded part of the rest within
// drainTimeout, and closes the connection.
func (b *body) stop() (whole bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = true
	return b.ended
}

// isTimeout reports whether a read failed because the client stopped sending.
func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
