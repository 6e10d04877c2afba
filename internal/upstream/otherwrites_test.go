package upstream

import (
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/mixcloud"
)

// TestOtherWrites caches a viewer's response while the viewer's writes through another process
// cannot be read. When they can be read again, the viewer sees the writes although the response
// was cached. Without such writes the cached response stays in use.
func TestOtherWrites(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		unverified bool // at first, so that nothing is shared for the token
		written    bool
		calls      int // after the writes can be read
	}{
		"write":                            {written: true, calls: 1},
		"no write":                         {},
		"write, token not verified yet":    {unverified: true, written: true, calls: 1},
		"no write, token not verified yet": {unverified: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				shared := newMemoryWrites()
				shared.down = !test.unverified
				o := Options{SharedWrites: shared, PrincipalOf: func(token string) string { return "of " + token }}
				if !test.unverified {
					o.VerifiedTokens = allVerified{}
				}
				body := `{"key":"/a/","following":false,"follower_count":7}`
				if test.unverified {
					body = `{"key":"/a/","follower_count":7}` // which does not verify the token
				}
				lagging := func(call) reply { return reply{body: body} }
				writer, _ := newTestStore(t, o, lagging)
				reader, up := newTestStore(t, o, lagging)
				if test.written {
					writer.Session("t").RecordWrite(Following, mixcloud.ParseKey("/a/"), true)
				}
				read := func() (pending int) {
					t.Helper()
					session := reader.Session("t")
					if _, err := Fetch(t.Context(), session, user("/a/")); err != nil {
						t.Fatal(err)
					}
					return len(session.Pending(Following))
				}
				want := func(when string, pending, calls int) {
					t.Helper()
					if got := read(); got != pending {
						t.Errorf("%s: %d pending writes, want %d", when, got, pending)
					}
					if made := up.made(); made != calls {
						t.Errorf("%s: %d calls, want %d", when, made, calls)
					}
				}
				want("at first", 0, 1)
				principal := principalOf("of t").String()
				before := shared.reads[principal]
				for range 50 { // meanwhile the cached response is served, and the writes are read at most once a second
					want("meanwhile", 0, 0)
					time.Sleep(100 * time.Millisecond)
				}
				if n := shared.reads[principal] - before; !test.unverified && n != 5 || test.unverified && n != 0 {
					t.Errorf("recent writes were read %d times in five seconds, want 5, or 0 for an unverified token (unverified: %v)", n, test.unverified)
				}
				time.Sleep(retryWrites)
				shared.down = false
				reader.MarkVerified("t")
				pending := 0
				if test.written {
					pending = 1
				}
				want("when they can be read", pending, test.calls)
				before = shared.reads[principal]
				if test.written {
					return // nothing is cached while a write is pending
				}
				want("afterwards", 0, 0)
				if n := shared.reads[principal] - before; n != 0 {
					t.Errorf("recent writes were read %d times for a cached response, want 0", n)
				}
			})
		})
	}
}

// Sessions that run in parallel wait for one attempt to read missed writes.
func TestOtherWrites_OneAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := newMemoryWrites()
		shared.down = true
		o := Options{SharedWrites: shared, VerifiedTokens: allVerified{}, PrincipalOf: func(token string) string { return "of " + token }}
		s, up := newTestStore(t, o, func(call) reply { return reply{body: `{"key":"/a/","following":false,"follower_count":7}`} })
		following(t, s)
		up.made()
		shared.delay = 50 * time.Millisecond
		began := time.Now()
		for range 10 {
			go func() {
				if _, err := Fetch(t.Context(), s.Session("t"), user("/a/")); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		following(t, s)
		if took := time.Since(began); took != shared.delay {
			t.Errorf("Fetch of a cached response took %v, want %v", took, shared.delay)
		}
		if n := shared.reads[principalOf("of t").String()]; n != 2 {
			t.Errorf("recent writes were read %d times, want 2", n)
		}
		wantCalls(t, up, 0)
	})
}
