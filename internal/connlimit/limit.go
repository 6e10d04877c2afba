package connlimit

const (
	// maximum bounds the memory of idle connections, some 20 kB each, where the
	// number of descriptors does not.
	maximum = 1 << 16
	// other is how many descriptors the process needs for itself: its log, its
	// listeners, Redis.
	other = 16
)

// Limit returns how many connections a process with a number of file descriptors
// may have open when it makes a number of calls itself. A quarter of the
// descriptors stays free at least, for streamed uploads: each has two.
func Limit(descriptors, calls int) int {
	return min(max(descriptors-max(descriptors/4, calls+other), descriptors/4, 1), maximum)
}
