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

// sharedSet implements [Revocations] for two replicas.
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

// Signing out revokes all copies of a session's cookie, and no other session of the same user.
func TestLogout_RevokesTheSession(t *testing.T) {
	t.Parallel()
	d := newTestServer(t, serverOptions{})
	b, other, thief := d.browser(t), d.browser(t), d.browser(t)
	b.signIn("abc")
	other.signIn("abc")
	copied := b.cookies["mixcloud-graphql-dev"]
	thief.cookies["mixcloud-graphql-dev"] = copied
	if got := thief.whoami(csrfHeader); got != "token-of-abc" {
		t.Fatalf("token of the copied cookie before the sign-out is %q, want token-of-abc", got)
	}
	b.send(http.MethodPost, LogoutPath, header("Sec-Fetch-Site", "same-origin"))
	if got := thief.whoami(csrfHeader); got != "" || len(thief.cookies) > 0 {
		t.Errorf("token of the copied cookie after the sign-out is %q, want none; cookies %v, want none", got, thief.cookies)
	}
	if got := other.whoami(csrfHeader); got != "token-of-abc" {
		t.Errorf("token of another session after the sign-out is %q, want token-of-abc", got)
	}
	b.signIn("abc")
	if got := b.whoami(csrfHeader); got != "token-of-abc" {
		t.Errorf("token after another sign-in is %q, want token-of-abc", got)
	}
}

// A cross-site sign-out does not revoke the session.
func TestLogout_OfAnotherSiteRevokesNothing(t *testing.T) {
	t.Parallel()
	d := newTestServer(t, serverOptions{})
	b := d.browser(t)
	b.signIn("abc")
	b.send(http.MethodPost, LogoutPath, header("Sec-Fetch-Site", "cross-site"))
	if got := b.whoami(csrfHeader); got != "token-of-abc" {
		t.Errorf("token after a cross-site sign-out is %q, want token-of-abc", got)
	}
}

// Replicas share revocations until the cookie expires. The replica that revoked a session also
// stores that itself.
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
			t.Errorf("the revocation is shared until %v, want the end of the session at %v", until, time.Unix(started.Since, 0).Add(SessionLife))
		}
		for i, c := range replicas {
			if s, found := c.session(request); s != nil || !found {
				t.Errorf("replica %d: session = %v, %v, want none for the cookie found", i, s, found)
			}
		}
		shared.until = map[string]time.Time{} // lost
		if s, _ := replicas[0].session(request); s != nil {
			t.Error("the replica that revoked the session accepts it after the shared revocation was lost")
		}
	})
}

// A cookie without an id gets one derived from its sealed text, so that it can be revoked too.
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
		t.Fatalf("session = %+v, want one with an ID", s)
	}
	c.revoke(t.Context(), s)
	if s, _ := c.session(one); s != nil {
		t.Error("the revoked session is accepted")
	}
	if s, _ := c.session(two); s == nil {
		t.Error("another session of the same token was revoked too")
	}
}

// cookieOf returns a request with the cookie of a session.
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
