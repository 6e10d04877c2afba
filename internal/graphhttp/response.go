package graphhttp

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/internal/accept"
)

// A jsonResponse is a response that is ready to be sent, in any JSON media type.
type jsonResponse struct {
	status int
	body   []byte
}

// encode returns the body of resp, in a buffer that may be freed. It copies the data, which is
// JSON already: marshaling the whole response would parse it again.
func encode(resp *graphql.Response) []byte {
	b := append(newBuffer(len(resp.Data)+64), '{')
	if len(resp.Errors) > 0 {
		b = appendMember(b, "errors", resp.Errors)
	}
	if resp.Data != nil { // absent, not null, if nothing was executed
		b = append(appendName(b, "data"), resp.Data...)
	}
	if len(resp.Extensions) > 0 {
		b = appendMember(b, "extensions", resp.Extensions)
	}
	return append(b, '}')
}

// write sends a response. An error means that the client has left, and that the body may still be
// in use.
func write(w http.ResponseWriter, r *http.Request, media string, a jsonResponse) error {
	h := w.Header()
	h["Content-Type"] = contentType(media)
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	if age := statsFrom(r.Context()).maxAge(r, a.status); age > 0 {
		h.Set("Cache-Control", "public, max-age="+strconv.FormatInt(age, 10))
		h.Set("ETag", entityTag(media, a.body))
	} else {
		h["Cache-Control"] = noStore // the next request for the same URL may have a different caller
	}
	accept.Vary(h, "Accept")
	w.WriteHeader(a.status)
	return send(w, a.body)
}

// appendMember appends a member. This server and gqlgen set only errors and extensions that can
// be marshaled.
func appendMember(b []byte, name string, value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return append(appendName(b, name), text...)
}

// appendName appends the name of a member, after a comma unless it is the first.
func appendName(b []byte, name string) []byte {
	if len(b) > 1 {
		b = append(b, ',')
	}
	return append(append(append(b, '"'), name...), `":`...)
}
