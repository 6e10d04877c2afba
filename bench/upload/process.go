package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"mixcloud-graphql/bench/process"
)

// A target is a process whose resources are measured.
type target struct{ *process.Process }

// start starts this program again with a command of the server. The process cannot create temporary
// files, because not even root can create files below /dev/null.
func start(ctx context.Context, args ...string) (*target, error) {
	p, err := process.StartSelf(ctx, process.Options{Env: []string{"TMPDIR=/dev/null/tmp"}, Log: os.Stderr},
		append(args, "--addr=127.0.0.1:0", "--log-level=error")...)
	if err != nil {
		return nil, err
	}
	return &target{p}, nil
}

func (p *target) proc(name string) string {
	return filepath.Join("/proc", strconv.Itoa(p.Pid()), name)
}

// writtenBytes returns the number of bytes that the process has written to storage.
func (p *target) writtenBytes() (int64, error) {
	text, err := os.ReadFile(p.proc("io"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "write_bytes:"); ok {
			return strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return 0, errors.New("the io file of the process has no write_bytes")
}

// A resourceWatch measures the resources that a process uses during a period.
type resourceWatch struct {
	process *target
	memory  int64         // resident at the start
	written int64         // bytes to storage at the start
	cpu     time.Duration // processor time at the start
	stop    chan struct{}
	wg      sync.WaitGroup
	files   int64 // maximum size of the files that were open for writing
}

// startWatch starts a resourceWatch. It resets the process's peak memory.
func (p *target) startWatch() (*resourceWatch, error) {
	if err := os.WriteFile(p.proc("clear_refs"), []byte("5"), 0); err != nil {
		return nil, fmt.Errorf("reset the peak memory: %w", err)
	}
	w := &resourceWatch{process: p, stop: make(chan struct{})}
	var err error
	if w.memory, err = p.Memory("VmRSS"); err != nil {
		return nil, err
	}
	if w.written, err = p.writtenBytes(); err != nil {
		return nil, err
	}
	if w.cpu, err = p.ProcessorTime(); err != nil {
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

// openFiles returns the size of the files, deleted or not, that the process has open for writing.
func (p *target) openFiles() (total int64) {
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

// end returns the maximum growth of the memory, the number of bytes in files (in open files, or
// written to storage), and the processor time.
func (w *resourceWatch) end() (memory, files int64, cpu time.Duration, err error) {
	close(w.stop)
	w.wg.Wait()
	peak, err := w.process.Memory("VmHWM")
	if err != nil {
		return 0, 0, 0, err
	}
	written, err := w.process.writtenBytes()
	if err != nil {
		return 0, 0, 0, err
	}
	cpu, err = w.process.ProcessorTime()
	return max(peak-w.memory, 0), max(w.files, written-w.written), cpu - w.cpu, err
}
