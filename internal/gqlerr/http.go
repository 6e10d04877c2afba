package gqlerr

import (
	"encoding/json"
	"net/http"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/accept"
)

// Write refuses a request: status, and err in the form of a GraphQL response
// without data, in the media type that the client accepts for a response. A
// client that accepts none gets JSON, so that every client can show the error.
func Write(w http.ResponseWriter, r *http.Request, status int, err error) {
	body, _ := json.Marshal(struct { // its parts are strings, numbers and flags
		Errors gqlerror.List `json:"errors"`
	}{gqlerror.List{Public(r.Context(), err)}})
	h := w.Header()
	h.Set("Content-Type", accept.Of(r).MediaOrJSON()+"; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	accept.Vary(h, "Accept")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client is gone: nobody is left to tell
}
