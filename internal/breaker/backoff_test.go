package breaker_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/breaker"
)

// Pauses grow while a key fails, and end with a success or a long silence.
func TestBackoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := breaker.NewBackoff[string](100)
		fails := func(want time.Duration) {
			t.Helper()
			if err, _ := b.Blocked("/a/"); err != nil {
				t.Fatalf("blocked already: %v", err)
			}
			if got := b.Failed("/a/", errDown, 0); got != want {
				t.Errorf("the pause is %v, want %v", got, want)
			}
			err, left := b.Blocked("/a/")
			if !errors.Is(err, errDown) || left != want {
				t.Errorf("blocked for %v with %v", left, err)
			}
			if err, _ := b.Blocked("/b/"); err != nil {
				t.Errorf("another key is blocked: %v", err)
			}
			time.Sleep(want)
		}
		for _, seconds := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			fails(seconds * time.Second)
		}
		time.Sleep(29 * time.Second) // asked for less often than it may be
		fails(30 * time.Second)
		time.Sleep(30 * time.Second)
		fails(time.Second)
		fails(2 * time.Second)
		b.Succeeded("/a/")
		fails(time.Second)
	})
}

// A wait that the service asks for is kept, within reason.
func TestBackoff_NamedWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := breaker.NewBackoff[string](100)
		for _, test := range []struct{ named, want time.Duration }{
			{10 * time.Second, 10 * time.Second},
			{time.Second, 2 * time.Second},
			{time.Hour, 2 * time.Minute},
		} {
			if got := b.Failed("/a/", errDown, test.named); got != test.want {
				t.Errorf("%v named: %v, want %v", test.named, got, test.want)
			}
			time.Sleep(test.want)
		}
	})
}

func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Strangers invent keys, long ones too: memory stays bounded.
func TestBackoff_Bounded(t *testing.T) { //nolint:paralleltest // measures the heap
	const size = 100
	b := breaker.NewBackoff[string](size)
	began := memory()
	for i := range 50 * size {
		b.Failed(fmt.Sprint(i)+strings.Repeat("x", 20_000), errDown, 0)
	}
	if grown := memory() - began; grown > 1<<20 {
		t.Errorf("%d long keys take %d bytes", b.Len(), grown)
	}
	if n := b.Len(); n > size {
		t.Errorf("%d keys are held, want at most %d", n, size)
	}
}
