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
	"mixcloud-graphql/internal/idempotency"
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

	overlay    overlay
	uploads    overlay
	audienceOf func(token string) string

	mu      sync.Mutex
	retryAt time.Time
}

// NewStore makes a store over an anonymous client. Concurrency and budget at or
// below zero take their defaults. AudienceOf names the holder of a token without
// telling the token, the same each time; it must be safe for concurrent use.
func NewStore(client *mixcloud.Client, concurrency, budget int, audienceOf func(token string) string) *Store {
	if concurrency <= 0 {
		concurrency = DefaultConcurrency
	}
	if budget <= 0 {
		budget = DefaultBudget
	}
	return &Store{
		client: client, slots: semaphore.NewWeighted(int64(concurrency)), budget: int64(budget), audienceOf: audienceOf,
		overlay: overlay{life: overlayLife}, uploads: overlay{life: uploadLife},
	}
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
	who    string // the audience; "" for nobody
	spent  atomic.Int64

	mu     sync.Mutex
	behind map[mark]int
}

// Session begins an operation for the holder of token; "" is anonymous.
func (s *Store) Session(token string) *Session {
	session := &Session{store: s, client: s.client.As(token), signed: token != ""}
	if session.signed {
		session.who = s.audienceOf(token)
	}
	return session
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
	if err := s.spend(); err != nil {
		return none, err
	}
	if err := s.store.slots.Acquire(ctx, 1); err != nil {
		return none, err
	}
	defer s.store.slots.Release(1)
	value, err := call(ctx, s.client)
	s.store.heed(err)
	return value, err
}

// spend takes one call from the operation's budget.
func (s *Session) spend() error {
	if s.spent.Add(1) > s.store.budget {
		return gqlerr.Limit(fmt.Sprintf("This operation needs more than the %d calls to Mixcloud that one operation may make. Ask for fewer items or fewer nested fields.", s.store.budget))
	}
	return nil
}

// heed remembers the wait that a refusal for the rate limit names.
func (s *Store) heed(err error) {
	var refusal *mixcloud.Error
	if errors.Is(err, mixcloud.ErrRateLimited) && errors.As(err, &refusal) {
		s.refused(refusal.RetryAfter)
	}
}

// Write makes one call that changes something, exactly once: it is never tried
// again, unless the request provably never left this machine. It counts as any
// other call.
func Write[T any](ctx context.Context, s *Session, call func(context.Context, *mixcloud.Client) (T, error)) (T, error) {
	value, err := Read(ctx, s, reporting(call))
	var failed *mixcloud.Error
	if errors.As(err, &failed) && failed.NeverSent {
		return Read(ctx, s, reporting(call))
	}
	return value, err
}

// reporting tells the operation when a call may have reached Mixcloud, whatever
// came of it: then it must not be made again unasked.
func reporting[T any](call func(context.Context, *mixcloud.Client) (T, error)) func(context.Context, *mixcloud.Client) (T, error) {
	return func(ctx context.Context, c *mixcloud.Client) (T, error) {
		reached := true // should it panic
		defer func() {
			if reached {
				idempotency.Sent(ctx)
			}
		}()
		value, err := call(ctx, c)
		var failed *mixcloud.Error
		reached = !errors.Is(err, mixcloud.ErrInvalid) && !(errors.As(err, &failed) && failed.NeverSent)
		return value, err
	}
}

// Stream is Write for a request whose body flows while it is sent: it holds no
// slot, for it may take hours, and ends with ctx alone. It still counts as a
// call of the operation.
func Stream[T any](ctx context.Context, s *Session, call func(context.Context, *mixcloud.Client) (T, error)) (T, error) {
	var none T
	if err := s.spend(); err != nil {
		return none, err
	}
	value, err := reporting(call)(ctx, s.client)
	s.store.heed(err)
	return value, err
}

// uploadLife is for how long a new upload may not be found yet.
const uploadLife = 10 * time.Minute

// Uploaded tells that a cloudcast was just made: Mixcloud may take minutes
// until it can be read.
func (s *Session) Uploaded(key string) {
	s.store.uploads.put(s.who, mark{target: mixcloud.Canonical(key)}, true, time.Now())
}

// JustUploaded reports whether the viewer has made the cloudcast of this key
// so recently that "not found" means "not yet".
func (s *Session) JustUploaded(key string) bool {
	return !s.Anonymous() && s.store.uploads.has(s.who, mark{target: mixcloud.Canonical(key)}, time.Now())
}

// Audience names whose eyes the operation's answers are for: the same for each
// operation with the same token, and telling nothing about it; "" for nobody.
func (s *Session) Audience() string { return s.who }
