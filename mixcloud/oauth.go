package mixcloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/oauth2"
)

// OAuth is an application that is registered at Mixcloud, by hand, under
// https://www.mixcloud.com/developers/create/ (documented). There are no
// scopes, no refresh tokens and no expiry: a token lives until its owner
// revokes it. It is safe for concurrent use and prints without its secret.
type OAuth struct {
	config *secretConfig
	client *http.Client
}

// secretConfig keeps the secret out of whatever prints an OAuth.
type secretConfig struct{ oauth2.Config }

func (*secretConfig) String() string   { return "[redacted]" }
func (*secretConfig) GoString() string { return "[redacted]" }

// An OAuthError is Mixcloud's refusal of a code.
type OAuthError struct {
	Status  int
	Message string // the site's own words, as plain as [Error.Message]
}

// Error says what was refused.
func (e *OAuthError) Error() string {
	return fmt.Sprintf("mixcloud: the code was refused (%d): %s", e.Status, e.Message)
}

// OAuth returns the application with that id and secret at the client's site.
func (c *Client) OAuth(clientID, clientSecret string) *OAuth {
	site := strings.TrimSuffix(c.site.String(), "/")
	transport := c.http.Transport
	return &OAuth{
		config: &secretConfig{oauth2.Config{
			ClientID: clientID, ClientSecret: clientSecret,
			Endpoint: oauth2.Endpoint{
				AuthURL: site + "/oauth/authorize", TokenURL: site + "/oauth/access_token",
				AuthStyle: oauth2.AuthStyleInParams,
			},
		}},
		client: &http.Client{
			Transport:     tokenAnswers{transport, c.userAgent},
			Timeout:       c.http.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// AuthorizationURL is where a person allows the application to act for them.
// Mixcloud gives no state back (observed): whatever must come back has to stand
// in redirectURI itself, which the exchange must repeat to the letter.
func (o *OAuth) AuthorizationURL(redirectURI string) string {
	query := url.Values{"client_id": {o.config.ClientID}, "redirect_uri": {redirectURI}}
	return o.config.Endpoint.AuthURL + "?" + query.Encode()
}

// Exchange turns the code that a person came back with into their token. A
// code that is refused is an [*OAuthError]; everything else an [*Error].
func (o *OAuth) Exchange(ctx context.Context, code, redirectURI string) (string, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, o.client)
	token, err := o.config.Exchange(ctx, code, oauth2.SetAuthURLParam("redirect_uri", redirectURI))
	if err == nil {
		return token.AccessToken, nil
	}
	if refused, ok := errors.AsType[*OAuthError](err); ok {
		return "", refused
	}
	if failed, ok := errors.AsType[*Error](err); ok {
		failed.Op = "Exchange"
		return "", failed
	}
	// Whatever x/oauth2 says may quote the request, secret included.
	failed := broken(ctx, errors.New("the token endpoint could not be asked"))
	if inner, ok := errors.AsType[*url.Error](err); ok {
		failed = broken(ctx, inner)
	}
	failed.Op = "Exchange"
	return "", failed
}

// tokenAnswers bears Mixcloud's ways: the answer is JSON or url-encoded under
// any content type, and an error is a string. What it lets through is JSON as
// RFC 6749 has it.
type tokenAnswers struct {
	base  http.RoundTripper
	agent string
}

const maxTokenAnswer = 64 << 10

func (t tokenAnswers) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", t.agent)
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenAnswer))
	if err != nil {
		return nil, cutShort(req.Context(), err)
	}
	token, failed := readToken(resp.StatusCode, resp.Header, body)
	if failed != nil {
		return nil, failed
	}
	answer := `{"token_type":"bearer","access_token":` + strconv.Quote(token) + `}`
	resp.Header = http.Header{"Content-Type": {"application/json"}}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader([]byte(answer))), int64(len(answer))
	return resp, nil
}

// readToken judges an answer of the token endpoint.
func readToken(status int, header http.Header, body []byte) (string, error) {
	v, failed := readJSON(status, header, body)
	if failed == nil {
		if token := v.member("access_token").text(); plainToken(token) {
			return token, nil
		}
		return "", &Error{Kind: ErrBadResponse, Status: status, Err: errors.New("the answer has no token")}
	}
	if form, err := url.ParseQuery(strings.TrimSpace(string(body))); err == nil && status/100 == 2 && plainToken(form.Get("access_token")) {
		return form.Get("access_token"), nil
	}
	if status/100 == 4 && failed.Message != "" && !errors.Is(failed.Kind, ErrRateLimited) {
		return "", &OAuthError{Status: status, Message: plain(scrub(failed.Message, nil), maxMessage)}
	}
	failed.Message = plain(scrub(failed.Message, nil), maxMessage)
	return "", failed
}

// plainToken tells whether a token can stand in a query and a header as it is.
func plainToken(token string) bool {
	return token != "" && len(token) <= 1024 && !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}
