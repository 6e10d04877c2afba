package loaders

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newLoader returns a loader in an operation that ends with ctx. Its store has no cache.
func newLoader[K comparable, V any](t *testing.T, ctx context.Context, fetch func(context.Context, K) (V, error)) *instance[K, V] { //nolint:revive // a test comes first
	t.Helper()
	client, err := mixcloud.New()
	if err != nil {
		t.Fatal(err)
	}
	store := upstream.NewStore(client, upstream.Options{CacheBytes: -1, Timeout: time.Hour})
	t.Cleanup(func() { _ = store.Close(context.WithoutCancel(ctx)) })
	l := &Loader[K, V]{resource: func(_ *Loaders, key K) upstream.Resource[V] {
		return upstream.Resource[V]{
			Class: upstream.ClassUser, ID: fmt.Sprint(key), Size: func(V) int { return 1 },
			Get: func(ctx context.Context, _ *mixcloud.Client) (V, error) { return fetch(ctx, key) },
		}
	}}
	return l.instanceIn(New(ctx, store.Session("")))
}

// Concurrent loads fetch each key once, and different keys in parallel.
func TestLoad_Once(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var fetches atomic.Int64
		l := newLoader(t, t.Context(), func(_ context.Context, key int) (string, error) {
			fetches.Add(1)
			time.Sleep(time.Second)
			return fmt.Sprint(key), nil
		})
		start := time.Now()
		var group sync.WaitGroup
		for i := range 500 {
			group.Go(func() {
				if got, err := l.load(t.Context(), i%5); err != nil || got != fmt.Sprint(i%5) {
					t.Errorf("load(%d) = %q, %v, want \"%d\"", i%5, got, err, i%5)
				}
			})
		}
		group.Wait()
		if n := fetches.Load(); n != 5 {
			t.Errorf("got %d fetches, want 5", n)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v, want the time of one fetch", took)
		}
	})
}

// A key is fetched once, also if the result is nil or an error.
func TestLoad_Memoizes(t *testing.T) {
	t.Parallel()
	failure := errors.New("not found")
	for name, want := range map[string]struct {
		value *int
		err   error
	}{"value": {value: new(7)}, "nil": {}, "error": {err: failure}} {
		fetches := 0
		l := newLoader(t, t.Context(), func(context.Context, string) (*int, error) {
			fetches++
			return want.value, want.err
		})
		for range 3 {
			if got, err := l.load(t.Context(), "x"); got != want.value || !errors.Is(err, want.err) {
				t.Errorf("%s: load = %v, %v, want %v, %v", name, show.Value(got), err, show.Value(want.value), want.err)
			}
		}
		if fetches != 1 {
			t.Errorf("%s: got %d fetches, want 1", name, fetches)
		}
	}
}

// A panic of a fetch becomes an error of all loads of the key, without tokens. Other keys
// are not affected.
func TestLoad_Panic(t *testing.T) {
	t.Parallel()
	l := newLoader(t, t.Context(), func(_ context.Context, key string) (string, error) {
		if key == "bad" {
			panic("cannot fetch: https://api/x/?access_token=s3cret&limit=1")
		}
		return key, nil
	})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			_, err := l.load(t.Context(), "bad")
			if _, ok := errors.AsType[*upstream.PanicError](err); !ok {
				t.Errorf("got error %v, want a PanicError", err)
				return
			}
			text := err.Error()
			if !strings.Contains(text, "cannot fetch") || !strings.Contains(text, "TestLoad_Panic") || !strings.Contains(text, "limit=1") {
				t.Errorf("the error does not contain the cause, the stack and the range of the panic: %s", text)
			}
			if strings.Contains(text, "s3cret") {
				t.Errorf("the error contains the token: %s", text)
			}
		})
		group.Go(func() {
			if got, err := l.load(t.Context(), "good"); got != "good" || err != nil {
				t.Errorf("load(good) = %q, %v, want \"good\"", got, err)
			}
		})
	}
	group.Wait()
}

