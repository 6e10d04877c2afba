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

// The states of a call, and what its waiters may do in each.
func TestCall_States(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		background bool
		do         func(*call)
		dropped    bool
	}{
		"the last waiter leaves":            {false, func(c *call) { c.CancelWait() }, true},
		"one of two leaves":                 {false, func(c *call) { c.Join(); c.CancelWait() }, false},
		"it is started, then all leave":     {false, func(c *call) { c.Start(); c.CancelWait() }, false},
		"all leave, then it fails":          {false, func(c *call) { c.Start(); c.CancelWait(); c.Fail(new(Delay)) }, true},
		"it fails with a waiter":            {false, func(c *call) { c.Start(); c.Fail(new(Delay)) }, false},
		"dropped with a waiter":             {false, func(c *call) { c.Drop() }, false},
		"in the background":                 {true, func(*call) {}, false},
		"in the background, joined, left":   {true, func(c *call) { c.Join(); c.CancelWait() }, false},
		"in the background, failed":         {true, func(c *call) { c.Start(); c.Fail(new(Delay)) }, false},
		"in the background, dropped":        {true, func(c *call) { c.Drop() }, true},
		"in the background, dropped late":   {true, func(c *call) { c.Start(); c.Drop() }, false},
		"in the background, dropped joined": {true, func(c *call) { c.Join(); c.Drop() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCall(t.Context(), tt.background)
			if c.Awaited() == tt.background || c.Background() != tt.background {
				t.Errorf("awaited: %v", c.Awaited())
			}
			tt.do(c)
			if ended := c.Context().Err() != nil; ended != tt.dropped {
				t.Errorf("its context has ended: %v", ended)
			}
			if joined := c.Join(); joined == tt.dropped {
				t.Errorf("joined: %v", joined)
			}
			if started := c.Start(); started == tt.dropped {
				t.Errorf("started: %v", started)
			}
		})
	}
}

// Waiters see each delay, and the error of an earlier attempt, until the call is
// started again.
func TestCall_Delay(t *testing.T) {
	t.Parallel()
	c := newCall(t.Context(), false)
	delay, changed := c.Delay()
	if delay != nil {
		t.Errorf("at first %+v", delay)
	}
	tooLong, broken := errors.New("too long"), errors.New("broken")
	c.SetDelay(&Delay{Until: 5, TooLong: func() error { return tooLong }})
	<-changed
	if delay, changed = c.Delay(); delay.Until != 5 || !errors.Is(delay.Cause(), tooLong) {
		t.Errorf("a wait: %+v", delay)
	}
	c.Start()
	if delay, _ := c.Delay(); delay != nil {
		t.Errorf("started: %+v", delay)
	}
	c.Fail(&Delay{Err: broken})
	<-changed
	c.SetDelay(&Delay{Until: 7, TooLong: func() error { return tooLong }})
	if delay, _ = c.Delay(); delay.Until != 7 || !errors.Is(delay.Cause(), broken) {
		t.Errorf("a wait after a failure: %+v, %v", delay, delay.Cause())
	}
	if (&Delay{}).Cause() != nil {
		t.Error("no cause is one")
	}
}

func TestCall_Finish(t *testing.T) {
	t.Parallel()
	c := newCall(t.Context(), false)
	if c.Finished() {
		t.Error("it is finished")
	}
	c.Finish()
	<-c.Done()
	if !c.Finished() || c.Context().Err() == nil {
		t.Error("it is not finished")
	}
	c.CancelWait()
}

// A group has one call for each key; one that was dropped is replaced, and its end
// removes no other.
func TestGroup(t *testing.T) {
	t.Parallel()
	var g Group[string, *call]
	begin := func() *call { return newCall(t.Context(), false) }
	first, began, ok := g.Start("a", begin)
	if !began || !ok {
		t.Fatal("no call begins")
	}
	if again, began, ok := g.Start("a", begin); again != first || began || !ok {
		t.Error("a second call for one key")
	}
	if found, ok := g.Find("a"); found != first || !ok {
		t.Error("it is not found")
	}
	if _, ok := g.Find("b"); ok {
		t.Error("another key's is found")
	}
	first.CancelWait()
	second, began, _ := g.Start("a", begin)
	if second == first || !began {
		t.Error("a dropped call is not replaced")
	}
	g.End("a", first)
	if found, _ := g.Find("a"); found != second || g.Len() != 1 {
		t.Error("the end of the dropped call has removed the next one")
	}
	g.Close()
	if again, began, ok := g.Start("a", begin); again != second || began || !ok {
		t.Error("a closed group forgets its calls")
	}
	if _, _, ok := g.Start("b", begin); ok {
		t.Error("a closed group begins a call")
	}
	g.End("a", second)
	if g.Len() != 0 {
		t.Errorf("%d are left", g.Len())
	}
}

// In a simulation of many callers who come and leave at any time, each gets the result
// or leaves; a call is made once for all who wait, and not at all without callers.
func TestGroup_Simulation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const queued, takes = 30 * time.Millisecond, 20 * time.Millisecond
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
			time.Sleep(takes)
			c.value = k + 1
		}
		ask := func(ctx context.Context, k int) {
			for {
				c, ok := g.Find(k)
				if !ok || !c.Join() {
					var began bool
					c, began, _ = g.Start(k, func() *call { return newCall(t.Context(), false) })
					if !began {
						continue
					}
					go run(k, c)
				}
				select {
				case <-c.Done():
					if c.value != k+1 {
						t.Errorf("%d got %d", k, c.value)
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
				ask(ctx, i%3)
			})
		}
		wg.Wait()
		time.Sleep(time.Second)
		if g.Len() != 0 || served.Load()+left.Load() != 1000 || served.Load() < 400 || made.Load() < 30 || made.Load() > 100 {
			t.Errorf("%d are left in flight, %d calls served %d, %d left", g.Len(), made.Load(), served.Load(), left.Load())
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
