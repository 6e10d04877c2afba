package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

var errTest = errors.New("test")

func TestBreaker(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		commands string // + for success, - for failure
		up       bool
	}{
		"no commands":                {"", true},
		"successes":                  {strings.Repeat("+", 100), true},
		"two consecutive failures":   {"++--++", true},
		"three consecutive failures": {"++---", false},
		"quarter fails":              {strings.Repeat("+++-", 7) + "+++-", false},
		"less than a quarter fails":  {strings.Repeat("++++-", 50), true},
		"successes do not close it":  {"---++++++", false},
	} {
		b := newBreaker()
		b.close()
		for _, c := range test.commands {
			b.record(c == '+', errTest)
		}
		if b.closed() != test.up {
			t.Errorf("%s: closed() = %v, want %v", name, b.closed(), test.up)
		}
		if !test.up && !errors.Is(b.cause(), errTest) {
			t.Errorf("%s: cause() = %v, want %v", name, b.cause(), errTest)
		}
		b.close()
		if !b.closed() || b.cause() != nil {
			t.Errorf("%s: after close: closed() = %v, cause() = %v, want true, nil", name, b.closed(), b.cause())
		}
		select {
		case <-b.opened:
			t.Errorf("%s: the channel opened is closed, although the breaker was closed again", name)
		default:
		}
	}
	b := newBreaker()
	if b.closed() {
		t.Error("new breaker is closed, want open")
	}
	b.record(true, nil)
	if b.closed() {
		t.Error("a command closed the breaker, want it open until a connection is checked")
	}
}

func TestPendingCommands(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p pendingCommands
		ran := make(chan int, 10)
		broken := true
		add := func(n int, life time.Duration) {
			p.add(pendingCommand{bytes: 1, until: time.Now().Add(life), run: func(context.Context) error {
				if broken {
					return errTest
				}
				ran <- n
				return nil
			}})
		}
		add(1, time.Minute)
		add(2, time.Hour)
		if err := p.flush(t.Context()); !errors.Is(err, errTest) || len(p.commands) != 2 || p.bytes != 2 {
			t.Errorf("flush() = %v, want %v; %d commands of %d bytes are pending, want 2 of 2", err, errTest, len(p.commands), p.bytes)
		}
		time.Sleep(2 * time.Minute) // the first one expires
		broken = false
		if err := p.flush(t.Context()); err != nil {
			t.Error(err)
		}
		close(ran)
		var all []int
		for n := range ran {
			all = append(all, n)
		}
		if fmt.Sprint(all) != "[2]" || p.bytes != 0 || len(p.commands) != 0 {
			t.Errorf("flush ran %v, want [2]; %d commands of %d bytes are pending, want none", all, len(p.commands), p.bytes)
		}
	})
}

func TestPendingCommands_Bounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var p pendingCommands
		sum := 0
		for range rapid.IntRange(0, 50).Draw(t, "commands") {
			p.add(pendingCommand{bytes: rapid.IntRange(0, maxPendingBytes/4).Draw(t, "bytes")})
		}
		for _, c := range p.commands {
			sum += c.bytes
		}
		if sum != p.bytes || sum > maxPendingBytes || len(p.commands) > maxPending {
			t.Fatalf("%d commands (maximum %d) of %d bytes, counted as %d (maximum %d)", len(p.commands), maxPending, sum, p.bytes, maxPendingBytes)
		}
	})
}

// The queue of the writer is bounded. A job beyond the bounds is dropped without waiting.
func TestWriter_Bounded(t *testing.T) {
	t.Parallel()
	l := newConn(newTestOptions(), nil)
	l.breaker.close()
	w := newWriter(l) // it does not run
	for range maxJobs {
		if !w.put(job{bytes: 1}) {
			t.Fatalf("put dropped a job below the maximum of %d", maxJobs)
		}
	}
	if w.put(job{bytes: 1}) {
		t.Errorf("put accepted more than %d jobs", maxJobs)
	}
	w = newWriter(l)
	if !w.put(job{bytes: maxJobBytes}) || w.put(job{bytes: 1}) {
		t.Errorf("put dropped a job of %d bytes, or accepted more bytes", maxJobBytes)
	}
	w.close(t.Context())
	if w.put(job{}) {
		t.Error("put accepted a job after close")
	}
}
