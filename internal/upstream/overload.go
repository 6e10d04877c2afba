package upstream

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// How long an operation waits for its turn to compute: a burst passes, so it is
// waited out; under a lasting overload, waiting would only make everybody slow,
// so what does not fit is refused at once (controlled delay, as in CoDel).
const (
	turnInBurst    = 500 * time.Millisecond
	turnOverloaded = 3 * time.Millisecond
	memoryOfFull   = 250 * time.Millisecond // time constant of how full the gate was
	fullEnough     = 0.8
)

// Begin asks to compute for the operation. It returns when that may begin: at
// once, or after the wait of a burst, or with an error that [Overloaded] knows:
// under an overload that lasts, whatever is too much is refused within
// milliseconds, and what is let in keeps its speed. End must be called when the
// operation is answered.
//
// Only computing counts: while the operation waits for Mixcloud it holds nobody
// up, and when it goes on it need not ask again.
func (s *Session) Begin(ctx context.Context) (end func(), err error) {
	if err := s.store.gate.enter(ctx); err != nil {
		return nil, err
	}
	s.turn.begin()
	return s.turn.end, nil
}

// A turn is an operation's permission to compute, given back while all it does
// is wait.
type turn struct {
	gate *gate

	mu      sync.Mutex
	running bool // begun and not yet ended
	resting int  // reads and writes that are waited for
}

func (t *turn) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = true
	if t.resting > 0 {
		t.gate.leave()
	}
}

func (t *turn) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running && t.resting == 0 {
		t.gate.leave()
	}
	t.running = false
}

// rest gives the permission back until wake is called.
func (t *turn) rest() (wake func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.resting++; t.resting == 1 && t.running {
		t.gate.leave()
	}
	return t.wake
}

func (t *turn) wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.resting--; t.resting == 0 && t.running {
		t.gate.resume()
	}
}

// A gate lets so many operations compute at a time. More than there are
// processors bring nothing: they only share them.
type gate struct {
	clock clock
	limit int

	mu      sync.Mutex
	running int // may be above the limit by those that resume
	waiting []chan struct{}
	crowded bool    // somebody had to wait or was refused since a place was last left empty
	full    float64 // how much of the time of late it was crowded, from 0 to 1
	at      tick    // when full was right
}

func newGate(c clock, limit int) *gate { return &gate{clock: c, limit: limit} }

func (g *gate) enter(ctx context.Context) error {
	g.mu.Lock()
	g.age()
	if g.running < g.limit {
		g.running++
		g.mu.Unlock()
		return nil
	}
	g.crowded = true
	if g.full > fullEnough && len(g.waiting) >= g.limit {
		g.mu.Unlock()
		return overloaded(time.Second) // to wait would only take processors from those who compute
	}
	mine := make(chan struct{})
	g.waiting = append(g.waiting, mine)
	g.mu.Unlock()

	began := g.clock.now()
	timer := time.NewTimer(turnOverloaded)
	defer timer.Stop()
	for {
		select {
		case <-mine:
			return nil
		case <-ctx.Done():
			return g.giveUp(mine, ctx.Err())
		case <-timer.C:
			if g.overloaded() || g.clock.now()-began >= turnInBurst {
				return g.giveUp(mine, overloaded(time.Second))
			}
			timer.Reset(turnOverloaded)
		}
	}
}

// giveUp takes back a wait, unless the turn has come after all.
func (g *gate) giveUp(mine chan struct{}, err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := slices.Index(g.waiting, mine)
	if at < 0 {
		return nil
	}
	g.waiting = slices.Delete(g.waiting, at, at+1)
	return err
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.age()
	g.running--
	for g.running < g.limit && len(g.waiting) > 0 {
		next := 0
		if g.full > fullEnough {
			next = len(g.waiting) - 1 // the others have waited for too long already
		}
		close(g.waiting[next])
		g.waiting = slices.Delete(g.waiting, next, next+1)
		g.running++
	}
	g.crowded = g.crowded && g.running >= g.limit
}

// resume counts an operation that goes on: it was let in before.
func (g *gate) resume() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.age()
	g.running++
}

// age brings full up to now; crowded is still what it was since. That all
// processors have something to do is no overload; that they never catch up is.
func (g *gate) age() {
	now := g.clock.now()
	goal := 0.0
	if g.crowded {
		goal = 1
	}
	g.full += (goal - g.full) * -math.Expm1(-float64(now-g.at)/float64(memoryOfFull))
	g.at = now
}

func (g *gate) overloaded() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.age()
	return g.full > fullEnough
}
