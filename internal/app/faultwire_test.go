package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// over makes calls over connections of their own, at whose other end serve
// answers. It is net/http's real transport, bounded as the client's own is.
func over(serve func(net.Conn)) roundTripFunc {
	dial := func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			if _, err := http.ReadRequest(bufio.NewReader(there)); err == nil {
				serve(there)
			}
		}()
		return here, nil
	}
	return (&http.Transport{
		DialTLSContext: dial, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
	}).RoundTrip
}

// answering sends an answer as it stands, and ends the connection.
func answering(text string) roundTripFunc {
	return over(func(conn net.Conn) {
		time.Sleep(lag)
		_, _ = io.WriteString(conn, text) // the caller may have had enough
	})
}

// trickling sends the head of an answer, and of its body a byte a second.
var trickling = over(func(conn net.Conn) {
	_, err := fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\nContent-Length: 1000000\r\n\r\n{")
	for err == nil {
		time.Sleep(time.Second)
		_, err = conn.Write([]byte(" "))
	}
})
