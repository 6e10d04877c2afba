package graphhttp

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// Times of a request whose body flows while it is answered.
const (
	// idleTimeout is how long the client may send nothing.
	idleTimeout = time.Minute
	// lingerTimeout is how long what the client still sends is taken, and
	// thrown away, after an answer that came before the end of its body. A
	// connection that is closed on unread bytes is reset, and the reset may
	// overtake the answer.
	lingerTimeout = time.Second
	lingerBytes   = 64 << 20
)

// A flow is a request's body on its way. Its deadlines are its own: those of a
// server would cut an upload that takes hours.
type flow struct {
	body io.Reader
	wire *conn // that reads ahead; nil for none, see [Listener]
	conn *http.ResponseController
	idle time.Duration

	http1   bool // the body is all that the connection carries
	expects bool // the client has asked whether to send the body

	mu    sync.Mutex
	until time.Time // when all must be there; zero when only idleness counts
	armed time.Time // when the connection's deadline was set last
	ended bool      // the body was read to its end
	shut  bool
}

// errShut is what a reader gets that goes on after the answer.
var errShut = errors.New("the request was answered")

// newFlow begins a flow whose first bytes, up to [flow.run], must be there
// within bodyTimeout.
func newFlow(w http.ResponseWriter, r *http.Request, idle time.Duration) *flow {
	conn := http.NewResponseController(w)
	// The answer may begin, and end, while the client is still sending. A
	// writer that cannot do that is one of a test.
	_ = conn.EnableFullDuplex()
	wire := connOf(r)
	wire.widen(r.ContentLength < 0)
	return &flow{
		body: r.Body, wire: wire, conn: conn, idle: idle, until: time.Now().Add(bodyTimeout),
		http1: r.ProtoMajor == 1, expects: r.Header.Get("Expect") != "",
	}
}

// run ends the time of the first bytes: from now on only idleness counts.
func (f *flow) run() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.until, f.armed = time.Time{}, time.Time{}
}

// Read reads from the body. It is called by one goroutine at a time.
func (f *flow) Read(p []byte) (int, error) {
	if err := f.arm(); err != nil {
		return 0, err
	}
	n, err := f.body.Read(p)
	// A chunked body comes chunk by chunk. What was read ahead has the head of
	// the next one in it, and some of its content, so this does not wait.
	for err == nil && n < len(p)/2 && f.wire.buffered() > maxChunkHead {
		var more int
		more, err = f.body.Read(p[n:])
		n += more
	}
	if err != nil {
		f.rest(err)
	}
	return n, err
}

// maxChunkHead is more than what stands between the contents of two chunks.
const maxChunkHead = 64

// arm sets the connection's deadline. It is moved once in a while only: each
// time costs as much as reading a little.
func (f *flow) arm() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	switch {
	case f.shut:
		return errShut
	case !f.until.IsZero():
		if f.armed.IsZero() {
			f.armed = now
			_ = f.conn.SetReadDeadline(f.until)
		}
	case now.Sub(f.armed) > f.idle/10:
		f.armed = now
		_ = f.conn.SetReadDeadline(now.Add(f.idle))
	}
	return nil
}

// rest takes the deadline off after the last byte: net/http goes on reading to
// learn when the client leaves, and that may be late.
func (f *flow) rest(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if errors.Is(err, io.EOF) {
		f.ended = true
	}
	if !f.shut {
		_ = f.conn.SetReadDeadline(time.Time{})
	}
}

// close ends the reading, and says whether the body was read to its end. If it
// was not, the connection cannot be used again: net/http throws away a bounded
// rest when the handler returns, within lingerTimeout, and closes.
func (f *flow) close() (whole bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shut = true
	return f.ended
}

// linger bounds what is done with the rest of a body after its answer. net/http
// throws some of it away when the handler returns, ends its own side of the
// connection and gives the client a moment. That moment it forgets when the
// client had asked, by Expect, whether to send the body at all; then it is
// given here. For HTTP/2 see [Drain].
func (f *flow) linger() {
	if !f.http1 {
		return
	}
	f.wire.narrow()
	if f.last() || f.conn.Flush() != nil {
		return
	}
	rest := io.LimitReader(f.body, lingerBytes)
	_, _ = io.Copy(io.Discard, rest)
}

// last sets the last deadline of the body, and reports whether nothing is to be
// done with its rest.
func (f *flow) last() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return true
	}
	_ = f.conn.SetReadDeadline(time.Now().Add(lingerTimeout))
	begun := !f.armed.IsZero()
	return !f.expects || !f.shut || !begun
}

// isLate reports whether a body was given up because the client had stopped
// sending.
func isLate(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
