// Package process starts what a bench measures, or measures with: this program
// once more as a server or an emulator, or another program such as a Redis. All
// of it is on the loopback, and is stopped by its own process id.
package process

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// A Process is a program that runs. It is safe for concurrent use.
type Process struct {
	cmd     *exec.Cmd
	address string
	said    *tail // the end of what it has written to stderr
	waited  chan struct{}
}

// Options say how a process differs from one that has nothing of its own.
type Options struct {
	// Env is added to the environment, which has no settings of the server's
	// but these.
	Env []string
	// Log gets what the process writes to stderr; nil for nobody. Of that, an
	// error has the end anyway.
	Log io.Writer
}

// readiness is how long a process may take to become ready. Making the world
// takes seconds on a busy machine.
const readiness = 30 * time.Second

// grace is how long a process may take to stop.
const grace = 5 * time.Second

// Again starts this program once more with a command of the server's, such as
// "serve" or "emulator", and waits until it is ready. Its main must know these
// commands. The process ends with ctx, or when it is stopped.
func Again(ctx context.Context, o Options, args ...string) (*Process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := newProcess(ctx, o, program, args...)
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
			p.Stop()
			return nil, fmt.Errorf("%s did not become ready: %s", args[0], p.said)
		}
		p.address = address
		return p, nil
	case <-time.After(readiness):
		p.Stop()
		return nil, fmt.Errorf("%s did not become ready within %v: %s", args[0], readiness, p.said)
	case <-ctx.Done():
		p.Stop()
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

func newProcess(ctx context.Context, o Options, program string, args ...string) *Process {
	p := &Process{cmd: exec.CommandContext(ctx, program, args...), said: new(tail), waited: make(chan struct{})}
	p.cmd.Env = append(foreign(os.Environ()), o.Env...)
	p.cmd.Stderr = p.said
	if o.Log != nil {
		p.cmd.Stderr = io.MultiWriter(p.said, o.Log)
	}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = grace
	return p
}

func (p *Process) run() error {
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is nobody's business: it was told to
		close(p.waited)
	}()
	return nil
}

// Stop ends the process, the hard way if it does not end by itself, and returns
// when it has ended. It may be called again.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.waited:
	case <-time.After(grace):
		p.Kill()
	}
}

// Kill ends the process as a crash does, and returns when it has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.waited
}

// Address is where the process is: the base URL of a server or an emulator, host
// and port of a Redis.
func (p *Process) Address() string { return p.address }

// Pid is the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

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
