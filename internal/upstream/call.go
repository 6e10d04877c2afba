package upstream

import (
	"context"
	"errors"
	"time"

	"mixcloud-graphql/mixcloud"
)

// call asks Mixcloud for what a flight is to bring, again if it broke by
// chance, and keeps the answer. It tells whether any call was made.
func (s *Store) call(f *flight) (made bool) {
	if f.err = s.blocked(f.key); f.err != nil {
		return false
	}
	for try := 0; ; {
		value, x, sent, err := s.attempt(f)
		made = made || sent
		if x.unchanged && f.kept != nil {
			value, err = f.kept.value, nil
		}
		if err == nil {
			f.value = value
			s.keep(f, value, nil, x.got)
			s.failing.Succeeded(f.key)
			return made
		}
		again, err := s.follow(f, err)
		if again {
			continue
		}
		if f.kept != nil && allowsStale(err) {
			f.kept.postpone(s.clock.now(), err)
		}
		if !sent || !s.tryAgain(f, try, err) {
			f.err = s.handleFailure(f, err, sent)
			return made
		}
		try++
	}
}

// tryAgain waits for the moment to try again, if there is a point in it. For a
// refusal by the limit that is when the pause is over: the queue knows, and
// whoever cannot wait for so long is told.
func (s *Store) tryAgain(f *flight, try int, err error) bool {
	if try >= s.options.Retries || f.deserted() {
		return false
	}
	if f.alone { // the operation that it began for has its answer
		return s.worthIt(f, try, err)
	}
	if f.starter.spend() != nil { // each try is a call of the operation's
		return false
	}
	again := s.worthIt(f, try, err)
	if !again {
		f.starter.refund()
	}
	return again
}

// worthIt is tryAgain for a flight that may.
func (s *Store) worthIt(f *flight, try int, err error) bool {
	if _, limited := mixcloud.RetryAfter(err); limited {
		ls := s.limitsOf(s.payer(f), KindRead)
		until, _ := s.queue.silence(ls)
		f.touchDown(&trouble{limits: ls, until: until, err: err})
		return f.ctx.Err() == nil
	}
	if !chance(err) || s.watched(f.key, f.path).check() != nil || !s.retries.take() {
		return false
	}
	f.touchDown(&trouble{err: err})
	return nap(f.ctx.Done(), s.options.Jitter(backoff(try)))
}

// payer is under whose limits a flight's calls are.
func (s *Store) payer(f *flight) *viewer {
	if f.read.class == ClassEmbed {
		return s.everybody
	}
	return f.starter.as()
}

// attempt makes one call when it is its turn.
func (s *Store) attempt(f *flight) (value any, x *exchange, sent bool, err error) {
	x = new(exchange)
	watched := s.watched(f.key, f.path)
	if err := watched.check(); err != nil {
		return nil, x, false, err
	}
	v := s.payer(f)
	ls := s.limitsOf(v, KindRead)
	t := f.queued(ls)
	err = s.line(f.ctx, t, func(until tick) error {
		f.warn(&trouble{limits: ls, until: until})
		return nil
	})
	if err != nil {
		return nil, x, false, err
	}
	outcome := errNotMade
	defer func() { err = s.learn(v, t, s.queue.leave(t, outcome), err) }()
	if !f.takeOff() {
		return nil, x, false, context.Canceled
	}
	if err := v.refused(s.clock.now()); err != nil {
		return nil, x, false, err
	}
	allowed, err := watched.allow()
	if err != nil {
		return nil, x, false, err
	}
	s.retries.earn()
	if !f.alone {
		f.starter.called()
	}
	if f.kept != nil {
		x.known = f.kept.validator
	}
	ctx, cancel := context.WithTimeout(withExchange(f.located(f.ctx), x), s.options.Timeout)
	defer cancel()
	defer func() { s.observe(allowed, outcome) }()
	value, err = f.read.get(ctx, f.starter.client)
	outcome = err
	if err == nil && proves(f.read, value) {
		s.prove(v)
	}
	return value, x, true, err
}

// errNotMade is what is learned of a call that was not made, or panicked:
// nothing.
var errNotMade = errors.New("not made")

