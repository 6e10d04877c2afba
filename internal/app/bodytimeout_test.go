package app

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// A pipeListener is a listener for connections in memory.
type pipeListener chan net.Conn

func (p pipeListener) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (pipeListener) Close() error   { return nil }
func (pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// If the body of a request stops arriving, the client gets a 408 as soon as the time limit of the body has passed. net/http must not
// wait for the rest of the body.
func TestBodyTimeout(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		ln := make(pipeListener)
		server := &http.Server{Handler: newTestServer(t, serverOptions{}).app, ReadHeaderTimeout: time.Minute}
		ended := make(chan struct{})
		go func() {
			_ = server.Serve(ln)
			close(ended)
		}()
		client, conn := net.Pipe()
		ln <- conn
		began := time.Now()
		if _, err := io.WriteString(client, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); resp.StatusCode != http.StatusRequestTimeout || took != 10*time.Second {
			t.Errorf("status = %d after %v, want 408 after 10s", resp.StatusCode, took)
		}
		_ = resp.Body.Close()
		_ = client.Close()
		close(ln)
		_ = server.Close()
		<-ended
	})
}
