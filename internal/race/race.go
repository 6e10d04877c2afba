// Package race reports whether the race detector is on. It makes code about ten
// times slower and needs several times the memory, so tests do less of what takes
// long: fewer cases of a kind, smaller sizes. They do all of it without it, in the
// same run of CI.
package race