// If the context of one of two loads of a key ends, the fetch continues for the other.
func TestLoad_ContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fetches := 0
		l := newLoader(t, t.Context(), func(ctx context.Context, _ string) (string, error) {
			fetches++
			select {
			case <-time.After(time.Minute):
				return "value", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		})
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := l.load(short, "x"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
				t.Errorf("short load: got error %v after %v, want a timeout after 1s", err, time.Since(start))
			}
		})
		group.Go(func() {
			if got, err := l.load(t.Context(), "x"); got != "value" || err != nil || time.Since(start) != time.Minute {
				t.Errorf("other load: got %q, %v after %v, want the value after 1m", got, err, time.Since(start))
			}
		})
		group.Wait()
		if got, err := l.load(short, "x"); got != "value" || err != nil {
			t.Errorf("fetched value, ended context: got %q, %v, want the value", got, err)
		}
		if !l.operation.waitCanceled.Swap(false) {
			t.Error("waitCanceled is false after a load whose context ended")
		}
		if fetches != 1 {
			t.Errorf("got %d fetches, want 1", fetches)
		}
		if _, err := l.load(short, "y"); !errors.Is(err, context.DeadlineExceeded) || l.operation.waitCanceled.Load() {
			t.Errorf("new load with an ended context: got error %v, waitCanceled %v, want DeadlineExceeded, false", err, l.operation.waitCanceled.Load())
		}
	})
}

// The end of the operation cancels its fetches.
func TestLoad_OperationEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		operation, end := context.WithCancel(t.Context())
		l := newLoader(t, operation, func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
		done := make(chan error)
		go func() {
			_, err := l.load(t.Context(), "x")
			done <- err
		}()
		synctest.Wait()
		end()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// Prime sets the value of a key only if the key was not loaded before.
func TestPrime(t *testing.T) {
	t.Parallel()
	fetches := 0
	l := newLoader(t, t.Context(), func(_ context.Context, key string) (string, error) {
		fetches++
		return "fetched " + key, nil
	})
	l.prime("a", "primed a")
	if got, err := l.load(t.Context(), "a"); got != "primed a" || err != nil || fetches != 0 {
		t.Errorf("primed key: got %q, %v after %d fetches, want \"primed a\" without a fetch", got, err, fetches)
	}
	if got, err := l.load(t.Context(), "b"); got != "fetched b" || err != nil {
		t.Errorf("load(b) = %q, %v, want \"fetched b\"", got, err)
	}
	l.prime("b", "primed b")
	if got, _ := l.load(t.Context(), "b"); got != "fetched b" || fetches != 1 {
		t.Errorf("key primed after its load: got %q after %d fetches, want \"fetched b\" after 1", got, fetches)
	}
}

// A PageKey has the range that it was made of, and keys of equal ranges are equal.
func TestPageKey(t *testing.T) {
	t.Parallel()
	bound := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "none") {
			return time.Time{}
		}
		return time.Unix(rapid.Int64Range(0, 253402300799).Draw(t, "second"), 0).UTC()
	})
	rapid.Check(t, func(t *rapid.T) {
		r := mixcloud.Range{Limit: rapid.IntRange(0, 100).Draw(t, "limit"), Since: bound.Draw(t, "since"), Until: bound.Draw(t, "until")}
		if rapid.Bool().Draw(t, "has offset") {
			r.Offset = new(rapid.IntRange(0, 1<<31-1).Draw(t, "offset"))
		}
		key := ListPage("/a/b/", r)
		got := key.toRange()
		if got.Limit != r.Limit || !got.Since.Equal(r.Since) || !got.Until.Equal(r.Until) || (got.Offset == nil) != (r.Offset == nil) {
			t.Fatalf("toRange = %+v for the key of the range %+v, want the same range", show.Value(got), show.Value(r))
		}
		same := r
		if r.Offset != nil {
			if *got.Offset != *r.Offset {
				t.Fatalf("got offset %d, want %d", *got.Offset, *r.Offset)
			}
			same.Offset = new(*r.Offset)
		}
		if ListPage("/a/b/", same) != key {
			t.Fatal("keys of equal ranges are not equal")
		}
		for name, other := range map[string]PageKey{"path": ListPage("/a/c/", r), "search": SearchPage("/a/b/", r), "limit": ListPage("/a/b/", mixcloud.Range{Limit: r.Limit + 1, Offset: r.Offset, Since: r.Since, Until: r.Until})} {
			if other == key {
				t.Fatalf("keys with a different %s are equal", name)
			}
		}
	})
}
