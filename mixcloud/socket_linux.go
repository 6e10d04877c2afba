package mixcloud

import (
	"net"
	"syscall"
)

// tcpNotSentLowAt is TCP_NOTSENT_LOWAT, which the syscall package does not have.
const tcpNotSentLowAt = 25

// limitUnsent limits how much of a body the kernel buffers before it is sent.
// Bytes that were sent but not acknowledged are not limited, so that the
// connection stays fast.
func limitUnsent(conn net.Conn) {
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
