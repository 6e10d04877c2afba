package mixcloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	appID    = "app&id"
	appBack  = "https://app.test/back?attempt=1&x=%2F"
	codeWord = `c0de-cAnArY+/="%41`
	secret   = `s3cret-cAnArY&+%"`
)

// tokenSite returns a client of a token endpoint that always returns the same
// response.
func tokenSite(t *testing.T, status int, kind, body string) *Client {
	t.Helper()
	return testClient(t, func(r *http.Request) (*http.Response, error) {
		return newResponse(r, status, http.Header{"Content-Type": {kind}}, strings.NewReader(body)), nil
	})
}

func TestAuthorizationURL(t *testing.T) {
	t.Parallel()
	app := testClient(t, nil).OAuth(appID, secret)
	const want = "http://site.test/base/www/oauth/authorize?client_id=app%26id&redirect_uri=https%3A%2F%2Fapp.test%2Fback%3Fattempt%3D1%26x%3D%252F"
	if got := app.AuthorizationURL(appBack); got != want {
		t.Errorf("AuthorizationURL = %s\nwant %s", got, want)
	}
}

// TestExchange_Request checks that the parameters are sent as a form, and not in
// the URL.
func TestExchange_Request(t *testing.T) {
	t.Parallel()
	requests := 0
	c := testClient(t, func(r *http.Request) (*http.Response, error) {
		requests++
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			t.Error(err)
		}
		want := url.Values{
			"client_id": {appID}, "client_secret": {secret}, "code": {codeWord},
			"redirect_uri": {appBack}, "grant_type": {"authorization_code"},
		}
		if diff := cmp.Diff(want, form); diff != "" {
			t.Errorf("the form (-want +got):\n%s", diff)
		}
		if r.Method != http.MethodPost || r.URL.String() != "http://site.test/base/www/oauth/access_token" ||
			r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.Header.Get("Authorization") != "" || r.UserAgent() != "tester" {
			t.Errorf("%s %s, header %v; want a POST of a form to /base/www/oauth/access_token by tester, without Authorization", r.Method, r.URL, r.Header)
		}
		return newResponse(r, 200, nil, strings.NewReader(`{"access_token": "t0ken"}`)), nil
	}, WithUserAgent("tester"))
	// The client's own token must not be sent.
	token, err := c.As("viewers-token").OAuth(appID, secret).Exchange(t.Context(), codeWord, appBack)
	if err != nil || token != "t0ken" || requests != 1 {
		t.Errorf("Exchange = %q, %v after %d requests; want t0ken after 1", token, err, requests)
	}
}

// TestExchange_FallsBackToGET checks that a site that accepts only GET receives one
// GET, and that middleware does not see its secret.
func TestExchange_FallsBackToGET(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusMethodNotAllowed, http.StatusNotImplemented} {
		var sent []string
		var seen strings.Builder
		c := testClient(t, func(r *http.Request) (*http.Response, error) {
			sent = append(sent, r.Method)
			if r.Method == http.MethodPost {
				return newResponse(r, status, nil, strings.NewReader("<html>")), nil
			}
			q := r.URL.Query()
			if q.Get("code") != codeWord || q.Get("client_secret") != secret || q.Get("client_id") != appID || q.Get("redirect_uri") != appBack ||
				r.Header.Get("Content-Type") != "" || r.Body != nil {
				t.Errorf("GET %s, header %v; want all parameters in the query, and no body", r.URL, r.Header)
			}
			return newResponse(r, 200, nil, strings.NewReader(`{"access_token":"t0ken"}`)), nil
		}, WithMiddleware(recordURLs(&seen)), WithObserver(func(c Call) { seen.WriteString(allFormats(c)) }))
		token, err := c.OAuth(appID, secret).Exchange(t.Context(), codeWord, appBack)
		if err != nil || token != "t0ken" || !cmp.Equal(sent, []string{"POST", "GET"}) {
			t.Errorf("status %d: Exchange = %q, %v after %v; want t0ken after [POST GET]", status, token, err, sent)
		}
		if !strings.Contains(seen.String(), "/oauth/access_token") || strings.Contains(seen.String(), "cAnArY") {
			t.Errorf("status %d: middleware and observer must receive the path without a secret, but received:\n%s", status, seen.String())
		}
	}
}

