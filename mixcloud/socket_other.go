//go:build !linux

package mixcloud

import "net"

// limitUnsent limits how much of a body the kernel buffers before it is sent.
func limitUnsent(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(maxUnsent)
	}
}
