package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"mixcloud-graphql/internal/config"
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
	for name, opts := range map[string]serverOptions{
		"refused":     {},
		"transport":   {mixcloud: roundTripFunc(func(r *http.Request) (*http.Response, error) { return nil, echo(r) })},
		"panic":       {mixcloud: roundTripFunc(func(r *http.Request) (*http.Response, error) { panic(echo(r)) })},
		"echoed 200":  {mixcloud: saying(http.StatusOK, `{"error": {"type": "%[1]s", "message": "%[1]s"}}`)},
		"echoed 400":  {mixcloud: saying(http.StatusBadRequest, `{"error": {"type": "OAuthException", "message": "bad token %s"}}`)},
		"echoed 403":  {mixcloud: saying(http.StatusForbidden, `{"error": {"type": "%s", "message": "no"}}`)},
		"echoed HTML": {mixcloud: saying(http.StatusBadGateway, `<html>%s</html>`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sharedWorld()
			synctest.Test(t, func(t *testing.T) { // some of them mean to wait
				s := newTestServer(t, opts)
				for _, g := range all {
					resp := g.send(t, s, canary)
					leaks(t, g.name, canary, string(resp.body), fmt.Sprint(resp.header))
				}
				leaks(t, "the log", canary, s.log.String())
			})
		})
	}
	t.Run("accepted", func(t *testing.T) {
		t.Parallel()
		s := newTestServer(t, serverOptions{writable: true})
		next := s.recorder.next
		s.recorder.next = roundTripFunc(func(r *http.Request) (*http.Response, error) {
			// Where it belongs is the query alone: proxies log the rest.
			leaks(t, "a request to Mixcloud", "demo-token", r.URL.Path, fmt.Sprint(r.Header))
			if r.Body == nil {
				return next.RoundTrip(r)
			}
			copied := new(bytes.Buffer)
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.TeeReader(r.Body, copied), r.Body}
			defer func() { leaks(t, "a body sent to Mixcloud", "demo-token", copied.String()) }()
			return next.RoundTrip(r)
		})
		for _, g := range all {
			resp := g.send(t, s, "demo-token")
			leaks(t, g.name, "demo-token", string(resp.body), fmt.Sprint(resp.header))
		}
		leaks(t, "the log", "demo-token", s.log.String())
		if !strings.Contains(strings.Join(s.takeCalls(), "\n"), "(token)") {
			t.Error("the token never got anywhere")
		}
	})
}

// TestNoSecretOfAnExchangeLeaves exchanges a code while the site tells in every
// way what it was sent: neither the code, nor the application's secret, nor the
// token is in an answer it does not belong to, or in the log.
func TestNoSecretOfAnExchangeLeaves(t *testing.T) {
	t.Parallel()
	const code, secret, token = "c0de-cAnAry+/7d1f", "s3cret-cAnAry+/7d1f", "t0ken-cAnAry-7d1f"
	told := func(r *http.Request) string {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		return r.URL.String() + "?" + string(body)
	}
	answers := func(status int, kind, format string) roundTripFunc {
		return func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			if form, err := url.ParseQuery(strings.SplitN(told(r), "?", 2)[1]); err == nil {
				fmt.Fprintf(w, format, form.Get("code"), form.Get("client_secret"))
			}
			return w.Result(), nil
		}
	}
	for name, upstream := range map[string]roundTripFunc{
		"transport":     func(r *http.Request) (*http.Response, error) { return nil, errors.New("no route to " + told(r)) },
		"panic":         func(r *http.Request) (*http.Response, error) { panic(errors.New(told(r))) },
		"echoed 400":    answers(http.StatusBadRequest, "text/javascript", `{"error": "wrong: %s %s"}`),
		"echoed object": answers(http.StatusForbidden, "application/json", `{"error": {"type": "%[2]s", "message": "%[1]s %[2]s"}}`),
		"echoed form":   answers(http.StatusBadRequest, "text/plain", `error=%s+%s`),
		"echoed HTML":   answers(http.StatusBadGateway, "text/html", `<html>%s %s</html>`),
		"echoed 200":    answers(http.StatusOK, "text/html", `%s %s`),
		"taken":         answers(http.StatusOK, "text/javascript", `{"access_token": "`+token+`", "x": "%s%s"}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, serverOptions{mixcloud: upstream, config: config.Serve{
				OAuthClientID: "app", OAuthClientSecret: secret, PublicURL: "https://graph.test", OAuthRedirects: []string{appRedirect},
			}})
			resp := s.execute(t, "", `mutation ($code: String!) { exchangeOAuthCode(input: {code: $code, redirectUri: "https://app.test/back"}) { accessToken userErrors { field message } } }`,
				map[string]any{"code": code})
			for _, canary := range []string{code, secret} {
				leaks(t, "the answer", canary, string(resp.body), fmt.Sprint(resp.header))
				leaks(t, "the log", canary, s.log.String())
			}
			leaks(t, "the log", token, s.log.String())
			leaks(t, "the wire's addresses", code, strings.Join(s.takeCalls(), " "))
			if got := bytes.Contains(resp.body, []byte(token)); got != (name == "taken") {
				t.Errorf("the token is there: %v: %s", got, resp.body)
			}
		})
	}
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

// saying answers with a body that has the token in it.
func saying(status int, format string) roundTripFunc {
	return func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(status)
		fmt.Fprintf(w, format, r.URL.Query().Get("access_token"))
		return w.Result(), nil
	}
}
