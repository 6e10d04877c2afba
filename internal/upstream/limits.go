package upstream

import (
	"time"

	"mixcloud-graphql/internal/ratelimit"
	"mixcloud-graphql/mixcloud"
)

// A Kind is a kind of call. Mixcloud limits uploads apart from reads, so each kind
// has a limiter of its own, and the wait of a refusal holds for its kind alone.
type Kind uint8

// The kinds.
const (
	KindRead   Kind = iota
	KindAction      // follow, favorite and so on, their undoing, and exchanges of codes
	KindEdit        // of a cloudcast
	KindUpload      // of a cloudcast

	kinds int = iota
)

// String returns the kind's name, such as "read".
func (k Kind) String() string { return [kinds]string{"read", "action", "edit", "upload"}[k] }

// The limit that is shared by all tokens of which it is not known that Mixcloud
// accepts them: anybody can invent tokens, so they get no limit each.
const (
	DefaultUnprovenRate = 5
	unprovenBurst       = 20
)

// unprovenName is the principal of the limiter that replicas share for them.
const unprovenName = "unproven"

const (
	maxPause = time.Hour   // a wait that Mixcloud names is believed up to here
	heldLong = time.Second // a shared limiter that delays for longer is a pause, not a turn
	never    = tick(1<<63 - 1)
)

// A limiter is a rate limit that calls wait for. The queue owns it: its lock guards
// it.
type limiter struct {
	kind    Kind
	rate    *ratelimit.Limiter
	refusal *mixcloud.Error // the latest
	logged  tick            // until when the log says that calls are blocked

	// A shared limiter is also one of other processes: see [SharedLimiter]. held
	// is until when that one wants no call. While it delays calls, only as many
	// ask it at the same time as it has let through in a row: the others would
	// ask in vain.
	shared         SharedLimit // no Principal and Kind if it is not shared
	isShared       bool
	held           tick
	asking, window int // a window of 0 is no bound

	// unsure is the viewer of a token that nothing is known of yet; nil if the
	// limiter is of no such token. Its first call goes alone: a token that is no
	// good costs one call.
	unsure *viewer
	flying int
}

// ready returns when the next call may be made: now, or later.
func (l *limiter) ready(now tick) tick { return max(now+l.rate.Ready(now), l.held) }

// busy reports whether a call must wait for another one's end rather than a time.
func (l *limiter) busy() bool {
	return l.window > 0 && l.asking >= l.window ||
		l.unsure != nil && l.flying > 0 && !l.unsure.accepted.Load() && !l.unsure.proven.Load()
}

// hold delays calls that the shared limiter does not want yet.
func (l *limiter) hold(until tick) { l.held, l.window = max(l.held, until), 1 }

// closed returns until when there is no hope for a call; false if there is.
func (l *limiter) closed(now tick) (until tick, yes bool) {
	until = now + l.rate.Blocked(now)
	if l.held > now+heldLong {
		until = max(until, l.held)
	}
	return until, now < until
}

// after returns when one more call may be made than n that wait already.
func (l *limiter) after(n int, now tick) tick {
	at := l.ready(now)
	if l.rate.Rate() == 0 {
		return at
	}
	spare := 0
	if at == now {
		spare = l.rate.Tokens() - 1
	}
	if lack := n - spare; lack > 0 {
		at += tick(float64(lack) / l.rate.Rate() * float64(time.Second))
	}
	return at
}

// refuse learns from a refusal and returns the pause.
func (l *limiter) refuse(e *mixcloud.Error, sent, now tick) (pause time.Duration) {
	wait := min(e.RetryAfter, maxPause)
	if l.refusal == nil || now+wait >= now+l.rate.Blocked(now) {
		l.refusal = e
	}
	if l.isShared { // the shared limiter learns; until it has answered nothing is sent
		l.hold(now + max(wait, time.Millisecond))
		return l.held - now
	}
	return l.rate.Refuse(now, sent, wait)
}

// limits are all that a call waits for: the limiter of its principal and kind first,
// then the one of unproven tokens and the one of the process. At most one is shared.
type limits []*limiter

// ready returns when the next call may be made; false if another call must end first.
func (ls limits) ready(now tick) (at tick, yes bool) {
	at = now
	for _, l := range ls {
		if l.busy() {
			return 0, false
		}
		at = max(at, l.ready(now))
	}
	return at, true
}

// take makes one call, which must be ready.
func (ls limits) take(now tick) {
	for _, l := range ls {
		l.rate.Take(now)
		l.flying++
	}
}

// land notes that a call has ended.
func (ls limits) land() {
	for _, l := range ls {
		l.flying--
	}
}

// untake takes back that a call was made.
func (ls limits) untake() {
	for _, l := range ls {
		l.rate.Return()
	}
}

// ask counts calls that ask the shared limiter.
func (ls limits) ask(n int) {
	for _, l := range ls {
		l.asking += n
	}
}

func (ls limits) closed(now tick) (until tick, yes bool) {
	for _, l := range ls {
		if at, closed := l.closed(now); closed {
			until, yes = max(until, at), true
		}
	}
	return until, yes
}

// shared returns the limiter that other processes share; nil if none is.
func (ls limits) shared() *limiter {
	for _, l := range ls {
		if l.isShared {
			return l
		}
	}
	return nil
}

// tooLong is the error of a call that must wait for longer than it may: Mixcloud's
// own words if it has refused one, with the wait that is left.
func (ls limits) tooLong(until, now tick) *mixcloud.Error {
	e := &mixcloud.Error{Kind: mixcloud.ErrRateLimited, Op: "pacing"}
	if own := ls[0]; own.refusal != nil {
		if _, closed := own.closed(now); closed {
			*e = *own.refusal
		}
	}
	e.RetryAfter = max(until-now, time.Millisecond)
	return e
}

// limitsOf returns what calls of a kind for a viewer wait for.
func (s *Store) limitsOf(v *viewer, kind Kind) limits {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	now := s.clock.now()
	own := v.limiters[kind]
	known := v == s.everybody || v.proven.Load()
	if own == nil {
		own = &limiter{kind: kind, rate: ratelimit.New(ratelimit.Limit{}, now)}
		if v != s.everybody {
			own.unsure = v
		}
		v.limiters[kind] = own
	}
	if known && own.shared == (SharedLimit{}) { // or it just became so
		limit := ratelimit.Limit{Rate: s.options.Rate, Burst: s.options.Burst}
		own.rate.Configure(limit)
		own.shared = SharedLimit{Principal: v.who.String(), Kind: kind, Limit: limit}
		own.isShared = s.options.Limiter != nil
	}
	all := limits{own}
	if !known {
		all = append(all, s.unproven)
	}
	if s.total != nil {
		all = append(all, s.total)
	}
	return all
}

// logRefusal logs that calls of a kind are blocked for a viewer. Calls that were under
// way together are refused together, and are one event.
func (s *Store) logRefusal(v *viewer, l *limiter, pause time.Duration) {
	until := s.clock.now() + pause
	s.queue.mu.Lock()
	known := l.logged > until-time.Second/2
	l.logged = max(l.logged, until)
	s.queue.mu.Unlock()
	if known {
		return
	}
	v.blocked.Store(max(v.blocked.Load(), int64(until)))
	principal := "signed"
	if v == s.everybody {
		principal = "anonymous"
	}
	if suppressed, now := s.sampler.Sample(principal + l.kind.String()); now {
		attrs := []any{"kind", l.kind.String(), "principal", principal, "wait", pause}
		if suppressed > 0 {
			attrs = append(attrs, "suppressed", suppressed)
		}
		s.log.Warn("rate limited by Mixcloud", attrs...)
	}
}
