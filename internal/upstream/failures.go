package upstream

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"mixcloud-graphql/internal/breaker"
	"mixcloud-graphql/mixcloud"
)

// What a failed call teaches. The circuit breaker of its route hears of it, with
// the address that was called; the one read that failed is not made again for a
// while; and a fault of this machine is logged and teaches nothing else.

// maxFailing bounds how many failing reads are remembered: their ids come from
// clients.
const maxFailing = 10_000

// outcomeOf reads from an error what a call says of Mixcloud: a 5xx, a broken
// connection and a timeout are failures; a refusal, such as "not found" or any
// other 4xx, is a sign of life; the rate limit is the limiter's business, and a
// fault of this machine is not Mixcloud's.
func outcomeOf(err error) breaker.Outcome {
	if err == nil {
		return breaker.Succeeded
	}
	if localFault(err) != "" {
		return breaker.Ignored
	}
	for kind, outcome := range outcomes {
		if errors.Is(err, kind) {
			return outcome
		}
	}
	return breaker.Ignored
}

var outcomes = map[error]breaker.Outcome{
	mixcloud.ErrNotFound:        breaker.Succeeded,
	mixcloud.ErrUnauthenticated: breaker.Succeeded,
	mixcloud.ErrForbidden:       breaker.Succeeded,
	mixcloud.ErrRefused:         breaker.Succeeded,
	mixcloud.ErrMoved:           breaker.Succeeded,
	mixcloud.ErrUnavailable:     breaker.Failed,
	mixcloud.ErrTimeout:         breaker.Failed,
}

// A watched is an address and the breaker of its route.
type watched struct {
	breaker *breaker.Breaker
	address string
}

// watched returns what watches over the read of a key; path is where a redirect
// led, or "".
func (s *Store) watched(k key, path string) watched {
	route, address := k.class.route(), addressOf(k.id)
	switch {
	case route == routeChart && isFixed(address):
		route = routeFixed
	case route == routeViewer: // one path, whose answer depends on the token
		address += k.who.String()
	}
	if path != "" {
		address = path
	}
	return watched{s.breakers[route], address}
}

// check reports whether a call would be let through, now or after its turn.
func (w watched) check() error { return refusalOf(w.breaker.Check(w.address)) }

// allow lets a call through that is made now; Done must be called on it.
func (w watched) allow() (*breaker.Call, error) {
	c, err := w.breaker.Allow(w.address)
	return c, refusalOf(err)
}

// refusalOf turns a breaker's refusal into the failure that caused it, with the
// wait that is left.
func refusalOf(err error) error {
	open, ok := errors.AsType[*breaker.OpenError](err)
	if !ok {
		return err
	}
	refused := mixcloud.Error{Kind: mixcloud.ErrUnavailable, Err: open.Cause}
	if failed, ok := errors.AsType[*mixcloud.Error](open.Cause); ok {
		refused = *failed
	}
	refused.RetryAfter, refused.NeverSent = max(open.Wait, 100*time.Millisecond), false
	return &refused
}

// fixedAddresses are the charts that exist once. All other lists and resources
// have as many addresses as clients can name.
var fixedAddresses = []string{"/popular/", "/popular/hot/", "/new/", "/categories/"}

func isFixed(address string) bool { return slices.Contains(fixedAddresses, address) }

// addressOf cuts an id to what identifies the resource or list: its path, and of
// its query what is searched for or embedded. Pages of one list have one address.
func addressOf(id string) string {
	path, query, _ := strings.Cut(id, "?")
	values, _ := url.ParseQuery(query)
	kept := url.Values{}
	for _, name := range []string{"q", "type", "url"} {
		if values.Has(name) {
			kept[name] = values[name]
		}
	}
	if len(kept) == 0 {
		return path
	}
	return path + "?" + kept.Encode()
}

