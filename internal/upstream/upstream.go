// Package upstream stands between the loaders and the REST client: it decides
// how many calls are under way at once and how many an operation may spend.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// DefaultConcurrency is how many calls may be under way at once, unless
// configured otherwise.
const DefaultConcurrency = 32

// DefaultBudget is how many calls one operation may spend, unless configured
// otherwise.
const DefaultBudget = 200

// A Store gives operations access to Mixcloud. It is safe for concurrent use
// and meant to be one for the whole process.
type Store struct {
	client *mixcloud.Client
	slots  *semaphore.Weighted // first come, first served
	budget int64

	mu      sync.Mutex
	retryAt time.Time
}

// NewStore makes a store over an anonymous client. Concurrency and budget at or
// below zero take their defaults.
func NewStore(client *mixcloud.Client, concurrency, budget int) *Store {
	if concurrency <= 0 {
		concurrency = DefaultConcurrency
	}
	if budget <= 0 {
		budget = DefaultBudget
	}
	return &Store{client: client, slots: semaphore.NewWeighted(int64(concurrency)), budget: int64(budget)}
}

// Client is the anonymous client, for what needs no call, such as parsing an
// address against the configured roots.
func (s *Store) Client() *mixcloud.Client { return s.client }

// RetryAt is when Mixcloud takes calls again after its latest refusal for the
// rate limit; false when none is in force.
func (s *Store) RetryAt() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.retryAt, time.Now().Before(s.retryAt)
}

func (s *Store) refused(wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until := time.Now().Add(wait); until.After(s.retryAt) {
		s.retryAt = until
	}
}

// A Session is one operation's access to Mixcloud: one audience, one budget.
// It is safe for concurrent use.
type Session struct {
	store  *Store
	client *mixcloud.Client
	signed bool
	spent  atomic.Int64
}

// Session begins an operation for the holder of token; "" is anonymous.
func (s *Store) Session(token string) *Session {
	return &Session{store: s, client: s.client.As(token), signed: token != ""}
}

// Anonymous reports whether the operation acts for nobody.
func (s *Session) Anonymous() bool { return !s.signed }

// Store is the store that the session belongs to.
func (s *Session) Store() *Store { return s.store }

// Read makes one call when a slot is free. Over the operation's budget it
// makes none and gives an error with code LIMIT_EXCEEDED; when ctx ends first,
// ctx's own error.
func Read[T any](ctx context.Context, s *Session, call func(context.Context, *mixcloud.Client) (T, error)) (T, error) {
	var none T
	if n := s.spent.Add(1); n > s.store.budget {
		return none, gqlerr.Limit(fmt.Sprintf("This operation needs more than the %d calls to Mixcloud that one operation may make. Ask for fewer items or fewer nested fields.", s.store.budget))
	}
	if err := s.store.slots.Acquire(ctx, 1); err != nil {
		return none, err
	}
	defer s.store.slots.Release(1)
	value, err := call(ctx, s.client)
	var refusal *mixcloud.Error
	if errors.Is(err, mixcloud.ErrRateLimited) && errors.As(err, &refusal) {
		s.store.refused(refusal.RetryAfter)
	}
	return value, err
}
