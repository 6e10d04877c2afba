package upstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func store(t *testing.T, concurrency, budget int) *Store {
	t.Helper()
	client, err := mixcloud.New()
	if err != nil {
		t.Fatal(err)
	}
	return NewStore(client, concurrency, budget, func(token string) string { return "of " + token })
}

// TestRead_Bound lets many sessions read at once: never more than the bound are
// under way, and all of them come to their turn.
func TestRead_Bound(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ bound, most int }{{1, 1}, {3, 3}, {0, DefaultConcurrency}, {-1, DefaultConcurrency}, {1000, 120}} {
		t.Run(fmt.Sprint(test.bound), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := store(t, test.bound, 0)
				var now, most, calls atomic.Int64
				var group sync.WaitGroup
				start := time.Now()
				for range 4 {
					session := s.Session("")
					for range 30 {
						group.Go(func() {
							_, err := Read(t.Context(), session, func(context.Context, *mixcloud.Client) (int, error) {
								n := now.Add(1)
								defer now.Add(-1)
								for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
								}
								calls.Add(1)
								time.Sleep(time.Second)
								return 0, nil
							})
							if err != nil {
								t.Error(err)
							}
						})
					}
				}
				group.Wait()
				if most.Load() != int64(test.most) || calls.Load() != 120 {
					t.Errorf("%d of %d calls at once, want %d", most.Load(), calls.Load(), test.most)
				}
				if took, want := time.Since(start), time.Duration((120+test.most-1)/test.most)*time.Second; took != want {
					t.Errorf("took %v, want %v", took, want)
				}
			})
		})
	}
}

// TestRead_Budget lets a session spend exactly its budget, however many ask at
// once and whether the calls succeed or not.
func TestRead_Budget(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ budget, want int }{{1, 1}, {17, 17}, {0, DefaultBudget}, {-5, DefaultBudget}} {
		s := store(t, 4, test.budget)
		session := s.Session("")
		var calls, refused atomic.Int64
		var group sync.WaitGroup
		for i := range 300 {
			group.Go(func() {
				_, err := Read(t.Context(), session, func(context.Context, *mixcloud.Client) (string, error) {
					calls.Add(1)
					if i%2 == 0 {
						return "", mixcloud.ErrNotFound
					}
					return "", nil
				})
				if gqlerr.CodeOf(err) == gqlerr.CodeLimitExceeded {
					refused.Add(1)
					if !strings.Contains(err.Error(), fmt.Sprint(test.want)) {
						t.Errorf("the limit is not named: %v", err)
					}
				}
			})
		}
		group.Wait()
		if calls.Load() != int64(test.want) || refused.Load() != int64(300-test.want) {
			t.Errorf("budget %d: %d calls, %d refused", test.budget, calls.Load(), refused.Load())
		}
		if _, err := Read(t.Context(), s.Session(""), func(context.Context, *mixcloud.Client) (int, error) { return 0, nil }); err != nil {
			t.Errorf("another session: %v", err)
		}
	}
}

// TestRead_Waits lets who waits for a turn go away without one, and gives the
// turn to the next.
func TestRead_Waits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		session := store(t, 1, 0).Session("")
		release := make(chan struct{})
		var group sync.WaitGroup
		group.Go(func() {
			_, _ = Read(t.Context(), session, func(context.Context, *mixcloud.Client) (int, error) { <-release; return 0, nil })
		})
		synctest.Wait()
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := Read(hasty, session, func(context.Context, *mixcloud.Client) (int, error) {
			t.Error("a call was made without a turn")
			return 0, nil
		}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		close(release)
		group.Wait()
		if got, err := Read(t.Context(), session, func(context.Context, *mixcloud.Client) (int, error) { return 7, nil }); got != 7 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
	})
}

// TestRead_Panic gives the turn back when a call panics.
func TestRead_Panic(t *testing.T) {
	t.Parallel()
	session := store(t, 1, 0).Session("")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is lost")
			}
		}()
		_, _ = Read(t.Context(), session, func(context.Context, *mixcloud.Client) (int, error) { panic("x") })
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := Read(ctx, session, func(context.Context, *mixcloud.Client) (int, error) { return 0, nil }); err != nil {
		t.Error(err)
	}
}

// TestRetryAt tells until when Mixcloud refuses: the latest time it has named,
// and nothing when that has passed.
func TestRetryAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := store(t, 0, 0)
		refuse := func(wait time.Duration) {
			err := fmt.Errorf("wrapped: %w", &mixcloud.Error{Kind: mixcloud.ErrRateLimited, RetryAfter: wait})
			_, got := Read(t.Context(), s.Session(""), func(context.Context, *mixcloud.Client) (int, error) { return 0, err })
			if !errors.Is(got, mixcloud.ErrRateLimited) {
				t.Error(got)
			}
		}
		if at, ok := s.RetryAt(); ok {
			t.Errorf("before any refusal: %v", at)
		}
		_, _ = Read(t.Context(), s.Session(""), func(context.Context, *mixcloud.Client) (int, error) {
			return 0, &mixcloud.Error{Kind: mixcloud.ErrUnavailable, RetryAfter: time.Hour}
		})
		if at, ok := s.RetryAt(); ok {
			t.Errorf("after an outage: %v", at)
		}
		start := time.Now()
		refuse(10 * time.Second)
		refuse(5 * time.Second) // does not shorten it
		if at, ok := s.RetryAt(); !ok || !at.Equal(start.Add(10*time.Second)) {
			t.Errorf("%v, %v", at, ok)
		}
		time.Sleep(10 * time.Second)
		if at, ok := s.RetryAt(); ok {
			t.Errorf("after the wait: %v", at)
		}
		refuse(0)
		if at, ok := s.RetryAt(); ok {
			t.Errorf("after a refusal without a wait: %v", at)
		}
	})
}

// TestSession holds for whom a session acts.
func TestSession(t *testing.T) {
	t.Parallel()
	s := store(t, 0, 0)
	for token, anonymous := range map[string]bool{"": true, "t": false} {
		session := s.Session(token)
		if session.Anonymous() != anonymous || session.Store() != s {
			t.Errorf("%q: %v", token, session.Anonymous())
		}
		_, _ = Read(t.Context(), session, func(_ context.Context, c *mixcloud.Client) (int, error) {
			if signed := strings.Contains(c.String(), "with a token"); signed == anonymous {
				t.Errorf("%q: the call is made by %v", token, c)
			}
			return 0, nil
		})
	}
	if strings.Contains(s.Client().String(), "token") {
		t.Error("the store's own client has a token")
	}
}
