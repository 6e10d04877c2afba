package redistest

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// Monitor records every command that reaches the server, until stop, which
// gives them as MONITOR prints them.
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
		t.Fatalf("%q, %v", line, err)
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
		_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)) // for what is on its way
		text := <-seen
		conn.Close()
		return text
	}
}

// Dump is every key and value there is, one pair a line.
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
			value, err = c.Do(t.Context(), c.B().Get().Key(key).Build()).ToString()
		case "hash":
			value, err = c.Do(t.Context(), c.B().Hgetall().Key(key).Build()).AsStrMap()
		case "zset":
			value, err = c.Do(t.Context(), c.B().Zrange().Key(key).Min("0").Max("-1").Build()).AsStrSlice()
		default:
			t.Fatalf("%s is a %s", key, kind)
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s = %q\n", key, value)
	}
	return b.String()
}
