package gqlerr

import (
	"encoding/json"
	"net/http"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/accept"
)

// Write refuses a request with a status and err as a GraphQL response without data, in the
// media type that the client accepts. A client that accepts none of them gets JSON, so that
// every client can show the error.
func Write(w http.ResponseWriter, r *http.Request, status int, err error) {
	body, _ := json.Marshal(struct { // it contains only strings, numbers and booleans
		Errors gqlerror.List `json:"errors"`
	}{gqlerror.List{Public(r.Context(), err)}})
	h := w.Header()
	h.Set("Content-Type", accept.Of(r).MediaOrJSON()+"; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	accept.Vary(h, "Accept")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // an error means that the client has disconnected
}
