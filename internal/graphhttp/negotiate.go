package graphhttp

import (
	"mime"
	"net/http"
	"strings"

	"mixcloud-graphql/internal/accept"
)

// The media types of a response, see [accept].
const (
	mediaGraphQL = accept.GraphQL
	mediaJSON    = accept.JSON
	mediaEvents  = accept.Events
)

// isJSON reports whether a request body is JSON in UTF-8, the only kind accepted. Forms and
// plain text are refused, because a cross-site page can send them without a preflight request.
func isJSON(r *http.Request) bool {
	if r.Header.Get("Content-Type") == mediaJSON { // fast path
		return true
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != mediaJSON {
		return false
	}
	charset := params["charset"]
	return charset == "" || strings.EqualFold(charset, "utf-8")
}
