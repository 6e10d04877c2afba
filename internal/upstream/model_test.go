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

	"mixcloud-graphql/mixcloud"
)

// modelLife is short, so that few steps see all of a life.
var modelLife = Lifetime{Fresh: time.Minute, Revalidate: 2 * time.Minute, Keep: 15 * time.Minute, Missing: 20 * time.Second}

// A place is one resource in one audience's eyes.
type place struct{ token, key string }

// A telling is one answer of the model's Mixcloud.
type telling struct {
	n       int // of all of them, from 1
	at      time.Duration
	writes  int  // of the token's, that it shows
	lag     bool // less than a minute after one
	missing bool
}

// A model is a Mixcloud whose answers say when they were given and to whom, and what
// may be expected of a store in front of it.
type model struct {
	mode string

	mu       sync.Mutex
	start    time.Time
	writes   map[string]int
	wrote    map[string]time.Duration
	all      []telling
	latest   map[place]telling // that has arrived
	inAir    map[place]map[int]int
	problems []string
}

func (m *model) now() time.Duration { return time.Since(m.start) }

func (m *model) problem(format string, args ...any) {
	m.problems = append(m.problems, fmt.Sprintf("at %v: ", m.now())+fmt.Sprintf(format, args...))
}

// read is what a resource's Get does, for one who began to ask after so many writes
// of their own: who asks after the next one needs another call.
func (m *model) read(ctx context.Context, p place, asked int) (*mixcloud.FullUser, error) {
	m.mu.Lock()
	wrote, ever := m.wrote[p.token]
	said := telling{n: len(m.all) + 1, at: m.now(), writes: m.writes[p.token], lag: ever && m.now()-wrote < overlayLife, missing: m.mode == "missing"}
	m.all = append(m.all, said)
	air := m.inAir[p]
	if air == nil {
		air = map[int]int{}
		m.inAir[p] = air
	}
	if air[asked]++; air[asked] > 1 {
		m.problem("two calls are in the air for %v", p)
	}
	mode := m.mode
	m.mu.Unlock()
	delay := 50 * time.Millisecond
	if mode == "slow" {
		delay = 20 * time.Second
	}
	whole := nap(ctx.Done(), delay)
	m.mu.Lock()
	defer m.mu.Unlock()
	air[asked]--
	switch {
	case !whole || mode == "hanging":
		return nil, &mixcloud.Error{Kind: mixcloud.ErrTimeout}
	case mode == "failing":
		return nil, &mixcloud.Error{Kind: mixcloud.ErrUnavailable, Status: 502}
	case mode == "limiting":
		return nil, &mixcloud.Error{Kind: mixcloud.ErrRateLimited, Status: 403, RetryAfter: 40 * time.Second}
	}
	if asked == m.writes[p.token] { // else it is of before a write
		m.latest[p] = telling{said.n, m.now(), said.writes, said.lag || ever && m.now()-m.wrote[p.token] < overlayLife, said.missing}
	}
	if said.missing {
		return nil, &mixcloud.Error{Kind: mixcloud.ErrNotFound, Status: 404}
	}
	return &mixcloud.FullUser{User: mixcloud.User{Key: p.key, Name: fmt.Sprintf("%d for %s", said.n, p.token)}}, nil
}

