package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
		commands string // + for one that went well, - for a failure
		up       bool
	}{
		"nothing happened":          {"", true},
		"all went well":             {strings.Repeat("+", 100), true},
		"two in a row":              {"++--++", true},
		"three in a row":            {"++---", false},
		"a quarter fails":           {strings.Repeat("+++-", 7) + "+++-", false},
		"less than a quarter fails": {strings.Repeat("++++-", 50), true},
		"what opened it stays":      {"---++++++", false},
	} {
		b := newBreaker()
		b.close()
		for _, c := range test.commands {
			b.note(c == '+', errTest)
		}
		if b.closed() != test.up {
			t.Errorf("%s: closed is %v", name, b.closed())
		}
		if !test.up && !errors.Is(b.reason(), errTest) {
			t.Errorf("%s: the reason is %v", name, b.reason())
		}
		b.close()
		if !b.closed() || b.reason() != nil {
			t.Errorf("%s: it cannot be closed", name)
		}
		select {
		case <-b.opened:
			t.Errorf("%s: news of an opening that is over", name)
		default:
		}
	}
	b := newBreaker()
	if b.closed() {
		t.Error("it begins closed")
	}
	b.note(true, nil)
	if b.closed() {
		t.Error("a command closes it; only a look can")
	}
}

func TestSparingLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := new(lines)
		log := newSparingLog(slog.New(slog.NewTextHandler(out, nil)))
		for range 5 {
			log.warn("one", "first kind")
			log.info("two", "second kind")
		}
		time.Sleep(quiet)
		log.warn("one", "first kind")
		if n := strings.Count(out.String(), "first kind"); n != 2 {
			t.Errorf("the first kind is written %d times:\n%s", n, out)
		}
		if n := strings.Count(out.String(), "second kind"); n != 1 {
			t.Errorf("the second kind is written %d times:\n%s", n, out)
		}
		if !strings.Contains(out.String(), "unsaid=4") {
			t.Errorf("it does not tell how many lines there would be:\n%s", out)
		}
		newSparingLog(nil).warn("one", "to nobody")
	})
}

func TestDebts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d debts
		paid := make(chan int, 10)
		broken := true
		owe := func(n int, life time.Duration) {
			d.owe(debt{bytes: 1, until: time.Now().Add(life), pay: func(context.Context) error {
				if broken {
					return errTest
				}
				paid <- n
				return nil
			}})
		}
		owe(1, time.Minute)
		owe(2, time.Hour)
		if err := d.settle(t.Context()); !errors.Is(err, errTest) {
			t.Errorf("what cannot be paid is paid: %v", err)
		}
		time.Sleep(2 * time.Minute)
		broken = false
		if err := d.settle(t.Context()); err != nil {
			t.Error(err)
		}
		close(paid)
		var all []int
		for n := range paid {
			all = append(all, n)
		}
		if fmt.Sprint(all) != "[2]" || d.bytes != 0 || len(d.owed) != 0 {
			t.Errorf("paid %v, still owed %d of %d bytes; the first is too late", all, len(d.owed), d.bytes)
		}
	})
}

func TestDebts_bounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var d debts
		sum := 0
		for range rapid.IntRange(0, 50).Draw(t, "debts") {
			size := rapid.IntRange(0, maxDebtBytes/4).Draw(t, "bytes")
			d.owe(debt{bytes: size})
		}
		for _, one := range d.owed {
			sum += one.bytes
		}
		if sum != d.bytes || sum > maxDebtBytes || len(d.owed) > maxDebts {
			t.Fatalf("%d debts of %d bytes, said to be %d", len(d.owed), sum, d.bytes)
		}
	})
}

// What waits to be written is bounded; what is above is lost and counted, and
// nobody waits for it.
func TestWriter_bounded(t *testing.T) {
	t.Parallel()
	l := newLink(newTestOptions(), nil)
	l.breaker.close()
	w := newWriter(l) // nobody writes
	for range maxJobs {
		if !w.put(job{bytes: 1}) {
			t.Fatal("there is room")
		}
	}
	if w.put(job{bytes: 1}) {
		t.Error("more than the bound waits")
	}
	w = newWriter(l)
	if !w.put(job{bytes: maxJobBytes}) || w.put(job{bytes: 1}) {
		t.Error("the bytes are not bounded")
	}
	w.close(t.Context())
	if w.put(job{}) {
		t.Error("a closed writer takes a job")
	}
}