// recordURLs returns middleware that records the URLs of requests and responses.
func recordURLs(seen *strings.Builder) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			seen.WriteString(r.URL.String())
			resp, err := next.RoundTrip(r)
			if resp != nil && resp.Request != nil {
				seen.WriteString(resp.Request.URL.String())
			}
			return resp, err
		})
	}
}

func TestExchange_Responses(t *testing.T) {
	t.Parallel()
	const (
		js    = "text/javascript; charset=utf-8"
		jsonT = "application/json"
		form  = "application/x-www-form-urlencoded"
		text  = "text/plain"
		page  = "text/html; charset=utf-8"
	)
	long := strings.Repeat("x", 1024)
	tests := map[string]struct {
		status int
		body   string
		token  string
		want   error // ignoring Err
	}{
		"JSON":                          {200, `{"access_token": "t0ken"}`, "t0ken", nil},
		"JSON with other members":       {200, `{"scope":null,"access_token":"t0ken","expires_in":"x","token_type":"MAC"}`, "t0ken", nil},
		"JSON after a BOM":              {200, "\ufeff {\"access_token\":\"t0ken\"}\n", "t0ken", nil},
		"201":                           {201, `{"access_token":"t0ken"}`, "t0ken", nil},
		"the longest token":             {200, `{"access_token":"` + long + `"}`, long, nil},
		"url-encoded":                   {200, "access_token=t0ken", "t0ken", nil},
		"url-encoded, escaped":          {200, "token_type=x&access_token=t%30ken&expires=5\n", "t0ken", nil},
		"an error as a string":          {400, `{"error": "Bad code."}`, "", &OAuthError{400, "Bad code."}},
		"with 401":                      {401, `{"error": "Wrong client_secret."}`, "", &OAuthError{401, "Wrong client_secret."}},
		"with 200":                      {200, `{"error": "Bad code."}`, "", &OAuthError{200, "Bad code."}},
		"an error of the API":           {400, `{"error":{"type":"OAuthException","message":"Bad code."}}`, "", &OAuthError{400, "Bad code."}},
		"an error of RFC 6749":          {400, `{"error":"invalid_grant","error_description":"x"}`, "", &OAuthError{400, "invalid_grant"}},
		"url-encoded error":             {400, "error=Bad+code.", "", &OAuthError{400, "Bad code."}},
		"url-encoded error with 200":    {200, "error=Bad+code.", "", &OAuthError{200, "Bad code."}},
		"an unprintable error":          {400, `{"error":"a\u0000b\r\nc"}`, "", &OAuthError{400, "ab  c"}},
		"an error above 500 characters": {400, `{"error":"` + strings.Repeat("é", 1000) + `"}`, "", &OAuthError{400, strings.Repeat("é", 499) + "…"}},
		"rate limited":                  {403, `{"error":{"type":"RateLimitException","message":"Slow.","retry_after":7}}`, "", &Error{Kind: ErrRateLimited, Status: 403, Type: typeRateLimit, Message: "Slow.", RetryAfter: 7 * time.Second}},
		"no token":                      {200, `{}`, "", &Error{Kind: ErrBadResponse, Status: 200}},
		"an empty token":                {200, `{"access_token":""}`, "", &Error{Kind: ErrBadResponse, Status: 200}},
		"a number for a token":          {200, `{"access_token":7}`, "7", nil},
		"a token with a line break":     {200, `{"access_token":"a\nb"}`, "", &Error{Kind: ErrBadResponse, Status: 200}},
		"a token with a quote":          {200, `{"access_token":"a\"b"}`, "", &Error{Kind: ErrBadResponse, Status: 200}},
		"a token too long":              {200, `{"access_token":"` + long + `x"}`, "", &Error{Kind: ErrBadResponse, Status: 200}},
		"a JSON array":                  {200, `["access_token"]`, "", &Error{Kind: ErrBadResponse, Status: 200}},
		"nothing":                       {200, ``, "", &Error{Kind: ErrBadResponse, Status: 200}},
		"truncated JSON":                {200, `{"access_token":"t0k`, "", &Error{Kind: ErrBadResponse, Status: 200}},
		"a page":                        {200, `<html>access_token=x`, "", &Error{Kind: ErrBadResponse, Status: 200}},
		"a page that parses as a form":  {200, `<p>&access_token=x`, "", &Error{Kind: ErrBadResponse, Status: 200}},
		"a page of a proxy":             {502, `<html>&error=x`, "", &Error{Kind: ErrUnavailable, Status: 502}},
		"a bot protection's page":       {403, `<html>`, "", &Error{Kind: ErrUnavailable, Status: 403}},
		"404 as HTML":                   {404, `<html>`, "", &Error{Kind: ErrNotFound, Status: 404}},
		"a token with status 500":       {500, `access_token=t0ken`, "", &Error{Kind: ErrUnavailable, Status: 500}},
		"an error of the server":        {500, `{"error":"oops"}`, "", &Error{Kind: ErrUnavailable, Status: 500}},
		"a redirect":                    {302, `<a href="/">`, "", &Error{Kind: ErrBadResponse, Status: 302}},
		"too large":                     {200, `{"access_token":"t0ken"}` + strings.Repeat(" ", maxTokenResponse), "", &Error{Kind: ErrBadResponse, Status: 200}},
		"neither JSON nor a form":       {200, "hello%zz", "", &Error{Kind: ErrBadResponse, Status: 200}},
	}
	for name, tt := range tests {
		for _, kind := range []string{js, jsonT, form, text, page, "", "nonsense"} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				token, err := tokenSite(t, tt.status, kind, tt.body).OAuth(appID, secret).Exchange(t.Context(), codeWord, appBack)
				if token != tt.token {
					t.Errorf("Exchange = %q, want %q", token, tt.token)
				}
				if !sameError(tt.want, err) {
					t.Errorf("Exchange: error %+v\nwant %+v", err, tt.want)
				}
			})
		}
	}
}

