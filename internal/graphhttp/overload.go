package graphhttp

import (
	"errors"
	"net/http"
	"time"

	"mixcloud-graphql/internal/accept"
	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/gqlerr"
)

// overloadBody is the response to an operation that the server has no room for.
// Clients see the same code and members as in any other error.
var overloadBody = []byte(`{"errors":[{"message":"The server has more operations to process than it can. Try again in a second.",` +
	`"extensions":{"code":"` + gqlerr.CodeLimitExceeded + `","retryAfterMs":1000,"retryable":true}}]}`)

// The headers of that response, whose values are shared by all of them.
var (
	overloadJSON    = []string{mediaJSON + "; charset=utf-8"}
	overloadGraphQL = []string{mediaGraphQL + "; charset=utf-8"}
	overloadCache   = []string{"no-store"}
	overloadRetry   = []string{"1"}
	overloadSniff   = []string{"nosniff"}
)

// overload refuses an operation before it is parsed: status 503 and Retry-After in
// every media type, so that proxies and clients that know nothing of GraphQL slow
// down too. The response is made in advance, since a server is refusing exactly
// when it has no time to spare.
func overload(w http.ResponseWriter, r *http.Request, to accept.Types) {
	if e := entryOf(r.Context()); e != nil {
		e.errors, e.code = 1, string(gqlerr.CodeLimitExceeded)
	}
	writeOverload(w, to.Media)
}

// writeOverload writes the response.
func writeOverload(w http.ResponseWriter, media string) {
	h := w.Header()
	h["Content-Type"] = overloadJSON
	if media == mediaGraphQL {
		h["Content-Type"] = overloadGraphQL
	}
	h["Cache-Control"], h["Retry-After"], h["X-Content-Type-Options"] = overloadCache, overloadRetry, overloadSniff
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write(overloadBody) // the client may be gone
}

// statusClientClosed is what the access log has of a request whose client left
// before its operation began. Other servers use the same number.
const statusClientClosed = 499

// enter waits for a slot to compute in, once the request is read and before it is
// parsed. It returns false if the operation was refused or its client has left,
// and the response is written. Leave must be called on the slot, which is nil if
// there is no gate.
func (t runner) enter(w http.ResponseWriter, r *http.Request, to accept.Types) (*admission.Slot, bool) {
	if t.unsent.Full() { // other responses take the memory until their clients read them
		overload(w, r, to)
		return nil, false
	}
	if slot := admission.From(r.Context()); slot != nil || t.gate == nil {
		return slot, true
	}
	slot, err := t.gate.Enter(r.Context())
	switch {
	case err == nil:
		return slot, true
	case errors.Is(err, admission.ErrRefused):
		overload(w, r, to)
	default:
		w.WriteHeader(statusClientClosed)
	}
	return nil, false
}

// refuse is gqlerr.Write for a request that has a slot: it is given back first.
func refuse(slot *admission.Slot, w http.ResponseWriter, r *http.Request, status int, err error) {
	slot.Leave()
	gqlerr.Write(w, r, status, err)
}
