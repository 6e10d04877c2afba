//go:build !linux

package mixcloud

import "net"

// boundUnsent bounds how much the kernel takes of a body that the other side is
// not ready for: it was taken from a client, and may never arrive.
func boundUnsent(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(maxUnsent)
	}
}