// sameError compares two errors, except for Op, Err and FromAPI.
func sameError(want, got error) bool {
	switch want := want.(type) {
	case *Error:
		e, ok := errors.AsType[*Error](got)
		return ok && e.Op == "Exchange" && cmp.Equal(*want, *e, cmpopts.IgnoreFields(Error{}, "Op", "Err", "FromAPI"), cmpopts.EquateErrors())
	case *OAuthError:
		e, ok := errors.AsType[*OAuthError](got)
		return ok && *e == *want
	default:
		return got == nil
	}
}

func TestExchange_InvalidArguments(t *testing.T) {
	t.Parallel()
	c := testClient(t, func(*http.Request) (*http.Response, error) {
		t.Error("Exchange without a code sent a request, want none")
		return nil, io.EOF
	})
	if _, err := c.OAuth(appID, secret).Exchange(t.Context(), "", appBack); !errors.Is(err, ErrInvalid) {
		t.Errorf("Exchange without a code: %v, want ErrInvalid", err)
	}
	c = testClient(t, func(*http.Request) (*http.Response, error) {
		t.Error("Exchange without TLS sent a request, want none")
		return nil, io.EOF
	}, WithSiteURL("http://www.mixcloud.com"))
	if _, err := c.OAuth(appID, secret).Exchange(t.Context(), codeWord, appBack); !errors.Is(err, ErrInvalid) {
		t.Errorf("Exchange without TLS: %v, want ErrInvalid", err)
	}
}

// TestExchange_Failures checks that a failed exchange is not repeated.
func TestExchange_Failures(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		transport roundTrip
		want      error
	}{
		"no connection": {func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, ErrUnavailable},
		"no response in time": {func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, ErrTimeout},
		"a slow body": {func(r *http.Request) (*http.Response, error) {
			body, w := io.Pipe()
			context.AfterFunc(r.Context(), func() { w.CloseWithError(r.Context().Err()) })
			return newResponse(r, 200, nil, body), nil
		}, ErrTimeout},
		"an interrupted body": {func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 200, nil, &brokenBody{strings.NewReader(`{"access_token":"t0ken"`), io.ErrUnexpectedEOF}), nil
		}, ErrUnavailable},
		"an interrupted error": {func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 503, nil, &brokenBody{strings.NewReader(`<html`), io.ErrUnexpectedEOF}), nil
		}, ErrUnavailable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				c := testClient(t, func(r *http.Request) (*http.Response, error) {
					requests++
					return tt.transport(r)
				}, option(func(c *core) error { c.http.Timeout = 5 * time.Second; return nil }))
				_, err := c.OAuth(appID, secret).Exchange(t.Context(), codeWord, appBack)
				if e, ok := errors.AsType[*Error](err); !ok || !errors.Is(err, tt.want) || e.Op != "Exchange" || requests != 1 {
					t.Errorf("Exchange: error %+v after %d requests, want an *Error of Exchange with %v after 1", err, requests, tt.want)
				}
			})
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := testClient(t, func(r *http.Request) (*http.Response, error) { return nil, r.Context().Err() })
	if _, err := c.OAuth(appID, secret).Exchange(ctx, codeWord, appBack); !errors.Is(err, context.Canceled) {
		t.Errorf("Exchange with a canceled context: %v, want context.Canceled", err)
	}
}

