//go:build unix

package connlimit

import "syscall"

// Descriptors returns how many file descriptors the process may have open. Go
// raises the limit to the hard limit (ulimit -Hn) when the process starts.
func Descriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 1<<30 {
		return 1 << 30 // unlimited
	}
	return int(limit.Cur) //nolint:gosec // checked above
}
