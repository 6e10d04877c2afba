package graphhttp_test

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

	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/upload"
)

// listening serves a handler on a socket, as the program does.
func listening(t *testing.T, h http.Handler) (address string) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Listener = graphhttp.Listener(srv.Listener)
	srv.Config.ConnContext = graphhttp.ConnContext
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

const wireHead = "POST /graphql HTTP/1.1\r\nHost: x\r\n" + formType + "\r\n" + preflight + "\r\n" + newer + "\r\n"

// answerOn reads an answer. What is left of the connection must be its end if
// it is to be closed.
func answerOn(t *testing.T, conn net.Conn) (*http.Response, string) {
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
			t.Errorf("after the answer: %v", err)
		}
	}
	return resp, string(body)
}

// A client that stops sending is told so, and let go.
func TestIdle(t *testing.T) {
	t.Parallel()
	address := listening(t, graphhttp.New(newStub(), graphhttp.Options{IdleTimeout: 100 * time.Millisecond}))
	conn := dial(t, address)
	fmt.Fprintf(conn, "%sContent-Length: 1000000\r\n\r\n%sx", wireHead, dripHead)
	resp, body := answerOn(t, conn)
	if resp.StatusCode != http.StatusRequestTimeout || !strings.Contains(body, "has stopped sending") || !resp.Close {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

// The answer to a request whose body was read to its end leaves the connection
// to the next, be it there already.
func TestConnectionIsUsedAgain(t *testing.T) {
	t.Parallel()
	address := listening(t, graphhttp.New(newStub(), graphhttp.Options{IdleTimeout: 50 * time.Millisecond}))
	conn := dial(t, address)
	body := dripHead + strings.Repeat("y", 100_000) + dripTail
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
			t.Fatalf("answer %d: %v", i, err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 || !strings.Contains(string(text), strings.Repeat("y", 100_000)) {
			t.Fatalf("answer %d: %d %.200s, %v", i, resp.StatusCode, text, err)
		}
		_ = resp.Body.Close()
	}
}

// A mutation that is refused before its files were read is answered at once,
// to a client that has not sent them yet and to one that goes on sending.
func TestEarlyAnswer(t *testing.T) {
	t.Parallel()
	s := newStub()
	s.fields["send"] = func(context.Context, map[string]any) (any, error) { return "no", nil }
	address := listening(t, graphhttp.New(s, graphhttp.Options{}))
	for name, length := range map[string]string{
		"with length": "Content-Length: 1073741824", "chunked": "Transfer-Encoding: chunked",
		"with length, asked before": "Content-Length: 1073741824\r\nExpect: 100-continue", "chunked, asked before": "Transfer-Encoding: chunked\r\nExpect: 100-continue",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, goesOn := range []bool{false, true} {
				conn := dial(t, address)
				head := dripHead
				if strings.HasPrefix(name, "chunked") {
					head = fmt.Sprintf("%x\r\n%s\r\n", len(dripHead), dripHead)
					if goesOn { // net/http waits for the content that a chunk's head announces
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
				resp, body := answerOn(t, conn)
				if resp.StatusCode != 200 || body != `{"data":{"send":"no"}}` || !resp.Close {
					t.Errorf("%d %s", resp.StatusCode, body)
				}
				if goesOn {
					_ = conn.Close()
					if n := <-sent; n > 100<<20 {
						t.Errorf("%d bytes were taken after the answer", n)
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

// A client that goes away in the middle of a file breaks its reading off.
func TestClientGoesAway(t *testing.T) {
	t.Parallel()
	broken := make(chan error, 1)
	reading := make(chan struct{})
	s := newStub()
	s.fields["send"] = func(ctx context.Context, _ map[string]any) (any, error) {
		src, _ := upload.From(ctx)
		part, err := src.Next(ctx)
		if err == nil {
			close(reading)
			_, err = io.Copy(io.Discard, part.Body)
		}
		broken <- err
		return nil, err
	}
	address := listening(t, graphhttp.New(s, graphhttp.Options{}))
	conn := dial(t, address)
	fmt.Fprintf(conn, "%sContent-Length: 1000000\r\n\r\n%s%s", wireHead, dripHead, strings.Repeat("x", 100))
	<-reading
	_ = conn.Close()
	if err := <-broken; err == nil {
		t.Error("the file seems whole")
	}
}

// Bytes come out of a connection as they went in, however they are read and
// whenever it begins to read ahead and ends.
func TestListener(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := bytes.Repeat([]byte("0123456789abcdef"), rapid.IntRange(1, 20_000).Draw(t, "length"))
		sizes := rapid.SliceOfN(rapid.IntRange(1, 60_000), 1, 20).Draw(t, "chunks")
		s := newStub()
		h := graphhttp.New(s, graphhttp.Options{})
		srv := httptest.NewUnstartedServer(h)
		srv.Listener = graphhttp.Listener(srv.Listener)
		srv.Config.ConnContext = graphhttp.ConnContext
		srv.Start()
		defer srv.Close()
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		go func() {
			_, _ = io.WriteString(conn, wireHead+"Transfer-Encoding: chunked\r\n\r\n")
			rest := []byte(dripHead + string(body) + dripTail)
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
		if want := `{"data":{"send":"variables.f=0,x,,` + string(body) + `"}}`; err != nil || string(text) != want {
			t.Fatalf("%d bytes came as %d, %v", len(want), len(text), err)
		}
	})
}
