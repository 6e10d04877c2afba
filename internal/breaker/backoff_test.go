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

// Pauses grow while a key fails, and reset after a success or a long time without
// calls.
func TestBackoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := breaker.NewBackoff[string](100)
		wantPause := func(want time.Duration) {
			t.Helper()
			if err, _ := b.Blocked("/a/"); err != nil {
				t.Fatalf("/a/ is blocked before its failure: %v", err)
			}
			if got := b.Failed("/a/", errDown, 0); got != want {
				t.Errorf("pause %v, want %v", got, want)
			}
			err, left := b.Blocked("/a/")
			if !errors.Is(err, errDown) || left != want {
				t.Errorf("Blocked(/a/) = %v, %v, want %v, %v", err, left, errDown, want)
			}
			if err, _ := b.Blocked("/b/"); err != nil {
				t.Errorf("Blocked(/b/) = %v for a key without failures, want nil", err)
			}
			time.Sleep(want)
		}
		for _, seconds := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			wantPause(seconds * time.Second)
		}
		time.Sleep(29 * time.Second) // called less often than allowed
		wantPause(30 * time.Second)
		time.Sleep(30 * time.Second)
		wantPause(time.Second)
		wantPause(2 * time.Second)
		b.Succeeded("/a/")
		wantPause(time.Second)
	})
}

// A wait that the service requests is respected up to a maximum.
func TestBackoff_RetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := breaker.NewBackoff[string](100)
		for _, test := range []struct{ named, want time.Duration }{
			{10 * time.Second, 10 * time.Second},
			{time.Second, 2 * time.Second},
			{time.Hour, 2 * time.Minute},
		} {
			if got := b.Failed("/a/", errDown, test.named); got != test.want {
				t.Errorf("retryAfter %v: %v, want %v", test.named, got, test.want)
			}
			time.Sleep(test.want)
		}
	})
}

func heapSize() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Clients can invent keys, including long ones: memory stays limited.
func TestBackoff_LimitsMemory(t *testing.T) { //nolint:paralleltest // measures the heap
	const size = 100
	b := breaker.NewBackoff[string](size)
	before := heapSize()
	for i := range 50 * size {
		b.Failed(fmt.Sprint(i)+strings.Repeat("x", 20_000), errDown, 0)
	}
	if grown := heapSize() - before; grown > 1<<20 {
		t.Errorf("the state of %d long keys has %d bytes, want at most 1 MiB", b.Len(), grown)
	}
	if n := b.Len(); n > size {
		t.Errorf("%d keys are stored, want at most %d", n, size)
	}
}
