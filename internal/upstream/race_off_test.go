//go:build !race

package upstream

// racing says that the race detector slows everything down.
const racing = false
