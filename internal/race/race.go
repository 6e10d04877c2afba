// Package race reports whether the race detector is enabled. The race detector makes code about
// ten times slower and needs several times the memory, so slow tests then run fewer cases and
// smaller sizes. CI also runs all tests without the race detector.
package race
