// Package connlimit bounds the open connections of an HTTP server, so that file
// descriptors remain for everything else. When one connection too many is
// accepted, the one that has been without a request for the longest time is
// closed. If all have one, further connections wait in the kernel's backlog until
// one ends or becomes idle.
package connlimit

import (
	"container/list"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// logInterval is the shortest time between two log lines.
const logInterval = 10 * time.Second

// A Limiter bounds the connections of one server. It is safe for concurrent use.
type Limiter struct {
	limit int
	log   *slog.Logger

	mu      sync.Mutex
	room    sync.Cond            // there are no more connections than allowed, or the listener is closed
	open    map[net.Conn]*status // of the server
	idle    list.List            // net.Conn without a request, the longest first
	closing int                  // connections that are being closed to make room
	closed  bool                 // the listener

	logged     time.Time // of the last line
	closedIdle int       // since then
}

// A status is that of an open connection.
type status struct {
	idle    *list.Element // nil unless it is in the list
	closing bool
}

// New returns a limiter of a number of connections. It becomes effective when the
// server uses both [Limiter.Listener] and [Limiter.ConnState].
func New(limit int, log *slog.Logger) *Limiter {
	l := &Limiter{limit: limit, log: log, open: map[net.Conn]*status{}}
	l.room.L = &l.mu
	return l
}

// Listener accepts connections while there is room for them.
func (l *Limiter) Listener(ln net.Listener) net.Listener { return listener{ln, l} }

type listener struct {
	net.Listener
	of *Limiter
}

// Accept waits until there is room, then for a connection. The server reports the
// connection to ConnState before it calls Accept again.
func (l listener) Accept() (net.Conn, error) {
	l.of.mu.Lock()
	for len(l.of.open) > l.of.limit && !l.of.closed {
		l.of.room.Wait()
	}
	l.of.mu.Unlock()
	return l.Listener.Accept()
}

// Close ends an Accept that waits for room, too.
func (l listener) Close() error {
	l.of.mu.Lock()
	l.of.closed = true
	l.of.room.Broadcast()
	l.of.mu.Unlock()
	return l.Listener.Close()
}

// ConnState is for the option of the server of the same name.
func (l *Limiter) ConnState(c net.Conn, state http.ConnState) {
	l.mu.Lock()
	var surplus net.Conn
	known := l.open[c]
	switch state {
	case http.StateNew:
		surplus = l.surplus(1) // before c itself can be chosen
		l.open[c] = &status{idle: l.idle.PushBack(c)}
	case http.StateIdle:
		if !known.closing {
			known.idle = l.idle.PushBack(c)
			surplus = l.surplus(0)
		}
	case http.StateActive:
		l.busy(known)
	case http.StateClosed, http.StateHijacked:
		l.busy(known)
		delete(l.open, c)
		if known.closing {
			l.closing--
		}
		l.room.Signal()
	}
	l.mu.Unlock()
	if surplus != nil {
		endReads(surplus)
	}
}

// busy takes a connection out of the list of idle ones.
func (l *Limiter) busy(s *status) {
	if s.idle != nil {
		l.idle.Remove(s.idle)
		s.idle = nil
	}
}

// surplus returns the connection to close if there are too many with some more;
// nil if there are not, or all have a request.
func (l *Limiter) surplus(more int) (c net.Conn) {
	if len(l.open)-l.closing+more <= l.limit {
		return nil
	}
	if first := l.idle.Front(); first != nil {
		c = first.Value.(net.Conn)
		l.busy(l.open[c])
		l.open[c].closing = true
		l.closing++
		l.closedIdle++
	}
	if now := time.Now(); now.Sub(l.logged) >= logInterval {
		l.log.Warn("connection limit reached", "limit", l.limit, "idle", l.idle.Len(), "closed_idle", l.closedIdle)
		l.logged, l.closedIdle = now, 0
	}
	return c
}

// endReads makes the server close an idle connection: its next read ends. A
// request that has arrived at the same moment is still answered.
func endReads(c net.Conn) {
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
