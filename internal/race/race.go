// Package race reports whether the race detector is enabled. It makes code about ten times
// slower and needs several times the memory, so with it slow tests run fewer cases and
// smaller sizes. CI runs them without it, too.
package race
