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
	// patience is how long a response may take, on a machine that is busy.
	responseTimeout = 30 * time.Second
	// most is how much of a response is read.
	maxResponse = 32 << 20
)

// errNoResponse says that the server closed the connection without a response.
var errNoResponse = errors.New("the connection was closed without a response")

// Send writes a request to the server at an address, on a connection of its own,
// and returns the status of the response: 0 if there is none and the request was
// cut off, so that there need not be one. The connection is reset afterwards, so
// that many can be opened.
func Send(ctx context.Context, address string, r Request) (status int, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return 0, fmt.Errorf("%T is no TCP connection", conn)
	}
	if err := errors.Join(tcp.SetLinger(0), tcp.SetDeadline(time.Now().Add(responseTimeout))); err != nil {
		return 0, err
	}
	go func() { // the server may respond, and close, before it has read all
		if _, err := tcp.Write(r.Raw); err == nil && r.Truncated {
			_ = tcp.CloseWrite()
		}
	}()
	text, err := io.ReadAll(io.LimitReader(tcp, maxResponse))
	status = statusOf(text)
	var netErr net.Error
	switch {
	case errors.As(err, &netErr) && netErr.Timeout():
		return status, fmt.Errorf("after %v there is no end of the response", responseTimeout)
	case status == 0 && !r.Truncated:
		return 0, errors.Join(errNoResponse, err)
	}
	return status, nil
}

// statusOf is the status of the first response in a text that is final, 0 if
// there is none.
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

// Refused reports whether a status is right for a request of a corpus: anything
// but a failure of the server. net/http itself responds with 501 and 505 to a
// Transfer-Encoding and a version of HTTP that it does not know.
func Allowed(status int) bool {
	return status < http.StatusInternalServerError || status == http.StatusNotImplemented || status == http.StatusHTTPVersionNotSupported
}
