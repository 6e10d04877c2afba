//go:build !unix

package connlimit

// Descriptors returns how many file descriptors the process may have open: there
// is no such limit on this system.
func Descriptors() int { return 1 << 30 }
