package mixcloud_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// TestOAuth_Emulator authorizes an application as a user, and exchanges the code
// for a token, which works once and until the user revokes it.
func TestOAuth_Emulator(t *testing.T) {
	t.Parallel()
	e, _, c := startEmulator(t)
	app := c.OAuth(emulator.DemoClientID, emulator.DemoClientSecret)
	const back = "https://app.test/back?attempt=1%202"
	code := authorize(t, e.Transport(), app.AuthorizationURL(back), "spartacus")
	if _, err := app.Exchange(t.Context(), code, back+"x"); !isOAuthError(err) {
		t.Errorf("Exchange with another redirect_uri: %v, want an OAuth error", err)
	}
	if _, err := c.OAuth(emulator.DemoClientID, "wrong").Exchange(t.Context(), code, back); !isOAuthError(err) {
		t.Errorf("Exchange with a wrong secret: %v, want an OAuth error", err)
	}
	if err := e.Fail(emulator.Fault{Kind: emulator.FaultURLEncodedToken, Times: 1}); err != nil {
		t.Fatal(err)
	}
	token, err := app.Exchange(t.Context(), code, back)
	if err != nil {
		t.Fatal(err)
	}
	if me, err := c.As(token).Me(t.Context()); err != nil || me.Key.String() != "/spartacus/" {
		t.Errorf("Me with the token returned %v, %v; want /spartacus/", show.Value(me), err)
	}
	if _, err := app.Exchange(t.Context(), code, back); !isOAuthError(err) {
		t.Errorf("second Exchange of the same code: %v, want an OAuth error", err)
	}
	if !e.Revoke(token) {
		t.Error("Revoke returned false for a valid token, want true")
	}
	if _, err := c.As(token).Me(t.Context()); !errors.Is(err, mixcloud.ErrUnauthenticated) {
		t.Errorf("Me with the revoked token: %v, want ErrUnauthenticated", err)
	}
}

func isOAuthError(err error) bool {
	_, ok := errors.AsType[*mixcloud.OAuthError](err)
	return ok
}

// authorize submits the form of the authorize page as a user does, and returns the
// code of the redirect.
func authorize(t *testing.T, transport http.RoundTripper, page, user string) string {
	t.Helper()
	send := func(method string, form url.Values) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, page, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	html, err := io.ReadAll(send(http.MethodGet, nil).Body)
	if err != nil {
		t.Fatal(err)
	}
	once := regexp.MustCompile(`name="form" value="([^"]+)"`).FindSubmatch(html)
	if once == nil {
		t.Fatalf("the authorize page has no form: %s", html)
	}
	resp := send(http.MethodPost, url.Values{"form": {string(once[1])}, "choice": {"allow"}, "user": {user}})
	to, err := resp.Location()
	if err != nil || to.Query().Get("code") == "" {
		t.Fatalf("submitting the form: status %s, Location %v, %v; want a redirect with a code", resp.Status, to, err)
	}
	return to.Query().Get("code")
}
