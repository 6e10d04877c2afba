package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// bareCommand is the command of this program that serves a bare 503.
const bareCommand = "bare"

// bare serves what a refusal is compared with: net/http alone, which reads the
// request and responds with the status, the headers and a body of the same kind.
func serveBare(ctx context.Context, stdout io.Writer) error {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	body := []byte(`{"errors":[{"message":"The server is overloaded. Try again in a second.","extensions":{"code":"LIMIT_EXCEEDED","retryAfterMs":1000,"retryable":true}}]}`)
	srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(body)
	})}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	if _, err := fmt.Fprintf(stdout, "ready http://%s\n", ln.Addr()); err != nil {
		return err
	}
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// pin keeps a process, with all of its threads, on one processor. Where that
// cannot be done, or there is only one, the system decides.
func pin(pid, processor int) error {
	if _, err := exec.LookPath("taskset"); err != nil {
		return nil //nolint:nilerr // not on this system
	}
	out, err := exec.Command("taskset", "-acp", strconv.Itoa(processor), strconv.Itoa(pid)).CombinedOutput() //nolint:gosec // numbers
	if err != nil && processor > 0 {
		return nil // there is one processor only
	}
	if err != nil {
		return fmt.Errorf("taskset: %w: %s", err, out)
	}
	return nil
}

func pinSelf(processor int) error { return pin(os.Getpid(), processor) }

// tickOf is the unit of /proc/pid/stat on all architectures of Linux that Go knows.
const clockTick = 10 * time.Millisecond

// processorTime is what a process has used of processors; 0 where it cannot be told.
func processorTime(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * clockTick
}
