// Package redistest starts Redis servers for tests, on loopback.
package redistest

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"mixcloud-graphql/internal/redisurl"
)

// A Server is a redis-server process.
type Server struct {
	port    int
	args    []string
	process *os.Process
	ended   chan struct{} // closed when the process has ended
}

// Start starts redis-server with arguments. It is killed at the end of the test. If redis-server
// is not installed the test is skipped, and [Main] counts it; in CI the test fails.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	needBinary(t)
	s := &Server{args: args}
	t.Cleanup(s.Kill)
	for range 10 { // another process may take the port before redis-server listens
		s.port = FreePort(t)
		if s.Restart(t) {
			return s
		}
	}
	t.Fatal("redis-server did not start")
	return nil
}

// FreePort returns a port on which no process listens.
func FreePort(t testing.TB) int {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// Restart starts a server that was killed, with the same port and an empty database. It returns
// false if the server did not start.
func (s *Server) Restart(t testing.TB) bool {
	t.Helper()
	args := append([]string{}, s.args...)
	args = append(args, "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	cmd := exec.Command("redis-server", args...) //nolint:noctx // it ends with Kill
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.process, s.ended = cmd.Process, make(chan struct{})
	go func() {
		_ = cmd.Wait() // an error is expected after Kill
		close(s.ended)
	}()
	for {
		if s.isListening() {
			return true
		}
		select {
		case <-s.ended:
			return false
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// isListening reports whether this process, and no other, listens on the port.
func (s *Server) isListening() bool {
	conn, err := net.DialTimeout("tcp", s.Addr(), time.Second) //nolint:noctx // bounded
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("INFO server\r\nQUIT\r\n")); err != nil {
		return false
	}
	text, _ := io.ReadAll(conn)
	return strings.HasPrefix(string(text), "-NOAUTH") || strings.Contains(string(text), fmt.Sprintf("process_id:%d\r\n", s.process.Pid))
}

// Addr returns the server's address, as host:port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Port returns the server's port.
func (s *Server) Port() int { return s.port }

// URL returns the server's URL.
func (s *Server) URL() redisurl.URL { return redisurl.URL("redis://" + s.Addr()) }

// Kill kills the server, if it runs.
func (s *Server) Kill() {
	if s.process != nil {
		_ = s.process.Kill()
		<-s.ended
	}
}

// Client returns a client of the server, which is closed at the end of the test.
func (s *Server) Client(t testing.TB) rueidis.Client {
	t.Helper()
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.Addr()}, ForceSingleClient: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Commands returns the number of commands that the server has processed.
func (s *Server) Commands(t testing.TB, c rueidis.Client) int {
	t.Helper()
	text, err := c.Do(t.Context(), c.B().Info().Section("stats").Build()).ToString()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(text, "total_commands_processed:")
	number, _, _ := strings.Cut(rest, "\r\n")
	n, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
