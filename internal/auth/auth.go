// Package auth finds out on whose behalf a request is made, and signs people in.
//
// A viewer comes in one of two ways: with a Mixcloud access token that the
// client sends as a bearer token, or with the cookie that signing in at Mixcloud
// through /oauth/login has left in the browser, see [SignIn]. The token is
// opaque here, and only Mixcloud can tell whether it is any good.
package auth

import (
	"context"
	"net/http"

	"mixcloud-graphql/internal/accept"
	"mixcloud-graphql/internal/gqlerr"
)

// A viewer is what a request's context knows of whom it acts for.
type viewer struct {
	token, audience string
	exchanged       bool
}

type viewerKey struct{}

// Token returns the token that ctx acts with, or "" for nobody. It is a
// secret: it must reach neither a log nor an error.
func Token(ctx context.Context) string {
	v, _ := ctx.Value(viewerKey{}).(viewer)
	return v.token
}

// Exchanged reports whether the token came from this server's own OAuth exchange,
// which a session cookie tells: nobody else can seal one.
func Exchanged(ctx context.Context) bool {
	v, _ := ctx.Value(viewerKey{}).(viewer)
	return v.exchanged
}

// Audience names whose eyes an answer is for: the same for every request with
// the same token, "" for nobody, and telling nothing about the token. See
// [Keys.Audience].
func Audience(ctx context.Context) string {
	v, _ := ctx.Value(viewerKey{}).(viewer)
	return v.audience
}

// preflighted are headers that a page of another site cannot make a browser send
// along with a cookie: it would need a preflight request, which this server answers
// without Access-Control-Allow-Credentials, except for the origins of --allow-origin.
var preflighted = []string{"Graphql-Require-Preflight", "Apollo-Require-Preflight", "X-Requested-With", "X-Apollo-Operation-Name"}

// Preflighted reports whether a request has a header that only a page of this
// origin, or of an origin that is allowed to use the cookie, or a program outside of
// browsers can have sent. Sec-Fetch-Site is such a header: browsers write it
// themselves. It is what an EventSource of our own page has, which cannot send others.
func Preflighted(r *http.Request) bool {
	for _, name := range preflighted {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return r.Header.Get("Sec-Fetch-Site") == "same-origin"
}

// Viewer is middleware that finds out for whom a request acts, and puts it into
// the request's context.
//
// An Authorization header is read as RFC 6750 has it. One that is there and is
// no single well-formed bearer token is refused with 401: answering for nobody
// instead would hide the client's mistake. Without the header the session cookie
// counts, if the request is also [Preflighted]; otherwise it runs for nobody. A
// cookie that cannot be opened is ignored and taken back. Cookies is nil where
// nobody can sign in.
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
				r = r.WithContext(context.WithValue(r.Context(), viewerKey{}, viewer{token, keys.Audience(token), exchanged}))
			}
			next.ServeHTTP(w, r)
		})
	}
}

func refuseBearer(w http.ResponseWriter, r *http.Request, problem string) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="mixcloud-graphql", error="invalid_token", error_description="`+problem+`"`)
	gqlerr.Write(w, r, http.StatusUnauthorized, gqlerr.Unauthenticated(
		"The Authorization header is not usable: "+problem+`. Send it once, as "Authorization: Bearer <token>", or leave it out.`))
}
