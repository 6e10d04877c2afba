package upstream

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"mixcloud-graphql/internal/telemetry"
)

// A flight is one answer under way, for all who want it. It lives on its own
// time, not on its callers': who leaves does not fail the others. If all have
// left before the call was made it is not made; if they leave later it is made
// to its end, for the cache. A call always ends: it has a deadline of its own.
type flight struct {
	store    *Store
	key      key
	read     *read
	starter  *Session // whose client and budget it uses
	alone    bool     // nobody waited when it began
	newer    bool     // the starter wants an answer that is newer than RevalidateAge
	ctx      context.Context
	ground   context.CancelFunc // ends the waiting for the call
	kept     *entry             // what the cache has, stale
	path     string             // where a redirect led; "" for none
	released func()

	done chan struct{} // closed when what follows is there
	// value and err are the answer, unless stale is; local says that no call was
	// needed for it, and fresh for how long it is.
	value any
	err   error
	stale *entry
	local bool
	fresh time.Duration
	age   time.Duration // of an answer that is local or stale

	second atomic.Pointer[entry] // what the second level had, stale
	heard  <-chan struct{}       // closed when it is known what other processes have written

	mu      sync.Mutex
	waiting int
	sent    bool    // a call is in the air
	dead    bool    // all have left before that
	ticket  *ticket // in the queue; nil before
	trouble *trouble
	changed chan struct{} // closed when trouble changes
}

// A trouble is why a flight takes longer.
type trouble struct {
	limits limits
	until  tick  // before when no call is made
	err    error // of a try that failed
}

// cause is the error of one who cannot wait for the end of it.
func (t *trouble) cause(s *Store) error {
	if t.err != nil {
		return t.err
	}
	return s.queue.tooLong(t.limits, t.until)
}

// A PanicError is a panic in a read: it becomes an error of whoever asked.
type PanicError struct {
	value string
	stack []byte
}

// NewPanicError takes what was recovered, at the place where it was.
func NewPanicError(p any) *PanicError { return &PanicError{telemetry.Panicked(p), debug.Stack()} }

// Error tells the panic and where it was, for the log; clients get an internal
// error.
func (e *PanicError) Error() string { return "upstream: panic: " + e.value + "\n" + string(e.stack) }

type flights struct {
	mu     sync.Mutex
	all    map[key]*flight
	closed bool
}

// known is the flight that is under way for a key; nil for none.
func (f *flights) known(k key) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.all[k]
}

// start gives the flight that is under way for a key, or begins one; nil when the
// store is closed.
func (f *flights) start(k key, begin func() *flight) (under *flight, fresh bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known := f.all[k]; known != nil && !known.isDead() {
		return known, false
	}
	if f.closed {
		return nil, false
	}
	if f.all == nil {
		f.all = map[key]*flight{}
	}
	under = begin()
	f.all[k] = under
	return under, true
}

func (f *flights) end(done *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all[done.key] == done {
		delete(f.all, done.key)
	}
}

// close lets no more flights begin.
func (f *flights) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
}

// newFlight makes a flight that is the caller's to start. The flights are
// locked.
func (s *Store) newFlight(ctx context.Context, starter *Session, k key, kept *entry, r *read, alone bool) *flight {
	f := &flight{
		store: s, key: k, read: r, starter: starter, alone: alone, newer: starter.newer, kept: kept,
		done: make(chan struct{}), changed: make(chan struct{}),
	}
	if !alone {
		f.waiting = 1
	}
	f.ctx, f.ground = context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(s.ctx, f.ground)
	f.released = func() { stop(); f.ground() }
	s.wg.Add(1)
	return f
}

// join makes the session wait for the flight that brings an answer.
func (s *Session) join(ctx context.Context, k key, kept *entry, r *read) (*flight, error) {
	for {
		if f := s.store.flights.known(k); f != nil && f.board(s) {
			s.coalesced.Add(1) // and costs no call
			return f, nil
		}
		if err := s.viewer.Load().refused(s.store.clock.now()); err != nil && k.who != (audience{}) {
			return nil, err
		}
		if err := s.spend(); err != nil {
			return nil, err
		}
		f, fresh := s.store.flights.start(k, func() *flight { return s.store.newFlight(ctx, s, k, kept, r, false) })
		if fresh {
			go s.store.fly(f)
			return f, nil
		}
		s.refund()
		if f == nil {
			return nil, context.Canceled
		}
	}
}

