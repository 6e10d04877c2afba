package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestNoTokenLeaves sends a token through every golden's query and through every
// fault, and looks for it wherever something leaves the process but Mixcloud's
// own wire.
func TestNoTokenLeaves(t *testing.T) {
	t.Parallel()
	all, err := goldens()
	if err != nil {
		t.Fatal(err)
	}
	// A well-formed token that is unlike anything else, with what encodings change.
	const canary = "cAnAry+/7d1f~token=="
	echo := func(r *http.Request) error { // a transport that tells what it was asked
		return &url.Error{Op: "Get", URL: r.URL.String(), Err: errors.New("no route to " + r.URL.String())}
	}
	for name, opts := range map[string]set{
		"refused":     {},
		"transport":   {upstream: roundTripper(func(r *http.Request) (*http.Response, error) { return nil, echo(r) })},
		"panic":       {upstream: roundTripper(func(r *http.Request) (*http.Response, error) { panic(echo(r)) })},
		"echoed 200":  {upstream: saying(http.StatusOK, `{"error": {"type": "%[1]s", "message": "%[1]s"}}`)},
		"echoed 400":  {upstream: saying(http.StatusBadRequest, `{"error": {"type": "OAuthException", "message": "bad token %s"}}`)},
		"echoed 403":  {upstream: saying(http.StatusForbidden, `{"error": {"type": "%s", "message": "no"}}`)},
		"echoed HTML": {upstream: saying(http.StatusBadGateway, `<html>%s</html>`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, opts)
			for _, g := range all {
				a := g.ask(t, s, canary)
				leaks(t, g.name, canary, string(a.body), fmt.Sprint(a.header))
			}
			leaks(t, "the log", canary, s.log.String())
		})
	}
	t.Run("accepted", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, set{writes: true})
		for _, g := range all {
			a := g.ask(t, s, "demo-token")
			leaks(t, g.name, "demo-token", string(a.body), fmt.Sprint(a.header))
		}
		leaks(t, "the log", "demo-token", s.log.String())
		if !strings.Contains(strings.Join(s.upstream(), "\n"), "(token)") {
			t.Error("the token never got anywhere")
		}
	})
}

func leaks(t *testing.T, where, token string, texts ...string) {
	t.Helper()
	quoted, err := json.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{token, url.QueryEscape(token), url.PathEscape(token), strings.Trim(string(quoted), `"`), strings.Trim(token, "=")} {
		for _, text := range texts {
			if i := strings.Index(text, form); i >= 0 {
				t.Fatalf("%s: the token is in …%s…", where, text[max(0, i-200):min(len(text), i+100)])
			}
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// saying answers with a body that has the token in it.
func saying(status int, format string) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(status)
		fmt.Fprintf(w, format, r.URL.Query().Get("access_token"))
		return w.Result(), nil
	}
}
