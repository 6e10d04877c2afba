package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"
)

// A session is a sealed cookie, so nothing is stored of it and nothing can be
// deleted when a person signs out. Instead the server remembers the ids of the
// sessions that were ended before their cookie expired. Each process has such a
// set, and looks into it for each request with a cookie. Replicas share theirs
// through [Revocations]; while that is not reachable, a session that was ended on
// one replica is ended there alone.

// Revocations is the set of ended sessions that replicas share. Implementations
// are safe for concurrent use, and answer within milliseconds.
type Revocations interface {
	// Revoke adds a session until its cookie expires, now or when the set can be
	// reached again.
	Revoke(ctx context.Context, id string, until time.Time)
	// Revoked reports whether a session was added; false if that is not known.
	Revoked(ctx context.Context, id string) bool
}

// maxRevoked bounds the ended sessions that a process remembers: some 10 MiB. If
// there are more, the oldest is forgotten.
const maxRevoked = 100_000

// revoke ends a session: its cookie is worth nothing from now on, wherever it
// was copied to.
func (c *Cookies) revoke(ctx context.Context, s *session) {
	until := time.Unix(s.Since, 0).Add(SessionLife)
	c.revoked.add(s.ID, until)
	if c.shared != nil {
		c.shared.Revoke(ctx, s.ID, until)
	}
}

// isRevoked reports whether a session was ended.
func (c *Cookies) isRevoked(ctx context.Context, s *session) bool {
	return c.revoked.has(s.ID) || c.shared != nil && c.shared.Revoked(ctx, s.ID)
}

// derivedID is the id of a session whose cookie holds none. A sealed text is
// unique by its nonce, and there is one text for one cookie.
func derivedID(sealed string) string {
	sum := sha256.Sum256([]byte(sealed))
	return "sealed-" + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// An expiringSet holds names until a time of their own, at most a given number of
// them. It is safe for concurrent use.
type expiringSet struct {
	most int

	mu    sync.Mutex
	until map[string]time.Time
	queue []string // the names, in the order in which they were added
}

func newExpiringSet(most int) *expiringSet {
	return &expiringSet{most: most, until: map[string]time.Time{}}
}

// add adds a name, and reports whether it was missing. What has expired at the
// head of the queue is removed, and the oldest if there are too many.
func (s *expiringSet) add(name string, until time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, again := s.until[name]; again {
		return false
	}
	for len(s.queue) > 0 && (len(s.queue) >= s.most || !time.Now().Before(s.until[s.queue[0]])) {
		delete(s.until, s.queue[0])
		s.queue = s.queue[1:]
	}
	s.until[name] = until
	s.queue = append(s.queue, name)
	return true
}

// has reports whether a name is in the set.
func (s *expiringSet) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.until[name]
	return ok
}
