package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

var badToken = reply{delay: 10 * time.Millisecond, status: 400, body: `{"error":{"type":"OAuthException","message":"An invalid access token was provided."}}`}

// Hundreds of invented tokens, each with an operation of twenty reads, cause no more calls than
// their shared limit allows, one for each token, and do not delay anonymous readers.
func TestTokens_Invented(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		perToken := map[string]int{}
		s, up := newTestStore(t, Options{Rate: 50, Burst: 500, Retries: -1}, func(c call) reply {
			mu.Lock()
			perToken[c.token]++
			mu.Unlock()
			if c.token != "" {
				return badToken
			}
			return latest(c)
		})
		const length = 10 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		for i := range 300 {
			session := s.SessionOf(Caller{Token: fmt.Sprint("invented", i), Address: "192.0.2.1"})
			for n := range 20 {
				go func() { _, _ = Fetch(ctx, session, user(fmt.Sprintf("/%d/", n))) }()
			}
		}
		time.Sleep(time.Second)
		began := time.Now()
		if got := fetchName(ctx, s.SessionOf(Caller{Address: "192.0.2.2"}), "/a/"); got != "1" || time.Since(began) != 10*time.Millisecond {
			t.Errorf("anonymous read = %q after %v, want 1 after 10ms", got, time.Since(began))
		}
		time.Sleep(length)
		synctest.Wait()
		limit := unverifiedBurst + int(DefaultUnverifiedRate*length.Seconds()) + 1
		if made := up.made() - 1; made > limit || made < limit/2 {
			t.Errorf("%d calls were made with invented tokens, want at most %d", made, limit)
		}
		for token, n := range perToken {
			if token != "" && n != 1 {
				t.Errorf("token %s: %d calls, want 1", token, n)
			}
		}
	})
}

// The first refusal of a token ends the operation, and for a minute neither reads nor writes
// are made with it.
func TestTokens_RefusalIsRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad := true
		s, up := newTestStore(t, Options{}, func(c call) reply {
			if bad && c.token != "" {
				return badToken
			}
			return latest(c)
		})
		session := s.Session("t")
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				if _, err := Fetch(t.Context(), session, user(fmt.Sprintf("/%d/", i))); gqlerr.CodeOf(err) != gqlerr.CodeUnauthenticated {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		wantCalls(t, up, 1)
		if session.Cost().Calls != 1 {
			t.Errorf("cost %+v, want 1 call", session.Cost())
		}
		bad = false
		write := func() error {
			_, err := Write(t.Context(), s.Session("t"), "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil })
			return err
		}
		time.Sleep(refusedFor - time.Second)
		if err := write(); !errors.Is(err, mixcloud.ErrUnauthenticated) {
			t.Errorf("write with a refused token = %v, want ErrUnauthenticated", err)
		}
		wantCalls(t, up, 0)
		want(t, fetchName(t.Context(), s.Session("other"), "/a/"), "other1")
		time.Sleep(time.Second)
		if err := write(); err != nil {
			t.Error(err)
		}
	})
}

// A verified token gets its own limit at once, also for calls that wait already.
func TestTokens_Verified(t *testing.T) {
	t.Parallel()
	done := func(context.Context, *mixcloud.Client) (*mixcloud.Result, error) {
		return &mixcloud.Result{Success: true}, nil
	}
	read := func(class Class, body string) func(context.Context, *Session) {
		return func(ctx context.Context, s *Session) {
			_, _ = Fetch(ctx, s, Resource[string]{
				Class: class, ID: body,
				Get:    func(context.Context, *mixcloud.Client) (string, error) { return body, nil },
				Encode: func(s string) []byte { return []byte(s) }, Decode: func(b []byte) (string, error) { return string(b), nil },
			})
		}
	}
	tests := map[string]struct {
		do   func(context.Context, *Session)
		want bool
	}{
		"the viewer":                   {read(ClassViewer, `{}`), true},
		"flag of a user":               {read(ClassUser, `{"following": false}`), true},
		"connection":                   {read(ClassUser, `{"following": "https://api.mixcloud.com/a/following/"}`), false},
		"flag of a show":               {read(ClassList, `{"data":[{"favorited":true}]}`), true},
		"escaped flag in a text":       {read(ClassUser, `{"biog":"\"favorited\":true"}`), false},
		"viewer's own user":            {read(ClassUser, `{"is_current_user":true}`), true},
		"no member that needs a token": {read(ClassUser, `{"key":"/a/"}`), false},
		"player":                       {read(ClassEmbed, `{"favorited":true}`), false},
		"write":                        {func(ctx context.Context, s *Session) { _, _ = Write(ctx, s, "/a/follow/", done) }, true},
		"exchange":                     {func(_ context.Context, s *Session) { s.store.MarkVerified("t") }, true},
		"cookie":                       {func(_ context.Context, s *Session) { s.store.SessionOf(Caller{Token: "t", Exchanged: true}) }, true},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, _ := newTestStore(t, Options{Rate: 50, Burst: 500}, latest)
				test.do(t.Context(), s.Session("t"))
				if got := s.Session("t").currentViewer().verified.Load(); got != test.want {
					t.Errorf("verified = %v, want %v", got, test.want)
				}
				if budget := *s.Session("t").RateLimit().Budget; (budget == 500) != test.want {
					t.Errorf("budget = %d, want 500 only for a verified token (%v)", budget, test.want)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{Concurrency: 200}, func(call) reply {
			return reply{delay: 10 * time.Millisecond, body: `{"key":"/a/","following":true}`}
		})
		var wg sync.WaitGroup
		session := s.Session("t")
		began := time.Now()
		for i := range 100 {
			wg.Go(func() { fetchName(t.Context(), session, fmt.Sprintf("/%d/", i)) })
		}
		wg.Wait()
		if took := time.Since(began); took != 20*time.Millisecond || up.made() != 100 {
			t.Errorf("first operation of a valid token took %v, want 20ms", took)
		}
	})
}

