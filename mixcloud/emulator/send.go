package emulator

import (
	"net"
	"net/http"
	"strconv"
	"time"
)

// send writes the answer, disturbed by the fault if there is one.
func (c *call) send(w http.ResponseWriter, e entry) {
	f := c.fault
	if f != nil {
		if f.Kind != FaultSlowBody && f.Kind != FaultEndlessBody && !sleep(c.request.Context(), f.delay()) {
			panic(http.ErrAbortHandler)
		}
		c.disturb(f)
	}
	if f.is(FaultReset) || c.torn {
		reset(w)
	}
	if c.hasty { // net/http would read on, before it answers and before it closes
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		defer func() { _ = control.SetReadDeadline(time.Unix(1, 0)) }()
	}
	c.header(w.Header())
	if f.is(FaultEndlessBody) {
		w.Header().Del("Content-Length")
	}
	e.close(c.status)
	w.WriteHeader(c.status)
	switch {
	case c.request.Method == http.MethodHead:
	case f.is(FaultTruncatedBody):
		c.flush(w, c.buf[:len(c.buf)/2])
		panic(http.ErrAbortHandler)
	case f.is(FaultSlowBody):
		c.trickle(w, f.delay())
	case f.is(FaultEndlessBody):
		c.endless(w, f.Delay)
	default:
		_, _ = w.Write(c.buf) // the caller may be gone; there is nobody to tell
	}
}

// disturb changes the answer itself.
func (c *call) disturb(f *Fault) {
	switch f.Kind {
	case FaultRateLimit:
		seconds := int(f.RetryAfter / time.Second)
		if seconds == 0 {
			seconds = 60
		}
		c.fail(rateLimited(seconds))
	case FaultRateLimitNoWait:
		c.fail(&apiError{status: http.StatusForbidden, kind: "RateLimitException", message: "You have hit your rate limit."})
	case FaultHTML403:
		c.page5xx(http.StatusForbidden)
	case FaultHTML413:
		c.page5xx(http.StatusRequestEntityTooLarge)
	case FaultHTML502:
		c.page5xx(http.StatusBadGateway)
	case FaultHTML503:
		c.page5xx(http.StatusServiceUnavailable)
		if f.RetryAfter > 0 {
			c.retryAfter = strconv.Itoa(int(f.RetryAfter / time.Second))
		}
	case FaultEarly400:
		c.fail(malformed())
	case FaultEarly413:
		c.page5xx(http.StatusRequestEntityTooLarge)
	case FaultEarly503:
		c.page5xx(http.StatusServiceUnavailable)
		if f.RetryAfter > 0 {
			c.retryAfter = strconv.Itoa(int(f.RetryAfter / time.Second))
		}
	case FaultError500:
		c.plain(http.StatusInternalServerError)
	case FaultTruncatedJSON:
		c.buf = c.buf[:len(c.buf)/2]
	case FaultError200:
		c.fail(&apiError{status: http.StatusOK, kind: "InternalError", message: "Something went wrong."})
	case FaultSuccessFalse:
		c.status = http.StatusOK
		c.begin()
		c.open('{')
		c.object("result")
		c.bool("success", false)
		c.string("message", "Something went wrong.")
		c.close('}')
		c.close('}')
	case FaultContentType:
		c.contentType = html
	case FaultNotJSON:
		c.status, c.buf = http.StatusOK, append(c.buf[:0], "Service temporarily unavailable\n"...)
	}
}

// page5xx is what a proxy in front of the API says: HTML, whatever was asked.
func (c *call) page5xx(status int) {
	c.plain(status)
	title := strconv.Itoa(status) + " " + http.StatusText(status)
	c.buf = append(c.buf, "<html>\r\n<head><title>"+title+"</title></head>\r\n<body>\r\n<center><h1>"+title+
		"</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"...)
}

// flush sends a piece of the body now. It is false when the caller is gone.
func (c *call) flush(w http.ResponseWriter, piece []byte) bool {
	if _, err := w.Write(piece); err != nil {
		return false
	}
	return http.NewResponseController(w).Flush() == nil
}

// trickle sends the body in ten pieces, with a tenth of the time before each.
func (c *call) trickle(w http.ResponseWriter, total time.Duration) {
	const pieces = 10
	for i := range pieces {
		piece := c.buf[len(c.buf)*i/pieces : len(c.buf)*(i+1)/pieces]
		if !sleep(c.request.Context(), total/pieces) || !c.flush(w, piece) {
			panic(http.ErrAbortHandler)
		}
	}
}

// endless sends what begins like a list and goes on until the caller is gone.
func (c *call) endless(w http.ResponseWriter, pause time.Duration) {
	piece := []byte("{\n    \"data\": [\n        {}")
	for c.flush(w, piece) && sleep(c.request.Context(), pause) && c.request.Context().Err() == nil {
		piece = piece[:0]
		for len(piece) < 4<<10 {
			piece = append(piece, ",\n        {}"...)
		}
	}
	panic(http.ErrAbortHandler)
}

// reset ends the connection so that the caller sees a reset; where the
// connection cannot be had, as in HTTP/2, so that it sees an end.
func reset(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // unsent data is thrown away and a reset is sent
		}
		_ = conn.Close()
	}
	panic(http.ErrAbortHandler)
}
