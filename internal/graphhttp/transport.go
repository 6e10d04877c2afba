package graphhttp

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/internal/accept"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/uploadhttp"
)

// These transports replace gqlgen's, which respond with 422 instead of 200 or 400, quote the
// request's body in errors, respond to a body that is too large with success, write "null" if
// the deadline passes before the operation, and store the files of a multipart request before
// they validate it.

const allowed = "GET, HEAD, POST, OPTIONS"

// options responds to OPTIONS with the supported methods.
type options struct{}

func (options) Supports(r *http.Request) bool { return r.Method == http.MethodOptions }

func (options) Do(w http.ResponseWriter, _ *http.Request, _ graphql.GraphExecutor) {
	w.Header().Set("Allow", allowed)
	accept.Vary(w.Header(), "")
	w.WriteHeader(http.StatusNoContent)
}

// unsupported responds to requests that no other transport supports.
type unsupported struct{}

func (unsupported) Supports(*http.Request) bool { return true }

func (unsupported) Do(w http.ResponseWriter, r *http.Request, _ graphql.GraphExecutor) {
	w.Header().Set("Allow", allowed)
	gqlerr.Write(w, r, http.StatusMethodNotAllowed, badRequest("Use POST, or GET for a query."))
}

// maxURL is the maximum length of the URL of a GET, in bytes: proxies and browsers start to
// refuse longer ones.
const maxURL = 8 << 10

// get handles queries in the URL, with GET or HEAD. It refuses mutations, so that a link or an
// image on another site cannot execute them. A browser that opens the URL is redirected to the
// playground.
type get struct{ runner }

func (get) Supports(r *http.Request) bool { return isGet(r) }

// isGet reports whether the operation of a request is in the URL.
func isGet(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

func (t get) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	to := accept.Of(r)
	to.Events = to.Events && r.Method == http.MethodGet // HEAD cannot have a stream, whose end is unknown
	switch {
	case len(r.URL.RequestURI()) > maxURL:
		gqlerr.Write(w, r, http.StatusRequestURITooLong, gqlerr.Limit(fmt.Sprintf(
			"The URL has more than %d bytes. Send the operation with POST, or use a persisted query.", maxURL)))
		return
	case to.Page:
		redirectToPage(w, r)
		return
	case to.None():
		notAcceptable(w, r)
		return
	}
	slot, ok := t.enter(w, r, to)
	if !ok {
		return
	}
	defer slot.Close()
	params, err := urlParams(r)
	if err != nil {
		refuse(slot, w, r, http.StatusBadRequest, err)
		return
	}
	t.run(w, r, exec, request{params: params, to: to, slot: slot})
}

// redirectToPage redirects a browser to the playground. The operation is in the URL's fragment,
// which browsers do not send to servers. The URL is relative, since a proxy may serve both under
// another path.
func redirectToPage(w http.ResponseWriter, r *http.Request) {
	from, operation := r.URL.Query(), url.Values{}
	for _, name := range []string{"query", "variables", "operationName"} {
		if value := from.Get(name); value != "" {
			operation.Set(name, value)
		}
	}
	location := "./"
	if len(operation) > 0 {
		location += "#" + strings.ReplaceAll(operation.Encode(), "+", "%20") // all spaces in a fragment must be escaped
	}
	h := w.Header()
	h.Set("Location", location)
	h.Set("Cache-Control", "no-store")
	accept.Vary(h, "Accept")
	w.WriteHeader(http.StatusSeeOther)
}

