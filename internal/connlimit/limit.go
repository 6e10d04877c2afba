package connlimit

const (
	// maxConnections limits the memory of idle connections, about 20 kB each, if
	// the number of descriptors does not.
	maxConnections = 1 << 16
	// reserved is the number of descriptors that the process needs for its log, its
	// listeners and Redis.
	reserved = 16
)

// Limit returns how many connections a process may have open, given its number of
// file descriptors and of concurrent calls. At least a quarter of the descriptors
// stays free for streamed uploads, which need two each.
func Limit(descriptors, calls int) int {
	return min(max(descriptors-max(descriptors/4, calls+reserved), descriptors/4, 1), maxConnections)
}
