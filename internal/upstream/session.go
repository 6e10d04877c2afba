package upstream

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// A Session is one operation's access to Mixcloud: one audience, one budget.
// It is safe for concurrent use.
type Session struct {
	store  *Store
	client *mixcloud.Client
	viewer atomic.Pointer[viewer]

	spent     atomic.Int64 // of the budget
	calls     atomic.Int64
	hits      atomic.Int64
	coalesced atomic.Int64
	stale     atomic.Int64
	freshFor  atomic.Int64
	group     any    // whose calls take turns with others', see [group]
	newer     bool   // than RevalidateAge: nothing else that is kept counts as fresh
	onCall    func() // nil for none

	mu     sync.Mutex
	behind map[mark]int
	notes  []Note
}

// Session begins an operation for the holder of token; "" is anonymous.
func (s *Store) Session(token string) *Session { return s.SessionOf(Caller{Token: token}) }

// SessionOf begins an operation for a caller.
func (s *Store) SessionOf(c Caller) *Session {
	session := &Session{store: s, client: s.client.As(c.Token), group: "address " + c.Address, newer: c.Revalidate, onCall: c.OnCall}
	known := s.everybody
	if c.Token != "" {
		known = s.viewer(audienceOf(s.options.AudienceOf(c.Token)))
		if c.Exchanged {
			s.prove(known)
		}
		if known.proven.Load() {
			session.group = known.who
		}
	}
	session.viewer.Store(known)
	session.freshFor.Store(math.MaxInt64)
	return session
}

// Anonymous reports whether the operation acts for nobody.
func (s *Session) Anonymous() bool { return s.viewer.Load() == s.store.everybody }

// as is what is remembered of the audience, which other operations of it share.
func (s *Session) as() *viewer {
	v := s.viewer.Load()
	if v.forgotten.Load() {
		v = s.store.viewer(v.who)
		s.viewer.Store(v)
	}
	return v
}

// Store is the store that the session belongs to.
func (s *Session) Store() *Store { return s.store }

// Audience names whose eyes the operation's answers are for: the same for each
// operation with the same token, and telling nothing about it. It is "" for an
// anonymous one.
func (s *Session) Audience() string { return s.viewer.Load().who.String() }

func (a audience) String() string {
	if a == (audience{}) {
		return ""
	}
	return string(a[:])
}

// spend takes one call from the operation's budget, if there is one. What an
// operation can take was bounded before it began, so that this is for what nobody
// can foresee.
func (s *Session) spend() error {
	limit := s.store.options.Budget
	if s.spent.Add(1) <= int64(limit) {
		return nil
	}
	s.refund()
	return &gqlerr.Error{
		Code: gqlerr.CodeLimitExceeded,
		Message: fmt.Sprintf("This operation needs more than the %d calls to Mixcloud that one operation may make, because Mixcloud gave fewer items at a time than it was asked for, "+
			"or because calls had to be made again or were redirected. Ask for fewer items, or ask again: what was read is kept for a while.", limit),
		Details: map[string]any{"budget": limit},
	}
}

// called counts a call that is made.
func (s *Session) called() {
	s.calls.Add(1)
	if s.onCall != nil {
		s.onCall()
	}
}

// refund gives back what was taken for a call that was not made.
func (s *Session) refund() { s.spent.Add(-1) }

// A Cost is what an operation has cost so far.
type Cost struct {
	Calls     int // to Mixcloud, tries again and its own writes included
	Hits      int // reads that a cache has answered, fresh
	Coalesced int // reads that another operation was under way to make
	Stale     int // reads that were answered with something that is not fresh
}

// Cost tells what the operation has cost so far.
func (s *Session) Cost() Cost {
	return Cost{int(s.calls.Load()), int(s.hits.Load()), int(s.coalesced.Load()), int(s.stale.Load())}
}

// FreshFor is for how much longer all that the operation has read is fresh, as
// of when it was read: never more than the table of lifetimes says of the
// shortest-lived of it, and 0 once anything stale was among it. False when it
// has read nothing.
func (s *Session) FreshFor() (time.Duration, bool) {
	left := s.freshFor.Load()
	return time.Duration(left), left != math.MaxInt64
}

func (s *Session) goodFor(left time.Duration) {
	for {
		now := s.freshFor.Load()
		if int64(left) >= now || s.freshFor.CompareAndSwap(now, int64(left)) {
			return
		}
	}
}

// A Reason says why an answer is stale.
type Reason string

// The reasons.
const (
	// Revalidating: it is being fetched anew; ask again for the fresh one.
	Revalidating Reason = "REVALIDATING"
	// RateLimited: Mixcloud wants no calls for a while.
	RateLimited Reason = "RATE_LIMITED"
	// Unavailable: Mixcloud is down, failing, answering nonsense or too slow.
	Unavailable Reason = "UNAVAILABLE"
)

// A Note tells of an answer that is not fresh.
type Note struct {
	ID     string        // of the resource
	Age    time.Duration // since Mixcloud gave it
	Reason Reason
	// Paths are the response paths at which it was used, each a list of names
	// and indices, as far as [Session.Place] was told of them.
	Paths [][]any
}

// Freshness lists what the operation has read that is not fresh, in the order
// in which it was read. An empty list says that all of it was.
func (s *Session) Freshness() []Note {
	s.mu.Lock()
	defer s.mu.Unlock()
	notes := slices.Clone(s.notes)
	for i := range notes {
		notes[i].Paths = slices.Clone(notes[i].Paths)
	}
	return notes
}

// Stale reports whether a resource was last answered with something stale.
func (s *Session) Stale(id string) bool {
	if s.stale.Load() == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.noteOf(id) != nil
}

// Place adds the response path at which a stale resource was used. Other
// resources and paths that are known already change nothing.
func (s *Session) Place(id string, path []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	note := s.noteOf(id)
	if note == nil || slices.ContainsFunc(note.Paths, func(p []any) bool { return slices.Equal(p, path) }) {
		return
	}
	note.Paths = append(note.Paths, path)
}

func (s *Session) noteOf(id string) *Note {
	for i := range s.notes {
		if s.notes[i].ID == id {
			return &s.notes[i]
		}
	}
	return nil
}

// note records that a stale answer was given.
func (s *Session) note(id string, age time.Duration, why Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.noteOf(id); known != nil {
		known.Age, known.Reason = age, why
	} else {
		s.notes = append(s.notes, Note{ID: id, Age: age, Reason: why})
	}
	s.stale.Add(1) // after the note is there: Stale looks at this first
}