// learn passes on what a refusal has brought, and returns the refusal with the wait
// that the next call would have.
func (s *Store) learn(v *viewer, t *ticket, pause time.Duration, err error) error {
	if v != s.everybody && errors.Is(err, mixcloud.ErrUnauthenticated) {
		s.refuseToken(v, err)
	}
	refused, ok := errors.AsType[*mixcloud.Error](err)
	if pause <= 0 || !ok {
		return err
	}
	own, shared, isShared := s.queue.ownLimit(t)
	if isShared {
		ago := s.clock.now() - t.sent
		pause = s.options.Limiter.Refused(context.WithoutCancel(s.ctx), shared, ago, min(refused.RetryAfter, maxPause))
		s.queue.hold(own, pause)
	}
	s.logRefusal(v, own, pause)
	told := *refused
	told.RetryAfter = pause
	return &told
}

// line waits until a call may go, by this process's own queue and by the limiter
// that it shares with others. It holds no slot while the latter makes it wait.
func (s *Store) line(ctx context.Context, t *ticket, hear func(until tick) error) error {
	err := s.queue.enter(ctx, t, hear)
	for err == nil {
		l, limit := s.queue.sharedLimit(t)
		if l == nil {
			break
		}
		wait := s.options.Limiter.Take(ctx, limit)
		if wait <= 0 {
			s.queue.drawn(t, l)
			break
		}
		err = s.queue.again(ctx, t, l, min(wait, maxPause), hear)
	}
	return err
}

// keep stores an answer: a value, or that there is none.
func (s *Store) keep(f *flight, value any, missing error, v validator) {
	<-f.heard
	now := s.clock.now()
	life := s.options.lifetime(f.key.class)
	if missing != nil {
		life = Lifetime{Fresh: life.Missing, Keep: life.Missing, Missing: life.Missing}
	}
	lag := tick(0)
	if f.key.who != (audience{}) {
		lag = f.starter.as().lag(now)
	}
	if lag > 0 { // it may be from before a write of the viewer's
		life.Fresh, life.Revalidate = min(life.Fresh, lag), 0
		// Corrections of flags and of counts go together, so that what they are
		// made of must be of one time.
		if missing != nil || !s.overlay.idle(f.key.who.String(), time.Now()) {
			life.Fresh = 0
		}
	}
	f.fresh = life.Fresh
	if life.Fresh <= 0 {
		s.cache.drop(f.key)
		return
	}
	e := &entry{value: value, missing: missing, size: missingSize, stored: now, life: life, validator: v}
	if s.cache != nil && missing == nil {
		e.size = f.read.size(value)
	}
	s.cache.put(f.key, e)
	if second := s.options.Second; second != nil && f.read.encode != nil && lag == 0 && (f.key.who == (audience{}) || s.sharing(f.starter.as())) {
		r := Record{ETag: v.etag, LastModified: v.modified}
		if value != nil {
			r.Body = f.read.encode(value)
		}
		second.Put(context.WithoutCancel(f.ctx), f.key.address(), r, life)
	}
}

func (k key) address() Address { return Address{Audience: k.who.String(), ID: k.id} }

// recall looks whether there is no need for a call: because another flight has
// landed since the caller looked into the cache, or by the second level.
func (s *Store) recall(f *flight) bool {
	now := s.clock.now()
	if e := s.cache.get(f.key); e != nil && e.freshFor(now, f.newer) {
		f.value, f.err, f.fresh, f.age = e.value, e.missing, e.life.Fresh-e.age(now), e.age(now)
		return true
	}
	second := s.options.Second
	if second == nil || f.read.decode == nil {
		return false
	}
	if v := f.starter.as(); f.key.who != (audience{}) && (v.lag(now) > 0 || !s.sharing(v)) {
		return false
	}
	r, ok := second.Get(f.ctx, f.key.address())
	if !ok || f.kept != nil && r.Age >= f.kept.age(now) {
		return false
	}
	e := &entry{stored: now - max(r.Age, 0), life: s.options.lifetime(f.key.class), validator: validator{r.ETag, r.LastModified}}
	if r.Body == nil {
		e.missing = &mixcloud.Error{Op: "Fetch", Kind: mixcloud.ErrNotFound, Status: 404}
		e.life, e.size = Lifetime{Fresh: e.life.Missing, Keep: e.life.Missing}, missingSize
	} else {
		value, err := f.read.decode(r.Body)
		if err != nil {
			return false // an older or a newer release has kept it
		}
		e.value, e.size = value, f.read.size(value)
	}
	switch {
	case e.freshFor(now, f.newer):
		s.cache.put(f.key, e)
		f.value, f.err, f.fresh, f.age = e.value, e.missing, e.life.Fresh-e.age(now), e.age(now)
		return true
	case e.immediate(now) && f.kept == nil && !f.newer:
		s.cache.put(f.key, e)
		f.stale, f.age = e, e.age(now)
		return true
	case e.usable(now):
		f.second.Store(e)
	}
	return false
}
