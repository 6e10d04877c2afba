package app

import (
	"os"
	"runtime"
)

// floor is how many bytes the garbage collector takes to be in use beside what
// is. It runs when as much again has been allocated; a server that keeps little
// would collect all the time, and each twentieth answer would take twice as long.
const floor = 64 << 20

// raiseFloor makes the collector run seldom however little is kept, until lower is
// called. The bytes are never touched, so they are in no memory but the address
// space. Whoever has set the collector by GOGC or GOMEMLIMIT is left alone.
func raiseFloor() (lower func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	ballast := make([]byte, floor)
	return func() { runtime.KeepAlive(ballast) }
}