// board adds a caller; false if all others have just given it up.
func (f *flight) board(s *Session) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return false
	}
	f.waiting++
	if f.alone && f.ticket != nil {
		f.store.queue.promote(f.ticket, s.group, s)
	}
	return true
}

// deserted reports whether nobody waits.
func (f *flight) deserted() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waiting == 0
}

// abandon ends a flight whose call waits for its turn and that nobody waits for.
func (f *flight) abandon() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting == 0 && !f.sent {
		f.dead = true
		f.ground()
	}
}

func (f *flight) isDead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// leave takes a caller away who waits no longer.
func (f *flight) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting--
	if f.waiting == 0 && !f.sent && !f.alone {
		f.dead = true
		f.ground()
	}
}

// queued notes the flight's place in the queue, where it waits as what its
// callers make of it.
func (f *flight) queued(ls limits) *ticket {
	f.mu.Lock()
	defer f.mu.Unlock()
	urgency := waited
	if f.waiting == 0 {
		urgency = background
	}
	f.ticket = f.store.queue.newTicket(f.starter.group, f.starter, ls, urgency)
	return f.ticket
}

// takeOff tells whether the call is to be made: then all troubles are over.
func (f *flight) takeOff() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = !f.dead
	f.trouble = nil
	return f.sent
}

// touchDown tells that the call has failed and another one may be made. Whoever
// has something stale need not wait for it.
func (f *flight) touchDown(t *trouble) {
	defer f.warn(t)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = false
	if f.waiting == 0 && !f.alone {
		f.dead = true
		f.ground()
	}
}

// warn tells all who wait of a trouble.
func (f *flight) warn(t *trouble) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t.err == nil && f.trouble != nil {
		t.err = f.trouble.err // still why it waits
	}
	f.trouble = t
	close(f.changed)
	f.changed = make(chan struct{})
}

// watch gives the present trouble, nil for none, and what is closed when there
// is another one.
func (f *flight) watch() (*trouble, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.trouble, f.changed
}

func (f *flight) landed() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// tooOld reports whether the answer was kept for longer than an age.
func (f *flight) tooOld(most time.Duration) bool { return (f.local || f.stale != nil) && f.age >= most }

// old is what may stand in for the answer, as far as the flight knows.
func (f *flight) old() *entry {
	if f.kept != nil && f.kept.usable(f.store.clock.now()) {
		return f.kept
	}
	return f.second.Load()
}

// fly brings a flight to its end.
func (s *Store) fly(f *flight) {
	defer s.wg.Done()
	defer f.released()
	defer close(f.done)
	defer s.flights.end(f) // before done: who comes later finds the cache filled
	defer func() {
		if p := recover(); p != nil {
			f.value, f.err = nil, NewPanicError(p)
			if f.deserted() { // nobody else will tell of it
				s.log.Error("a read has panicked that nobody waits for", "err", f.err)
			}
			if f.kept != nil {
				f.kept.postpone(s.clock.now(), f.err)
			}
		}
	}()
	if f.key.who != (audience{}) {
		s.inquire(f.ctx, f.starter.as())
	}
	f.heard = s.listen(f)
	defer func() { <-f.heard }() // whoever gets the answer may have to correct it
	f.local = s.recall(f)
	called := !f.local && s.call(f)
	if !called && !f.alone {
		f.starter.refund()
	}
}

// beyond reports whether a wait is longer than ctx lasts.
func beyond(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && wait > 0 && time.Until(deadline) < wait
}

// An alarm goes off once, counted from when it was made; its timer begins when
// somebody first listens.
type alarm struct {
	at    time.Time
	timer *time.Timer
}

func expiry(d time.Duration) *alarm { return &alarm{at: time.Now().Add(d)} }

func (a *alarm) after(listening bool) <-chan time.Time {
	if !listening {
		return nil
	}
	if a.timer == nil {
		a.timer = time.NewTimer(time.Until(a.at))
	}
	return a.timer.C
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
}
