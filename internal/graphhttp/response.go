package graphhttp

import (
	"bytes"
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

// encode returns the body of resp. It copies the data, which is JSON already: marshaling the
// whole response would parse it again.
func encode(resp *graphql.Response) []byte {
	var b bytes.Buffer
	b.Grow(len(resp.Data) + 64)
	b.WriteByte('{')
	if len(resp.Errors) > 0 {
		member(&b, "errors", resp.Errors)
	}
	if resp.Data != nil { // absent, not null, if nothing was executed
		comma(&b)
		b.WriteString(`"data":`)
		b.Write(resp.Data)
	}
	if len(resp.Extensions) > 0 {
		member(&b, "extensions", resp.Extensions)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// write sends a response.
func write(w http.ResponseWriter, r *http.Request, media string, a jsonResponse) {
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
	_ = send(w, a.body) // an error means that the client has left
}

// member appends a member. This server and gqlgen set only errors and extensions that can be
// marshaled.
func member(b *bytes.Buffer, name string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	comma(b)
	b.WriteByte('"')
	b.WriteString(name)
	b.WriteString(`":`)
	b.Write(text)
}

func comma(b *bytes.Buffer) {
	if b.Len() > 1 {
		b.WriteByte(',')
	}
}
