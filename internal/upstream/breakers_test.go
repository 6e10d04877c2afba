package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/breaker"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud"
)

// chart returns the read of a list by its id.
func chart(class Class, id string) Resource[*mixcloud.Page[mixcloud.Cloudcast]] {
	return Resource[*mixcloud.Page[mixcloud.Cloudcast]]{
		Class: class, ID: id, Size: func(*mixcloud.Page[mixcloud.Cloudcast]) int { return 1 },
		Get: func(ctx context.Context, c *mixcloud.Client) (*mixcloud.Page[mixcloud.Cloudcast], error) {
			path, _, _ := strings.Cut(id, "?")
			return c.Cloudcasts(ctx, path, mixcloud.Range{})
		},
	}
}

const emptyList = `{"data":[]}`

// A breaker opens after failures at many addresses, then admits single probes to other addresses,
// and closes after a success. Other routes are unaffected.
func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := true
		s, up := newTestStore(t, Options{Retries: -1, CacheBytes: -1}, func(c call) reply {
			if down && c.path != "/list/" {
				return broken
			}
			return latest(c)
		})
		fetch := func(key string) (time.Duration, error) {
			began := time.Now()
			_, err := Fetch(t.Context(), s.Session(""), user(key))
			return time.Since(began), err
		}
		for i := range 5 {
			if _, err := fetch(fmt.Sprintf("/%d/", i)); gqlerr.CodeOf(err) != gqlerr.CodeUpstreamUnavailable {
				t.Fatal(err)
			}
		}
		wantCalls(t, up, 5)
		wait := breaker.DefaultPause
		for round := range 6 {
			took, err := fetch("/x/")
			var e *mixcloud.Error
			if !errors.As(err, &e) || e.Kind != mixcloud.ErrUnavailable || e.Status != 502 || e.RetryAfter > wait || e.RetryAfter < wait-10*time.Millisecond || took != 0 {
				t.Fatalf("round %d: error %v after %v, want ErrUnavailable with status 502 and a wait of %v, without delay", round, err, took, wait)
			}
			list := user("/list/")
			list.Class = ClassList
			if _, err := Fetch(t.Context(), s.Session(""), list); err != nil {
				t.Errorf("Fetch of another route = %v, want no error", err)
			}
			time.Sleep(wait)
			up.made()
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() { _, _ = fetch(fmt.Sprintf("/probe%d%d/", round, i)) })
			}
			wg.Wait()
			wantCalls(t, up, 1)
			wait = min(2*wait, breaker.DefaultMaxPause)
		}
		down = false
		time.Sleep(wait)
		for range 3 {
			if _, err := fetch("/x/"); err != nil {
				t.Error(err)
			}
		}
	})
}

// Failures of one address, of any kind and at any rate, do not open the breaker: five times a
// second for ten minutes, other addresses succeed, and the failing one causes few calls. The
// same holds for its pages and for signed-in callers.
func TestBreaker_OneAddress(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]reply{
		"451":       {status: 451, body: "not in your country"},
		"500":       {status: 500, body: "<html>"},
		"403 page":  {status: 403, body: "<html>"},
		"reset":     {err: errors.New("connection reset")},
		"hangs":     {delay: time.Hour},
		"malformed": {body: "{"},
		"redirects": {status: 302, header: map[string]string{"Location": "https://elsewhere.test/"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, up := newTestStore(t, Options{Timeout: time.Second}, func(c call) reply {
					if strings.HasPrefix(c.path, "/bad/") {
						return fault
					}
					return latest(c)
				})
				for i := range 3000 {
					for _, token := range []string{"", "t"} {
						go fetchNameWithoutToken(t.Context(), s.Session(token), "/bad/")
					}
					if i%5 == 0 {
						want(t, fetchNameWithoutToken(t.Context(), s.Session(""), fmt.Sprintf("/good%d/", i)), "1")
					}
					time.Sleep(200 * time.Millisecond)
				}
				bad := 0
				for _, c := range up.calls {
					if c.path == "/bad/" {
						bad++
					}
				}
				if limit := 2 * 3 * 30; bad > limit { // two viewers, three attempts, 30 backoffs
					t.Errorf("the bad address is called %d times, want at most %d", bad, limit)
				}
			})
		})
	}
}

// fetchNameWithoutToken is fetchName without the token "t" in the name.
func fetchNameWithoutToken(ctx context.Context, s *Session, key string) string {
	u, err := Fetch(ctx, s, user(key))
	if err != nil {
		return err.Error()
	}
	return strings.TrimPrefix(u.Name, "t")
}

