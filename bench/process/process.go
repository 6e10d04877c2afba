// Package process starts processes for benchmarks, on loopback: this program again as a server or an
// emulator, or another program such as Redis. Each is stopped by its process id.
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

// A Process is a running program. It is safe for concurrent use.
type Process struct {
	cmd     *exec.Cmd
	address string
	stderr  *tailBuffer // the end of its output
	exited  chan struct{}
}

// Options configure a process.
type Options struct {
	// Env is added to the environment, from which all settings of the server are removed.
	Env []string
	// Log receives the output to stderr; nil discards it. Errors contain the end of the output in
	// any case.
	Log io.Writer
}

// startTimeout is the maximum time until a process is ready. Generating the emulator's data takes
// seconds on a busy machine.
const startTimeout = 30 * time.Second

// stopTimeout is the time after which a process that does not stop is killed.
const stopTimeout = 5 * time.Second

// StartSelf starts this program again with a command of the server, such as "serve" or "emulator",
// and waits until it is ready. The program's main must implement these commands. The process ends
// when ctx ends or when it is stopped.
func StartSelf(ctx context.Context, o Options, args ...string) (*Process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return StartCommand(ctx, o, program, args...)
}

// StartCommand is [StartSelf] with another program that has the same commands.
func StartCommand(ctx context.Context, o Options, program string, args ...string) (*Process, error) {
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
			return nil, fmt.Errorf("%s did not become ready: %s", args[0], p.stderr)
		}
		p.address = address
		return p, nil
	case <-time.After(startTimeout):
		p.Stop()
		return nil, fmt.Errorf("%s did not become ready within %v: %s", args[0], startTimeout, p.stderr)
	case <-ctx.Done():
		p.Stop()
		return nil, ctx.Err()
	}
}

// withoutSettings returns the environment variables that are not settings of the server.
func withoutSettings(env []string) []string {
	var others []string
	for _, v := range env {
		if !strings.HasPrefix(v, "MIXCLOUD_GRAPHQL_") {
			others = append(others, v)
		}
	}
	return others
}

func newProcess(ctx context.Context, o Options, program string, args ...string) *Process {
	p := &Process{cmd: exec.CommandContext(ctx, program, args...), stderr: new(tailBuffer), exited: make(chan struct{})}
	p.cmd.Env = append(withoutSettings(os.Environ()), o.Env...)
	p.cmd.Stderr = p.stderr
	if o.Log != nil {
		p.cmd.Stderr = io.MultiWriter(p.stderr, o.Log)
	}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = stopTimeout
	return p
}

func (p *Process) run() error {
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = p.cmd.Wait() // an error is expected, because it was interrupted or killed
		close(p.exited)
	}()
	return nil
}

// Stop interrupts the process, and kills it if it does not end in time. It returns when the process
// has ended, and may be called more than once.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.exited:
	case <-time.After(stopTimeout):
		p.Kill()
	}
}

// Kill kills the process, and returns when it has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// Address returns the base URL of a server or an emulator, or the host and port of a Redis.
func (p *Process) Address() string { return p.address }

// Pid returns the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// A tailBuffer stores the end of the text that is written to it.
type tailBuffer struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 2000

func (t *tailBuffer) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = t.buf[over:]
	}
	return len(b), nil
}

func (t *tailBuffer) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}
