package graphhttp

import (
	"errors"
	"net/http"
	"time"

	"mixcloud-graphql/internal/accept"
	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/gqlerr"
)

// overloadBody is the response to an operation that is refused because of overload. It has the
// same code and members as other errors.
var overloadBody = []byte(`{"errors":[{"message":"The server is overloaded. Try again in a second.",` +
	`"extensions":{"code":"` + gqlerr.CodeLimitExceeded + `","retryAfterMs":1000,"retryable":true}}]}`)

// The headers of that response. All responses share the values: a handler may replace them, but
// not modify them.
var (
	typeJSON      = []string{mediaJSON + "; charset=utf-8"}
	typeGraphQL   = []string{mediaGraphQL + "; charset=utf-8"}
	noStore       = []string{"no-store"}
	overloadRetry = []string{"1"}
	overloadSniff = []string{"nosniff"}
)

// contentType returns the header values of Content-Type for a media type.
func contentType(media string) []string {
	if media == mediaGraphQL {
		return typeGraphQL
	}
	return typeJSON
}

// overload refuses an operation before it is parsed: status 503 and Retry-After in every media
// type, so that proxies and clients without GraphQL support slow down too. The response is
// prepared in advance, because an overloaded server must spend little time on a refusal.
func overload(w http.ResponseWriter, r *http.Request, to accept.Types) {
	if e := logEntryFrom(r.Context()); e != nil {
		e.errors, e.code = 1, string(gqlerr.CodeLimitExceeded)
	}
	writeOverload(w, to.Media)
}

// writeOverload writes the response.
func writeOverload(w http.ResponseWriter, media string) {
	h := w.Header()
	h["Content-Type"] = contentType(media)
	h["Cache-Control"], h["Retry-After"], h["X-Content-Type-Options"] = noStore, overloadRetry, overloadSniff
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write(overloadBody) // an error means that the client has left
}

// statusClientClosed is the status in the access log of a request whose client left before its
// operation started. nginx uses the same number.
const statusClientClosed = 499

// enter waits for a slot after the request is read and before it is parsed. It returns false if
// it has already responded, because the operation was refused or its client has left. The
// caller must call Close on the slot, which is nil if there is no controller.
func (t runner) enter(w http.ResponseWriter, r *http.Request, to accept.Types) (*admission.Slot, bool) {
	if t.unsent.Full() { // unsent responses take all the memory
		overload(w, r, to)
		return nil, false
	}
	if slot := admission.FromContext(r.Context()); slot != nil || t.controller == nil {
		return slot, true
	}
	slot, err := t.controller.Admit(r.Context())
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

// refuse is gqlerr.Write for a request that holds a slot. It releases the slot first.
func refuse(slot *admission.Slot, w http.ResponseWriter, r *http.Request, status int, err error) {
	slot.Close()
	gqlerr.Write(w, r, status, err)
}
