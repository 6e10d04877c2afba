package graphhttp

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/internal/accept"
)

// An answer is a response that is ready to be sent, in any JSON media type.
type answer struct {
	status int
	body   []byte
}

// encode makes the body of resp. Its data is JSON already and is copied as it
// is: marshalling the whole response would parse it again.
func encode(resp *graphql.Response) []byte {
	var b bytes.Buffer
	b.Grow(len(resp.Data) + 64)
	b.WriteByte('{')
	if len(resp.Errors) > 0 {
		member(&b, "errors", resp.Errors)
	}
	if resp.Data != nil { // absent, not null, when nothing was executed
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

// write sends an answer.
func write(w http.ResponseWriter, r *http.Request, media string, a answer) {
	h := w.Header()
	h.Set("Content-Type", media+"; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	if age := ledgerOf(r.Context()).maxAge(r, a.status); age > 0 {
		h.Set("Cache-Control", "public, max-age="+strconv.FormatInt(age, 10))
		h.Set("ETag", entityTag(media, a.body))
	} else {
		h.Set("Cache-Control", "no-store") // the same URL may be somebody else's next
	}
	accept.Vary(h, "Accept")
	w.WriteHeader(a.status)
	_ = send(w, a.body) // the client has left
}

// member appends a member. Errors and extensions hold what this server and
// gqlgen put there, all of which can be marshalled.
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
