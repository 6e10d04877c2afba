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

// pipeTransport returns net/http's transport with the limits of the client's own. Each call has its own connection, and serve
// writes the response to it.
func pipeTransport(serve func(net.Conn)) roundTripFunc {
	dial := func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			if _, err := http.ReadRequest(bufio.NewReader(server)); err == nil {
				serve(server)
			}
		}()
		return client, nil
	}
	return (&http.Transport{
		DialTLSContext: dial, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
	}).RoundTrip
}

// rawResponse returns a transport whose server writes text and closes the connection.
func rawResponse(text string) roundTripFunc {
	return pipeTransport(func(conn net.Conn) {
		time.Sleep(latency)
		_, _ = io.WriteString(conn, text) // fails if the client has closed the connection
	})
}

// byteASecond is a transport whose server writes the headers of a response, and then one byte of the body per second.
var byteASecond = pipeTransport(func(conn net.Conn) {
	_, err := fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\nContent-Length: 1000000\r\n\r\n{")
	for err == nil {
		time.Sleep(time.Second)
		_, err = conn.Write([]byte(" "))
	}
})
