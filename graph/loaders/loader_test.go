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

// loaderOf makes a loader in an operation that ends with ctx, over a store without
// a cache.
func loaderOf[K comparable, V any](t *testing.T, ctx context.Context, fetch func(context.Context, K) (V, error)) *instance[K, V] { //nolint:revive // a test comes first
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
	return l.in(New(ctx, store.Session("")))
}

// TestLoad_Once asks for a few keys from many sides at once: each is fetched
// once, all at the same time.
func TestLoad_Once(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var fetches atomic.Int64
		l := loaderOf(t, t.Context(), func(_ context.Context, key int) (string, error) {
			fetches.Add(1)
			time.Sleep(time.Second)
			return fmt.Sprint(key), nil
		})
		start := time.Now()
		var group sync.WaitGroup
		for i := range 500 {
			group.Go(func() {
				if got, err := l.load(t.Context(), i%5); err != nil || got != fmt.Sprint(i%5) {
					t.Errorf("%d is %q, %v", i%5, got, err)
				}
			})
		}
		group.Wait()
		if n := fetches.Load(); n != 5 {
			t.Errorf("%d fetches, want 5", n)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v, want the time of one fetch", took)
		}
	})
}

// TestLoad_Remembers holds that nothing is fetched again: neither a value, nor
// nil, nor an error.
func TestLoad_Remembers(t *testing.T) {
	t.Parallel()
	failure := errors.New("no such thing")
	for name, want := range map[string]struct {
		value *int
		err   error
	}{"value": {value: new(7)}, "nil": {}, "error": {err: failure}} {
		fetches := 0
		l := loaderOf(t, t.Context(), func(context.Context, string) (*int, error) {
			fetches++
			return want.value, want.err
		})
		for range 3 {
			if got, err := l.load(t.Context(), "x"); got != want.value || !errors.Is(err, want.err) {
				t.Errorf("%s: %v, %v", name, show.Value(got), err)
			}
		}
		if fetches != 1 {
			t.Errorf("%s: %d fetches", name, fetches)
		}
	}
}

// TestLoad_Panic turns a panic into an error of all who asked for that key. The
// others are as before, and the token of an address is not kept.
func TestLoad_Panic(t *testing.T) {
	t.Parallel()
	l := loaderOf(t, t.Context(), func(_ context.Context, key string) (string, error) {
		if key == "bad" {
			panic("out of order: https://api/x/?access_token=s3cret&limit=1")
		}
		return key, nil
	})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			_, err := l.load(t.Context(), "bad")
			if _, ok := errors.AsType[*upstream.PanicError](err); !ok {
				t.Errorf("%v is no PanicError", err)
				return
			}
			text := err.Error()
			if !strings.Contains(text, "out of order") || !strings.Contains(text, "TestLoad_Panic") || !strings.Contains(text, "limit=1") {
				t.Errorf("the error does not tell what panicked and where: %s", text)
			}
			if strings.Contains(text, "s3cret") {
				t.Errorf("the error contains the token: %s", text)
			}
		})
		group.Go(func() {
			if got, err := l.load(t.Context(), "good"); got != "good" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	group.Wait()
}

// TestLoad_LeavesAlone lets one of two who ask go away: the other gets the value
// of the one fetch, which did not notice.
func TestLoad_LeavesAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fetches := 0
		l := loaderOf(t, t.Context(), func(ctx context.Context, _ string) (string, error) {
			fetches++
			select {
			case <-time.After(time.Minute):
				return "value", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		})
		hasty, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		start := time.Now()
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := l.load(hasty, "x"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		})
		group.Go(func() {
			if got, err := l.load(t.Context(), "x"); got != "value" || err != nil || time.Since(start) != time.Minute {
				t.Errorf("after %v: %q, %v", time.Since(start), got, err)
			}
		})
		group.Wait()
		if got, err := l.load(hasty, "x"); got != "value" || err != nil {
			t.Errorf("what is there is not given to who has no time left: %q, %v", got, err)
		}
		if !l.operation.waitCanceled.Swap(false) {
			t.Error("a load that waited was not noted")
		}
		if fetches != 1 {
			t.Errorf("%d fetches", fetches)
		}
		if _, err := l.load(hasty, "y"); !errors.Is(err, context.DeadlineExceeded) || l.operation.waitCanceled.Load() {
			t.Errorf("a load without time: %v, or was noted as one that waited", err)
		}
	})
}

// TestLoad_EndsWithTheOperation holds that the operation's end ends its fetches.
func TestLoad_EndsWithTheOperation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		operation, end := context.WithCancel(t.Context())
		l := loaderOf(t, operation, func(ctx context.Context, _ string) (string, error) {
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

// TestPrime makes values known before they are asked for, and not after.
func TestPrime(t *testing.T) {
	t.Parallel()
	fetches := 0
	l := loaderOf(t, t.Context(), func(_ context.Context, key string) (string, error) {
		fetches++
		return "fetched " + key, nil
	})
	l.prime("a", "primed a")
	if got, err := l.load(t.Context(), "a"); got != "primed a" || err != nil || fetches != 0 {
		t.Errorf("%q, %v, %d fetches", got, err, fetches)
	}
	if got, err := l.load(t.Context(), "b"); got != "fetched b" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	l.prime("b", "primed b")
	if got, _ := l.load(t.Context(), "b"); got != "fetched b" || fetches != 1 {
		t.Errorf("%q, %d fetches", got, fetches)
	}
}

// TestList holds that a PageKey says again what it was made of, and that two are
// equal if they ask for the same.
func TestList(t *testing.T) {
	t.Parallel()
	bound := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "none") {
			return time.Time{}
		}
		return time.Unix(rapid.Int64Range(0, 253402300799).Draw(t, "second"), 0).UTC()
	})
	rapid.Check(t, func(t *rapid.T) {
		r := mixcloud.Range{Limit: rapid.IntRange(0, 100).Draw(t, "limit"), Since: bound.Draw(t, "since"), Until: bound.Draw(t, "until")}
		if rapid.Bool().Draw(t, "jump") {
			r.Offset = new(rapid.IntRange(0, 1<<31).Draw(t, "offset"))
		}
		l := ListPage("/a/b/", r)
		got := l.bounds()
		if got.Limit != r.Limit || !got.Since.Equal(r.Since) || !got.Until.Equal(r.Until) || (got.Offset == nil) != (r.Offset == nil) {
			t.Fatalf("%+v becomes %+v", show.Value(r), show.Value(got))
		}
		same := r
		if r.Offset != nil {
			if *got.Offset != *r.Offset {
				t.Fatalf("offset %d becomes %d", *r.Offset, *got.Offset)
			}
			same.Offset = new(*r.Offset)
		}
		if ListPage("/a/b/", same) != l {
			t.Fatal("the same is not equal")
		}
		for name, other := range map[string]PageKey{"path": ListPage("/a/c/", r), "search": SearchPage("/a/b/", r), "next": ListPage("/a/b/", mixcloud.Range{Limit: r.Limit + 1, Offset: r.Offset, Since: r.Since, Until: r.Until})} {
			if other == l {
				t.Fatalf("another %s is equal", name)
			}
		}
	})
}
