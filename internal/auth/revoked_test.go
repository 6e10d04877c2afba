package auth

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sharedSet is the set of ended sessions of two replicas.
type sharedSet struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (s *sharedSet) Revoke(_ context.Context, id string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until[id] = until
}

func (s *sharedSet) Revoked(_ context.Context, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.until[id])
}

// Signing out ends a session wherever its cookie was copied to, and no other
// session of the same person.
func TestLogout_RevokesTheSession(t *testing.T) {
	t.Parallel()
	d := newDesk(t, deskOptions{})
	b, other, thief := d.browser(t), d.browser(t), d.browser(t)
	b.signIn("abc")
	other.signIn("abc")
	copied := b.cookies["mixcloud-graphql-dev"]
	thief.cookies["mixcloud-graphql-dev"] = copied
	if got := thief.whoami(script); got != "token-of-abc" {
		t.Fatalf("before: %q", got)
	}
	b.send(http.MethodPost, LogoutPath, header("Sec-Fetch-Site", "same-origin"))
	if got := thief.whoami(script); got != "" || len(thief.cookies) > 0 {
		t.Errorf("the copy acts with %q; cookies %v", got, thief.cookies)
	}
	if got := other.whoami(script); got != "token-of-abc" {
		t.Errorf("another session acts with %q", got)
	}
	b.signIn("abc")
	if got := b.whoami(script); got != "token-of-abc" {
		t.Errorf("signed in again: %q", got)
	}
}

// A session that another site tries to end goes on.
func TestLogout_OfAnotherSiteRevokesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, deskOptions{})
	b := d.browser(t)
	b.signIn("abc")
	b.send(http.MethodPost, LogoutPath, header("Sec-Fetch-Site", "cross-site"))
	if got := b.whoami(script); got != "token-of-abc" {
		t.Errorf("acts with %q", got)
	}
}

// Replicas share what was ended, until the cookie expires. What one of them has
// ended it knows by itself too.
func TestRevocations_Shared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		keys, shared := RandomKeys(), &sharedSet{until: map[string]time.Time{}}
		var replicas []*Cookies
		for range 2 {
			c, err := NewCookies(keys, publicURL, shared)
			if err != nil {
				t.Fatal(err)
			}
			replicas = append(replicas, c)
		}
		started, request := cookieOf(t, replicas[0], &session{Token: "token", ID: "one", Since: time.Now().Unix()})
		replicas[0].revoke(t.Context(), started)
		if until := shared.until["one"]; !until.Equal(time.Unix(started.Since, 0).Add(SessionLife)) {
			t.Errorf("shared until %v", until)
		}
		for i, c := range replicas {
			if s, found := c.session(request); s != nil || !found {
				t.Errorf("replica %d: %v, %v", i, s, found)
			}
		}
		shared.until = map[string]time.Time{} // lost
		if s, _ := replicas[0].session(request); s != nil {
			t.Error("the replica that has ended it forgets")
		}
	})
}

// A cookie without an id has one derived from what it is sealed with, so that it
// can be ended like any other.
func TestRevocations_CookieWithoutAnID(t *testing.T) {
	t.Parallel()
	c, err := NewCookies(RandomKeys(), publicURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, one := cookieOf(t, c, &session{Token: "token", Since: time.Now().Unix()})
	_, two := cookieOf(t, c, &session{Token: "token", Since: time.Now().Unix()})
	s, _ := c.session(one)
	if s == nil || s.ID == "" {
		t.Fatalf("%+v", s)
	}
	c.revoke(t.Context(), s)
	if s, _ := c.session(one); s != nil {
		t.Error("it goes on")
	}
	if s, _ := c.session(two); s == nil {
		t.Error("another one of the same token is ended too")
	}
}

// cookieOf is a request with the cookie of a session.
func cookieOf(t *testing.T, c *Cookies, s *session) (*session, *http.Request) {
	t.Helper()
	w := httptest.NewRecorder()
	c.set(w, c.sessionName, seal(c.keys.session, s), SessionLife)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	for _, cookie := range w.Result().Cookies() {
		r.AddCookie(cookie)
	}
	return s, r
}
