//go:build !unix

package connlimit

// Descriptors returns how many file descriptors the process may have open: this
// system has no such limit.
func Descriptors() int { return 1 << 30 }
