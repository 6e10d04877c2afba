package clientlimit

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// mustAdmit starts a request that must not be refused.
func mustAdmit(t *testing.T, l *Limiter, name string) *Request {
	t.Helper()
	r, refusal := l.Admit(name)
	if refusal != nil {
		t.Fatalf("request of %s was refused: %+v", name, *refusal)
	}
	return r
}

func wantRefusal(t *testing.T, l *Limiter, name string, want Refusal) {
	t.Helper()
	_, refusal := l.Admit(name)
	if refusal == nil {
		t.Fatalf("request of %s was not refused, want %+v", name, want)
	}
	if *refusal != want {
		t.Errorf("%s: refusal %+v, want %+v", name, *refusal, want)
	}
}

func TestInflight(t *testing.T) {
	t.Parallel()
	l := New(Limits{Inflight: 2})
	first := mustAdmit(t, l, "a")
	mustAdmit(t, l, "a")
	mustAdmit(t, l, "b")
	wantRefusal(t, l, "a", Refusal{"client-inflight", 3, 2, time.Second})
	first.Close()
	mustAdmit(t, l, "a").Call() // calls are not limited
	wantRefusal(t, l, "a", Refusal{"client-inflight", 3, 2, time.Second})
}

func TestRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(Limits{Requests: 6})
		for range 6 {
			mustAdmit(t, l, "a").Close()
		}
		want := Refusal{"client-requests", 7, 6, 10 * time.Second}
		wantRefusal(t, l, "a", want)
		wantRefusal(t, l, "a", want) // a refusal is free
		mustAdmit(t, l, "b").Close()
		time.Sleep(10 * time.Second)
		mustAdmit(t, l, "a").Close()
		wantRefusal(t, l, "a", want)
		time.Sleep(time.Hour)
		for range 6 {
			mustAdmit(t, l, "a").Close()
		}
		wantRefusal(t, l, "a", want)
	})
}

// An operation may exceed the limit; the next one waits until the debt is repaid.
func TestCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(Limits{Calls: 60})
		r := mustAdmit(t, l, "a")
		for range 90 {
			r.Call()
		}
		r.Close()
		wantRefusal(t, l, "a", Refusal{"client-calls", 90, 60, 31 * time.Second})
		mustAdmit(t, l, "b").Close()
		time.Sleep(31 * time.Second)
		mustAdmit(t, l, "a").Close() // an operation without calls is free
		mustAdmit(t, l, "a").Call()
		wantRefusal(t, l, "a", Refusal{"client-calls", 60, 60, time.Second})
	})
}

// For any number of clients, memory is limited, and clients with requests in flight
// are not removed.
func TestMaxClients(t *testing.T) {
	t.Parallel()
	l := New(Limits{Inflight: 1, Requests: 2})
	busy := mustAdmit(t, l, "busy")
	for i := range 3 * MaxClients {
		mustAdmit(t, l, fmt.Sprint("x", i)).Close()
	}
	if len(l.clients) > MaxClients+1 || l.idle.Len() > MaxClients {
		t.Errorf("%d clients are stored, %d of them idle, want at most %d idle and one busy", len(l.clients), l.idle.Len(), MaxClients)
	}
	wantRefusal(t, l, "busy", Refusal{"client-inflight", 2, 1, time.Second})
	busy.Close()
	if len(l.clients) != MaxClients || l.idle.Len() != MaxClients {
		t.Errorf("%d clients are stored, %d of them idle, want %d idle ones", len(l.clients), l.idle.Len(), MaxClients)
	}
	for i := range 3 * MaxClients { // refusals of known clients add no clients
		_, _ = l.Admit(fmt.Sprint("x", i))
	}
	if l.idle.Len() > MaxClients {
		t.Errorf("%d idle clients are stored, want at most %d", l.idle.Len(), MaxClients)
	}
}

// A client that keeps making requests is not removed.
func TestRemovesTheLongestIdleClient(t *testing.T) {
	t.Parallel()
	l := New(Limits{Requests: 3})
	for i := range 2 * MaxClients {
		mustAdmit(t, l, fmt.Sprint(i)).Close()
		if i == 0 || i == MaxClients/2 || i == MaxClients {
			mustAdmit(t, l, "regular").Close()
		}
	}
	if _, refusal := l.Admit("regular"); refusal == nil {
		t.Error("the fourth request of a regular client was not refused")
	}
}

func TestNoLimits(t *testing.T) {
	t.Parallel()
	if New(Limits{}) != nil {
		t.Error("New without limits did not return nil")
	}
	var request *Request
	request.Call()
	request.Close()
	if FromContext(t.Context()) != nil {
		t.Error("FromContext returned a request, want nil")
	}
	if r := new(Request); FromContext(NewContext(t.Context(), r)) != r {
		t.Error("FromContext did not return the request of NewContext")
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	l := New(Limits{Inflight: 8, Requests: 100_000, Calls: 100_000})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 200 {
				r, refusal := l.Admit(fmt.Sprint(i % 2))
				if refusal != nil {
					t.Errorf("request was refused: %+v", *refusal)
					return
				}
				r.Call()
				r.Close()
			}
		})
	}
	all.Wait()
	for _, c := range l.clients {
		if c.inflight != 0 || c.idleElement == nil {
			t.Errorf("client %s has %d requests in flight, idle: %t, want 0, true", c.name, c.inflight, c.idleElement != nil)
		}
	}
}
