package upstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// processors compute: whoever works has one of them for a moment at a time.
type processors chan struct{}

func (p processors) work(d time.Duration) {
	const moment = 250 * time.Microsecond
	for ; d > 0; d -= moment {
		p <- struct{}{}
		time.Sleep(min(d, moment))
		<-p
	}
}

// Under a lasting load of five times what can be done, whatever is too much is
// refused within milliseconds, what is let in hardly waits, and nothing that
// could be done is left undone: on a fast machine and on a slow one, and though
// to refuse is work too. When the load is gone, nobody is refused any more.
func TestGate_Overload(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		running int
		work    time.Duration
		settles time.Duration // until it is told from a burst
	}{
		{4, 2 * time.Millisecond, time.Second},
		{1, 3 * time.Millisecond, time.Second},
		{2, 20 * time.Millisecond, 3 * time.Second},
		{2, 60 * time.Millisecond, 4 * time.Second},
	} {
		t.Run(fmt.Sprintf("%d × %v", tt.running, tt.work), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { overloadFor(t, tt.running, tt.work, tt.settles) })
		})
	}
}

func overloadFor(t *testing.T, running int, work, settles time.Duration) {
	const times, lasts = 5, 5 * time.Second
	s, _ := newRig(t, Options{Running: running}, latest)
	cpus := make(processors, running)
	var mu sync.Mutex
	var done, refused []time.Duration
	served, burst := 0, 0
	var wg sync.WaitGroup
	began := time.Now()
	ask := func() {
		asked := time.Now()
		cpus.work(work / 50) // to read it
		arrived := time.Now()
		end, err := s.Session("").Begin(t.Context())
		if err == nil {
			cpus.work(work)
			end()
		}
		mu.Lock()
		defer mu.Unlock()
		if now := time.Since(began); err == nil && now > settles && now < settles+lasts {
			served++
		}
		switch {
		case asked.Sub(began) < settles:
			if err != nil {
				burst++
			}
		case Overloaded(err):
			refused = append(refused, time.Since(arrived))
		default:
			done = append(done, time.Since(asked))
		}
	}
	every := work / time.Duration(running*times)
	for time.Since(began) < settles+lasts {
		time.Sleep(every)
		wg.Go(ask)
	}
	wg.Wait()
	slices.Sort(done)
	p99 := done[len(done)*99/100]
	possible := int(lasts/work) * running
	t.Logf("served %d of %d, p99 %v, %d refused within %v, %d in the burst", served, possible, p99, len(refused), slices.Max(refused), burst)
	if p99 > 2*(work+work/50)+time.Millisecond || slices.Max(refused) > turnOverloaded {
		t.Errorf("what was let in took %v (p99), what was refused %v at most", p99, slices.Max(refused))
	}
	if served < possible*85/100 { // reading takes a tenth
		t.Errorf("%d of %d were served", served, possible)
	}

	time.Sleep(time.Second)
	for range 100 {
		wg.Go(func() {
			end, err := s.Session("").Begin(t.Context())
			if err != nil {
				t.Errorf("after the load: %v", err)
				return
			}
			cpus.work(work)
			end()
		})
	}
	wg.Wait()
}

// A burst is waited out, on a slow machine too: five hundred who ask the same at
// the same time, and compute again when the answer is there.
func TestGate_Burst(t *testing.T) {
	t.Parallel()
	for _, work := range []time.Duration{2 * time.Millisecond, 20 * time.Millisecond} {
		for _, arrive := range []time.Duration{0, 2 * time.Millisecond} { // between one and the next
			t.Run(fmt.Sprintf("%v, %v", work, arrive), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s, up := newRig(t, Options{Running: 2}, func(call) reply { return reply{delay: 20 * time.Millisecond} })
					cpus := make(processors, 2)
					var wg sync.WaitGroup
					for range 500 {
						time.Sleep(arrive)
						wg.Go(func() {
							session := s.Session("")
							end, err := session.Begin(t.Context())
							if err != nil {
								t.Error(err)
								return
							}
							defer end()
							cpus.work(work / 2)
							name(t.Context(), session, "/a/")
							cpus.work(work / 2)
						})
					}
					wg.Wait()
					wantCalls(t, up, 1)
				})
			})
		}
	}
}

// A few who ask again as soon as they are answered are no overload, however slow
// the machine is and however often it stands still.
func TestGate_Few(t *testing.T) {
	t.Parallel()
	for _, work := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond} {
		t.Run(work.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, _ := newRig(t, Options{Running: 2}, latest)
				cpus := make(processors, 2)
				ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
				defer stop()
				var wg sync.WaitGroup
				for range 24 {
					wg.Go(func() {
						for n := 0; ctx.Err() == nil; n++ {
							end, err := s.Session("").Begin(t.Context())
							if err != nil {
								t.Error(err)
								return
							}
							cpus.work(work)
							end()
						}
					})
				}
				for range 2 { // the machine does something else
					wg.Go(func() {
						for ctx.Err() == nil {
							time.Sleep(time.Second)
							cpus <- struct{}{}
							time.Sleep(200 * time.Millisecond)
							<-cpus
						}
					})
				}
				wg.Wait()
			})
		})
	}
}

// Who waits for Mixcloud holds nobody up: hundreds of operations can be under
// way on two processors.
func TestGate_WaitingCostsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newRig(t, Options{Running: 2, Concurrency: 1000}, func(call) reply { return reply{delay: time.Second} })
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 300 {
			wg.Go(func() {
				session := s.Session("")
				end, err := session.Begin(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				defer end()
				for n := range 2 {
					var both sync.WaitGroup
					both.Go(func() { name(t.Context(), session, fmt.Sprintf("/%da%d/", i, n)) })
					both.Go(func() { name(t.Context(), session, fmt.Sprintf("/%db%d/", i, n)) })
					both.Wait()
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("took %v", took)
		}
		if s.gate.running != 0 || len(s.gate.queue)+len(s.gate.late) != 0 {
			t.Errorf("%d run and %d wait", s.gate.running, len(s.gate.queue)+len(s.gate.late))
		}
	})
}

// Whoever leaves while waiting takes nobody's turn.
func TestGate_Leaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newRig(t, Options{Running: 1}, latest)
		end, err := s.Session("").Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, err := s.Session("").Begin(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		end()
		end() // a second time changes nothing
		if s.gate.running != 0 || len(s.gate.queue)+len(s.gate.late) != 0 {
			t.Errorf("%d run and %d wait", s.gate.running, len(s.gate.queue)+len(s.gate.late))
		}
	})
}
