//go:build !race

package conformance

// racing says that the race detector slows everything down.
const racing = false
