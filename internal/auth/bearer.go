// Package auth finds out on whose behalf a request is made. For now that is a
// Mixcloud access token that the client sends as a bearer token; the token is
// opaque here, and only Mixcloud can tell whether it is any good.
package auth

import (
	"context"
	"net/http"
	"strings"

	"mixcloud-graphql/internal/gqlerr"
)

// MaxToken is the longest token accepted, in bytes. Mixcloud's have 32.
const MaxToken = 1024

type tokenKey struct{}

// WithToken returns a context whose operations act for the holder of token.
// With "" they act for nobody.
func WithToken(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, tokenKey{}, token)
}

// Token returns the token that ctx acts with, or "" for nobody. It is a
// secret: it must reach neither a log nor an error.
func Token(ctx context.Context) string {
	token, _ := ctx.Value(tokenKey{}).(string)
	return token
}

// Bearer is middleware that reads the Authorization header as RFC 6750 has it.
// No header means nobody. A header that is there and is no single well-formed
// bearer token is refused with 401: answering for nobody instead would hide
// the client's mistake.
func Bearer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers := r.Header["Authorization"]
		if len(headers) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		token, problem := parse(headers)
		if problem != "" {
			w.Header().Set("WWW-Authenticate", `Bearer realm="mixcloud-graphql", error="invalid_token", error_description="`+problem+`"`)
			gqlerr.Write(w, r, http.StatusUnauthorized, gqlerr.Unauthenticated(
				"The Authorization header is not usable: "+problem+`. Send it once, as "Authorization: Bearer <token>", or leave it out.`))
			return
		}
		next.ServeHTTP(w, r.WithContext(WithToken(r.Context(), token)))
	})
}

// parse returns the one token of headers, or what is wrong with them. The
// problem never quotes what was sent.
func parse(headers []string) (token, problem string) {
	if len(headers) > 1 {
		return "", "there are several of it"
	}
	scheme, token, found := strings.Cut(strings.TrimSpace(headers[0]), " ")
	token = strings.TrimLeft(token, " ")
	switch {
	case !strings.EqualFold(scheme, "Bearer"):
		return "", "its scheme is not Bearer"
	case !found || token == "":
		return "", "it has no token"
	case len(token) > MaxToken:
		return "", "the token is too long"
	case !isB64Token(token):
		return "", "the token has characters that a token cannot have"
	}
	return token, ""
}

// isB64Token tells whether s is a b64token: letters, digits and -._~+/ with
// any number of = at its end, and not only those.
func isB64Token(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~+/", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}
