package mixcloud

import (
	"crypto/x509"
	"errors"
	"net"
	"syscall"
)

// localFaults are errors of the operating system that this machine causes, not the
// called server.
var localFaults = []struct {
	err  error
	name string
}{
	{syscall.EMFILE, "out of file descriptors (process)"},
	{syscall.ENFILE, "out of file descriptors (system)"},
	{syscall.ENOMEM, "out of memory"},
	{syscall.ENOBUFS, "out of buffers"},
	{syscall.EADDRNOTAVAIL, "out of local addresses or ports"},
	{syscall.ENETDOWN, "network is down"},
	{syscall.ENETUNREACH, "network is unreachable"},
	{syscall.EACCES, "connections are not permitted"},
	{syscall.EPERM, "connections are not permitted"},
}

// localFault returns the name of the fault of this machine that caused err, the
// error of a call without a response. It returns "" if the cause may be elsewhere.
func localFault(err error) string {
	for _, fault := range localFaults {
		if errors.Is(err, fault.err) {
			return fault.name
		}
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "name resolution"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return "the proxy cannot be reached"
	}
	if _, ok := errors.AsType[x509.SystemRootsError](err); ok {
		return "no root certificates"
	}
	return ""
}
