package mixcloud

import (
	"net"
	"syscall"
)

// tcpNotSentLowAt is TCP_NOTSENT_LOWAT, which the syscall package lacks.
const tcpNotSentLowAt = 25

// boundUnsent bounds how much the kernel takes of a body that the other side is
// not ready for: it was taken from a client, and may never arrive. What is on
// its way is not bounded, so that a fast connection stays so.
func boundUnsent(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowAt, maxUnsent)
	})
}
