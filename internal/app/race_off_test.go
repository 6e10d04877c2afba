//go:build !race

package app

// racing says that the race detector slows everything down.
const racing = false
