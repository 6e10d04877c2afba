package clientlimit

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// enter begins a request that must not be refused.
func enter(t *testing.T, l *Limiter, name string) *Request {
	t.Helper()
	r, refusal := l.Enter(name)
	if refusal != nil {
		t.Fatalf("%s is refused: %+v", name, *refusal)
	}
	return r
}

func refused(t *testing.T, l *Limiter, name string, want Refusal) {
	t.Helper()
	_, refusal := l.Enter(name)
	if refusal == nil {
		t.Fatalf("%s is not refused", name)
	}
	if *refusal != want {
		t.Errorf("%s is refused with %+v, want %+v", name, *refusal, want)
	}
}

func TestInflight(t *testing.T) {
	t.Parallel()
	l := New(Limits{Inflight: 2})
	first := enter(t, l, "a")
	enter(t, l, "a")
	enter(t, l, "b")
	refused(t, l, "a", Refusal{"client-inflight", 3, 2, time.Second})
	first.Leave()
	enter(t, l, "a").Call() // which costs nothing without a limit
	refused(t, l, "a", Refusal{"client-inflight", 3, 2, time.Second})
}

func TestRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(Limits{Requests: 6})
		for range 6 {
			enter(t, l, "a").Leave()
		}
		want := Refusal{"client-requests", 7, 6, 10 * time.Second}
		refused(t, l, "a", want)
		refused(t, l, "a", want) // which costs nothing
		enter(t, l, "b").Leave()
		time.Sleep(10 * time.Second)
		enter(t, l, "a").Leave()
		refused(t, l, "a", want)
		time.Sleep(time.Hour)
		for range 6 {
			enter(t, l, "a").Leave()
		}
		refused(t, l, "a", want)
	})
}

// An operation may go into debt; the next one waits until it is paid.
func TestCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(Limits{Calls: 60})
		r := enter(t, l, "a")
		for range 90 {
			r.Call()
		}
		r.Leave()
		refused(t, l, "a", Refusal{"client-calls", 90, 60, 31 * time.Second})
		enter(t, l, "b").Leave()
		time.Sleep(31 * time.Second)
		enter(t, l, "a").Leave() // and without calls it costs nothing
		enter(t, l, "a").Call()
		refused(t, l, "a", Refusal{"client-calls", 60, 60, time.Second})
	})
}

// However many clients there are, memory is bounded, and what is in flight is not
// forgotten.
func TestMaxClients(t *testing.T) {
	t.Parallel()
	l := New(Limits{Inflight: 1, Requests: 2})
	busy := enter(t, l, "busy")
	for i := range 3 * MaxClients {
		enter(t, l, fmt.Sprint("x", i)).Leave()
	}
	if len(l.clients) > MaxClients+1 || l.idle.Len() > MaxClients {
		t.Errorf("%d clients are known, %d of them idle", len(l.clients), l.idle.Len())
	}
	refused(t, l, "busy", Refusal{"client-inflight", 2, 1, time.Second})
	busy.Leave()
	if len(l.clients) != MaxClients || l.idle.Len() != MaxClients {
		t.Errorf("%d clients are known, %d of them idle", len(l.clients), l.idle.Len())
	}
	for i := range 3 * MaxClients { // refusals of known ones make no new ones
		_, _ = l.Enter(fmt.Sprint("x", i))
	}
	if l.idle.Len() > MaxClients {
		t.Errorf("%d clients are idle", l.idle.Len())
	}
}

// A client that goes on is not the one that is forgotten.
func TestForgetsTheLongestIdle(t *testing.T) {
	t.Parallel()
	l := New(Limits{Requests: 3})
	for i := range 2 * MaxClients {
		enter(t, l, fmt.Sprint(i)).Leave()
		if i == 0 || i == MaxClients/2 || i == MaxClients {
			enter(t, l, "regular").Leave()
		}
	}
	if _, refusal := l.Enter("regular"); refusal == nil {
		t.Error("a client with four requests is not refused")
	}
}

func TestNone(t *testing.T) {
	t.Parallel()
	if New(Limits{}) != nil {
		t.Error("there is a limiter without limits")
	}
	var none *Request
	none.Call()
	none.Leave()
	if From(t.Context()) != nil {
		t.Error("there is a request")
	}
	if r := new(Request); From(Into(t.Context(), r)) != r {
		t.Error("the request is not found")
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	l := New(Limits{Inflight: 8, Requests: 100_000, Calls: 100_000})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 200 {
				r, refusal := l.Enter(fmt.Sprint(i % 2))
				if refusal != nil {
					t.Errorf("refused: %+v", *refusal)
					return
				}
				r.Call()
				r.Leave()
			}
		})
	}
	all.Wait()
	for _, c := range l.clients {
		if c.inflight != 0 || c.place == nil {
			t.Errorf("%s has %d requests in flight", c.name, c.inflight)
		}
	}
}
