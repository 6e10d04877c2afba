package uploadhttp

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A countedConn counts its reads.
type countedConn struct {
	net.Conn
	from  io.Reader
	reads int
}

func (c *countedConn) Read(p []byte) (int, error) {
	c.reads++
	return c.from.Read(p)
}

// A connection that reads ahead makes large reads, even if its reader makes small ones. After
// stopReadAhead it reads normally once the buffer is empty. It can start to read ahead again.
func TestConn_readsAhead(t *testing.T) {
	t.Parallel()
	src := &countedConn{from: bytes.NewReader(make([]byte, 100_000))}
	c := &conn{Conn: src}
	read := func(n int) {
		t.Helper()
		for range n {
			if got, err := c.Read(make([]byte, 100)); got != 100 || err != nil {
				t.Fatalf("Read = %d, %v, want 100, nil", got, err)
			}
		}
	}
	read(10)
	if src.reads != 10 {
		t.Errorf("%d reads before the read-ahead, want 10", src.reads)
	}
	for range 2 {
		src.reads, src.from = 0, bytes.NewReader(make([]byte, 100_000))
		c.startReadAhead(true)
		read(10)
		c.stopReadAhead()
		if left := c.buffered(); src.reads != 1 || left != 99_000 {
			t.Errorf("%d reads with read-ahead, want 1; %d bytes are buffered, want 99000", src.reads, left)
		}
		read(990)
		if c.ahead != nil || src.reads != 1 {
			t.Errorf("buffer of %d bytes after it was read, want it released; %d reads, want 1", len(c.ahead), src.reads)
		}
		src.from = bytes.NewReader(make([]byte, 1000))
		read(10)
		if src.reads != 11 {
			t.Errorf("%d reads after the read-ahead stopped, want 11", src.reads)
		}
	}
	c.startReadAhead(false)
	if c.ahead != nil {
		t.Error("a body with a Content-Length is read ahead")
	}
}

// One read of a body returns the buffered bytes of several chunks.
func TestBody_joinsChunks(t *testing.T) {
	t.Parallel()
	c := &conn{Conn: &countedConn{from: bytes.NewReader(make([]byte, 50_000))}}
	c.startReadAhead(true)
	b := &body{reader: chunkReader{c}, conn: c, ctrl: controllerOf(t), idle: defaultIdleTimeout}
	n, err := b.Read(make([]byte, 200_000))
	if n < 50_000-maxChunkHead || err != nil {
		t.Errorf("Read = %d, %v, want at least %d bytes and no error", n, err, 50_000-maxChunkHead)
	}
}

// A chunkReader returns 1000 bytes at a time, as net/http returns a chunk.
type chunkReader struct{ io.Reader }

func (r chunkReader) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), 1000)]) }

// A buffer is not released while the connection is read into it.
func TestConn_stopsWhileReading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		c := &conn{Conn: server}
		c.startReadAhead(true)
		done := make(chan string)
		go func() {
			p := make([]byte, 4)
			n, _ := c.Read(p)
			done <- string(p[:n])
		}()
		synctest.Wait()
		c.stopReadAhead()
		if c.ahead == nil {
			t.Error("buffer was released during a read")
		}
		_, _ = io.WriteString(client, "content")
		rest := make([]byte, 10)
		if first := <-done; first != "cont" {
			t.Errorf("first read = %q, want cont", first)
		}
		if n, err := c.Read(rest); string(rest[:n]) != "ent" || err != nil || c.ahead != nil {
			t.Errorf("second read = %q, %v with a buffer of %d bytes, want ent, no error and no buffer", rest[:n], err, len(c.ahead))
		}
	})
}

// The rest of a body is drained here only for a client that expected 100 Continue; net/http
// drains the others.
func TestBody_drain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		major  int
		expect string
		read   int64
		left   int
	}{
		"HTTP/1.1":                          {1, "", 10, 990},
		"HTTP/1.1, 100 Continue":            {1, "100-continue", 10, 0},
		"HTTP/1.1, waits for 100":           {1, "100-continue", 0, 1000},
		"HTTP/1.1, read to its end":         {1, "100-continue", 2000, 0},
		"HTTP/2, drained by the middleware": {2, "100-continue", 10, 990},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rest := strings.NewReader(strings.Repeat("x", 1000))
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", rest)
			r.ProtoMajor = test.major
			r.Header.Set("Expect", test.expect)
			rec := &deadlineRecorder{ResponseRecorder: httptest.NewRecorder()}
			b := newBody(rec, r, Options{HeadTimeout: time.Second, IdleTimeout: time.Second})
			if _, err := io.CopyN(io.Discard, b, test.read); err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			b.stop()
			b.drain()
			if rest.Len() != test.left {
				t.Errorf("%d bytes are left, want %d", rest.Len(), test.left)
			}
		})
	}
}
