package upstream

import (
	"bytes"
	"context"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"mixcloud-graphql/internal/ratelimit"
	"mixcloud-graphql/mixcloud"
)

// A Caller is whom an operation acts for.
type Caller struct {
	// Token is a Mixcloud access token; "" for an anonymous operation.
	Token string
	// Exchanged says that the token came from our own OAuth exchange.
	Exchanged bool
	// OnCall, if it is not nil, is called for each call to Mixcloud that the operation makes.
	OnCall func()
	// Address is the client's network address: operations that share a limit take
	// turns by it. "" is one address too.
	Address string
	// Revalidate asks for answers that are newer than [RevalidateAge], as the header
	// Cache-Control: no-cache does.
	Revalidate bool
}

// refusedFor is how long a refused token is not tried again.
const refusedFor = time.Minute

// provenAsk is how often a process asks others about a token that is not proven.
const provenAsk = 10 * time.Second

// A token is what is known of a viewer's token. Anybody can invent tokens, so one
// gets limits of its own, and a place in what processes share, only when it is proven:
// Mixcloud has answered a read of /me/ or a write, or has sent members that only
// a token gives, or the token came from our own OAuth exchange.
type token struct {
	proven   atomic.Bool
	accepted atomic.Bool // Mixcloud has answered a call and not refused the token
	denial   atomic.Pointer[denial]

	asking sync.Mutex
	asked  tick // when other processes were last asked; 0 for never
}

// A denial is Mixcloud's refusal of a token.
type denial struct {
	until tick
	err   error
}

// refused returns Mixcloud's error if it has refused the token lately.
func (t *token) refused(now tick) error {
	if d := t.denial.Load(); d != nil && now < d.until {
		return d.err
	}
	return nil
}

// Proven notes that a token came from our own OAuth exchange.
func (s *Store) Proven(token string) {
	if token != "" {
		s.prove(s.viewer(audienceOf(s.options.AudienceOf(token))))
	}
}

// Accepted reports whether this process knows that Mixcloud accepts a token. It
// remembers nothing of tokens that it does not know.
func (s *Store) Accepted(token string) bool {
	if token == "" {
		return false
	}
	known := s.viewers.known(audienceOf(s.options.AudienceOf(token)))
	return known != nil && known.proven.Load()
}

// prove notes that Mixcloud accepts a viewer's token, here and in other processes.
func (s *Store) prove(v *viewer) {
	if v == s.everybody || v.proven.Swap(true) {
		return
	}
	v.denial.Store(nil)
	for kind := range kinds {
		ls := s.limitsOf(v, Kind(kind)) //nolint:gosec // there are four
		s.queue.relimit(ls[0], ls)
	}
	if s.options.Proofs != nil {
		s.options.Proofs.Prove(context.WithoutCancel(s.ctx), v.who.String(), true)
	}
}

// inquire asks other processes about a token that is not proven.
func (s *Store) inquire(ctx context.Context, v *viewer) {
	if s.options.Proofs == nil || v == s.everybody || v.proven.Load() {
		return
	}
	v.asking.Lock() // calls side by side wait for one answer
	defer v.asking.Unlock()
	now := s.clock.now()
	if v.proven.Load() || v.asked != 0 && now < v.asked+provenAsk {
		return
	}
	v.asked = max(now, 1)
	if s.options.Proofs.Proven(ctx, v.who.String()) {
		v.proven.Store(true)
	}
}

// refuseToken remembers that Mixcloud refuses a viewer's token: all of its calls that
// wait end, none is made for a while, and nothing is served that was kept for it.
func (s *Store) refuseToken(v *viewer, err error) {
	now := s.clock.now()
	if v.refused(now) != nil {
		return // of calls that were under way together
	}
	v.denial.Store(&denial{now + refusedFor, err})
	v.accepted.Store(false)
	s.queue.refuse(v, err)
	s.viewers.renew(v)
	if v.proven.Load() {
		s.drop(v)
		v.proven.Store(false)
		if s.options.Proofs != nil {
			s.options.Proofs.Prove(context.WithoutCancel(s.ctx), v.who.String(), false)
		}
	}
}

// sharing reports whether a viewer's answers are shared with other processes. Those
// of tokens that are not proven are not: invented ones would fill the memory.
func (s *Store) sharing(v *viewer) bool { return v == s.everybody || v.proven.Load() }

// onlyWithToken are members that Mixcloud sends only with a token.
var onlyWithToken = [][]byte{
	[]byte(`"favorited":`), []byte(`"reposted":`), []byte(`"is_listen_later":`), []byte(`"follower":`), []byte(`"is_current_user":`),
}

// followingFlag is one of them only as a flag: connections have that name too.
var followingFlag = regexp.MustCompile(`"following":\s*(?:true|false)`)

// proves reports whether an answer was given because its token is good.
func proves(r *read, value any) bool {
	if r.class == ClassViewer {
		return true
	}
	if r.class == ClassEmbed || r.encode == nil {
		return false
	}
	// Quotes within a text are escaped, so that these are names of members.
	raw := r.encode(value)
	if followingFlag.Match(raw) {
		return true
	}
	for _, member := range onlyWithToken {
		if bytes.Contains(raw, member) {
			return true
		}
	}
	return false
}

// did reports whether an answer to a write says that it was done.
func did(value any) bool {
	result, ok := value.(*mixcloud.Result)
	return ok && result != nil && result.Success
}

// newLimiters makes the limiters that belong to no viewer.
func (s *Store) newLimiters() {
	now := s.clock.now()
	limit := ratelimit.Limit{Rate: max(s.options.UnprovenRate, 0), Burst: unprovenBurst}
	s.unproven = &limiter{
		rate:     ratelimit.New(limit, now),
		shared:   SharedLimit{Principal: unprovenName, Limit: limit},
		isShared: s.options.Limiter != nil,
	}
	if rate := s.options.TotalRate; rate > 0 {
		s.total = &limiter{rate: ratelimit.New(ratelimit.Limit{Rate: rate, Burst: max(1, int(rate))}, now)}
	}
}
