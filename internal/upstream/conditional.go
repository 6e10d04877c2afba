package upstream

import (
	"context"
	"net/http"
)

// A validator is what an answer can be asked for anew with: "send it only if it
// is another one". Mixcloud was never seen to send any.
type validator struct{ etag, modified string }

// An exchange is what passes between a read and the client's transport beside
// what the client knows of. It belongs to one call.
type exchange struct {
	known     validator // of what is kept
	got       validator // of what was answered
	unchanged bool      // what is kept is still right
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// Conditional makes a client's calls conditional where an upstream offers
// validators (RFC 9110, 13.1): what is kept and has an ETag or a Last-Modified
// is asked for with If-None-Match or If-Modified-Since, and a 304 makes it fresh
// again. It is a middleware for [mixcloud.WithMiddleware]; a store whose client
// is without it fetches everything whole.
func Conditional(next http.RoundTripper) http.RoundTripper { return conditional{next} }

type conditional struct{ next http.RoundTripper }

// RoundTrip makes one call.
func (c conditional) RoundTrip(r *http.Request) (*http.Response, error) {
	x, ok := r.Context().Value(exchangeKey{}).(*exchange)
	if !ok || r.Method != http.MethodGet {
		return c.next.RoundTrip(r)
	}
	if x.known != (validator{}) {
		r = r.Clone(r.Context()) // a transport may not change its caller's request
		if x.known.etag != "" {
			r.Header.Set("If-None-Match", x.known.etag)
		}
		if x.known.modified != "" {
			r.Header.Set("If-Modified-Since", x.known.modified)
		}
	}
	resp, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	x.got = validator{resp.Header.Get("Etag"), resp.Header.Get("Last-Modified")}
	if resp.StatusCode == http.StatusNotModified && x.known != (validator{}) {
		x.unchanged = true
		if x.got == (validator{}) {
			x.got = x.known
		}
	}
	return resp, nil
}
