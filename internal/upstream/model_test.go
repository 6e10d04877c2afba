package upstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/internal/opstats"
	"mixcloud-graphql/mixcloud"
)

// modelLife is short, so that a few steps cover a whole lifetime.
var modelLife = Lifetime{Fresh: time.Minute, Revalidate: 2 * time.Minute, Retain: 15 * time.Minute, NegativeTTL: 20 * time.Second}

// A resourceKey identifies a resource as one principal sees it.
type resourceKey struct{ token, key string }

// A modelResponse is a response of the fake Mixcloud.
type modelResponse struct {
	n       int // number among all responses, from 1
	at      time.Duration
	writes  int  // number of the token's writes that the response shows
	lag     bool // less than a minute after a write
	missing bool
}

// A model is a fake Mixcloud with responses that contain their time and principal. It checks the responses of the store in
// front of it.
type model struct {
	mode string

	mu       sync.Mutex
	start    time.Time
	writes   map[string]int
	wrote    map[string]time.Duration
	all      []modelResponse
	latest   map[resourceKey]modelResponse // the latest response that has arrived
	inFlight map[resourceKey]map[int]int
	problems []string
}

func (m *model) now() time.Duration { return time.Since(m.start) }

func (m *model) problem(format string, args ...any) {
	m.problems = append(m.problems, fmt.Sprintf("at %v: ", m.now())+fmt.Sprintf(format, args...))
}

// read is the Get function of a resource, for a caller that starts after writesBefore of its own
// writes. Callers with different numbers of writes need different calls.
func (m *model) read(ctx context.Context, p resourceKey, writesBefore int) (*mixcloud.FullUser, error) {
	m.mu.Lock()
	wrote, ever := m.wrote[p.token]
	response := modelResponse{n: len(m.all) + 1, at: m.now(), writes: m.writes[p.token], lag: ever && m.now()-wrote < writeLag, missing: m.mode == "missing"}
	m.all = append(m.all, response)
	inFlight := m.inFlight[p]
	if inFlight == nil {
		inFlight = map[int]int{}
		m.inFlight[p] = inFlight
	}
	if inFlight[writesBefore]++; inFlight[writesBefore] > 1 {
		m.problem("two calls are in flight for %v", p)
	}
	mode := m.mode
	m.mu.Unlock()
	delay := 50 * time.Millisecond
	if mode == "slow" {
		delay = 20 * time.Second
	}
	whole := monotime.Sleep(ctx, delay)
	m.mu.Lock()
	defer m.mu.Unlock()
	inFlight[writesBefore]--
	switch {
	case !whole || mode == "hanging":
		return nil, &mixcloud.Error{Kind: mixcloud.ErrTimeout}
	case mode == "failing":
		return nil, &mixcloud.Error{Kind: mixcloud.ErrUnavailable, Status: 502}
	case mode == "refusing":
		return nil, &mixcloud.Error{Kind: mixcloud.ErrRateLimited, Status: 403, RetryAfter: 40 * time.Second}
	}
	if writesBefore == m.writes[p.token] { // else it is from before a write
		m.latest[p] = modelResponse{response.n, m.now(), response.writes, response.lag || ever && m.now()-m.wrote[p.token] < writeLag, response.missing}
	}
	if response.missing {
		return nil, &mixcloud.Error{Kind: mixcloud.ErrNotFound, Status: 404}
	}
	return &mixcloud.FullUser{User: mixcloud.User{Key: mixcloud.ParseKey(p.key), Name: fmt.Sprintf("%d for %s", response.n, p.token)}}, nil
}

