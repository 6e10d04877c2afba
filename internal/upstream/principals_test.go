package upstream

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud"
)

// For any reads, writes and waits, no caller sees a response of another token.
func TestPrincipals_NeverMix(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [4]int {
			return [4]int{
				rapid.IntRange(0, 3).Draw(t, "token"), rapid.IntRange(0, 2).Draw(t, "key"),
				rapid.IntRange(0, 9).Draw(t, "what"), rapid.SampledFrom([]int{0, 1, 60, 400, 8000, 90000}).Draw(t, "pause"),
			}
		}), 1, 40).Draw(rt, "steps")
		tokens := []string{"", "a", "b", "ab"}
		synctest.Test(t, func(t *testing.T) {
			s, _ := newTestStore(t, Options{CacheBytes: 16 << 10}, func(c call) reply {
				return reply{body: fmt.Sprintf(`{"key":"%s","name":"for %s"}`, c.path, c.token)}
			})
			for _, step := range steps {
				token, key := tokens[step[0]], fmt.Sprintf("/%d/", step[1])
				time.Sleep(time.Duration(step[3]) * time.Second)
				session := s.Session(token)
				if step[2] == 0 {
					_, _ = Write(t.Context(), session, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil })
				}
				for _, reader := range []*Session{session, s.Session(token)} {
					if got := fetchName(t.Context(), reader, key); got != "for "+token {
						t.Fatalf("token %q reads %q, want %q", token, got, "for "+token)
					}
				}
			}
		})
	})
}

// A principal does not reveal its token, and two tokens have different principals.
func TestPrincipal_Name(t *testing.T) {
	t.Parallel()
	s, _ := newTestStore(t, Options{}, latest)
	a, b := s.Session("token-a").Principal(), s.Session("token-b").Principal()
	if a == b || len(a) != 32 || strings.Contains(a, "token") || a != s.Session("token-a").Principal() || s.Session("").Principal() != "" {
		t.Errorf("principals %q and %q, want different opaque ids of 32 characters", a, b)
	}
	other, _ := newTestStore(t, Options{PrincipalOf: func(token string) string { return "of " + token }}, latest)
	third, _ := newTestStore(t, Options{PrincipalOf: func(token string) string { return "of " + token }}, latest)
	if other.Session("token-a").Principal() != third.Session("token-a").Principal() {
		t.Error("processes with the same key return different principals for one token")
	}
}

// A write drops all cached responses of its token, including the response of a read in flight,
// and no others.
func TestWrite_DropsCached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{}, func(call) reply { return reply{delay: time.Second} })
		for _, token := range []string{"", "a", "b"} {
			fetchName(t.Context(), s.Session(token), "/x/")
		}
		up.made()
		var wg sync.WaitGroup
		wg.Go(func() { fetchName(t.Context(), s.Session("a"), "/y/") })
		synctest.Wait()
		session := s.Session("a")
		if _, err := Write(t.Context(), session, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 1, errors.New("no response") }); err == nil {
			t.Fatal("failed write returned no error")
		}
		wg.Wait()
		up.made()
		for _, token := range []string{"", "b"} {
			fetchName(t.Context(), s.Session(token), "/x/")
		}
		wantCalls(t, up, 0)
		fetchName(t.Context(), session, "/x/") // the operation of the write must call Mixcloud again too
		fetchName(t.Context(), s.Session("a"), "/x/")
		fetchName(t.Context(), s.Session("a"), "/y/")
		wantCalls(t, up, 2)

		// A response within a minute after the write may be from before it, so it is fresh at
		// most until that minute ends.
		time.Sleep(writeLag)
		fetchName(t.Context(), s.Session("a"), "/x/")
		wantCalls(t, up, 1)
		time.Sleep(writeLag)
		fetchName(t.Context(), s.Session("a"), "/x/")
		wantCalls(t, up, 0)
	})
}

// A refused token no longer reads the responses that are cached for it.
func TestUnauthenticated_DropsCached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := reply{status: 401, body: `{"error":{"type":"OAuthException","message":"no"}}`}
		good := true
		s, _ := newTestStore(t, Options{}, func(call) reply {
			if good {
				return reply{}
			}
			return refused
		})
		want(t, fetchName(t.Context(), s.Session("a"), "/x/"), "a1")
		good = false
		if got := fetchName(t.Context(), s.Session("a"), "/y/"); !strings.Contains(got, "not authenticated") {
			t.Errorf("Fetch with a refused token = %q, want not authenticated", got)
		}
		if got := fetchName(t.Context(), s.Session("a"), "/x/"); !strings.Contains(got, "not authenticated") {
			t.Errorf("Fetch of a cached response with a refused token = %q, want not authenticated", got)
		}
	})
}

