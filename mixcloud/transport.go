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

// siteQueryKey is the context key of a query for the site that nobody else may
// see: an application's secret is in it.
type siteQueryKey struct{}

func withSiteQuery(ctx context.Context, query string) context.Context {
	return context.WithValue(ctx, siteQueryKey{}, credential(&query))
}

// tokenTransport adds what is secret to the query of a request, below everything
// that could log or quote its address. Mixcloud takes a token nowhere else:
// not in a header, not in a body (observed by clients).
type tokenTransport struct {
	base      http.RoundTripper
	api, site *url.URL // the only ones that are shown a token, and an application's secret
}

// secret is what must be added to the query of a request; "" for nothing.
func (t *tokenTransport) secret(req *http.Request) string {
	if token, _ := req.Context().Value(tokenKey{}).(credential); token != nil && sameOrigin(req.URL, t.api) {
		return "access_token=" + url.QueryEscape(*token)
	}
	if query, _ := req.Context().Value(siteQueryKey{}).(credential); query != nil && sameOrigin(req.URL, t.site) {
		return *query
	}
	return ""
}

func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// RoundTrip sends a copy of the request that has the secret.
func (t *tokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	query := t.secret(req)
	if query == "" {
		resp, err := t.base.RoundTrip(req)
		return readable(resp), err
	}
	sent := req.Clone(req.Context())
	if sent.URL.RawQuery != "" {
		query = sent.URL.RawQuery + "&" + query
	}
	sent.URL.RawQuery = query
	resp, err := t.base.RoundTrip(sent)
	if resp != nil {
		resp.Request = req // without the token, for whoever reads it from the response
	}
	return readable(resp), err
}

// readable drops a Location that is no address: net/http would turn the answer
// into an error without its status.
func readable(resp *http.Response) *http.Response {
	if resp != nil {
		if _, err := url.Parse(resp.Header.Get("Location")); err != nil {
			resp.Header.Del("Location")
		}
	}
	return resp
}