// Invented tokens do not displace the viewers of verified ones.
func TestViewers_UnverifiedPrunedFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newTestStore(t, Options{}, latest)
		s.MarkVerified("good")
		before := s.Session("good").currentViewer()
		time.Sleep(time.Second)
		for i := range 3 * maxViewers {
			s.Session(fmt.Sprint("invented", i))
		}
		if s.Session("good").currentViewer() != before || len(s.viewers.all) > maxViewers {
			t.Errorf("a verified token was pruned, or %d viewers are above the maximum %d", len(s.viewers.all), maxViewers)
		}
	})
}

// Under a shared limit clients take turns by address, for any number of operations and tokens.
func TestQueue_FairBetweenAddresses(t *testing.T) {
	t.Parallel()
	for _, withTokens := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, _ := newTestStore(t, Options{Rate: 5, Burst: 1, Retries: -1}, latest)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			token := func(name string) string {
				if withTokens {
					return name
				}
				return ""
			}
			for i := range 200 {
				session := s.SessionOf(Caller{Token: token(fmt.Sprint("t", i)), Address: "192.0.2.1"})
				go fetchName(ctx, session, fmt.Sprintf("/%d/", i))
			}
			time.Sleep(10 * time.Second)
			began := time.Now()
			session := s.SessionOf(Caller{Token: token("modest"), Address: "192.0.2.2"})
			want(t, fetchName(ctx, session, "/modest/"), token("modest")+"1")
			if took := time.Since(began); took > 500*time.Millisecond {
				t.Errorf("with tokens %v: another address waits for %v, want at most 500ms", withTokens, took)
			}
		})
	}
}

// Many operations from one address can fill only that address's share of the queue.
func TestQueue_OneAddressIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 1000
		s, _ := newTestStore(t, Options{Concurrency: 1, Budget: limit, Retries: -1}, func(call) reply { return reply{delay: time.Second} })
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		for i := range 2 * limit {
			go fetchName(ctx, s.SessionOf(Caller{Address: "192.0.2.1"}), fmt.Sprintf("/%d/", i))
		}
		synctest.Wait()
		if _, waiting := s.limiter.queue.Load(); waiting != limit {
			t.Errorf("%d calls wait, want %d", waiting, limit)
		}
		began := time.Now()
		want(t, fetchName(ctx, s.SessionOf(Caller{Address: "192.0.2.2"}), "/modest/"), "1")
		_, waiting := s.limiter.queue.Load()
		if took := time.Since(began); took > 4*time.Second || waiting >= limit {
			t.Errorf("took %v, want at most 4s; %d calls wait, want fewer than %d", took, waiting, limit)
		}
		cancel()
	})
}

// The process's limit applies to all principals and kinds together.
func TestLimits_Total(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{TotalRate: 2, Concurrency: 100, Retries: -1}, latest)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var writes atomic.Int64
		for i := range 100 {
			token := fmt.Sprint("t", i%10)
			s.MarkVerified(token)
			go fetchName(ctx, s.Session(token), fmt.Sprintf("/%d/", i))
			go func() {
				_, _ = Write(ctx, s.Session(token), "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) {
					writes.Add(1)
					return 0, nil
				})
			}()
		}
		time.Sleep(11 * time.Second)
		if made := up.made() + int(writes.Load()); made < 20 || made > 22 {
			t.Errorf("%d calls were made in ten seconds, want 20 to 22", made)
		}
	})
}

// A viewer's writes are bounded, and the latest ones are retained.
func TestRecentWrites_Bounded(t *testing.T) {
	t.Parallel()
	o := recentWrites{life: writeLag}
	now := time.Now()
	for i := range 3 * maxWrites {
		now = now.Add(time.Millisecond)
		o.put("me", flagKeyOf(Following, fmt.Sprint(i)), true, now)
	}
	if n := len(o.writes["me"]); n != maxWrites {
		t.Errorf("%d writes are stored, want %d", n, maxWrites)
	}
	if !o.has("me", flagKeyOf(Following, fmt.Sprint(3*maxWrites-1)), now) || o.has("me", flagKeyOf(Following, "0"), now) {
		t.Error("pruning dropped the latest write, or not the oldest")
	}
}
