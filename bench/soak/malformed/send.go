package malformed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	// responseTimeout is the timeout of a response. It is long because the machine is busy.
	responseTimeout = 30 * time.Second
	// maxResponse is the maximum number of bytes that are read of a response.
	maxResponse = 32 << 20
)

// errNoResponse reports that the server closed the connection without a response.
var errNoResponse = errors.New("the connection was closed without a response")

// Send sends a request to the server at an address on a new connection, and returns the status of the
// response. The status is 0 if there is no response to a truncated request. Send then resets the
// connection: a normal close would block the local port for a minute.
func Send(ctx context.Context, address string, r Request) (status int, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return 0, fmt.Errorf("a %T is not a TCP connection", conn)
	}
	if err := errors.Join(tcp.SetLinger(0), tcp.SetDeadline(time.Now().Add(responseTimeout))); err != nil {
		return 0, err
	}
	go func() { // the server may respond and close the connection before it has read everything
		if _, err := tcp.Write(r.Raw); err == nil && r.Truncated {
			_ = tcp.CloseWrite()
		}
	}()
	text, err := io.ReadAll(io.LimitReader(tcp, maxResponse))
	status = statusOf(text)
	var netErr net.Error
	switch {
	case errors.As(err, &netErr) && netErr.Timeout():
		return status, fmt.Errorf("the response has not ended after %v", responseTimeout)
	case status == 0 && !r.Truncated:
		return 0, errors.Join(errNoResponse, err)
	}
	return status, nil
}

// statusOf returns the status of the first final response in a text, or 0.
func statusOf(text []byte) int {
	for {
		rest, found := bytes.CutPrefix(text, []byte("HTTP/1."))
		if !found || len(rest) < len("1 200") {
			return 0
		}
		status, err := strconv.Atoi(string(rest[2:5]))
		if err != nil || status >= http.StatusOK {
			return status
		}
		_, text, _ = bytes.Cut(text, []byte("\r\n\r\n"))
	}
}

// Allowed reports whether a status is acceptable for a request of a corpus: any status that does not
// report a failure of the server. net/http itself responds with 501 and 505 to an unknown
// Transfer-Encoding or HTTP version.
func Allowed(status int) bool {
	return status < http.StatusInternalServerError || status == http.StatusNotImplemented || status == http.StatusHTTPVersionNotSupported
}
