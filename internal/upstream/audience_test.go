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
	"mixcloud-graphql/mixcloud"
)

// Whatever is read, written and waited for: nobody ever sees what another
// token's eyes were meant for.
func TestAudiences_NeverMix(t *testing.T) {
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
			s, _ := newRig(t, Options{CacheBytes: 16 << 10}, func(c call) reply {
				return reply{body: fmt.Sprintf(`{"key":"%s","name":"for %s"}`, c.path, c.token)}
			})
			for _, step := range steps {
				token, key := tokens[step[0]], fmt.Sprintf("/%d/", step[1])
				time.Sleep(time.Duration(step[3]) * time.Second)
				session := s.Session(token)
				if step[2] == 0 {
					_, _ = Write(t.Context(), session, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil })
				}
				for _, who := range []*Session{session, s.Session(token)} {
					if got := name(t.Context(), who, key); got != "for "+token {
						t.Fatalf("%q sees %q", token, got)
					}
				}
			}
		})
	})
}

// An audience's name tells nothing and two tokens have two.
func TestAudience_Name(t *testing.T) {
	t.Parallel()
	s, _ := newRig(t, Options{}, latest)
	a, b := s.Session("token-a").Audience(), s.Session("token-b").Audience()
	if a == b || len(a) != 32 || strings.Contains(a, "token") || a != s.Session("token-a").Audience() || s.Session("").Audience() != "" {
		t.Errorf("audiences %q and %q", a, b)
	}
	other, _ := newRig(t, Options{AudienceOf: func(token string) string { return "of " + token }}, latest)
	third, _ := newRig(t, Options{AudienceOf: func(token string) string { return "of " + token }}, latest)
	if other.Session("token-a").Audience() != third.Session("token-a").Audience() {
		t.Error("processes with one key give one token two names")
	}
}

// A write makes all that was kept for its token unreachable, a read under way
// included, and nothing else.
func TestWrite_DropsItsPart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{}, func(call) reply { return reply{delay: time.Second} })
		for _, token := range []string{"", "a", "b"} {
			name(t.Context(), s.Session(token), "/x/")
		}
		up.made()
		var wg sync.WaitGroup
		wg.Go(func() { name(t.Context(), s.Session("a"), "/y/") })
		synctest.Wait()
		session := s.Session("a")
		if _, err := Write(t.Context(), session, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 1, errors.New("who knows") }); err == nil {
			t.Fatal("no error")
		}
		wg.Wait()
		up.made()
		for _, token := range []string{"", "b"} {
			name(t.Context(), s.Session(token), "/x/")
		}
		wantCalls(t, up, 0)
		name(t.Context(), session, "/x/") // its own operation reads anew too
		name(t.Context(), s.Session("a"), "/x/")
		name(t.Context(), s.Session("a"), "/y/")
		wantCalls(t, up, 2)

		// What was read within a minute of the write may be from before it, so
		// it is not good for longer than that minute.
		time.Sleep(overlayLife)
		name(t.Context(), s.Session("a"), "/x/")
		wantCalls(t, up, 1)
		time.Sleep(overlayLife)
		name(t.Context(), s.Session("a"), "/x/")
		wantCalls(t, up, 0)
	})
}

// A refused token sees nothing any more of what it was once shown.
func TestUnauthenticated_DropsItsPart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused := reply{status: 401, body: `{"error":{"type":"OAuthException","message":"no"}}`}
		good := true
		s, _ := newRig(t, Options{}, func(call) reply {
			if good {
				return reply{}
			}
			return refused
		})
		want(t, name(t.Context(), s.Session("a"), "/x/"), "a1")
		good = false
		if got := name(t.Context(), s.Session("a"), "/y/"); !strings.Contains(got, "not authenticated") {
			t.Errorf("got %q", got)
		}
		if got := name(t.Context(), s.Session("a"), "/x/"); !strings.Contains(got, "not authenticated") {
			t.Errorf("a refused token still sees %q", got)
		}
	})
}

// Another process's write is heard of by Forget.
func TestForget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{}, latest)
		for _, token := range []string{"", "a", "b"} {
			name(t.Context(), s.Session(token), "/x/")
		}
		up.made()
		s.Forget(s.Session("a").Audience())
		s.Forget("nobody")
		s.Forget("")
		for _, token := range []string{"", "a", "b"} {
			name(t.Context(), s.Session(token), "/x/")
		}
		wantCalls(t, up, 1)
	})
}

// More tokens than are remembered: the oldest begin anew, and never with what
// an older part of the cache has.
func TestViewers_Bounded(t *testing.T) {
	t.Parallel()
	var all viewers
	seen := map[uint64]bool{}
	for i := range 3 * maxViewers {
		v := all.of(audienceOf(fmt.Sprint(i%(2*maxViewers))), tick(i))
		if n := len(all.all); n > maxViewers {
			t.Fatalf("%d are remembered", n)
		}
		generation := v.generation.Load()
		if seen[generation] {
			t.Fatalf("two have generation %d", generation)
		}
		seen[generation] = true
		for range i % 3 {
			all.renew(v)
			if generation := v.generation.Load(); seen[generation] {
				t.Fatalf("two have generation %d", generation)
			}
			seen[v.generation.Load()] = true
		}
	}
}

