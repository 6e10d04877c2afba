package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A process is this program once more, as a server or an emulator.
type process struct {
	url string
	cmd *exec.Cmd
}

// start starts this program with a command of the server's and waits until it
// is ready.
func start(ctx context.Context, args ...string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, append(args, "--addr=127.0.0.1:0", "--log-level=error")...)
	// A path below a device: nobody, not even root, can make a file there.
	cmd.Env = append(os.Environ(), "TMPDIR=/dev/null/tmp")
	cmd.Stderr = struct{ io.Writer }{os.Stderr} // through a pipe: a file would be counted
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd}
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ready := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ready {
		p.stop()
		return nil, fmt.Errorf("%s did not become ready: %q, %w", args[0], line, err)
	}
	p.url = url
	return p, nil
}

// stop ends the process, and no other.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	timer := time.AfterFunc(5*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	_ = p.cmd.Wait()
}

func (p *process) proc(name string) string {
	return filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), name)
}

// number reads a line such as "VmHWM:   123 kB" of a file of /proc.
func (p *process) number(file, name string) (int64, error) {
	text, err := os.ReadFile(p.proc(file))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			fields := strings.Fields(value)
			n, err := strconv.ParseInt(fields[0], 10, 64)
			if len(fields) > 1 && fields[1] == "kB" {
				n <<= 10
			}
			return n, err
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, name)
}

// A watch is what a process takes while something happens.
type watch struct {
	process *process
	memory  int64 // resident when it began
	written int64 // to storage when it began
	stop    chan struct{}
	wg      sync.WaitGroup
	files   int64 // the most bytes in files that it had open for writing
}

// watched begins a watch. It has the kernel forget the peak of the memory.
func (p *process) watched() (*watch, error) {
	if err := os.WriteFile(p.proc("clear_refs"), []byte("5"), 0); err != nil {
		return nil, fmt.Errorf("reset the peak of the memory: %w", err)
	}
	w := &watch{process: p, stop: make(chan struct{})}
	var err error
	if w.memory, err = p.number("status", "VmRSS"); err != nil {
		return nil, err
	}
	if w.written, err = p.number("io", "write_bytes"); err != nil {
		return nil, err
	}
	w.wg.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-w.stop:
				return
			case <-tick.C:
				w.files = max(w.files, p.openFiles())
			}
		}
	})
	return w, nil
}

// openFiles is how many bytes there are in the files, deleted or not, that the
// process has open for writing.
func (p *process) openFiles() (total int64) {
	entries, _ := os.ReadDir(p.proc("fd"))
	for _, e := range entries {
		info, err := os.Stat(filepath.Join(p.proc("fd"), e.Name()))
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		flags, _ := os.ReadFile(filepath.Join(p.proc("fdinfo"), e.Name()))
		for line := range strings.Lines(string(flags)) {
			octal, ok := strings.CutPrefix(line, "flags:")
			bits, err := strconv.ParseInt(strings.TrimSpace(octal), 8, 64)
			if ok && err == nil && int(bits)&3 != os.O_RDONLY {
				total += info.Size()
			}
		}
	}
	return total
}

// end gives by how much the memory grew at most, and how many bytes went into
// files: those that were open, and whatever else reached storage.
func (w *watch) end() (memory, files int64, err error) {
	close(w.stop)
	w.wg.Wait()
	peak, err := w.process.number("status", "VmHWM")
	if err != nil {
		return 0, 0, err
	}
	written, err := w.process.number("io", "write_bytes")
	return max(peak-w.memory, 0), max(w.files, written-w.written), err
}