// Forget applies another process's write.
func TestForget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{}, latest)
		for _, token := range []string{"", "a", "b"} {
			fetchName(t.Context(), s.Session(token), "/x/")
		}
		up.made()
		s.Forget(s.Session("a").Principal())
		s.Forget("not a principal")
		s.Forget("")
		for _, token := range []string{"", "a", "b"} {
			fetchName(t.Context(), s.Session(token), "/x/")
		}
		wantCalls(t, up, 1)
	})
}

// Above maxViewers the oldest viewers are dropped. A dropped viewer starts again with a new
// epoch, so its old cache entries stay unreachable.
func TestViewers_Bounded(t *testing.T) {
	t.Parallel()
	var all viewers
	seen := map[uint64]bool{}
	for i := range 3 * maxViewers {
		v := all.of(principalOf(fmt.Sprint(i%(2*maxViewers))), monotime.Time(i))
		if n := len(all.all); n > maxViewers {
			t.Fatalf("%d viewers, want at most %d", n, maxViewers)
		}
		epoch := v.epoch.Load()
		if seen[epoch] {
			t.Fatalf("two viewers have epoch %d", epoch)
		}
		seen[epoch] = true
		for range i % 3 {
			all.startEpoch(v)
			if epoch := v.epoch.Load(); seen[epoch] {
				t.Fatalf("two viewers have epoch %d", epoch)
			}
			seen[v.epoch.Load()] = true
		}
	}
}

// Writes do not modify cached values: the viewer gets a corrected copy.
func TestRecentWrites_PatchesCopies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const body = `{"key":"/u/c/","name":"n","favorited":false,"favorite_count":7,"reposted":false,"repost_count":1,
			"user":{"key":"/u/","following":false},"hosts":[{"key":"/h/","following":true}]}`
		s, up := newTestStore(t, Options{}, func(c call) reply { return reply{body: body} })
		cloudcast := Resource[*mixcloud.FullCloudcast]{
			Class: ClassCloudcast, ID: "/u/c/",
			Get: func(ctx context.Context, c *mixcloud.Client) (*mixcloud.FullCloudcast, error) {
				return c.Cloudcast(ctx, "/u/c/")
			},
		}
		session := s.Session("a")
		if _, err := Write(t.Context(), session, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := Fetch(t.Context(), session, cloudcast); err != nil { // cached: no flag was written yet
			t.Fatal(err)
		}
		session.RecordWrite(Favorited, mixcloud.ParseKey("/u/c/"), true)
		session.RecordWrite(Following, mixcloud.ParseKey("/u/"), true)
		session.RecordWrite(Following, mixcloud.ParseKey("/h/"), false)
		var before uint64
		for i := range 3 {
			session := s.Session("a")
			cached, err := Fetch(t.Context(), session, cloudcast)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				before = hashOf(cached)
			}
			seen := session.CorrectFullCloudcast(*cached)
			if !*seen.Favorited || *seen.FavoriteCount != 8 || !*seen.User.Following || *seen.Hosts[0].Following || *seen.Reposted {
				t.Errorf("CorrectFullCloudcast() = %+v, want the viewer's writes applied", show.Value(seen))
			}
			if session.CountDelta(Favorited, mixcloud.ParseKey("/u/c/").Canonical()) != 1 {
				t.Errorf("CountDelta() = %d, want 1", session.CountDelta(Favorited, mixcloud.ParseKey("/u/c/").Canonical()))
			}
			if hashOf(cached) != before {
				t.Error("the correction modified the cached value")
			}
			if other := s.Session("b"); !other.NoPendingWrites() {
				t.Error("another viewer has pending writes")
			}
		}
		wantCalls(t, up, 1)
		time.Sleep(writeLag)
		session = s.Session("a")
		cached, err := Fetch(t.Context(), session, cloudcast)
		if err != nil {
			t.Fatal(err)
		}
		if seen := session.CorrectFullCloudcast(*cached); *seen.Favorited || *seen.FavoriteCount != 7 {
			t.Errorf("after a minute: favorited %v, count %v, want the response unchanged: false, 7", *seen.Favorited, *seen.FavoriteCount)
		}
	})
}