// fetch asks the store and holds the answer against what may be expected.
func (m *model) fetch(ctx context.Context, s *Store, p place, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
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
	if now-began > patience {
		m.problem("%v took %v of %v", p, now-began, patience)
	}
	age := began - before.at
	good := known && before.writes == writes && !before.lag
	switch {
	case good && !before.missing && age < modelLife.Fresh:
		if err != nil || session.Cost() != (Cost{Hits: 1}) {
			m.problem("%v is fresh, but: %v, cost %+v", p, err, session.Cost())
		}
	case good && before.missing && age < modelLife.Missing:
		if !errors.Is(err, mixcloud.ErrNotFound) || session.Cost() != (Cost{Hits: 1}) {
			m.problem("%v is known not to be there, but: %v, cost %+v", p, err, session.Cost())
		}
	case good && !before.missing && age+patience < modelLife.Keep && err != nil && !errors.Is(err, mixcloud.ErrNotFound):
		m.problem("%v was seen %v ago, but: %v", p, age, err)
	}
	if err != nil {
		return
	}
	n, token := 0, ""
	if _, err := fmt.Sscanf(u.Name, "%d for", &n); err != nil || n < 1 || n > len(m.all) {
		m.problem("%v is %q", p, u.Name)
		return
	}
	said := m.all[n-1]
	_, token, _ = strings.Cut(u.Name, " for ")
	if token != p.token || u.Key != p.key {
		m.problem("%v sees %q", p, u.Name)
	}
	if said.writes < writes {
		m.problem("%v sees %q, from before its own write", p, u.Name)
	}
	notes := session.Freshness()
	const flight = 20*time.Second + time.Minute // a call, and what it waits for
	switch age := now - said.at; {
	case age >= modelLife.Keep+flight:
		m.problem("%v is shown what is %v old", p, age)
	case age >= modelLife.Fresh+flight && len(notes) == 0:
		m.problem("%v is not told that it is shown what is %v old", p, age)
	}
	for _, note := range notes {
		if note.Age > now-said.at || note.Age < now-said.at-flight {
			m.problem("%v is told an age of %v for %v", p, note.Age, now-said.at)
		}
	}
}

// write is a write that takes a while. It ends at a moment of its own.
func (m *model) write(ctx context.Context, s *Store, token string, takes time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	_, _ = Write(ctx, s.Session(token), "/a/follow/", func(ctx context.Context, _ *mixcloud.Client) (int, error) {
		whole := nap(ctx.Done(), takes)
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

// A step is what happens next.
type step struct {
	what   string
	token  string
	key    int
	many   int
	millis int
}

// Whatever is asked by whom, written, limited, broken and waited for: nobody is
// shown what was for somebody else's eyes, or is from before their own write, or is
// too old, or is old and not said to be; no two calls are in the air for the
// same; what is fresh costs none; and what was seen answers when Mixcloud does not.
func TestStore_Model(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{
				what:   rapid.SampledFrom([]string{"fetch", "fetch", "fetch", "fetch", "fetch", "fetch", "write", "pause", "pause", "pause", "well", "well", "well", "failing", "limiting", "slow", "hanging", "missing"}).Draw(t, "what"),
				token:  rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "token"),
				key:    rapid.IntRange(1, 2).Draw(t, "key"),
				many:   rapid.SampledFrom([]int{1, 1, 2, 20}).Draw(t, "many"),
				millis: rapid.SampledFrom([]int{1, 70, 700, 3_000, 25_000, 61_000, 130_000, 400_000, 1_000_000}).Draw(t, "millis"),
			}
		}), 20, 150).Draw(rt, "steps")
		rate := rapid.SampledFrom([]float64{0, 0, 2}).Draw(rt, "rate")
		var problems []string
		synctest.Test(t, func(t *testing.T) {
			s, _ := newRig(t, Options{Lifetimes: map[Class]Lifetime{ClassUser: modelLife}, Rate: rate, Burst: 5, Concurrency: 4}, latest)
			m := &model{
				mode: "well", start: time.Now(), writes: map[string]int{}, wrote: map[string]time.Duration{},
				latest: map[place]telling{}, inAir: map[place]map[int]int{},
			}
			var wg sync.WaitGroup
			for i, step := range steps {
				d := time.Duration(step.millis) * time.Millisecond
				switch step.what {
				case "fetch":
					for range step.many {
						wg.Go(func() {
							m.fetch(t.Context(), s, place{step.token, fmt.Sprintf("/%d/", step.key)}, min(max(d, 2*time.Second), 30*time.Second))
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
			time.Sleep(time.Hour) // what is under way in the background ends
			synctest.Wait()
			m.mu.Lock()
			defer m.mu.Unlock()
			if s.queue.free != 4 || s.queue.waiting != 0 || len(s.flights.all) != 0 || len(s.refreshes) != 0 {
				m.problem("something is left: %d free, %d wait, %d flights, %d refreshes", s.queue.free, s.queue.waiting, len(s.flights.all), len(s.refreshes))
			}
			problems = m.problems
		})
		if len(problems) > 0 {
			rt.Fatalf("%s", strings.Join(problems, "\n"))
		}
	})
}
