package inflight

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

type call struct {
	Call
	value int
}

func newCall(ctx context.Context, background bool) *call {
	c := new(call)
	c.Init(ctx, background)
	return c
}

// A call is dropped only if it has no waiter and was not started.
func TestCall_States(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		background bool
		do         func(*call)
		dropped    bool
	}{
		"the last waiter leaves":            {false, func(c *call) { c.CancelWait() }, true},
		"one of two leaves":                 {false, func(c *call) { c.Join(); c.CancelWait() }, false},
		"started, then all leave":           {false, func(c *call) { c.Start(); c.CancelWait() }, false},
		"started, all leave, then failed":   {false, func(c *call) { c.Start(); c.CancelWait(); c.Fail(new(Delay)) }, true},
		"started, failed, with a waiter":    {false, func(c *call) { c.Start(); c.Fail(new(Delay)) }, false},
		"dropped with a waiter":             {false, func(c *call) { c.Drop() }, false},
		"background":                        {true, func(*call) {}, false},
		"background, joined, left":          {true, func(c *call) { c.Join(); c.CancelWait() }, false},
		"background, failed":                {true, func(c *call) { c.Start(); c.Fail(new(Delay)) }, false},
		"background, dropped":               {true, func(c *call) { c.Drop() }, true},
		"background, dropped after start":   {true, func(c *call) { c.Start(); c.Drop() }, false},
		"background, dropped with a waiter": {true, func(c *call) { c.Join(); c.Drop() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCall(t.Context(), tt.background)
			if c.Awaited() == tt.background || c.Background() != tt.background {
				t.Errorf("Awaited() = %v, want %v", c.Awaited(), !tt.background)
			}
			tt.do(c)
			if ended := c.Context().Err() != nil; ended != tt.dropped {
				t.Errorf("context has ended: %v, want %v", ended, tt.dropped)
			}
			if joined := c.Join(); joined == tt.dropped {
				t.Errorf("Join() = %v, want %v", joined, !tt.dropped)
			}
			if started := c.Start(); started == tt.dropped {
				t.Errorf("Start() = %v, want %v", started, !tt.dropped)
			}
		})
	}
}

// Delay returns the current delay until the call starts again. A delay without an error keeps the
// error of the earlier attempt.
func TestCall_Delay(t *testing.T) {
	t.Parallel()
	c := newCall(t.Context(), false)
	delay, changed := c.Delay()
	if delay != nil {
		t.Errorf("Delay of a new call = %+v, want nil", delay)
	}
	tooLong, broken := errors.New("too long"), errors.New("broken")
	c.SetDelay(&Delay{Until: 5, TooLong: func() error { return tooLong }})
	<-changed
	if delay, changed = c.Delay(); delay.Until != 5 || !errors.Is(delay.Cause(), tooLong) {
		t.Errorf("Delay after SetDelay = %+v, want until 5 with the cause %v", delay, tooLong)
	}
	c.Start()
	if delay, _ := c.Delay(); delay != nil {
		t.Errorf("Delay after Start = %+v, want nil", delay)
	}
	c.Fail(&Delay{Err: broken})
	<-changed
	c.SetDelay(&Delay{Until: 7, TooLong: func() error { return tooLong }})
	if delay, _ = c.Delay(); delay.Until != 7 || !errors.Is(delay.Cause(), broken) {
		t.Errorf("Delay after a failure = %+v with cause %v, want until 7 with cause %v", delay, delay.Cause(), broken)
	}
	if (&Delay{}).Cause() != nil {
		t.Errorf("Cause of an empty delay = %v, want nil", (&Delay{}).Cause())
	}
}

func TestCall_Finish(t *testing.T) {
	t.Parallel()
	c := newCall(t.Context(), false)
	if c.Finished() {
		t.Error("Finished() of a new call = true, want false")
	}
	c.Finish()
	<-c.Done()
	if !c.Finished() || c.Context().Err() == nil {
		t.Errorf("Finished() = %v, context error %v, want true and an error", c.Finished(), c.Context().Err())
	}
	c.CancelWait()
}

// A group contains at most one call for each key. Start replaces a dropped call, and End of the
// dropped call does not remove the new one.
func TestGroup(t *testing.T) {
	t.Parallel()
	var g Group[string, *call]
	create := func() *call { return newCall(t.Context(), false) }
	first, created, ok := g.Start("a", create)
	if !created || !ok {
		t.Fatal("Start created no call")
	}
	if again, created, ok := g.Start("a", create); again != first || created || !ok {
		t.Error("Start created a second call for one key")
	}
	if found, ok := g.Find("a"); found != first || !ok {
		t.Errorf("Find(a) = %v, %v, want the first call", found, ok)
	}
	if _, ok := g.Find("b"); ok {
		t.Error("Find(b) found a call, want none")
	}
	first.CancelWait()
	second, created, _ := g.Start("a", create)
	if second == first || !created {
		t.Error("Start did not replace the dropped call")
	}
	g.End("a", first)
	if found, _ := g.Find("a"); found != second || g.Len() != 1 {
		t.Error("End of the dropped call removed the new one")
	}
	g.Close()
	if again, created, ok := g.Start("a", create); again != second || created || !ok {
		t.Error("Start on a closed group did not return the running call")
	}
	if _, _, ok := g.Start("b", create); ok {
		t.Error("Start on a closed group created a call")
	}
	g.End("a", second)
	if g.Len() != 0 {
		t.Errorf("%d calls are in the group, want 0", g.Len())
	}
}

// In a simulation of many callers with different timeouts, each gets the result or leaves. The
// callers share calls, and no call is made without a caller.
func TestGroup_Simulation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const queued, duration = 30 * time.Millisecond, 20 * time.Millisecond
		var g Group[int, *call]
		var made, served, left atomic.Int64
		run := func(k int, c *call) {
			defer c.Finish()
			defer g.End(k, c)
			select {
			case <-time.After(queued):
			case <-c.Context().Done():
			}
			if !c.Start() {
				return
			}
			made.Add(1)
			time.Sleep(duration)
			c.value = k + 1
		}
		fetch := func(ctx context.Context, k int) {
			for {
				c, ok := g.Find(k)
				if !ok || !c.Join() {
					var created bool
					c, created, _ = g.Start(k, func() *call { return newCall(t.Context(), false) })
					if !created {
						continue
					}
					go run(k, c)
				}
				select {
				case <-c.Done():
					if c.value != k+1 {
						t.Errorf("key %d: value %d, want %d", k, c.value, k+1)
					}
					served.Add(1)
				case <-ctx.Done():
					c.CancelWait()
					left.Add(1)
				}
				return
			}
		}
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+i%7*10)*time.Millisecond)
				defer cancel()
				fetch(ctx, i%3)
			})
		}
		wg.Wait()
		time.Sleep(time.Second)
		if g.Len() != 0 || served.Load()+left.Load() != 1000 || served.Load() < 400 || made.Load() < 30 || made.Load() > 100 {
			t.Errorf("%d calls in the group, want 0; %d callers were served, want at least 400, and %d left, want 1000 together; %d calls, want 30 to 100", g.Len(), served.Load(), left.Load(), made.Load())
		}
	})
}

func BenchmarkGroup(b *testing.B) {
	var g Group[string, *call]
	b.ReportAllocs()
	for b.Loop() {
		c, _, _ := g.Start("a", func() *call { return newCall(b.Context(), false) })
		c.Join()
		c.Start()
		g.End("a", c)
		c.Finish()
	}
}
