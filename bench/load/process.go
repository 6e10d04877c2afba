package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// A process is a server, an emulator or a Redis that the bench has started.
type process struct {
	cmd     *exec.Cmd
	address string // base URL, or host and port of a Redis
	said    *tail  // the end of what it has written to stderr
	waited  chan struct{}
}

// readiness is how long a process may take to become ready. Making the world
// takes seconds on a busy machine.
const readiness = 30 * time.Second

// grace is how long a process may take to stop.
const grace = 5 * time.Second

// start runs this program once more, as the server or the emulator, with no
// settings from outside, and waits until it is ready. Env is added to its
// environment; log gets what it writes to stderr, unless it is nil.
func start(ctx context.Context, log io.Writer, env []string, args ...string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := newProcess(ctx, program, args...)
	p.cmd.Env = append(foreign(os.Environ()), env...)
	if log != nil {
		p.cmd.Stderr = io.MultiWriter(p.said, log)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.run(); err != nil {
		return nil, err
	}
	ready := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		ready <- line
		_, _ = io.Copy(io.Discard, out)
	}()
	select {
	case line := <-ready:
		address, found := strings.CutPrefix(strings.TrimSpace(line), "ready ")
		if !found {
			p.stop()
			return nil, fmt.Errorf("%s did not become ready: %s", args[0], p.said)
		}
		p.address = address
		return p, nil
	case <-time.After(readiness):
		p.stop()
		return nil, fmt.Errorf("%s did not become ready within %v: %s", args[0], readiness, p.said)
	case <-ctx.Done():
		p.stop()
		return nil, ctx.Err()
	}
}

// foreign are the variables that are no settings of the server's.
func foreign(env []string) []string {
	var kept []string
	for _, v := range env {
		if !strings.HasPrefix(v, "MIXCLOUD_GRAPHQL_") {
			kept = append(kept, v)
		}
	}
	return kept
}

func newProcess(ctx context.Context, program string, args ...string) *process {
	p := &process{cmd: exec.CommandContext(ctx, program, args...), said: new(tail), waited: make(chan struct{})}
	p.cmd.Stderr = p.said
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = grace
	return p
}

func (p *process) run() error {
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is nobody's business: it was told to
		close(p.waited)
	}()
	return nil
}

// stop ends the process, the hard way if it does not end by itself.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.waited:
	case <-time.After(grace):
		p.kill()
	}
}

// kill ends the process as a crash does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.waited
}

// A tail is the end of a log.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 2000

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = t.buf[over:]
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}

// serve is the command line of a server over an emulator.
func serve(mixcloud string) []string {
	return []string{
		"serve", "--addr=127.0.0.1:0",
		"--api-url=" + mixcloud, "--site-url=" + mixcloud + "/www", "--oembed-url=" + mixcloud + "/www/oembed/",
	}
}

// startServer starts a server that logs no requests. Flags are more of its own.
func startServer(ctx context.Context, mixcloud string, env []string, flags ...string) (*process, error) {
	return start(ctx, nil, env, append(serve(mixcloud), append(flags, "--log-level=error")...)...)
}

// startRedis starts a Redis at an address, that of a free port when it is "",
// which forgets all when it ends.
func startRedis(ctx context.Context, address string) (*process, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, err
	}
	if address == "" {
		if address, err = freePort(ctx); err != nil {
			return nil, err
		}
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	p := newProcess(ctx, program, "--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", os.TempDir())
	p.address = address
	if err := p.run(); err != nil {
		return nil, err
	}
	for range int(readiness / (20 * time.Millisecond)) {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return p, conn.Close()
		}
		if !pause(ctx, 20*time.Millisecond) {
			break
		}
	}
	p.stop()
	return nil, errors.New("redis-server did not become ready")
}

func freePort(ctx context.Context) (string, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

// pause waits; false when the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
