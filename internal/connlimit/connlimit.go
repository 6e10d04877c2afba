// Package connlimit limits the open connections of an HTTP server, so that file
// descriptors remain for other uses. When a connection above the limit is accepted,
// the one that has been idle for the longest time is closed. If no connection is
// idle, further ones wait in the kernel's backlog until one ends or becomes idle.
package connlimit

import (
	"container/list"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"mixcloud-graphql/internal/telemetry"
)

// A Limiter limits the connections of one server. It is safe for concurrent use.
type Limiter struct {
	limit int
	log   *slog.Logger

	mu      sync.Mutex
	room    sync.Cond            // the number of connections is within the limit, or the listener is closed
	open    map[net.Conn]*status // of the server
	idle    list.List            // of net.Conn without a request, the one idle for the longest time first
	closing int                  // connections that are being closed to make room
	closed  bool                 // the listener is closed

	sampler    telemetry.Sampler
	closedIdle int // since the last log entry
}

// A status is the status of an open connection.
type status struct {
	idle    *list.Element // nil unless the connection is idle
	closing bool
}

// New returns a limiter for a number of connections. It takes effect if the server
// uses both [Limiter.Listener] and [Limiter.ConnState].
func New(limit int, log *slog.Logger) *Limiter {
	l := &Limiter{limit: limit, log: log, open: map[net.Conn]*status{}}
	l.room.L = &l.mu
	return l
}

// Listener returns a listener that accepts connections while there is room for
// them.
func (l *Limiter) Listener(ln net.Listener) net.Listener { return listener{ln, l} }

type listener struct {
	net.Listener
	limiter *Limiter
}

// Accept waits until there is room, then for a connection. The server reports the
// connection to ConnState before it calls Accept again.
func (l listener) Accept() (net.Conn, error) {
	l.limiter.mu.Lock()
	for len(l.limiter.open) > l.limiter.limit && !l.limiter.closed {
		l.limiter.room.Wait()
	}
	l.limiter.mu.Unlock()
	return l.Listener.Accept()
}

// Close closes the listener. An Accept that waits for room returns.
func (l listener) Close() error {
	l.limiter.mu.Lock()
	l.limiter.closed = true
	l.limiter.room.Broadcast()
	l.limiter.mu.Unlock()
	return l.Listener.Close()
}

// ConnState is the server's ConnState callback.
func (l *Limiter) ConnState(c net.Conn, state http.ConnState) {
	l.mu.Lock()
	var surplus net.Conn
	current := l.open[c]
	switch state {
	case http.StateNew:
		surplus = l.selectSurplus(1) // before c itself can be selected
		l.open[c] = &status{idle: l.idle.PushBack(c)}
	case http.StateIdle:
		if !current.closing {
			current.idle = l.idle.PushBack(c)
			surplus = l.selectSurplus(0)
		}
	case http.StateActive:
		l.removeIdle(current)
	case http.StateClosed, http.StateHijacked:
		l.removeIdle(current)
		delete(l.open, c)
		if current.closing {
			l.closing--
		}
		l.room.Signal()
	}
	l.mu.Unlock()
	if surplus != nil {
		closeIdle(surplus)
	}
}

// removeIdle removes a connection from the list of idle ones.
func (l *Limiter) removeIdle(s *status) {
	if s.idle != nil {
		l.idle.Remove(s.idle)
		s.idle = nil
	}
}

// selectSurplus returns the connection to close if there are too many, including
// some that are about to be added. It returns nil if there are not, or if no
// connection is idle.
func (l *Limiter) selectSurplus(added int) (c net.Conn) {
	if len(l.open)-l.closing+added <= l.limit {
		return nil
	}
	if first := l.idle.Front(); first != nil {
		c = first.Value.(net.Conn)
		l.removeIdle(l.open[c])
		l.open[c].closing = true
		l.closing++
		l.closedIdle++
	}
	if _, write := l.sampler.Sample("limit"); write {
		l.log.Warn("connection limit reached", "limit", l.limit, "idle", l.idle.Len(), "closed_idle", l.closedIdle)
		l.closedIdle = 0
	}
	return c
}

// closeIdle makes the server close an idle connection by ending its next read. A
// request that has arrived in the meantime still gets a response.
func closeIdle(c net.Conn) {
	for {
		switch inner := c.(type) {
		case interface{ CloseRead() error }:
			_ = inner.CloseRead()
			return
		case interface{ NetConn() net.Conn }:
			c = inner.NetConn()
		default:
			_ = c.Close()
			return
		}
	}
}
