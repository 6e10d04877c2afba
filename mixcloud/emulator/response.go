package emulator

import (
	"net"
	"net/http"
	"strconv"
	"time"
)

// send writes the response, with the fault if there is one.
func (c *call) send(w http.ResponseWriter, e entry) {
	f := c.fault
	if f != nil {
		if f.Kind != FaultSlowBody && f.Kind != FaultEndlessBody && !sleep(c.request.Context(), f.delay()) {
			panic(http.ErrAbortHandler)
		}
		c.replaceResponse(f)
	}
	c.breakDocument()
	c.corruptResponse(f)
	if f.is(FaultReset) || c.resetConn {
		resetConnection(w)
	}
	if c.respondsEarly { // otherwise net/http reads the body before the response and before it closes
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		defer func() { _ = control.SetReadDeadline(time.Unix(1, 0)) }()
	}
	c.header(w.Header())
	if f.is(FaultEndlessBody) {
		w.Header().Del("Content-Length")
	}
	e.setStatus(c.status)
	w.WriteHeader(c.status)
	switch {
	case c.request.Method == http.MethodHead:
	case f.is(FaultTruncatedBody):
		c.flush(w, c.buf[:len(c.buf)/2])
		panic(http.ErrAbortHandler)
	case f.is(FaultSlowBody):
		c.sendSlowly(w, f.delay())
	case f.is(FaultEndlessBody):
		c.sendEndless(w, f.Delay)
	default:
		_, _ = w.Write(c.buf) // an error means that the client disconnected
	}
}

// replaceResponse replaces the response if the fault has its own.
func (c *call) replaceResponse(f *Fault) {
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
		c.proxyPage(http.StatusForbidden)
	case FaultHTML413:
		c.proxyPage(http.StatusRequestEntityTooLarge)
	case FaultHTML502:
		c.proxyPage(http.StatusBadGateway)
	case FaultHTML503:
		c.proxyPage(http.StatusServiceUnavailable)
		if f.RetryAfter > 0 {
			c.retryAfter = strconv.Itoa(int(f.RetryAfter / time.Second))
		}
	case FaultEarly400:
		c.fail(malformedForm())
	case FaultEarly413:
		c.proxyPage(http.StatusRequestEntityTooLarge)
	case FaultEarly503:
		c.proxyPage(http.StatusServiceUnavailable)
		if f.RetryAfter > 0 {
			c.retryAfter = strconv.Itoa(int(f.RetryAfter / time.Second))
		}
	case FaultError500:
		c.startHTML(http.StatusInternalServerError)
	case FaultError200:
		c.fail(&apiError{status: http.StatusOK, kind: "InternalError", message: "Something went wrong."})
	case FaultSuccessFalse:
		c.status, c.failure, c.listPage = http.StatusOK, nil, listPage{}
		c.beginBody()
		c.open('{')
		c.object("result")
		c.bool("success", false)
		c.string("message", "Something went wrong.")
		c.close('}')
		c.close('}')
	default:
		return
	}
	c.endBody()
	c.allow = ""
}

// corruptResponse applies the faults that change the final body or type.
func (c *call) corruptResponse(f *Fault) {
	switch {
	case f.is(FaultTruncatedJSON):
		c.buf = c.buf[:len(c.buf)/2]
	case f.is(FaultContentType):
		c.contentType = html
	case f.is(FaultNotJSON):
		c.status, c.buf = http.StatusOK, append(c.buf[:0], "Service temporarily unavailable\n"...)
	}
}

// proxyPage makes the response an HTML page of the proxy in front of the API.
func (c *call) proxyPage(status int) {
	c.startHTML(status)
	title := strconv.Itoa(status) + " " + http.StatusText(status)
	c.buf = append(c.buf, "<html>\r\n<head><title>"+title+"</title></head>\r\n<body>\r\n<center><h1>"+title+
		"</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"...)
}

// flush sends a piece of the body immediately. It returns false if the client
// disconnected.
func (c *call) flush(w http.ResponseWriter, piece []byte) bool {
	if _, err := w.Write(piece); err != nil {
		return false
	}
	return http.NewResponseController(w).Flush() == nil
}

// sendSlowly sends the body in ten pieces, with a tenth of the time before each.
func (c *call) sendSlowly(w http.ResponseWriter, total time.Duration) {
	const pieces = 10
	for i := range pieces {
		piece := c.buf[len(c.buf)*i/pieces : len(c.buf)*(i+1)/pieces]
		if !sleep(c.request.Context(), total/pieces) || !c.flush(w, piece) {
			panic(http.ErrAbortHandler)
		}
	}
}

// sendEndless sends the start of a list and then elements until the client
// disconnects.
func (c *call) sendEndless(w http.ResponseWriter, pause time.Duration) {
	piece := []byte("{\n    \"data\": [\n        {}")
	for c.flush(w, piece) && sleep(c.request.Context(), pause) && c.request.Context().Err() == nil {
		piece = piece[:0]
		for len(piece) < 4<<10 {
			piece = append(piece, ",\n        {}"...)
		}
	}
	panic(http.ErrAbortHandler)
}

// resetConnection resets the connection. If it cannot be hijacked, as in HTTP/2, it
// aborts the response.
func resetConnection(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // discards unsent data and sends a reset
		}
		_ = conn.Close()
	}
	panic(http.ErrAbortHandler)
}
