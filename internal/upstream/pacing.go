package upstream

import (
	"math"
	"time"

	"mixcloud-graphql/mixcloud"
)

// How a pace learns. Mixcloud publishes no limit and gives no hint before the
// one that hurts, so the pace goes a little faster all the time, and much slower
// when it was refused.
const (
	backOff       = 0.7           // of the rate that was refused
	slowest       = 0.2           // calls a second
	speedUp       = 0.02          // each second, of the rate that was last refused
	speedUpBy     = 0.006         // each second, of that rate's square: for each time that the limit is found again there are twenty calls that it lets pass
	leastStep     = 0.005         // calls a second, each second
	fewCalls      = 3             // in a second, that are no reason to be refused
	longestGrowth = time.Minute   // without a call, of which nothing is learned
	firstPause    = time.Second   // after a refusal without a wait; twice as long after each further one
	longPause     = time.Minute   // and no longer than this
	maxPause      = time.Hour     // a wait that is named is believed up to here, then one call looks
	measured      = time.Second   // over which the rate that was refused is measured
	heldLong      = time.Second   // what the shared pace holds back for longer is a pause, not a turn
	never         = math.MaxInt64 // as a tick
)

// A pace is how fast calls are made for one audience: Mixcloud limits those
// without a token by the caller's address, so all of them together, and those
// with a token by the token (inferred). It is a token bucket whose rate begins
// as configured and learns. The queue owns it: its lock guards it.
type pace struct {
	base, burst float64 // as configured; a base of 0 is no limit
	rate        float64 // calls a second; 0 is no limit
	tokens      float64
	filled      tick // when tokens was right

	// held is until when the pace that processes share wants no call, which is
	// the pause of a refusal that another process got, or just the next call's
	// turn. While it holds calls back, only so many ask it at a time as it let
	// through in a row: the others would ask in vain.
	held           tick
	asking, window int // a window of 0 is as many as there are

	silent  tick // until when no call is made
	refusal *mixcloud.Error
	epoch   tick // of the latest refusal: those of calls sent before are the same one
	tried   tick // when the call was sent that was refused
	strikes int  // refusals in a row
	refused int  // calls that were refused together the last time
	unruly  bool // the rate was refused and is yet to be corrected
	limited float64
	grown   tick // when the rate was last raised

	answered [128]tick // when calls were sent that were answered
	next     int
}

func newPace(rate float64, burst int) *pace {
	return &pace{base: rate, rate: rate, burst: float64(burst), tokens: float64(burst)}
}

// depth is how many calls may be made at once. Having been refused, only as
// many as a tenth of a second brings.
func (p *pace) depth() float64 {
	if p.limited > 0 {
		return min(max(1, p.rate/10), max(1, p.burst))
	}
	return max(1, p.burst)
}

// ready is when the next call may be made: now, or later.
func (p *pace) ready(now tick) tick {
	if at := max(p.silent, p.held); now < at {
		return at
	}
	if p.unruly {
		p.correct(now)
	}
	if p.rate == 0 {
		return now
	}
	p.fill(now)
	if p.tokens >= 1-1e-9 {
		return now
	}
	return now + tick(math.Ceil((1-p.tokens)/p.rate*1e9))
}

func (p *pace) fill(now tick) {
	if now > p.filled {
		p.tokens = min(p.depth(), p.tokens+p.rate*(now-p.filled).Seconds())
		p.filled = now
	}
}

// take makes one call of it. It must be ready.
func (p *pace) take() {
	if p.rate > 0 {
		p.tokens--
	}
}

// untake takes back that a call was made.
func (p *pace) untake() {
	if p.rate > 0 {
		p.tokens++
	}
}

// hold keeps calls back that the shared pace does not want yet.
func (p *pace) hold(until tick) { p.held, p.window = max(p.held, until), 1 }

// closed is until when there is no hope for a call; false if there is.
func (p *pace) closed(now tick) (until tick, yes bool) {
	until = p.silent
	if p.held > now+heldLong {
		until = max(until, p.held)
	}
	return until, now < until
}

// after is when n calls that wait already will have been made and one more may.
func (p *pace) after(n int, now tick) tick {
	at := p.ready(now)
	if p.rate == 0 {
		return at
	}
	spare := 0.0
	if at == now {
		spare = p.tokens - 1
	}
	if lack := float64(n) - spare; lack > 0 {
		at += tick(lack / p.rate * 1e9)
	}
	return at
}

// correct takes over the rate at which Mixcloud answered before it refused. Who
// has hardly asked was not refused for that rate, but for what was before or what
// others did: then it goes down by as much as ever, from where it is.
func (p *pace) correct(now tick) {
	p.unruly = false
	n, first := 0, p.epoch
	for _, sent := range p.answered {
		if sent > 0 && sent > p.tried-measured && sent < p.epoch {
			n++
			first = min(first, sent)
		}
	}
	over := measured
	if n == len(p.answered) { // and there were more
		over = max(p.tried-first, time.Millisecond)
	}
	was := p.rate
	if n+p.refused > fewCalls {
		if seen := float64(n) / over.Seconds(); was == 0 || seen > 0 && seen < was {
			was = seen
		}
	} else if was == 0 {
		return // not so many calls in a second that fewer of them would help
	}
	p.limited = max(was, slowest)
	p.rate = max(was*backOff, slowest)
	p.tokens, p.filled, p.grown = 1, now, now
}

// answer learns from a call that Mixcloud did not refuse for the limit.
func (p *pace) answer(sent, now tick) {
	p.answered[p.next] = max(sent, 1)
	p.next = (p.next + 1) % len(p.answered)
	if sent < p.epoch {
		return
	}
	p.strikes = 0
	if p.limited == 0 {
		return
	}
	step := max(leastStep, min(speedUp*p.limited, speedUpBy*p.limited*p.limited)) * min(now-p.grown, longestGrowth).Seconds()
	p.fill(now)
	p.rate, p.grown = p.rate+step, now
	if p.base > 0 && p.rate >= p.base {
		p.rate, p.limited = p.base, 0
	}
}

// refuse learns from a refusal and tells how long the pause is.
func (p *pace) refuse(e *mixcloud.Error, sent, now tick) time.Duration {
	wait := min(e.RetryAfter, maxPause)
	if fresh := p.epoch == 0 || sent >= p.epoch; fresh {
		if p.strikes++; wait <= 0 {
			wait = min(firstPause<<min(p.strikes-1, 10), longPause)
		}
		p.unruly, p.tried, p.epoch, p.refused = true, sent, now, 0
	}
	p.refused++
	if p.refusal == nil || now+wait >= p.silent {
		p.refusal = e
	}
	p.silent = max(p.silent, now+wait)
	return p.silent - now
}

// limitedError says that a call must wait for longer than it may: Mixcloud's own
// words when it has refused one, with the wait that is left of it.
func (p *pace) limitedError(until, now tick) *mixcloud.Error {
	e := &mixcloud.Error{Kind: mixcloud.ErrRateLimited, Op: "pacing"}
	if p.refusal != nil && now < p.silent {
		*e = *p.refusal
	}
	e.RetryAfter = max(until-now, time.Millisecond)
	return e
}