// post handles operations in a JSON body.
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
			"Send the operation as JSON with the header Content-Type: application/json, or as multipart/form-data if it has files."))
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
	body, early := bufferedText(r, t.maxBody)
	if !early {
		reservation := t.bodies.reserve()
		defer reservation.release()
		status := 0
		if body, status, err = readBody(w, r, t.maxBody, reservation); errors.Is(err, errBodyMemory) {
			overload(w, r, to)
			return
		}
		if err != nil {
			gqlerr.Write(w, r, status, err)
			return
		}
	}
	read := graphql.Now()
	slot, ok := t.enter(w, r, to)
	if !ok {
		return
	}
	defer slot.Close()
	params, err := operation(body, "The request body", r.Header)
	if err != nil {
		refuse(slot, w, r, http.StatusBadRequest, err)
		return
	}
	params.ReadTime = graphql.TraceTiming{Start: start, End: read}
	req := request{params: params, to: to, slot: slot, key: key}
	if key != "" {
		req.content = []string{string(body)}
	}
	t.run(w, r, exec, req)
}

// multipart handles operations with files
// (https://github.com/jaydenseric/graphql-multipart-request-spec). The operation starts as soon
// as its text has arrived and reads the files from the request body, see [uploadhttp].
type multipart struct {
	runner
	idle    time.Duration
	maxBody int64 // maximum size of "operations"
}

func (multipart) Supports(r *http.Request) bool { return uploadhttp.IsForm(r) }

func (t multipart) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	form := uploadhttp.Open(w, r, uploadhttp.Options{HeadTimeout: bodyTimeout, IdleTimeout: t.idle})
	defer form.Close()
	w = form.ResponseWriter()

	to := accept.Of(r)
	if err := form.CheckHeader(); err != nil {
		refuseForm(w, r, err)
		return
	}
	switch {
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
	reservation := t.bodies.reserve()
	defer reservation.release()
	req, err := t.read(form, r.Header, key, reservation)
	if errors.Is(err, errBodyMemory) {
		overload(w, r, to)
		return
	}
	if err != nil {
		refuseForm(w, r, err)
		return
	}
	slot, ok := t.enter(w, r, to)
	if !ok {
		return
	}
	defer slot.Close()
	req.to, req.key, req.slot = to, key, slot
	t.run(w, r, exec, req)
}

// read reads the form up to its first file, or completely if it has no files.
func (t multipart) read(form *uploadhttp.Request, header http.Header, key string, reservation *bodyReservation) (request, error) {
	start := graphql.Now()
	if err := reservation.add(uncountedBody + uploadhttp.BufferSize); err != nil {
		return request{}, err
	}
	text, err := form.Operations(t.maxBody, reservation.reader)
	if errors.Is(err, uploadhttp.ErrTooLong) {
		return request{}, &uploadhttp.Error{Status: http.StatusRequestEntityTooLarge, Err: tooLong(t.maxBody+1, t.maxBody, `The form's "operations"`)}
	}
	if err != nil {
		return request{}, err
	}
	params, err := operation(text, `The form's "operations"`, header)
	if err != nil {
		return request{}, &uploadhttp.Error{Status: http.StatusBadRequest, Err: err}
	}
	files, err := form.Files(&params.Variables)
	if err != nil {
		return request{}, err
	}
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	read := request{params: params, files: files, content: []string{string(trimMark(text))}}
	if key != "" {
		more, err := form.Fingerprint()
		if err != nil {
			return request{}, err
		}
		read.content = append(read.content, more...)
	}
	return read, nil
}

// refuseForm responds to an invalid form, for an error of [uploadhttp].
func refuseForm(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusBadRequest
	if form, ok := errors.AsType[*uploadhttp.Error](err); ok {
		status, err = form.Status, form.Err
	}
	gqlerr.Write(w, r, status, err)
}

const acceptPost = mediaJSON + ", multipart/form-data"

func badRequest(message string) error {
	return &gqlerr.Error{Code: gqlerr.CodeBadUserInput, Message: message}
}

func notAcceptable(w http.ResponseWriter, r *http.Request) {
	gqlerr.Write(w, r, http.StatusNotAcceptable, badRequest(
		"The Accept header allows no supported media type. Send "+mediaGraphQL+", "+mediaJSON+" or, for a stream of events, "+mediaEvents+"."))
}