// A failing page does not block the list's other pages or its route, however many pages fail. A
// blocked read does not call Mixcloud and costs no budget.
func TestFailingPage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{Retries: -1}, func(call) reply { return broken })
		session := s.Session("")
		for range 3 {
			for i := range 10 {
				_, err := Fetch(t.Context(), session, chart(ClassList, fmt.Sprintf("/a/cloudcasts/?limit=20&offset=%d", i)))
				if gqlerr.CodeOf(err) != gqlerr.CodeUpstreamUnavailable {
					t.Fatal(err)
				}
			}
		}
		wantCalls(t, up, 10)
		if n := session.spent.Load(); n != 10 {
			t.Errorf("%d calls are charged, want 10", n)
		}
		if err := s.breakers.ofRead(key{class: ClassList, id: "/b/cloudcasts/?"}, "").check(); err != nil {
			t.Errorf("breaker opened after ten failing pages of one list, want closed: %v", err)
		}
	})
}

// The backoff of a failing read grows, its error contains the wait, and a success resets it.
func TestFailingRead_Backoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := true
		s, up := newTestStore(t, Options{Retries: -1, CacheBytes: -1}, func(c call) reply {
			if down {
				return broken
			}
			return latest(c)
		})
		fetch := func() time.Duration {
			_, err := Fetch(t.Context(), s.Session(""), user("/a/"))
			failed, ok := errors.AsType[*mixcloud.Error](err)
			if !ok {
				t.Fatalf("Fetch = %v, want a *mixcloud.Error", err)
			}
			return failed.RetryAfter
		}
		for i, want := range []time.Duration{0, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
			if got := fetch(); got != want {
				t.Errorf("failure %d: wait in the error = %v, want %v", i, got, want)
			}
			if got := fetch(); got != want {
				t.Errorf("immediate second read: wait in the error = %v, want %v", got, want)
			}
			time.Sleep(max(want, time.Second))
		}
		wantCalls(t, up, 4)
		down = false
		for range 2 {
			want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
			up.made()
		}
	})
}

// The charts that exist once have their own breaker, which opens when the last three calls of
// all of them failed. Other lists are unaffected.
func TestBreaker_FixedAddresses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{Retries: -1}, func(c call) reply {
			if strings.HasPrefix(c.path, "/genres/") {
				return reply{body: emptyList}
			}
			return broken
		})
		fetch := func(class Class, id string) error {
			_, err := Fetch(t.Context(), s.Session(""), chart(class, id))
			return err
		}
		for range 3 {
			_ = fetch(ClassChart, "/popular/?limit=20")
			_ = fetch(ClassChart, "/popular/hot/?limit=20")
			_ = fetch(ClassChart, "/new/?limit=20")
			time.Sleep(40 * time.Second)
		}
		wantCalls(t, up, 9)
		fixed := callTarget{s.breakers.routes[routeFixed], "/popular/"}
		if err := fixed.check(); err != nil {
			t.Errorf("breaker opened after three of four addresses failed, want closed: %v", err)
		}
		for range 3 {
			if err := fixed.check(); err != nil {
				t.Errorf("breaker opened before the third failure of the fourth address, want closed: %v", err)
			}
			_ = fetch(ClassCategoryList, "/categories/")
			time.Sleep(3 * time.Second)
		}
		if fixed.breaker.Check("/popular/hot/") != nil {
			t.Error("breaker allows no probe after the pause")
		}
		_ = fetch(ClassChart, "/popular/?limit=20")
		if fixed.check() == nil {
			t.Error("breaker is closed after all four addresses failed, want open")
		}
		if err := fetch(ClassChart, "/genres/funk/popular/?limit=20"); err != nil {
			t.Errorf("Fetch of a tag's chart = %v, want no error", err)
		}
	})
}

func TestAddressOf(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"/a/b/":                               "/a/b/",
		"/a/cloudcasts/?limit=20&offset=40":   "/a/cloudcasts/",
		"/a/listens/?since=1&until=2":         "/a/listens/",
		"/search/?limit=20&q=a+%26b&type=tag": "/search/?q=a+%26b&type=tag",
		"/oembed/?format=json&url=x&width=3":  "/oembed/?url=x",
		"/popular/?":                          "/popular/",
	} {
		if got := addressOf(id); got != want {
			t.Errorf("addressOf(%s) = %s, want %s", id, got, want)
		}
	}
}

