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

// siteQueryKey is the context key of a query with an application's secret, which
// is sent to the site only.
type siteQueryKey struct{}

func withSiteQuery(ctx context.Context, query string) context.Context {
	return context.WithValue(ctx, siteQueryKey{}, credential(&query))
}

// A tokenTransport adds the token, or the secret of an application, to the query
// of a request. It is below all middleware, which could log the URL. Mixcloud
// accepts a token only in the query (client code).
type tokenTransport struct {
	base      http.RoundTripper
	api, site *url.URL // the only base URLs to which a token or an application's secret is sent
}

// secretQuery returns the parameters to add to the query of a request, or "".
func (t *tokenTransport) secretQuery(req *http.Request) string {
	if token, _ := req.Context().Value(tokenKey{}).(credential); token != nil && sameOrigin(req.URL, t.api) {
		return "access_token=" + url.QueryEscape(*token)
	}
	if query, _ := req.Context().Value(siteQueryKey{}).(credential); query != nil && sameOrigin(req.URL, t.site) {
		return *query
	}
	return ""
}

func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// RoundTrip sends a copy of the request with the secret.
func (t *tokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	query := t.secretQuery(req)
	if query == "" {
		resp, err := t.base.RoundTrip(req)
		return dropBadLocation(resp), err
	}
	u := *req.URL
	if u.RawQuery != "" {
		query = u.RawQuery + "&" + query
	}
	u.RawQuery = query
	sent := req.WithContext(req.Context()) // a copy that shares the headers
	sent.URL = &u
	resp, err := t.base.RoundTrip(sent)
	if resp != nil {
		resp.Request = req // the request without the token, for callers that read it
	}
	return dropBadLocation(resp), err
}

// dropBadLocation removes a Location that is not a valid URL, since net/http
// would return an error without the status.
func dropBadLocation(resp *http.Response) *http.Response {
	if resp == nil || resp.Header.Get("Location") == "" {
		return resp
	}
	if _, err := url.Parse(resp.Header.Get("Location")); err != nil {
		resp.Header.Del("Location")
	}
	return resp
}
