package uploadhttp_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/internal/uploadhttp"
)

// listening serves a handler on a socket with [Listener] and [ConnContext], like the real server,
// and returns its address.
func listening(t *testing.T, h http.Handler) (address string) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Listener = uploadhttp.Listener(srv.Listener)
	srv.Config.ConnContext = uploadhttp.ConnContext
	srv.Start()
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

const wireHead = "POST /graphql HTTP/1.1\r\nHost: x\r\n" + formType + "\r\n" + preflight + "\r\n"

// responseOn reads a response. If the response closes the connection, responseOn checks that no
// data follows.
func responseOn(t *testing.T, conn net.Conn) (*http.Response, string) {
	t.Helper()
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	for err == nil && resp.StatusCode == http.StatusContinue {
		resp, err = http.ReadResponse(in, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Close {
		if _, err := in.ReadByte(); !errors.Is(err, io.EOF) && !strings.Contains(fmt.Sprint(err), "reset") {
			t.Errorf("read after the response = %v, want EOF or a reset", err)
		}
	}
	return resp, string(body)
}

// A client that stops sending gets a 408, and its connection is closed.
func TestIdle(t *testing.T) {
	t.Parallel()
	address := listening(t, endpoint{idle: 100 * time.Millisecond})
	conn := dial(t, address)
	fmt.Fprintf(conn, "%sContent-Length: 1000000\r\n\r\n%sx", wireHead, slowHead)
	resp, body := responseOn(t, conn)
	if resp.StatusCode != http.StatusRequestTimeout || !strings.Contains(body, "stopped sending") || !resp.Close {
		t.Errorf("idle client: status %d, connection closed %t, want 408, true and \"stopped sending\": %s", resp.StatusCode, resp.Close, body)
	}
}

// After a body that was read completely, the connection serves the next request, even if its
// bytes have arrived already.
func TestConnectionReuse(t *testing.T) {
	t.Parallel()
	address := listening(t, endpoint{idle: 50 * time.Millisecond})
	conn := dial(t, address)
	body := slowHead + strings.Repeat("y", 100_000) + slowTail
	whole := fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", wireHead, len(body), body)
	chunked := wireHead + "Transfer-Encoding: chunked\r\n\r\n"
	for rest := body; rest != ""; {
		n := min(len(rest), 7000)
		chunked += fmt.Sprintf("%x\r\n%s\r\n", n, rest[:n])
		rest = rest[n:]
	}
	chunked += "0\r\n\r\n"
	go func() { _, _ = io.WriteString(conn, whole+chunked+chunked+whole+chunked) }()
	in := bufio.NewReader(conn)
	for i := range 5 {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("response %d cannot be read: %v", i, err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 || !strings.Contains(string(text), strings.Repeat("y", 100_000)) {
			t.Fatalf("response %d: status %d, want 200 with its content (error %v): %.200s", i, resp.StatusCode, err, text)
		}
		_ = resp.Body.Close()
	}
}

// A response before the files were read is sent immediately, whether the client has not started to
// send them or continues to send.
func TestEarlyResponse(t *testing.T) {
	t.Parallel()
	send := func(context.Context) (string, error) { return "no", nil }
	address := listening(t, endpoint{send: send})
	for name, length := range map[string]string{
		"with length": "Content-Length: 1073741824", "chunked": "Transfer-Encoding: chunked",
		"with length, expects 100": "Content-Length: 1073741824\r\nExpect: 100-continue", "chunked, expects 100": "Transfer-Encoding: chunked\r\nExpect: 100-continue",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, goesOn := range []bool{false, true} {
				conn := dial(t, address)
				head := slowHead
				if strings.HasPrefix(name, "chunked") {
					head = fmt.Sprintf("%x\r\n%s\r\n", len(slowHead), slowHead)
					if goesOn { // net/http waits for the content after a chunk's head
						head += "40000000\r\n"
					}
				}
				fmt.Fprintf(conn, "%s%s\r\n\r\n%s", wireHead, length, head)
				sent := make(chan int64, 1)
				if goesOn {
					go func() {
						n, _ := io.Copy(conn, io.LimitReader(zeros{}, 1<<30))
						sent <- n
					}()
				}
				resp, body := responseOn(t, conn)
				if resp.StatusCode != 200 || body != `{"data":{"send":"no"}}`+"\n" || !resp.Close {
					t.Errorf("early response: status %d, connection closed %t, want 200, true and send: no; body %s", resp.StatusCode, resp.Close, body)
				}
				if goesOn {
					_ = conn.Close()
					if n := <-sent; n > 100<<20 {
						t.Errorf("%d bytes were read after the response, want at most %d", n, 100<<20)
					}
				}
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Reading a file fails if the client disconnects in the middle of it.
func TestClientDisconnects(t *testing.T) {
	t.Parallel()
	broken := make(chan error, 1)
	reading := make(chan struct{})
	send := func(ctx context.Context) (string, error) {
		src, _ := upload.FromContext(ctx)
		part, err := src.Next(ctx)
		if err == nil {
			close(reading)
			_, err = io.Copy(io.Discard, part.Body)
		}
		broken <- err
		return "", err
	}
	address := listening(t, endpoint{send: send})
	conn := dial(t, address)
	fmt.Fprintf(conn, "%sContent-Length: 1000000\r\n\r\n%s%s", wireHead, slowHead, strings.Repeat("x", 100))
	<-reading
	_ = conn.Close()
	if err := <-broken; err == nil {
		t.Error("read of a file whose client left returned no error")
	}
}

// Read-ahead does not change the bytes of a body, for any chunks.
func TestListener(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := bytes.Repeat([]byte("0123456789abcdef"), rapid.IntRange(1, 20_000).Draw(t, "length"))
		sizes := rapid.SliceOfN(rapid.IntRange(1, 60_000), 1, 20).Draw(t, "chunks")
		srv := httptest.NewUnstartedServer(endpoint{})
		srv.Listener = uploadhttp.Listener(srv.Listener)
		srv.Config.ConnContext = uploadhttp.ConnContext
		srv.Start()
		defer srv.Close()
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		go func() {
			_, _ = io.WriteString(conn, wireHead+"Transfer-Encoding: chunked\r\n\r\n")
			rest := []byte(slowHead + string(body) + slowTail)
			for i := 0; len(rest) > 0; i++ {
				n := min(len(rest), sizes[i%len(sizes)])
				fmt.Fprintf(conn, "%x\r\n%s\r\n", n, rest[:n])
				rest = rest[n:]
			}
			_, _ = io.WriteString(conn, "0\r\n\r\n")
		}()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if want := `{"data":{"send":"variables.f=0,x,,` + string(body) + `"}}` + "\n"; err != nil || string(text) != want {
			t.Fatalf("response of %d bytes (error %v) differs from the %d bytes that were sent", len(text), err, len(want))
		}
	})
}
