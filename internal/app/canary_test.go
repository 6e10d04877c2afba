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

// TestNoTokenLeaves sends a token with every golden case, with each kind of failure of Mixcloud. The token must appear
// only in calls to Mixcloud, not in responses, headers or the log.
func TestNoTokenLeaves(t *testing.T) {
	t.Parallel()
	all, err := goldens()
	if err != nil {
		t.Fatal(err)
	}
	// A valid token with characters that encodings change.
	const canary = "cAnAry+/7d1f~token=="
	echo := func(r *http.Request) error { // the error of a transport, with the URL
		return &url.Error{Op: "Get", URL: r.URL.String(), Err: errors.New("no route to " + r.URL.String())}
	}
	for name, opts := range map[string]serverOptions{
		"refused":     {},
		"transport":   {mixcloud: roundTripFunc(func(r *http.Request) (*http.Response, error) { return nil, echo(r) })},
		"panic":       {mixcloud: roundTripFunc(func(r *http.Request) (*http.Response, error) { panic(echo(r)) })},
		"echoed 200":  {mixcloud: echoToken(http.StatusOK, `{"error": {"type": "%[1]s", "message": "%[1]s"}}`)},
		"echoed 400":  {mixcloud: echoToken(http.StatusBadRequest, `{"error": {"type": "OAuthException", "message": "bad token %s"}}`)},
		"echoed 403":  {mixcloud: echoToken(http.StatusForbidden, `{"error": {"type": "%s", "message": "no"}}`)},
		"echoed HTML": {mixcloud: echoToken(http.StatusBadGateway, `<html>%s</html>`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sharedWorld()
			synctest.Test(t, func(t *testing.T) { // a synthetic clock, since some cases wait
				s := newTestServer(t, opts)
				for _, g := range all {
					resp := g.send(t, s, canary)
					checkNoLeak(t, g.name, canary, string(resp.body), fmt.Sprint(resp.header))
				}
				checkNoLeak(t, "the log", canary, s.log.String())
			})
		})
	}
	t.Run("accepted", func(t *testing.T) {
		t.Parallel()
		s := newTestServer(t, serverOptions{writable: true})
		next := s.recorder.next
		s.recorder.next = roundTripFunc(func(r *http.Request) (*http.Response, error) {
			// The token belongs in the query string only, since proxies log paths and headers.
			checkNoLeak(t, "a request to Mixcloud", "demo-token", r.URL.Path, fmt.Sprint(r.Header))
			if r.Body == nil {
				return next.RoundTrip(r)
			}
			copied := new(bytes.Buffer)
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.TeeReader(r.Body, copied), r.Body}
			defer func() { checkNoLeak(t, "a body sent to Mixcloud", "demo-token", copied.String()) }()
			return next.RoundTrip(r)
		})
		for _, g := range all {
			resp := g.send(t, s, "demo-token")
			checkNoLeak(t, g.name, "demo-token", string(resp.body), fmt.Sprint(resp.header))
		}
		checkNoLeak(t, "the log", "demo-token", s.log.String())
		if !strings.Contains(strings.Join(s.takeCalls(), "\n"), "(token)") {
			t.Error("no call to Mixcloud has a token, want at least one")
		}
	})
}

// TestNoSecretLeaves_OAuthExchange exchanges an OAuth code while the site echoes the request in
// different ways. The code, the application's secret and the token must not appear in the log. Only
// the response to a successful exchange contains the token.
func TestNoSecretLeaves_OAuthExchange(t *testing.T) {
	t.Parallel()
	const code, secret, token = "c0de-cAnAry+/7d1f", "s3cret-cAnAry+/7d1f", "t0ken-cAnAry-7d1f"
	requestText := func(r *http.Request) string {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		return r.URL.String() + "?" + string(body)
	}
	echo := func(status int, kind, format string) roundTripFunc {
		return func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			if form, err := url.ParseQuery(strings.SplitN(requestText(r), "?", 2)[1]); err == nil {
				fmt.Fprintf(w, format, form.Get("code"), form.Get("client_secret"))
			}
			return w.Result(), nil
		}
	}
	for name, upstream := range map[string]roundTripFunc{
		"transport":     func(r *http.Request) (*http.Response, error) { return nil, errors.New("no route to " + requestText(r)) },
		"panic":         func(r *http.Request) (*http.Response, error) { panic(errors.New(requestText(r))) },
		"echoed 400":    echo(http.StatusBadRequest, "text/javascript", `{"error": "wrong: %s %s"}`),
		"echoed object": echo(http.StatusForbidden, "application/json", `{"error": {"type": "%[2]s", "message": "%[1]s %[2]s"}}`),
		"echoed form":   echo(http.StatusBadRequest, "text/plain", `error=%s+%s`),
		"echoed HTML":   echo(http.StatusBadGateway, "text/html", `<html>%s %s</html>`),
		"echoed 200":    echo(http.StatusOK, "text/html", `%s %s`),
		"accepted":      echo(http.StatusOK, "text/javascript", `{"access_token": "`+token+`", "x": "%s%s"}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, serverOptions{mixcloud: upstream, config: config.Serve{
				OAuthClientID: "app", OAuthClientSecret: secret, PublicURL: "https://graph.test", OAuthRedirects: []string{appRedirect},
			}})
			resp := s.execute(t, "", `mutation ($code: String!) { exchangeOAuthCode(input: {code: $code, redirectUri: "https://app.test/back"}) { accessToken userErrors { field message } } }`,
				map[string]any{"code": code})
			for _, canary := range []string{code, secret} {
				checkNoLeak(t, "the response", canary, string(resp.body), fmt.Sprint(resp.header))
				checkNoLeak(t, "the log", canary, s.log.String())
			}
			checkNoLeak(t, "the log", token, s.log.String())
			checkNoLeak(t, "the URL of a call", code, strings.Join(s.takeCalls(), " "))
			if got := bytes.Contains(resp.body, []byte(token)); got != (name == "accepted") {
				t.Errorf("response contains the token = %t, want %t: %s", got, !got, resp.body)
			}
		})
	}
}

// checkNoLeak fails the test if one of the texts contains the token in any encoding.
func checkNoLeak(t *testing.T, where, token string, texts ...string) {
	t.Helper()
	quoted, err := json.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{token, url.QueryEscape(token), url.PathEscape(token), strings.Trim(string(quoted), `"`), strings.Trim(token, "=")} {
		for _, text := range texts {
			if i := strings.Index(text, form); i >= 0 {
				t.Fatalf("%s contains the token: …%s…", where, text[max(0, i-200):min(len(text), i+100)])
			}
		}
	}
}

// echoToken returns a transport whose response body contains the token of the call.
func echoToken(status int, format string) roundTripFunc {
	return func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(status)
		fmt.Fprintf(w, format, r.URL.Query().Get("access_token"))
		return w.Result(), nil
	}
}