// hashOf hashes a value and everything that it points to.
func hashOf(value any) uint64 {
	h := fnv.New64a()
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				fmt.Fprint(h, "*")
				walk(v.Elem())
			}
		case reflect.Struct:
			for i := range v.NumField() {
				fmt.Fprint(h, v.Type().Field(i).Name)
				walk(v.Field(i))
			}
		case reflect.Slice, reflect.Array:
			fmt.Fprint(h, v.Len())
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			fmt.Fprint(h, v) // sorted
		default:
			fmt.Fprintf(h, "%v;", v)
		}
	}
	walk(reflect.ValueOf(value))
	return h.Sum64()
}

// Hundreds of goroutines read and correct resources, while others write. Run it with the race detector.
func TestFetch_Race(t *testing.T) {
	t.Parallel()
	s, _ := newTestStore(t, Options{
		CacheBytes: 32 << 10, Rate: 1e6, Burst: 1000,
		Lifetimes: map[Class]Lifetime{ClassUser: {Fresh: time.Millisecond, Revalidate: time.Millisecond, Retain: time.Second}},
	}, func(c call) reply {
		switch c.n % 20 {
		case 3:
			return reply{status: 502, body: "<html>"}
		case 7:
			return reply{status: 404, body: `{"error":{"type":"ResourceNotFoundException"}}`}
		}
		return reply{body: fmt.Sprintf(`{"key":"%s","name":"%s","following":false,"follower_count":1}`, c.path, c.token)}
	})
	gate := admission.New(2, time.Second)
	var wg sync.WaitGroup
	for g := range 100 {
		wg.Go(func() {
			for i := range 50 {
				token := []string{"", "a", "b"}[(g+i)%3]
				ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Duration(i%5+1)*10*time.Millisecond)
				session := s.Session(token)
				slot, err := gate.Admit(ctx)
				if err != nil {
					cancel()
					continue
				}
				ctx = admission.NewContext(ctx, slot)
				key := fmt.Sprintf("/%d/", (g*i)%40)
				if u, err := Fetch(ctx, session, user(key)); err == nil {
					if u.Name != token && u.Name != mixcloudName(key) {
						t.Errorf("token %q reads %q, which belongs to another principal", token, u.Name)
					}
					_ = session.CorrectFullUser(*u)
				}
				if i%10 == 0 && token != "" {
					_, _ = Write(ctx, session, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil })
					session.RecordWrite(Following, mixcloud.ParseKey(key), i%20 == 0)
				}
				_, _, _ = session.Cost(), session.StaleReads(), session.RateLimit()
				slot.Close()
				cancel()
			}
		})
	}
	wg.Wait()
}

// mixcloudName is the client's replacement of an empty name.
func mixcloudName(key string) string { return strings.Trim(key, "/") }

// The cache stays within its bounds, both as it counts and in the process's memory.
func TestCache_Bounded(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	s, _ := newTestStore(t, Options{CacheBytes: limit}, func(c call) reply {
		return reply{body: fmt.Sprintf(`{"key":"%s","biog":"%s"}`, c.path, strings.Repeat("x", c.n%2000))}
	})
	for i := range 5000 {
		fetchName(t.Context(), s.Session(""), fmt.Sprintf("/%d/", i))
		if i%500 == 0 {
			if w := s.cache.Size(); w > limit {
				t.Fatalf("%d bytes are cached, want at most %d", w, limit)
			}
		}
	}
	if w := s.cache.Size(); w > limit || w < limit/2 {
		t.Errorf("cache size = %d bytes, want %d to %d", w, limit/2, limit)
	}
	huge := user("/huge/")
	huge.Size = func(*mixcloud.FullUser) int { return limit / 2 }
	if _, err := Fetch(t.Context(), s.Session(""), huge); err != nil {
		t.Fatal(err)
	}
	session := s.Session("")
	if _, err := Fetch(t.Context(), session, huge); err != nil || session.Cost().Hits != 0 {
		t.Errorf("response of half the cache's size: cost %+v, error %v; want no hit and no error", session.Cost(), err)
	}
}

// While reads may not show a viewer's write yet, the viewer's responses are not cached. Entries of other viewers stay.
func TestRecentWrites_LaggingReadsAreNotCached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{}, latest)
		session := s.Session("a")
		if _, err := Write(t.Context(), session, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil }); err != nil {
			t.Fatal(err)
		}
		session.RecordWrite(Following, mixcloud.ParseKey("/u/"), true)
		for range 3 {
			fetchName(t.Context(), s.Session("a"), "/u/")
		}
		wantCalls(t, up, 3)
		for range 3 {
			fetchName(t.Context(), s.Session("b"), "/u/")
		}
		wantCalls(t, up, 1)
		time.Sleep(writeLag)
		for range 3 {
			fetchName(t.Context(), s.Session("a"), "/u/")
		}
		wantCalls(t, up, 1)
	})
}
