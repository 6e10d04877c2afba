// Package auth authenticates requests, and signs users in through Mixcloud's OAuth.
//
// A request has a token in one of two ways: a Mixcloud access token in the Authorization
// header, or a session cookie, which signing in through /oauth/login sets, see [SignIn]. The
// token is opaque to this package: only Mixcloud can validate it.
package auth

import (
	"context"
	"net/http"

	"mixcloud-graphql/internal/accept"
	"mixcloud-graphql/internal/gqlerr"
)

// A viewer is the authenticated caller in a request's context.
type viewer struct {
	token, principal string
	exchanged        bool
}

type viewerKey struct{}

// Token returns the token of the request, or "" if it is anonymous. It is a secret and must
// reach neither a log nor an error.
func Token(ctx context.Context) string {
	v, _ := ctx.Value(viewerKey{}).(viewer)
	return v.token
}

// Exchanged reports whether the token came from this server's own OAuth exchange. Session
// cookies prove it, because only this server can seal them.
func Exchanged(ctx context.Context) bool {
	v, _ := ctx.Value(viewerKey{}).(viewer)
	return v.exchanged
}

// Principal returns an opaque id of the caller: the same for every request with the same token,
// and "" for an anonymous one. It reveals nothing about the token. See [Keys.Principal].
func Principal(ctx context.Context) string {
	v, _ := ctx.Value(viewerKey{}).(viewer)
	return v.principal
}

// preflighted are headers that a cross-site page cannot make a browser send with a cookie: they
// need a preflight request, to which this server responds without
// Access-Control-Allow-Credentials, except for the origins of --allow-origin.
var preflighted = []string{"Graphql-Require-Preflight", "Apollo-Require-Preflight", "X-Requested-With", "X-Apollo-Operation-Name"}

// Preflighted reports whether a request has a header that proves that it is not a cross-site
// request: it came from a page of this origin, a page of an allowed origin, or a program other
// than a browser. Sec-Fetch-Site counts because browsers set it themselves. The EventSource of
// our own page has only this one, since it cannot send others.
func Preflighted(r *http.Request) bool {
	for _, name := range preflighted {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return r.Header.Get("Sec-Fetch-Site") == "same-origin"
}

// Viewer returns middleware that authenticates a request and stores the result in its context.
//
// The Authorization header is parsed as in RFC 6750. If it is not one well-formed bearer token
// the request is refused with 401: running it as anonymous would hide the client's mistake.
// Without the header the session cookie is used, but only if the request is [Preflighted];
// otherwise the request is anonymous. A cookie that cannot be opened is ignored and deleted.
// Cookies is nil if signing in is not configured.
func Viewer(keys *Keys, cookies *Cookies) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, exchanged := "", false
			if headers := r.Header["Authorization"]; len(headers) > 0 {
				var problem string
				if token, problem = parseBearer(headers); problem != "" {
					refuseBearer(w, r, problem)
					return
				}
			} else if cookies != nil {
				accept.Vary(w.Header(), "Cookie")
				if Preflighted(r) {
					session, found := cookies.session(r)
					if found && session == nil {
						cookies.endSession(w)
					}
					if session != nil {
						token, exchanged = session.Token, true
					}
				}
			}
			if token != "" {
				r = r.WithContext(context.WithValue(r.Context(), viewerKey{}, viewer{token, keys.Principal(token), exchanged}))
			}
			next.ServeHTTP(w, r)
		})
	}
}

func refuseBearer(w http.ResponseWriter, r *http.Request, problem string) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="mixcloud-graphql", error="invalid_token", error_description="`+problem+`"`)
	gqlerr.Write(w, r, http.StatusUnauthorized, gqlerr.Unauthenticated(
		"The Authorization header is invalid: "+problem+`. Send one header "Authorization: Bearer <token>", or none.`))
}