// The breaker of /me/ counts failures per token: failures of one account do not open it, failures
// of five accounts do.
func TestBreaker_Viewers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newTestStore(t, Options{Retries: -1, CacheBytes: -1}, func(call) reply { return broken })
		me := user("/me/")
		me.Class, me.Get = ClassViewer, func(ctx context.Context, c *mixcloud.Client) (*mixcloud.FullUser, error) { return c.Me(ctx) }
		other := s.Session("other").key(ClassViewer, "/me/")
		for range 20 {
			_, _ = Fetch(t.Context(), s.Session("one"), me)
			time.Sleep(time.Minute)
		}
		if err := s.breakers.ofRead(other, "").check(); err != nil {
			t.Errorf("breaker opened after failures of one account, want closed: %v", err)
		}
		for i := range 4 {
			_, _ = Fetch(t.Context(), s.Session(fmt.Sprint(i)), me)
		}
		if s.breakers.ofRead(other, "").check() == nil {
			t.Error("breaker is closed after failures of five accounts, want open")
		}
	})
}

// A 4xx counts as a success. Refusals by the rate limit, canceled calls and local faults do not
// count.
func TestOutcomeOf(t *testing.T) {
	t.Parallel()
	for want, errs := range map[breaker.Outcome][]error{
		breaker.Failed: {&mixcloud.Error{Kind: mixcloud.ErrUnavailable}, &mixcloud.Error{Kind: mixcloud.ErrTimeout}},
		breaker.Succeeded: {
			nil, &mixcloud.Error{Kind: mixcloud.ErrNotFound}, &mixcloud.Error{Kind: mixcloud.ErrUnauthenticated},
			&mixcloud.Error{Kind: mixcloud.ErrForbidden}, &mixcloud.Error{Kind: mixcloud.ErrRefused}, &mixcloud.Error{Kind: mixcloud.ErrMoved},
		},
		breaker.Ignored: {
			&mixcloud.Error{Kind: mixcloud.ErrRateLimited}, context.Canceled, &mixcloud.Error{Kind: context.Canceled},
			&mixcloud.Error{Kind: mixcloud.ErrBadResponse}, errNotMade, &mixcloud.Error{Kind: mixcloud.ErrUnavailable, Local: "out of memory"},
		},
	} {
		for _, err := range errs {
			if got := outcomeOf(err); got != want {
				t.Errorf("outcomeOf(%v) = %d, want %d", err, got, want)
			}
		}
	}
}

// Local faults do not open a breaker and cause no backoff, so the next read makes a call. They
// are logged at a limited rate.
func TestLocalFaults(t *testing.T) {
	t.Parallel()
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for name, err := range map[string]error{
		"out of file descriptors (process)": dial(syscall.EMFILE),
		"out of file descriptors (system)":  dial(syscall.ENFILE),
		"out of memory":                     dial(syscall.ENOMEM),
		"out of local addresses or ports":   dial(syscall.EADDRNOTAVAIL),
		"name resolution":                   dial(&net.DNSError{Err: "server misbehaving", Name: "mixcloud.test", IsTemporary: true}),
		"network is unreachable":            dial(syscall.ENETUNREACH),
		"the proxy cannot be reached":       &net.OpError{Op: "proxyconnect", Net: "tcp", Err: syscall.ECONNREFUSED},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				faulty := true
				s, up := newTestStore(t, Options{Log: slog.New(slog.NewTextHandler(&out, nil))}, func(c call) reply {
					if faulty {
						return reply{err: err}
					}
					return latest(c)
				})
				for i := range 100 {
					_, err := Fetch(t.Context(), s.Session(""), user(fmt.Sprintf("/%d/", i)))
					if gqlerr.CodeOf(err) != gqlerr.CodeUpstreamUnavailable {
						t.Fatal(err)
					}
				}
				lines := strings.Count(out.String(), "\n")
				if !strings.Contains(out.String(), `fault="`+name+`"`) || lines > 3 || strings.Contains(out.String(), "breaker") {
					t.Errorf("log has no fault=%q, more than 3 lines, or a breaker event:\n%s", name, &out)
				}
				faulty = false
				up.made()
				for i := range 100 {
					want(t, fetchNameWithoutToken(t.Context(), s.Session(""), fmt.Sprintf("/%d/", i)), "1")
				}
			})
		})
	}
}

