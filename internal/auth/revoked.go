package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"
)

// Sessions are stored in sealed cookies, so the server has nothing to delete when a user signs
// out. Instead it stores the ids of revoked sessions until their cookies expire. Each process
// has such a set, and checks it for each request with a cookie. Replicas share theirs through
// [Revocations]; while that is unreachable, a session is revoked only on the replica that
// received the sign-out.

// Revocations is the set of revoked sessions that replicas share. Implementations are safe for
// concurrent use and return within milliseconds.
type Revocations interface {
	// Revoke adds a session until its cookie expires. If the set is unreachable it adds it
	// later.
	Revoke(ctx context.Context, id string, until time.Time)
	// Revoked reports whether a session was added; false if the set is unreachable.
	Revoked(ctx context.Context, id string) bool
}

// maxRevoked bounds the revoked sessions in memory, about 10 MiB. At the limit the oldest is
// dropped.
const maxRevoked = 100_000

// revoke invalidates a session, including all copies of its cookie.
func (c *Cookies) revoke(ctx context.Context, s *session) {
	until := time.Unix(s.Since, 0).Add(SessionLife)
	c.revoked.add(s.ID, until)
	if c.shared != nil {
		c.shared.Revoke(ctx, s.ID, until)
	}
}

// isRevoked reports whether a session was revoked.
func (c *Cookies) isRevoked(ctx context.Context, s *session) bool {
	return c.revoked.has(s.ID) || c.shared != nil && c.shared.Revoked(ctx, s.ID)
}

// derivedID returns the id of a session whose cookie contains none, a hash of the sealed text.
// The text is unique because of its nonce, and strict decoding accepts only one text for it.
func derivedID(sealed string) string {
	sum := sha256.Sum256([]byte(sealed))
	return "sealed-" + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// An expiringSet is a bounded set of names, each with its own expiry. It is safe for concurrent
// use.
type expiringSet struct {
	most int

	mu    sync.Mutex
	until map[string]time.Time
	queue []string // the names in the order of insertion
}

func newExpiringSet(most int) *expiringSet {
	return &expiringSet{most: most, until: map[string]time.Time{}}
}

// add adds a name and reports whether it was absent. It removes expired names from the head of
// the queue, and the oldest name if the set is full.
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