// blocked returns the error that a read failed with a moment ago, if it is not to
// be made again yet. It is remembered for each page by itself: a page that
// Mixcloud cannot give says nothing of the others.
func (s *Store) blocked(k key) error {
	err, wait := s.failing.Blocked(k)
	if err == nil {
		return nil
	}
	return withWait(err, wait)
}

// aMoment is a wait that errors do not name: it is what clients are told anyway.
const aMoment = time.Second

// withWait gives an error that another try may help the wait until then.
func withWait(err error, wait time.Duration) error {
	failed, ok := errors.AsType[*mixcloud.Error](err)
	if !ok || failed.Kind != mixcloud.ErrUnavailable && failed.Kind != mixcloud.ErrTimeout {
		return err
	}
	told := *failed
	if told.RetryAfter = wait; wait <= aMoment {
		told.RetryAfter = 0
	}
	return &told
}

// handleFailure learns from a read that failed, and returns the error to report.
// Sent tells whether Mixcloud was called.
func (s *Store) handleFailure(f *flight, err error, sent bool) error {
	switch {
	case errors.Is(err, mixcloud.ErrNotFound):
		s.keep(f, nil, err, validator{})
		return err
	case errors.Is(err, mixcloud.ErrForbidden):
		s.cache.drop(f.key)
	}
	if !sent || !isLasting(err) {
		return err
	}
	if f.kept != nil && allowsStale(err) && f.kept.usable(s.clock.now()) {
		return err // the stale entry has its own pause
	}
	failed, _ := errors.AsType[*mixcloud.Error](err)
	pause := s.failing.Failed(f.key, err, failed.RetryAfter)
	return withWait(err, max(pause, failed.RetryAfter))
}

// isLasting reports whether the same read would probably fail again right away.
// What says nothing of the read is not: the rate limit, a refused token, a caller
// that left, a fault of this machine.
func isLasting(err error) bool {
	failed, ok := errors.AsType[*mixcloud.Error](err)
	if !ok || localFault(err) != "" {
		return false
	}
	switch failed.Kind {
	case mixcloud.ErrUnavailable, mixcloud.ErrTimeout, mixcloud.ErrBadResponse, mixcloud.ErrRefused, mixcloud.ErrMoved, mixcloud.ErrForbidden:
		return true
	}
	return false
}

// follow prepares a read for its next call where a redirect leads to another
// resource: once, and at the expense of the operation's budget.
func (s *Store) follow(f *flight, err error) (again bool, failed error) {
	moved, ok := errors.AsType[*mixcloud.Error](err)
	if !ok || moved.Location == "" || f.path != "" {
		return false, err
	}
	if !f.alone {
		if err := f.starter.spend(); err != nil {
			return false, err
		}
	}
	f.path = moved.Location
	return true, nil
}

// located makes a read ask where a redirect led.
func (f *flight) located(ctx context.Context) context.Context {
	if f.path == "" {
		return ctx
	}
	return mixcloud.At(ctx, f.path)
}

// localFault names the fault of this machine that kept a call from being made; ""
// for none.
func localFault(err error) string {
	if failed, ok := errors.AsType[*mixcloud.Error](err); ok {
		return failed.Local
	}
	return ""
}

// faultPause is the time between two log lines of local faults.
const faultPause = 10 * time.Second

// A faultLog writes about local faults, one line in a while.
type faultLog struct {
	next       atomic.Int64 // tick of the next line
	suppressed atomic.Int64
}

// observe passes what a call teaches on to its breaker, and names a fault of this
// machine in the log.
func (s *Store) observe(c *breaker.Call, err error) {
	c.Done(outcomeOf(err), err)
	fault := localFault(err)
	if fault == "" {
		return
	}
	now, next := s.clock.now(), s.faults.next.Load()
	if now < tick(next) || !s.faults.next.CompareAndSwap(next, int64(now+faultPause)) {
		s.faults.suppressed.Add(1)
		return
	}
	s.log.Error("local fault: cannot call mixcloud", "fault", fault, "suppressed", s.faults.suppressed.Swap(0), "err", err)
}
