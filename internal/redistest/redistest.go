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

// A Server is a real Redis of a test's own.
type Server struct {
	port    int
	args    []string
	process *os.Process
	ended   chan struct{} // closed when it has
}

// Start starts a Redis, with arguments of redis-server, which ends with the
// test. Without redis-server the test is skipped, and [Main] counts it; but in CI it
// fails, since CI must install it.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	needBinary(t)
	s := &Server{args: args}
	t.Cleanup(s.Kill)
	for range 10 { // somebody may take the port in between
		s.port = FreePort(t)
		if s.Restart(t) {
			return s
		}
	}
	t.Fatal("redis-server does not start")
	return nil
}

// FreePort is a port that nobody listens on, a moment ago.
func FreePort(t testing.TB) int {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// Restart starts a server that was killed, on the port that it had, with
// nothing in it; false if that does not work out.
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
		_ = cmd.Wait() // reaps it; how it ended is of no interest
		close(s.ended)
	}()
	for {
		if s.answers() {
			return true
		}
		select {
		case <-s.ended:
			return false
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// answers reports whether it is this server that answers on its port.
func (s *Server) answers() bool {
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

// Addr is where the server listens, as host:port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Port is the port alone.
func (s *Server) Port() int { return s.port }

// URL is the server's.
func (s *Server) URL() redisurl.URL { return redisurl.URL("redis://" + s.Addr()) }

// Kill ends the server at once, if it runs.
func (s *Server) Kill() {
	if s.process != nil {
		_ = s.process.Kill()
		<-s.ended
	}
}

// Client is a plain client of the server, which ends with the test.
func (s *Server) Client(t testing.TB) rueidis.Client {
	t.Helper()
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.Addr()}, ForceSingleClient: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Commands is how many commands the server has carried out.
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