// fetch reads from the store and checks the response.
func (m *model) fetch(ctx context.Context, s *Store, p resourceKey, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	m.mu.Lock()
	before, known := m.latest[p]
	writes := m.writes[p.token]
	began := m.now()
	m.mu.Unlock()
	session := s.Session(p.token)
	u, err := Fetch(ctx, session, Resource[*mixcloud.FullUser]{
		Class: ClassUser, ID: p.key, Size: func(*mixcloud.FullUser) int { return 100 },
		Get: func(ctx context.Context, _ *mixcloud.Client) (*mixcloud.FullUser, error) {
			return m.read(ctx, p, writes)
		},
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if now-began > timeout {
		m.problem("%v: Fetch took %v, want at most %v", p, now-began, timeout)
	}
	age := began - before.at
	good := known && before.writes == writes && !before.lag
	switch {
	case good && !before.missing && age < modelLife.Fresh:
		if err != nil || session.Cost() != (opstats.Cost{Hits: 1}) {
			m.problem("%v: Fetch of a fresh entry = %v with cost %+v, want 1 hit", p, err, session.Cost())
		}
	case good && before.missing && age < modelLife.NegativeTTL:
		if !errors.Is(err, mixcloud.ErrNotFound) || session.Cost() != (opstats.Cost{Hits: 1}) {
			m.problem("%v: Fetch of a negative entry = %v with cost %+v, want not found and 1 hit", p, err, session.Cost())
		}
	case good && !before.missing && age+timeout < modelLife.Retain && err != nil && !errors.Is(err, mixcloud.ErrNotFound):
		m.problem("%v: Fetch of an entry of age %v = %v, want the stale entry", p, age, err)
	}
	if err != nil {
		return
	}
	n, token := 0, ""
	if _, err := fmt.Sscanf(u.Name, "%d for", &n); err != nil || n < 1 || n > len(m.all) {
		m.problem("%v: name %q, want the number of a response", p, u.Name)
		return
	}
	response := m.all[n-1]
	_, token, _ = strings.Cut(u.Name, " for ")
	if token != p.token || u.Key.String() != p.key {
		m.problem("%v: read %q, which belongs to another resource or principal", p, u.Name)
	}
	if response.writes < writes {
		m.problem("%v: read %q, from before its own write", p, u.Name)
	}
	staleReads := session.StaleReads()
	const callTime = 20*time.Second + time.Minute // a call and its wait
	switch age := now - response.at; {
	case age >= modelLife.Retain+callTime:
		m.problem("%v: response of age %v, want less than %v", p, age, modelLife.Retain+callTime)
	case age >= modelLife.Fresh+callTime && len(staleReads) == 0:
		m.problem("%v: a response of age %v is not reported as stale", p, age)
	}
	for _, staleRead := range staleReads {
		if staleRead.Age > now-response.at || staleRead.Age < now-response.at-callTime {
			m.problem("%v: reported age %v, want about %v", p, staleRead.Age, now-response.at)
		}
	}
}

// write makes a write with a duration.
func (m *model) write(ctx context.Context, s *Store, token string, takes time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	_, _ = Write(ctx, s.Session(token), "/a/follow/", func(ctx context.Context, _ *mixcloud.Client) (int, error) {
		whole := monotime.Sleep(ctx, takes)
		m.mu.Lock()
		defer m.mu.Unlock()
		if token != "" {
			m.writes[token]++
			m.wrote[token] = m.now()
		}
		if !whole {
			return 0, &mixcloud.Error{Kind: mixcloud.ErrTimeout}
		}
		return 0, nil
	})
}

// A step is one event.
type step struct {
	what   string
	token  string
	key    int
	many   int
	millis int
}

// For any sequence of reads, writes, limits, failures and waits: no caller gets a response of
// another principal, from before its own write, or above the maximum age, and every stale response
// is reported. No two calls for the same resource are in flight. Fresh entries cost no
// call, and stale ones are served when Mixcloud fails.
func TestStore_Model(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{
				what:   rapid.SampledFrom([]string{"fetch", "fetch", "fetch", "fetch", "fetch", "fetch", "write", "pause", "pause", "pause", "well", "well", "well", "failing", "refusing", "slow", "hanging", "missing"}).Draw(t, "what"),
				token:  rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "token"),
				key:    rapid.IntRange(1, 2).Draw(t, "key"),
				many:   rapid.SampledFrom([]int{1, 1, 2, 20}).Draw(t, "many"),
				millis: rapid.SampledFrom([]int{1, 70, 700, 3_000, 25_000, 61_000, 130_000, 400_000, 1_000_000}).Draw(t, "millis"),
			}
		}), 20, 150).Draw(rt, "steps")
		rate := rapid.SampledFrom([]float64{0, 0, 2}).Draw(rt, "rate")
		var problems []string
		synctest.Test(t, func(t *testing.T) {
			s, _ := newTestStore(t, Options{Lifetimes: map[Class]Lifetime{ClassUser: modelLife}, Rate: rate, Burst: 5, Concurrency: 4}, latest)
			m := &model{
				mode: "well", start: time.Now(), writes: map[string]int{}, wrote: map[string]time.Duration{},
				latest: map[resourceKey]modelResponse{}, inFlight: map[resourceKey]map[int]int{},
			}
			var wg sync.WaitGroup
			for i, step := range steps {
				d := time.Duration(step.millis) * time.Millisecond
				switch step.what {
				case "fetch":
					for range step.many {
						wg.Go(func() {
							m.fetch(t.Context(), s, resourceKey{step.token, fmt.Sprintf("/%d/", step.key)}, min(max(d, 2*time.Second), 30*time.Second))
						})
					}
				case "write":
					wg.Go(func() {
						m.write(t.Context(), s, step.token, min(d, 40*time.Second)+time.Duration(i+1)*time.Microsecond)
					})
				case "pause":
					time.Sleep(d)
				default:
					m.mu.Lock()
					m.mode = step.what
					m.mu.Unlock()
				}
				synctest.Wait()
			}
			wg.Wait()
			time.Sleep(time.Hour) // lets the background loads finish
			synctest.Wait()
			m.mu.Lock()
			defer m.mu.Unlock()
			wantIdle(t, s, 4)
			problems = m.problems
		})
		if len(problems) > 0 {
			rt.Fatalf("store differs from the model:\n%s", strings.Join(problems, "\n"))
		}
	})
}
