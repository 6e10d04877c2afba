package graphhttp

import (
	"context"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/gqlerr"
)

// The transports are our own because gqlgen's answer 422 to what should be 200
// or 400, quote the request's body in errors, call a body that is too large a
// success, and write "null" when the deadline passes before the operation.

const allowed = "GET, POST, OPTIONS"

// options answers OPTIONS, and says by it what else there is.
type options struct{}

func (options) Supports(r *http.Request) bool { return r.Method == http.MethodOptions }

func (options) Do(w http.ResponseWriter, _ *http.Request, _ graphql.GraphExecutor) {
	w.Header().Set("Allow", allowed)
	w.WriteHeader(http.StatusNoContent)
}

// refuse answers what no other transport supports.
type refuse struct{}

func (refuse) Supports(*http.Request) bool { return true }

func (refuse) Do(w http.ResponseWriter, r *http.Request, _ graphql.GraphExecutor) {
	w.Header().Set("Allow", allowed)
	gqlerr.Write(w, r, http.StatusMethodNotAllowed, badRequest("Use POST, or GET for a query."))
}

// get answers queries in the URL. What could change something is refused, so
// that a link or an image of another site never can.
type get struct{ timeout time.Duration }

func (get) Supports(r *http.Request) bool { return r.Method == http.MethodGet }

func (t get) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	media := negotiate(r)
	if media == "" {
		notAcceptable(w, r)
		return
	}
	params, err := urlParams(r)
	if err != nil {
		gqlerr.Write(w, r, http.StatusBadRequest, err)
		return
	}
	execute(w, r, exec, params, media, t.timeout)
}

// post answers operations in a JSON body.
type post struct {
	timeout time.Duration
	maxBody int64
}

func (post) Supports(r *http.Request) bool { return r.Method == http.MethodPost }

func (t post) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	media := negotiate(r)
	switch {
	case !isJSON(r):
		w.Header().Set("Accept-Post", mediaJSON)
		gqlerr.Write(w, r, http.StatusUnsupportedMediaType, badRequest(
			"Send the operation as JSON, with the header Content-Type: application/json."))
		return
	case r.Header.Get("Content-Encoding") != "":
		gqlerr.Write(w, r, http.StatusUnsupportedMediaType, badRequest("Send the body without a Content-Encoding."))
		return
	case media == "":
		notAcceptable(w, r)
		return
	}
	params, status, err := bodyParams(w, r, t.maxBody)
	if err != nil {
		gqlerr.Write(w, r, status, err)
		return
	}
	execute(w, r, exec, params, media, t.timeout)
}

// execute runs the operation that params ask for and writes its answer.
func execute(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, params *graphql.RawParams, media string, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()

	oc, errs := exec.CreateOperationContext(ctx, params)
	note(ctx, oc)
	if len(errs) > 0 {
		resp := exec.DispatchError(graphql.WithOperationContext(ctx, oc), errs)
		write(w, r, media, requestStatus(media, resp.Errors), resp)
		return
	}
	if r.Method == http.MethodGet && oc.Operation.Operation != ast.Query {
		w.Header().Set("Allow", http.MethodPost)
		gqlerr.Write(w, r, http.StatusMethodNotAllowed, badRequest("Only queries can be sent with GET. Send a mutation with POST."))
		return
	}
	handle, ctx := exec.DispatchOperation(ctx, oc)
	resp := handle(ctx)
	if resp == nil { // the deadline passed, or the client left, before it began
		resp = exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(context.Cause(ctx))})
		write(w, r, media, requestStatus(media, resp.Errors), resp)
		return
	}
	write(w, r, media, http.StatusOK, resp)
}

// requestStatus is the status of an answer without data: nothing was executed.
func requestStatus(media string, errs gqlerror.List) int {
	if media == mediaJSON {
		return http.StatusOK
	}
	status := http.StatusBadRequest
	for _, err := range errs {
		switch err.Extensions["code"] {
		case string(gqlerr.CodeInternal):
			return http.StatusInternalServerError
		case string(gqlerr.CodeUpstreamTimeout), string(gqlerr.CodeUpstreamUnavailable):
			status = http.StatusServiceUnavailable
		}
	}
	return status
}

func badRequest(message string) error {
	return &gqlerr.Error{Code: gqlerr.CodeBadUserInput, Message: message}
}

func notAcceptable(w http.ResponseWriter, r *http.Request) {
	gqlerr.Write(w, r, http.StatusNotAcceptable, badRequest(
		"Answers come as "+mediaGraphQL+" or "+mediaJSON+"; the Accept header allows neither."))
}
