package mixcloud

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// OAuth gets tokens for an application, which is registered by hand at
// https://www.mixcloud.com/developers/create/ (documented). Mixcloud has no
// scopes, refresh tokens or expiry: a token is valid until its owner revokes it.
// An OAuth is safe for concurrent use, and prints without its secret.
type OAuth struct {
	core   *core
	client *http.Client
	id     string
	secret credential // a pointer, so that printing the struct around it shows an address
}

// An OAuthError reports that Mixcloud did not accept a code or the application.
// Only the message tells which. Mixcloud's messages were never recorded.
type OAuthError struct {
	Status  int
	Message string // Mixcloud's own message, for logs; see [Error.Message]
}

// Error returns a description for logs.
func (e *OAuthError) Error() string {
	return fmt.Sprintf("mixcloud: the code was refused (%d): %s", e.Status, e.Message)
}

// Where OAuth's two endpoints are below the site's root, without a slash at
// their ends (documented).
const (
	authorizePath   = "/oauth/authorize"
	accessTokenPath = "/oauth/access_token" //nolint:gosec // an address, no token
)

// OAuth returns the OAuth endpoints for the application with the given id and
// secret. Its calls use the client's site root, timeout, middleware and observer.
func (c *Client) OAuth(clientID, clientSecret string) *OAuth {
	return &OAuth{
		core:   c.core,
		id:     clientID,
		secret: &clientSecret,
		client: &http.Client{
			Transport:     tokenAnswers{c.http.Transport, c.userAgent},
			Timeout:       c.http.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// String returns the id of the application.
func (o *OAuth) String() string {
	return "OAuth application " + o.id + " at " + o.core.site.String()
}

// AuthorizationURL returns the address at which a user allows the application to
// act for them. Mixcloud then redirects the user to redirectURI with a code.
// Mixcloud does not return a state parameter (observed): put it into redirectURI.
// [OAuth.Exchange] needs exactly the same redirectURI.
func (o *OAuth) AuthorizationURL(redirectURI string) string {
	query := url.Values{"client_id": {o.id}, "redirect_uri": {redirectURI}}
	return o.core.site.String() + authorizePath + "?" + query.Encode()
}

// Exchange returns the token for the code that a user was redirected with. If
// Mixcloud does not accept the code the error is an [*OAuthError]; any other
// failure of the call is an [*Error]. Neither contains the code, the secret or a
// token. A code works once, so Exchange does not retry.
//
// The parameters are sent as a form (client code), so that no log of addresses
// has the secret. If Mixcloud responds with 405 or 501 they are sent as the query
// of a GET, as documented.
func (o *OAuth) Exchange(ctx context.Context, code, redirectURI string) (string, error) {
	switch {
	case code == "":
		return "", &InvalidError{Arg: "code", Reason: "is empty"}
	case !o.core.insecure && !confidential(o.core.site):
		return "", &InvalidError{Arg: "site", Reason: "is reached over plain http, which no secret travels over"}
	}
	began := time.Now()
	call := &Call{Op: "Exchange", Method: http.MethodPost, Path: accessTokenPath}
	token, err := o.exchange(context.WithValue(ctx, exchangeKey{}, call), code, redirectURI)
	if o.core.observe != nil {
		call.Duration, call.Err = time.Since(began), err
		o.core.observe(*call)
	}
	return token, err
}

func (o *OAuth) exchange(ctx context.Context, code, redirectURI string) (string, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, o.client)
	config := oauth2.Config{
		ClientID: o.id, ClientSecret: *o.secret, RedirectURL: redirectURI,
		Endpoint: oauth2.Endpoint{TokenURL: o.core.site.String() + accessTokenPath, AuthStyle: oauth2.AuthStyleInParams},
	}
	token, err := config.Exchange(ctx, code)
	if err == nil {
		return token.AccessToken, nil
	}
	secrets := []string{*o.secret, code}
	if refused, ok := errors.AsType[*OAuthError](err); ok {
		for _, secret := range secrets {
			refused.Message = plain(refused.Message, secretOf(secret), maxTokenAnswer)
		}
		refused.Message = cut(refused.Message, maxMessage)
		return "", refused
	}
	// What x/oauth2 wraps around an error may quote the request.
	failed, ok := errors.AsType[*Error](err)
	if !ok {
		failed = broken(ctx, err)
	}
	for _, secret := range secrets {
		err = finish(failed, request{op: "Exchange", token: secretOf(secret)}, 0)
	}
	return "", err
}

// secretOf is what scrub takes: nil for nothing to look for.
func secretOf(secret string) credential {
	if secret == "" {
		return nil
	}
	return &secret
}

// exchangeKey is the context key of the Call that an exchange makes.
type exchangeKey struct{}

// tokenAnswers bears Mixcloud's ways: the answer is JSON or url-encoded under
// any content type, and an error is a string. What it lets through is JSON as
// RFC 6749 has it.
type tokenAnswers struct {
	base  http.RoundTripper
	agent string
}

const maxTokenAnswer = 64 << 10

// RoundTrip sends the form, and once more as a query if no form is taken.
func (t tokenAnswers) RoundTrip(req *http.Request) (*http.Response, error) {
	form := req.Clone(req.Context())
	form.Header.Set("User-Agent", t.agent)
	form.Header.Set("Accept", "application/json, text/javascript;q=0.9, */*;q=0.1")
	resp, err := t.send(form)
	if err != nil || resp.StatusCode != http.StatusMethodNotAllowed && resp.StatusCode != http.StatusNotImplemented {
		return t.judge(req, resp, err)
	}
	_ = resp.Body.Close()
	query, err := parameters(req)
	if err != nil {
		return nil, err
	}
	get := req.Clone(withSiteQuery(req.Context(), query))
	get.Method, get.Body, get.GetBody, get.ContentLength = http.MethodGet, nil, nil, 0
	get.Header = form.Header.Clone()
	get.Header.Del("Content-Type")
	resp, err = t.send(get)
	return t.judge(req, resp, err)
}

// send sends one request and tells the observer's Call of it.
func (t tokenAnswers) send(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if call, _ := req.Context().Value(exchangeKey{}).(*Call); call != nil && err == nil {
		call.Method, call.Status = req.Method, resp.StatusCode
	}
	return resp, err
}

// parameters reads the form of a request again.
func parameters(req *http.Request) (string, error) {
	if req.GetBody == nil {
		return "", errors.New("the form cannot be sent again")
	}
	body, err := req.GetBody()
	if err != nil {
		return "", err
	}
	defer body.Close()
	form, err := io.ReadAll(body)
	return string(form), err
}

// judge makes of an answer one that x/oauth2 understands, or an error.
func (t tokenAnswers) judge(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenAnswer+1))
	if call, _ := req.Context().Value(exchangeKey{}).(*Call); call != nil {
		call.Bytes = len(body)
	}
	switch {
	case len(body) > maxTokenAnswer:
		return nil, &Error{Kind: tooLargeKind(resp.StatusCode), Status: resp.StatusCode, Err: errTooLarge}
	case err != nil && (resp.StatusCode < 300 || req.Context().Err() != nil):
		return nil, cutShort(req.Context(), err)
	}
	token, err := readToken(resp.StatusCode, resp.Header, body)
	if err != nil {
		return nil, err
	}
	answer := `{"token_type":"bearer","access_token":` + strconv.Quote(token) + `}`
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: resp.Proto, ProtoMajor: resp.ProtoMajor, ProtoMinor: resp.ProtoMinor,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(strings.NewReader(answer)),
		ContentLength: int64(len(answer)),
		Request:       req,
	}, nil
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
	quoted, _ := failed.Err.(quotedError)
	words := cmp.Or(failed.Message, string(quoted))
	if body = bytes.TrimSpace(body); !bytes.HasPrefix(body, []byte("<")) {
		// A form is what the documentation shows; a broken one has no members.
		if form, err := url.ParseQuery(string(body)); err == nil {
			if token := form.Get("access_token"); status/100 == 2 && plainToken(token) {
				return token, nil
			}
			words = cmp.Or(words, form.Get("error"))
		}
	}
	if words != "" && status < 500 && !errors.Is(failed.Kind, ErrRateLimited) {
		return "", &OAuthError{Status: status, Message: words}
	}
	return "", failed
}

// plainToken tells whether a token can stand in a query and a header as it is.
func plainToken(token string) bool {
	return token != "" && len(token) <= 1024 && !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}