// TestExchange_NoSecretLeaks checks that formatted values, logs and errors do not
// contain the secret, the code or the token, although most responses echo them.
func TestExchange_NoSecretLeaks(t *testing.T) {
	t.Parallel()
	sent := func(r *http.Request) string {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			t.Error(err)
		}
		return string(body) + " " + fmt.Sprint(form) + " " + form.Get("client_secret") + " " + form.Get("code")
	}
	transports := map[string]roundTrip{
		"a transport that quotes the form": func(r *http.Request) (*http.Response, error) { return nil, errors.New(sent(r)) },
		"an error with the form": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 400, nil, strings.NewReader(fmt.Sprintf(`{"error":%q}`, sent(r)))), nil
		},
		"a failure with the form": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 500, nil, strings.NewReader(fmt.Sprintf(`{"error":{"message":%q,"type":%[1]q}}`, sent(r)))), nil
		},
		"an error that is truncated inside a secret": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 400, nil, strings.NewReader(fmt.Sprintf(`{"error":%q}`, strings.Repeat("x", 490)+sent(r)))), nil
		},
		"a page with the form": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 200, nil, strings.NewReader("<html>"+sent(r))), nil
		},
		"a redirect with the form": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 302, http.Header{"Location": {"https://elsewhere.test/?" + sent(r)}}, strings.NewReader("")), nil
		},
		"a token in an interrupted body": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 200, nil, &brokenBody{strings.NewReader(`{"access_token":"t0ken-cAnArY`), errors.New(sent(r))}), nil
		},
		"a token that is too long": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 200, nil, strings.NewReader(`{"access_token":"t0ken-cAnArY`+strings.Repeat("x", 2000)+`"}`)), nil
		},
	}
	for name, transport := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen strings.Builder
			hosts := map[string]int{}
			c := testClient(t, func(r *http.Request) (*http.Response, error) {
				hosts[r.URL.Host]++
				return transport(r)
			}, WithMiddleware(recordURLs(&seen)), WithObserver(func(c Call) { seen.WriteString(allFormats(c) + allFormats(c.Err)) }))
			app := c.OAuth(appID, secret)
			seen.WriteString(allFormats(app) + allFormats(*app) + allFormats(struct{ o *OAuth }{app}) + allFormats(struct{ O OAuth }{*app}))
			token, err := app.Exchange(t.Context(), codeWord, appBack)
			if err == nil || token != "" {
				t.Fatalf("Exchange = %q, %v; want an error and no token", token, err)
			}
			seen.WriteString(allFormats(err))
			if !cmp.Equal(hosts, map[string]int{"site.test": 1}) {
				t.Errorf("requests by host = %v, want one to site.test", hosts)
			}
			if strings.Contains(seen.String(), "cAnArY") {
				t.Errorf("an error, a log or a formatted value contains a secret:\n%s", seen.String())
			}
		})
	}
}

// FuzzReadToken checks that a token from any response needs no escaping in a query
// or a header.
func FuzzReadToken(f *testing.F) {
	for _, seed := range []string{`{"access_token":"t"}`, "access_token=t", `{"error":"x"}`, "error=x", "<html>", "", `{"error":{"message":"x"}}`, "%zz"} {
		f.Add(200, seed)
		f.Add(400, seed)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		token, err := readToken(status, http.Header{}, []byte(body))
		if (token == "") == (err == nil) || token != "" && (!validToken(token) || status/100 != 2) {
			t.Errorf("readToken(%d, %q) = %q, %v; want a valid token with status 2xx, else an error", status, body, token, err)
		}
	})
}
