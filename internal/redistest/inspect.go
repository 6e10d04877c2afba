package redistest

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Monitor records every command that the server receives until stop is called. stop returns the
// output of MONITOR.
func (s *Server) Monitor(t testing.TB) (stop func() string) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("MONITOR\r\n")); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	if line, err := in.ReadString('\n'); err != nil || line != "+OK\r\n" {
		t.Fatalf("MONITOR = %q, %v, want +OK", line, err)
	}
	seen := make(chan string)
	go func() {
		var b strings.Builder
		for {
			line, err := in.ReadString('\n')
			b.WriteString(line)
			if err != nil {
				seen <- b.String()
				return
			}
		}
	}()
	return func() string {
		_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)) // for commands in flight
		text := <-seen
		conn.Close()
		return text
	}
}

// zstdMagic is the prefix of zstd frames.
const zstdMagic = "\x28\xb5\x2f\xfd"

// decompress replaces the zstd frame at the end of a value by its content.
func decompress(t testing.TB, value string) string {
	t.Helper()
	head, compressed, found := strings.Cut(value, zstdMagic)
	if !found {
		return value
	}
	d, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	text, err := d.DecodeAll([]byte(zstdMagic+compressed), nil)
	if err != nil {
		t.Fatalf("decompression of %q failed: %v", value, err)
	}
	return head + string(text)
}

// Dump returns all keys and values, one pair per line. Compressed values are decompressed, so that
// a text can be searched in them.
func (s *Server) Dump(t testing.TB) string {
	t.Helper()
	c := s.Client(t)
	keys, err := c.Do(t.Context(), c.B().Keys().Pattern("*").Build()).AsStrSlice()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	var b strings.Builder
	for _, key := range keys {
		kind, err := c.Do(t.Context(), c.B().Type().Key(key).Build()).ToString()
		if err != nil {
			t.Fatal(err)
		}
		var value any
		switch kind {
		case "string":
			var text string
			text, err = c.Do(t.Context(), c.B().Get().Key(key).Build()).ToString()
			value = decompress(t, text)
		case "hash":
			value, err = c.Do(t.Context(), c.B().Hgetall().Key(key).Build()).AsStrMap()
		case "zset":
			value, err = c.Do(t.Context(), c.B().Zrange().Key(key).Min("0").Max("-1").Build()).AsStrSlice()
		default:
			t.Fatalf("key %s has the unknown type %s", key, kind)
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s = %q\n", key, value)
	}
	return b.String()
}
