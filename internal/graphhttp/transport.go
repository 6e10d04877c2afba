package graphhttp

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/internal/accept"
	"mixcloud-graphql/internal/gqlerr"
)

// The transports are our own because gqlgen's answer 422 to what should be 200
// or 400, quote the request's body in errors, call a body that is too large a
// success, write "null" when the deadline passes before the operation, and store
// the files of a multipart request before they look at it.

const allowed = "GET, HEAD, POST, OPTIONS"

// options answers OPTIONS, and says by it what else there is.
type options struct{}

func (options) Supports(r *http.Request) bool { return r.Method == http.MethodOptions }

func (options) Do(w http.ResponseWriter, _ *http.Request, _ graphql.GraphExecutor) {
	w.Header().Set("Allow", allowed)
	accept.Vary(w.Header())
	w.WriteHeader(http.StatusNoContent)
}

// unsupported answers what no other transport supports.
type unsupported struct{}

func (unsupported) Supports(*http.Request) bool { return true }

func (unsupported) Do(w http.ResponseWriter, r *http.Request, _ graphql.GraphExecutor) {
	w.Header().Set("Allow", allowed)
	gqlerr.Write(w, r, http.StatusMethodNotAllowed, badRequest("Use POST, or GET for a query."))
}

// maxURL is the longest URL of a GET, in bytes: proxies and browsers begin to refuse longer ones.
const maxURL = 8 << 10

// get answers queries in the URL, with GET or HEAD. What could change something is refused, so
// that a link or an image of another site never can. A browser that opens the
// address gets the page.
type get struct{ runner }

func (get) Supports(r *http.Request) bool { return isGet(r) }

// isGet reports whether a request has its operation in the URL.
func isGet(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

func (t get) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	to := accept.Of(r)
	to.Events = to.Events && r.Method == http.MethodGet // there is no end to the headers of a stream
	switch {
	case len(r.URL.RequestURI()) > maxURL:
		gqlerr.Write(w, r, http.StatusRequestURITooLong, gqlerr.Limit(fmt.Sprintf(
			"The URL has more than %d bytes. Send the operation with POST, or by the hash of a persisted query.", maxURL)))
		return
	case to.Page:
		toPage(w, r)
		return
	case to.None():
		notAcceptable(w, r)
		return
	}
	slot, ok := t.enter(w, r, to)
	if !ok {
		return
	}
	defer slot.Leave()
	params, err := urlParams(r)
	if err != nil {
		refuse(slot, w, r, http.StatusBadRequest, err)
		return
	}
	t.run(w, r, exec, task{params: params, to: to, slot: slot})
}

// toPage redirects a browser to the page that people explore the graph on. The operation goes along in the fragment, which the
// page reads and which is sent to no server. The address is relative, since a proxy may serve both under another path.
func toPage(w http.ResponseWriter, r *http.Request) {
	from, operation := r.URL.Query(), url.Values{}
	for _, name := range []string{"query", "variables", "operationName"} {
		if value := from.Get(name); value != "" {
			operation.Set(name, value)
		}
	}
	location := "./"
	if len(operation) > 0 {
		location += "#" + strings.ReplaceAll(operation.Encode(), "+", "%20") // a fragment has no other spaces
	}
	h := w.Header()
	h.Set("Location", location)
	h.Set("Cache-Control", "no-store")
	accept.Vary(h, "Accept")
	w.WriteHeader(http.StatusSeeOther)
}

// post answers operations in a JSON body.
type post struct {
	runner
	maxBody int64
}

func (post) Supports(r *http.Request) bool { return r.Method == http.MethodPost }

func (t post) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	to := accept.Of(r)
	switch {
	case !isJSON(r):
		w.Header().Set("Accept-Post", acceptPost)
		gqlerr.Write(w, r, http.StatusUnsupportedMediaType, badRequest(
			"Send the operation as JSON, with the header Content-Type: application/json; with files, as multipart/form-data."))
		return
	case encoded(r.Header):
		gqlerr.Write(w, r, http.StatusUnsupportedMediaType, badRequest("Send the body without a Content-Encoding."))
		return
	case to.None():
		notAcceptable(w, r)
		return
	}
	key, err := idempotencyKey(r)
	if err != nil {
		gqlerr.Write(w, r, http.StatusBadRequest, err)
		return
	}
	start := graphql.Now()
	hold := t.bodies.hold()
	defer hold.release()
	body, status, err := readBody(w, r, t.maxBody, hold)
	if errors.Is(err, errBodies) {
		overload(w, r, to)
		return
	}
	if err != nil {
		gqlerr.Write(w, r, status, err)
		return
	}
	read := graphql.Now()
	slot, ok := t.enter(w, r, to)
	if !ok {
		return
	}
	defer slot.Leave()
	params, err := operation(body, "The request body", r.Header)
	if err != nil {
		refuse(slot, w, r, http.StatusBadRequest, err)
		return
	}
	params.ReadTime = graphql.TraceTiming{Start: start, End: read}
	t.run(w, r, exec, task{params: params, to: to, slot: slot, key: key, content: []string{string(body)}})
}

const acceptPost = mediaJSON + ", multipart/form-data"

func badRequest(message string) error {
	return &gqlerr.Error{Code: gqlerr.CodeBadUserInput, Message: message}
}

func notAcceptable(w http.ResponseWriter, r *http.Request) {
	gqlerr.Write(w, r, http.StatusNotAcceptable, badRequest(
		"Answers come as "+mediaGraphQL+" or "+mediaJSON+", or as "+mediaEvents+" where it is asked for; the Accept header allows none of them."))
}