// What is kept never changes, whatever the viewer writes: what they see is a
// copy.
func TestOverlay_PatchesCopies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const body = `{"key":"/u/c/","name":"n","favorited":false,"favorite_count":7,"reposted":false,"repost_count":1,
			"user":{"key":"/u/","following":false},"hosts":[{"key":"/h/","following":true}]}`
		s, up := newRig(t, Options{}, func(c call) reply { return reply{body: body} })
		show := Resource[*mixcloud.FullCloudcast]{
			Class: ClassCloudcast, ID: "/u/c/",
			Get: func(ctx context.Context, c *mixcloud.Client) (*mixcloud.FullCloudcast, error) {
				return c.Cloudcast(ctx, "/u/c/")
			},
		}
		session := s.Session("a")
		if _, err := Write(t.Context(), session, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := Fetch(t.Context(), session, show); err != nil { // is kept: no flag was written yet
			t.Fatal(err)
		}
		session.Wrote(Favorited, "/u/c/", true)
		session.Wrote(Following, "/u/", true)
		session.Wrote(Following, "/h/", false)
		var before uint64
		for i := range 3 {
			session := s.Session("a")
			kept, err := Fetch(t.Context(), session, show)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				before = hashOf(kept)
			}
			seen := session.CorrectFullCloudcast(*kept)
			if !*seen.Favorited || *seen.FavoriteCount != 8 || !*seen.User.Following || *seen.Hosts[0].Following || *seen.Reposted {
				t.Errorf("the viewer sees %+v", seen)
			}
			if session.Behind(Favorited, "/u/c/") != 1 {
				t.Errorf("behind by %d", session.Behind(Favorited, "/u/c/"))
			}
			if hashOf(kept) != before {
				t.Error("what is kept has changed")
			}
			if other := s.Session("b"); !other.Settled() {
				t.Error("another viewer has writes")
			}
		}
		wantCalls(t, up, 1)
		time.Sleep(overlayLife)
		session = s.Session("a")
		kept, err := Fetch(t.Context(), session, show)
		if err != nil {
			t.Fatal(err)
		}
		if seen := session.CorrectFullCloudcast(*kept); *seen.Favorited || *seen.FavoriteCount != 7 {
			t.Errorf("after a minute the read is believed, not %v %v", *seen.Favorited, *seen.FavoriteCount)
		}
	})
}

// hashOf sums up a value and all that it points to.
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

// Hundreds of goroutines read, and correct what they read, while others write.
// The race detector watches.
func TestFetch_Race(t *testing.T) {
	t.Parallel()
	s, _ := newRig(t, Options{
		CacheBytes: 32 << 10, Rate: 1e6, Burst: 1000,
		Lifetimes: map[Class]Lifetime{ClassUser: {Fresh: time.Millisecond, Revalidate: time.Millisecond, Keep: time.Second}},
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
				slot, err := gate.Enter(ctx)
				if err != nil {
					cancel()
					continue
				}
				ctx = admission.Into(ctx, slot)
				key := fmt.Sprintf("/%d/", (g*i)%40)
				if u, err := Fetch(ctx, session, user(key)); err == nil {
					if u.Name != token && u.Name != mixcloudName(key) {
						t.Errorf("%q sees %q", token, u.Name)
					}
					_ = session.CorrectFullUser(*u)
				}
				if i%10 == 0 && token != "" {
					_, _ = Write(ctx, session, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil })
					session.Wrote(Following, key, i%20 == 0)
				}
				_, _, _ = session.Cost(), session.Freshness(), session.RateLimit()
				slot.Leave()
				cancel()
			}
		})
	}
	wg.Wait()
}

// mixcloudName is what the client makes of an empty name.
func mixcloudName(key string) string { return strings.Trim(key, "/") }

// What is kept stays within its bounds, in the cache's own reckoning and in the
// process's.
func TestCache_Bounded(t *testing.T) {
	t.Parallel()
	const most = 1 << 20
	s, _ := newRig(t, Options{CacheBytes: most}, func(c call) reply {
		return reply{body: fmt.Sprintf(`{"key":"%s","biog":"%s"}`, c.path, strings.Repeat("x", c.n%2000))}
	})
	for i := range 5000 {
		name(t.Context(), s.Session(""), fmt.Sprintf("/%d/", i))
		if i%500 == 0 {
			if w := s.cache.weight(); w > most {
				t.Fatalf("%d bytes are kept of %d", w, most)
			}
		}
	}
	if w := s.cache.weight(); w > most || w < most/2 {
		t.Errorf("%d bytes are kept of %d", w, most)
	}
	huge := user("/huge/")
	huge.Size = func(*mixcloud.FullUser) int { return most / 2 }
	if _, err := Fetch(t.Context(), s.Session(""), huge); err != nil {
		t.Fatal(err)
	}
	session := s.Session("")
	if _, err := Fetch(t.Context(), session, huge); err != nil || session.Cost().Hits != 0 {
		t.Error("half of the cache went to one answer")
	}
}

// What is read while reads may lag behind the viewer's flags is not kept for
// them, and neither is it missing from what others have.
func TestOverlay_KeepsNothingThatLags(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{}, latest)
		session := s.Session("a")
		if _, err := Write(t.Context(), session, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil }); err != nil {
			t.Fatal(err)
		}
		session.Wrote(Following, "/u/", true)
		for range 3 {
			name(t.Context(), s.Session("a"), "/u/")
		}
		wantCalls(t, up, 3)
		for range 3 {
			name(t.Context(), s.Session("b"), "/u/")
		}
		wantCalls(t, up, 1)
		time.Sleep(overlayLife)
		for range 3 {
			name(t.Context(), s.Session("a"), "/u/")
		}
		wantCalls(t, up, 1)
	})
}
