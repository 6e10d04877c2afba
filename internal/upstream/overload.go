package upstream

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// A burst passes, so it is waited out. An overload that lasts does not: waiting
// would only make everybody slow, so what does not fit is refused at once. It
// lasts when all who were let in had to wait for too long, for a while (controlled
// delay, as in CoDel), and more came meanwhile than come at once; what is long is
// reckoned in turns, because a slow machine is no overload.
const (
	longWait  = 100 * time.Millisecond // or as many turns as this:
	longTurns = 16
	lasting   = 250 * time.Millisecond // or as many turns as this:
	lastTurns = 32
	mostOnce  = 600

	// How long one waits at most in a burst, or for as many turns as this.
	turnInBurst  = 2 * time.Second
	burstTurns   = 1024
	longestBurst = 10 * time.Second

	turnOverloaded = 3 * time.Millisecond // in an overload, or one turn if that is shorter

	memoryOfFull = 250 * time.Millisecond // time constant of how full the gate was
	fullEnough   = 0.8                    // of the time, for an overload to go on
	turnsMemory  = 32                     // turns that their mean length is of
)

// Begin asks to compute for the operation. It returns when that may begin: at
// once, or after the wait of a burst, or with ctx's error, or with one that
// [Overloaded] knows: under an overload that lasts, whatever is too much is refused
// within milliseconds, and what is let in keeps its speed. End must be called when
// the operation is answered; calling it again changes nothing.
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
	since   tick // when it last began to compute
}

func (t *turn) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running, t.since = true, t.gate.clock.now()
	if t.resting > 0 {
		t.gate.leave(t.since)
	}
}

func (t *turn) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running && t.resting == 0 {
		t.gate.leave(t.since)
	}
	t.running = false
}

// rest gives the permission back until wake is called.
func (t *turn) rest() (wake func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.resting++; t.resting == 1 && t.running {
		t.gate.leave(t.since)
	}
	return t.wake
}

func (t *turn) wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.resting--; t.resting == 0 && t.running {
		t.gate.resume()
		t.since = t.gate.clock.now()
	}
}

// A gate lets so many operations compute at a time. More than there are
// processors bring nothing: they only share them.
type gate struct {
	clock clock
	limit int

	mu      sync.Mutex
	running int           // may be above the limit by those that resume
	queue   []*waiter     // who came when there was no overload, first come, first served
	came    int           // how many, since nobody had to wait
	late    []*waiter     // who came in an overload: the last one has the best chance to be in time
	turn    time.Duration // how long one computes before it waits or ends, on average
	turns   time.Duration // how many that is the average of
	crowded bool          // somebody had to wait or was refused since a place was last left empty
	full    float64       // how much of the time of late it was crowded, from 0 to 1
	at      tick          // when full was right
	slow    tick          // since when all who were let in had waited for long; never if they had not
	over    bool          // there is an overload
}

// A waiter is an operation that waits for its turn.
type waiter struct {
	called  chan struct{} // closed when it may begin, unless it is
	refused error
	since   tick
	late    bool // it came in an overload
}

func newGate(c clock, limit int) *gate { return &gate{clock: c, limit: limit, slow: never} }

// scaled is a time, or as many turns if those take longer.
func (g *gate) scaled(least time.Duration, turns int) time.Duration {
	return max(least, time.Duration(turns)*g.turn)
}

func (g *gate) enter(ctx context.Context) error {
	mine, patience := g.line()
	switch {
	case patience == 0:
		return overloaded(time.Second)
	case mine == nil:
		return nil
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case <-mine.called:
			return mine.refused
		case <-ctx.Done():
			return g.giveUp(mine, ctx.Err())
		case <-timer.C:
			if more := g.patience(mine); more > 0 {
				timer.Reset(more)
				continue
			}
			return g.giveUp(mine, overloaded(time.Second))
		}
	}
}

// patience is for how much longer one may wait: turns may have become longer
// since it came.
func (g *gate) patience(w *waiter) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return w.since + g.bound(w) - g.clock.now()
}

// bound is how long one may wait.
func (g *gate) bound(w *waiter) time.Duration {
	if w.late {
		return min(max(g.turn, turnOverloaded/6), turnOverloaded)
	}
	return min(g.scaled(turnInBurst, burstTurns), longestBurst)
}

// line lets an operation in, which is then no waiter, or puts it in line and tells
// how long it may wait. With no patience it is refused.
func (g *gate) line() (*waiter, time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.age()
	if g.running < g.limit {
		g.running++
		g.waited(0, now)
		return nil, never
	}
	g.crowded = true
	if len(g.queue) > 0 {
		if so := now - g.queue[0].since; so > g.scaled(longWait, longTurns) {
			g.waited(so, now)
		}
	}
	if g.came++; !g.over && g.came > mostOnce && g.slow < now-g.scaled(lasting, lastTurns) {
		g.overload()
	}
	w := &waiter{called: make(chan struct{}), since: now, late: g.over}
	switch {
	case !g.over:
		g.queue = append(g.queue, w)
	case len(g.late) < g.limit:
		g.late = append(g.late, w)
	default:
		return nil, 0 // to wait would only take processors from those who compute
	}
	return w, g.bound(w)
}

// overload begins one: who has waited for long already is not kept any longer.
func (g *gate) overload() {
	g.over, g.full = true, 1
	for _, w := range g.queue {
		w.refused = overloaded(time.Second)
		close(w.called)
	}
	g.queue = nil
}

// waited notes how long somebody had to wait.
func (g *gate) waited(d time.Duration, now tick) {
	switch {
	case d <= g.scaled(longWait, longTurns):
		g.slow = never
	case g.slow == never:
		g.slow = now
	}
}

// giveUp takes back a wait, unless the turn has come after all.
func (g *gate) giveUp(w *waiter, err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, line := range []*[]*waiter{&g.queue, &g.late} {
		if at := slices.Index(*line, w); at >= 0 {
			*line = slices.Delete(*line, at, at+1)
			if Overloaded(err) && !w.late && !g.over {
				g.age()
				g.overload() // it has waited for as long as any burst takes
			}
			return err
		}
	}
	return w.refused
}

// leave gives back the place of one that has computed since then.
func (g *gate) leave(since tick) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.age()
	g.turns = min(g.turns+1, turnsMemory)
	g.turn += (now - since - g.turn) / g.turns
	g.running--
	for g.running < g.limit && len(g.late)+len(g.queue) > 0 {
		var next *waiter
		if last := len(g.late) - 1; last >= 0 {
			next = g.late[last]
			g.late = slices.Delete(g.late, last, last+1)
		} else {
			next = g.queue[0]
			g.queue[0], g.queue = nil, g.queue[1:]
			g.waited(now-next.since, now)
		}
		close(next.called)
		g.running++
	}
	if g.running < g.limit {
		g.crowded, g.came = false, 0
	}
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
func (g *gate) age() (now tick) {
	now = g.clock.now()
	goal := 0.0
	if g.crowded {
		goal = 1
	}
	g.full += (goal - g.full) * -math.Expm1(-float64(now-g.at)/float64(memoryOfFull))
	g.at = now
	if g.over && g.full <= fullEnough {
		g.over, g.slow = false, never
	}
	return now
}