// A redirect of a read to another resource of the same kind is followed once. The second call
// counts against the budget, goes to the redirect's path below the configured base URL, and its
// response is cached under the requested key.
func TestRedirect(t *testing.T) {
	t.Parallel()
	to := func(location string) reply {
		return reply{status: http.StatusMovedPermanently, header: map[string]string{"Location": location}, body: " "}
	}
	for location, calls := range map[string]int{
		"/moved/": 2, "/moved": 2, "/OLD/": 2, "https://mixcloud.test/moved/?access_token=x&evil=1#y": 2, "http://mixcloud.test/moved/": 2, "//mixcloud.test/moved/": 2, "../moved/": 2,
		"": 1, "/old/": 1, "/old": 1, "https://evil.test/moved/": 1, "//evil.test/moved/": 1, "https://mixcloud.test@evil.test/moved/": 1, "https://mixcloud.test:444/moved/": 1,
		"/moved/show/": 1, "/login/": 1, "/moved/followers/": 1, "/": 1, "/moved/%2e%2e/x/": 1, "javascript:alert(1)": 1, "%zz": 1, "/again/": 2, "/broken/": 4,
	} {
		t.Run(location, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, up := newTestStore(t, Options{}, func(c call) reply {
					switch c.path {
					case "/old/":
						return to(location)
					case "/again/":
						return to("/moved/")
					case "/broken/":
						return broken
					}
					return latest(c)
				})
				session := s.Session("token-of-bob")
				u, err := Fetch(t.Context(), session, user("/old/"))
				if calls == 2 && location != "/again/" {
					if err != nil || !strings.EqualFold(u.Key.String(), "/moved/") && u.Key.String() != "/OLD/" {
						t.Fatalf("Fetch after a redirect = %+v, %v, want the user at the new key", show.Value(u), err)
					}
					if _, err := Fetch(t.Context(), s.Session("token-of-bob"), user("/old/")); err != nil {
						t.Error(err)
					}
				} else if err == nil {
					t.Fatalf("Fetch = %+v, want an error", show.Value(u))
				}
				if calls != 4 && err != nil && !errors.Is(err, mixcloud.ErrMoved) {
					t.Error(err)
				}
				for i, c := range up.calls {
					if c.token != "token-of-bob" || i > 0 && c.path == "/old/" {
						t.Errorf("call %d = %+v, want the token and the new path", i, c)
					}
				}
				if got := session.Cost().Calls; got != calls || session.spent.Load() != int64(calls) {
					t.Errorf("%d calls, %d charged, want %d", got, session.spent.Load(), calls)
				}
				wantCalls(t, up, calls)
			})
		})
	}
}

// If the budget does not cover the call of a redirect, the error is LIMIT_EXCEEDED and its
// message mentions redirects.
func TestRedirect_Budget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{Budget: 1}, func(c call) reply {
			if c.path == "/old/" {
				return reply{status: 302, header: map[string]string{"Location": "/moved/"}}
			}
			return latest(c)
		})
		_, err := Fetch(t.Context(), s.Session(""), user("/old/"))
		if gqlerr.CodeOf(err) != gqlerr.CodeLimitExceeded || !strings.Contains(err.Error(), "redirected") {
			t.Error(err)
		}
		wantCalls(t, up, 1)
	})
}

// An error about the resource itself is returned instead of a stale entry. For an error that
// depends on Mixcloud's state the stale entry is served, and later reads call Mixcloud again.
func TestRefusals_AndStaleEntries(t *testing.T) {
	t.Parallel()
	for status, stale := range map[int]bool{402: false, 423: false, 451: false, 405: true, 409: true, 400: true, 408: true, 503: true} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				refuses := false
				s, _ := newTestStore(t, Options{}, func(c call) reply {
					if refuses {
						return reply{status: status, body: "<html>"}
					}
					return latest(c)
				})
				want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
				time.Sleep(3 * time.Hour)
				refuses = true
				for range 3 {
					got := fetchName(t.Context(), s.Session(""), "/a/")
					if (got == "1") != stale {
						t.Errorf("Fetch = %q; stale entry wanted: %v", got, stale)
					}
					time.Sleep(time.Minute)
				}
				refuses = false
				session := s.Session("")
				if got := fetchName(t.Context(), session, "/a/"); len(session.StaleReads()) > 0 || strings.Contains(got, "mixcloud") {
					t.Errorf("Fetch = %q with stale reads %+v, want the new value", got, session.StaleReads())
				}
			})
		})
	}
}
