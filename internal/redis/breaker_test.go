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
		"a quarter fails":            {strings.Repeat("+++-", 7) + "+++-", false},
		"less than a quarter fails":  {strings.Repeat("++++-", 50), true},
		"successes do not close it":  {"---++++++", false},
	} {
		b := newBreaker()
		b.close()
		for _, c := range test.commands {
			b.record(c == '+', errTest)
		}
		if b.closed() != test.up {
			t.Errorf("%s: closed is %v", name, b.closed())
		}
		if !test.up && !errors.Is(b.cause(), errTest) {
			t.Errorf("%s: the cause is %v", name, b.cause())
		}
		b.close()
		if !b.closed() || b.cause() != nil {
			t.Errorf("%s: it cannot be closed", name)
		}
		select {
		case <-b.opened:
			t.Errorf("%s: it signals that it opened, although it is closed again", name)
		default:
		}
	}
	b := newBreaker()
	if b.closed() {
		t.Error("a new breaker is closed")
	}
	b.record(true, nil)
	if b.closed() {
		t.Error("a command closes the breaker")
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
			t.Errorf("%v; %d commands of %d bytes are pending", err, len(p.commands), p.bytes)
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
			t.Errorf("ran %v; %d commands of %d bytes are pending", all, len(p.commands), p.bytes)
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
			t.Fatalf("%d commands of %d bytes, counted as %d", len(p.commands), sum, p.bytes)
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
			t.Fatal("a job within the bound is dropped")
		}
	}
	if w.put(job{bytes: 1}) {
		t.Error("the number of jobs is not bounded")
	}
	w = newWriter(l)
	if !w.put(job{bytes: maxJobBytes}) || w.put(job{bytes: 1}) {
		t.Error("the bytes are not bounded")
	}
	w.close(t.Context())
	if w.put(job{}) {
		t.Error("a closed writer accepts a job")
	}
}
