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

// OAuth obtains access tokens for a registered application. Applications are
// registered at https://www.mixcloud.com/developers/create/ (documented).
// Mixcloud has no scopes, refresh tokens or expiry: a token is valid until its
// owner revokes it. An OAuth is safe for concurrent use. Its formatted value (%v)
// omits the secret.
type OAuth struct {
	core   *core
	client *http.Client
	id     string
	secret credential
}

// An OAuthError reports that Mixcloud did not accept a code or the application.
// Only the message distinguishes the two cases. Mixcloud's messages were never
// recorded.
type OAuthError struct {
	Status  int
	Message string // Mixcloud's own message, for logs; see [Error.Message]
}

// Error returns a description for logs.
func (e *OAuthError) Error() string {
	return fmt.Sprintf("mixcloud: the code was refused (%d): %s", e.Status, e.Message)
}

// The paths of OAuth's two endpoints, relative to the base URL of the site. They
// do not end in a slash (documented).
const (
	authorizePath   = "/oauth/authorize"
	accessTokenPath = "/oauth/access_token" //nolint:gosec // a path, not a token
)

// OAuth returns an [OAuth] for the application with the given id and secret. It
// uses the client's site URL, timeout, middleware and observer.
func (c *Client) OAuth(clientID, clientSecret string) *OAuth {
	return &OAuth{
		core:   c.core,
		id:     clientID,
		secret: &clientSecret,
		client: &http.Client{
			Transport:     exchangeTransport{c.http.Transport, c.userAgent},
			Timeout:       c.http.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// String returns the id of the application.
func (o *OAuth) String() string {
	return "OAuth application " + o.id + " at " + o.core.site.String()
}

// AuthorizationURL returns the URL at which a user allows the application to act
// for them. Mixcloud then redirects the user to redirectURI with a code. Mixcloud
// does not return a state parameter (observed): include the state in redirectURI.
// [OAuth.Exchange] needs exactly the same redirectURI.
func (o *OAuth) AuthorizationURL(redirectURI string) string {
	query := url.Values{"client_id": {o.id}, "redirect_uri": {redirectURI}}
	return o.core.site.String() + authorizePath + "?" + query.Encode()
}

// Exchange exchanges the code of a redirect for a token. If Mixcloud does not
// accept the code the error is an [*OAuthError]; any other failure of the call is
// an [*Error]. Neither contains the code, the secret or a token. A code works
// once, so Exchange does not retry.
//
// The parameters are sent as a form (client code), so that logs of URLs do not
// contain the secret. If Mixcloud responds with 405 or 501 they are sent as the
// query of a GET, as documented.
func (o *OAuth) Exchange(ctx context.Context, code, redirectURI string) (string, error) {
	switch {
	case code == "":
		return "", &InvalidError{Arg: "code", Reason: "is empty"}
	case !o.core.insecure && !confidential(o.core.site):
		return "", &InvalidError{Arg: "site", Reason: "must use https, because a secret is sent to it"}
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
			refused.Message = sanitize(refused.Message, secretOf(secret), maxTokenResponse)
		}
		refused.Message = cut(refused.Message, maxMessage)
		return "", refused
	}
	// Only the inner error is returned: x/oauth2's wrapper may quote the request.
	failed, ok := errors.AsType[*Error](err)
	if !ok {
		failed = transportError(ctx, err)
	}
	for _, secret := range secrets {
		err = sanitizeError(failed, request{op: "Exchange", token: secretOf(secret)}, 0)
	}
	return "", err
}

// secretOf returns secret as an argument of sanitize, or nil if it is empty.
func secretOf(secret string) credential {
	if secret == "" {
		return nil
	}
	return &secret
}

// exchangeKey is the context key of the Call that describes an exchange.
type exchangeKey struct{}

// An exchangeTransport converts Mixcloud's token responses to those of RFC 6749,
// which x/oauth2 understands. Mixcloud's response is JSON or URL-encoded with any
// content type, and its error is a string.
type exchangeTransport struct {
	base  http.RoundTripper
	agent string
}

const maxTokenResponse = 64 << 10

// RoundTrip sends the parameters as a form. If the server does not accept that,
// it sends them as a query.
func (t exchangeTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	form := req.Clone(req.Context())
	form.Header.Set("User-Agent", t.agent)
	form.Header.Set("Accept", "application/json, text/javascript;q=0.9, */*;q=0.1")
	resp, err := t.send(form)
	if err != nil || resp.StatusCode != http.StatusMethodNotAllowed && resp.StatusCode != http.StatusNotImplemented {
		return t.convert(req, resp, err)
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
	return t.convert(req, resp, err)
}

// send sends one request and adds its method and status to the observer's Call.
func (t exchangeTransport) send(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if call, _ := req.Context().Value(exchangeKey{}).(*Call); call != nil && err == nil {
		call.Method, call.Status = req.Method, resp.StatusCode
	}
	return resp, err
}

// parameters returns the form of a request.
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

// convert returns a response that x/oauth2 understands, or an error.
func (t exchangeTransport) convert(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenResponse+1))
	if call, _ := req.Context().Value(exchangeKey{}).(*Call); call != nil {
		call.Bytes = len(body)
	}
	switch {
	case len(body) > maxTokenResponse:
		return nil, &Error{Kind: tooLargeKind(resp.StatusCode), Status: resp.StatusCode, Err: errTooLarge}
	case err != nil && (resp.StatusCode < 300 || req.Context().Err() != nil):
		return nil, truncatedError(req.Context(), err)
	}
	token, err := readToken(resp.StatusCode, resp.Header, body)
	if err != nil {
		return nil, err
	}
	content := `{"token_type":"bearer","access_token":` + strconv.Quote(token) + `}`
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: resp.Proto, ProtoMajor: resp.ProtoMajor, ProtoMinor: resp.ProtoMinor,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(strings.NewReader(content)),
		ContentLength: int64(len(content)),
		Request:       req,
	}, nil
}

// readToken reads the token from a response of the token endpoint.
func readToken(status int, header http.Header, body []byte) (string, error) {
	v, failed := readJSON(status, header, body)
	if failed == nil {
		if token := v.member("access_token").text(); validToken(token) {
			return token, nil
		}
		return "", &Error{Kind: ErrBadResponse, Status: status, Err: errors.New("the response has no token")}
	}
	quoted, _ := failed.Err.(quotedError)
	message := cmp.Or(failed.Message, string(quoted))
	if body = bytes.TrimSpace(body); !bytes.HasPrefix(body, []byte("<")) {
		// The documentation shows a URL-encoded form.
		if form, err := url.ParseQuery(string(body)); err == nil {
			if token := form.Get("access_token"); status/100 == 2 && validToken(token) {
				return token, nil
			}
			message = cmp.Or(message, form.Get("error"))
		}
	}
	if message != "" && status < 500 && !errors.Is(failed.Kind, ErrRateLimited) {
		return "", &OAuthError{Status: status, Message: message}
	}
	return "", failed
}

// validToken reports whether a token needs no escaping in a query or a header.
func validToken(token string) bool {
	return token != "" && len(token) <= 1024 && !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}
