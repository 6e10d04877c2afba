package gqlerr

import (
	"encoding/json"
	"net/http"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Write answers a request that no operation could be made of: status, and err
// in the form of a GraphQL response without data. The body is JSON whatever
// the client accepts, so that every client can show it.
func Write(w http.ResponseWriter, r *http.Request, status int, err error) {
	body, _ := json.Marshal(struct { // its parts are strings, numbers and flags
		Errors gqlerror.List `json:"errors"`
	}{gqlerror.List{Public(r.Context(), err)}})
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client is gone: nobody is left to tell
}
