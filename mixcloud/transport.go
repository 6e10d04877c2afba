package mixcloud

import (
	"context"
	"net/http"
	"net/url"
)

// tokenKey is the context key of the token that a call is made with.
type tokenKey struct{}

func withToken(ctx context.Context, token credential) context.Context {
	if token == nil {
		return ctx
	}
	return context.WithValue(ctx, tokenKey{}, token)
}

// tokenTransport adds the token to the query of a request, below everything
// that could log or quote its address. Mixcloud takes a token nowhere else:
// not in a header, not in a body (observed by clients).
type tokenTransport struct {
	base http.RoundTripper
	host *url.URL // the only one that is shown a token
}

// RoundTrip sends a copy of the request that has the token.
func (t *tokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	token, _ := req.Context().Value(tokenKey{}).(credential)
	if token == nil || req.URL.Scheme != t.host.Scheme || req.URL.Host != t.host.Host {
		return t.base.RoundTrip(req)
	}
	sent := req.Clone(req.Context())
	query := "access_token=" + url.QueryEscape(*token)
	if sent.URL.RawQuery != "" {
		query = sent.URL.RawQuery + "&" + query
	}
	sent.URL.RawQuery = query
	resp, err := t.base.RoundTrip(sent)
	if resp != nil {
		resp.Request = req // without the token, for whoever reads it from the response
	}
	return resp, err
}
