package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Memory returns a memory field of /proc/PID/status in bytes, such as VmRSS (resident memory) or
// VmHWM (its peak).
func (p *Process) Memory(name string) (int64, error) {
	text, err := p.proc("status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("/proc has no %s", name)
}

// ProcessorTime returns the processor time of the process, in units of 10 ms.
func (p *Process) ProcessorTime() (time.Duration, error) {
	text, err := p.proc("stat")
	if err != nil {
		return 0, err
	}
	// The name in parentheses may contain any characters; utime and stime are the 12th and 13th field after it
	// (proc_pid_stat(5)).
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0, errors.New("/proc has no processor time")
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}

// proc returns a file of the process in /proc.
func (p *Process) proc(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.Pid()), name))
	return string(bytes.TrimSpace(text)), err
}
