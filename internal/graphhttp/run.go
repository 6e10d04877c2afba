package graphhttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/accept"
	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/internal/responselimit"
	"mixcloud-graphql/internal/uploadhttp"
)

// A runner runs operations for the transports.
type runner struct {
	log        *slog.Logger
	controller *admission.Controller // nil for none
	timeout    time.Duration
	timedOut   error         // error of the timeout
	keepAlive  time.Duration // interval of keep-alive comments in a stream of events
	stop       <-chan struct{}
	writes     idempotency.Store
	principal  func(context.Context) string
	fileFields map[string]bool // mutation fields that take files
	unsent     *responselimit.UnsentMemory
	bodies     *BodyMemory
	prepare    func(context.Context, *graphql.RawParams) (*graphql.OperationContext, gqlerror.List)
}

// A request is an operation as a transport has read it.
type request struct {
	params *graphql.RawParams
	to     accept.Types
	slot   *admission.Slot // nil for none

	key     string            // Idempotency-Key; "" for none
	content []string          // content of a request with a key, its JSON first, to detect a reused key
	files   *uploadhttp.Files // nil if there are none
}

// run executes the operation of a request and writes the response.
func (t runner) run(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, req request) {
	reservation := t.unsent.Reserve()
	defer reservation.Set(0)
	state, r := withState(r)
	state.reservation, state.slot = reservation, req.slot
	ctx, cancel := t.withDeadline(r.Context(), req)
	defer cancel()
	oc, errs := t.prepare(ctx, req.params)
	logOperation(ctx, oc)
	if len(errs) > 0 {
		media := req.to.MediaOrJSON()
		listed, all := responselimit.List(errs)
		resp := exec.DispatchError(graphql.WithOperationContext(ctx, oc), listed)
		resp.Errors = responselimit.Counted(resp.Errors, all)
		logErrors(ctx, resp.Errors)
		status := requestStatus(media, resp.Errors)
		if req.to.Media == "" && status < http.StatusBadRequest {
			status = http.StatusBadRequest // a client that accepts only events would wait for them
		}
		if refusesDocument(errs) {
			status = http.StatusBadRequest
		}
		body := encode(resp)
		req.slot.Close()
		_ = write(w, r, media, jsonResponse{status, body})
		return
	}
	if returnsSecret(oc) {
		Uncompressed(w.Header())
	}
	kind := oc.Operation.Operation
	if status, err := t.validate(r, oc, req); err != nil {
		if status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", http.MethodPost)
		}
		refuse(req.slot, w, r, status, err)
		return
	}
	switch {
	case kind == ast.Subscription, req.to.Media == "":
		t.stream(w, r, exec, oc, req.slot)
	case kind == ast.Mutation && req.key != "":
		t.runIdempotent(w, r.WithContext(ctx), exec, oc, req)
	default:
		done := t.execute(ctx, exec, oc, req)
		if write(w, r, req.to.Media, done) == nil {
			freeBuffer(done.body)
		}
	}
}

// withDeadline returns a context with the request's timeout. While files are transferred they
// have their own timeouts, see [uploadhttp.Files.WithTimeout].
func (t runner) withDeadline(ctx context.Context, req request) (context.Context, context.CancelFunc) {
	if req.files == nil {
		return context.WithTimeoutCause(ctx, t.timeout, t.timedOut)
	}
	return req.files.WithTimeout(ctx, t.timeout)
}

// timeoutError returns the error of operations that exceed a timeout.
func timeoutError(timeout time.Duration) error {
	return &gqlerr.Error{
		Code:    gqlerr.CodeLimitExceeded,
		Message: fmt.Sprintf("The operation exceeded the time limit of %v. Request smaller pages or fewer fields, or split the operation.", timeout),
		Details: map[string]any{"limit": "request-timeout", "maximum": timeout.Seconds()},
		Err:     context.DeadlineExceeded,
	}
}

// execute executes a query or a mutation, and releases its slot.
func (t runner) execute(ctx context.Context, exec graphql.GraphExecutor, oc *graphql.OperationContext, req request) jsonResponse {
	defer req.slot.Close()
	handle, ctx := exec.DispatchOperation(ctx, oc)
	resp := handle(ctx)
	if req.files != nil {
		if form := req.files.Fault(); form != nil {
			// The request is refused, regardless of the operation's response.
			return errorResponse(ctx, form.Status, form.Err)
		}
	}
	if resp == nil { // the deadline passed, or the client left, before it started
		resp = exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(context.Cause(ctx))})
		logErrors(ctx, resp.Errors)
		status := requestStatus(req.to.Media, resp.Errors)
		if status == http.StatusBadRequest { // the request itself may be valid
			status = http.StatusServiceUnavailable
		}
		return jsonResponse{status, encode(resp)}
	}
	logErrors(ctx, resp.Errors)
	body := encode(resp)
	responselimit.ReservationOf(ctx).Set(int64(cap(body)))
	return jsonResponse{http.StatusOK, body}
}

// errorResponse returns the response for a refused request.
func errorResponse(ctx context.Context, status int, err error) jsonResponse {
	errs := gqlerror.List{gqlerr.Public(ctx, err)}
	logErrors(ctx, errs)
	return jsonResponse{status, encode(&graphql.Response{Errors: errs})}
}

// runIdempotent executes a mutation with an Idempotency-Key, or replays its earlier response.
func (t runner) runIdempotent(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, oc *graphql.OperationContext, req request) {
	ctx := r.Context()
	principal := t.principal(ctx)
	if principal == "" { // all anonymous callers have the same principal, so keys would clash
		_ = write(w, r, req.to.Media, t.execute(ctx, exec, oc, req))
		return
	}
	content := req.fingerprint(oc.RawQuery)
	resume := admission.Wait(ctx) // the store may be remote
	claim, before, err := t.writes.Begin(ctx, idempotency.Name{Principal: principal, Key: req.key}, content)
	resume()
	if claim == nil {
		req.slot.Close()
	}
	switch {
	case errors.Is(err, idempotency.ErrInFlight):
		w.Header().Set("Retry-After", "1")
		_ = write(w, r, req.to.Media, errorResponse(ctx, http.StatusConflict, badRequest("A request with the same Idempotency-Key is in progress. Retry when it has completed.")))
		return
	case errors.Is(err, idempotency.ErrOtherContent):
		_ = write(w, r, req.to.Media, errorResponse(ctx, http.StatusUnprocessableEntity, badRequest("The Idempotency-Key was used for a different request in the last 24 hours. Use a new key for each new request.")))
		return
	case err != nil:
		_ = write(w, r, req.to.Media, errorResponse(ctx, http.StatusServiceUnavailable, &gqlerr.Error{
			Code: gqlerr.CodeUpstreamUnavailable, Message: "The server cannot check now whether this request was already executed. Nothing was executed.", Err: err,
		}))
		return
	case before != nil:
		w.Header().Set("Idempotent-Replayed", "true")
		_ = write(w, r, req.to.Media, jsonResponse{before.Status, before.Body})
		return
	}
	done := t.runClaimed(ctx, claim, exec, oc, req)
	_ = write(w, r, req.to.Media, done)
}

// fingerprint identifies the content of a request. It does not depend on whether the document
// or its hash was sent, since a retry may differ in that.
func (r request) fingerprint(query string) idempotency.Fingerprint {
	content := slices.Clone(r.content)
	var members, extensions map[string]json.RawMessage
	if json.Unmarshal([]byte(content[0]), &members) == nil {
		if json.Unmarshal(members["extensions"], &extensions) == nil {
			delete(extensions, "persistedQuery")
			members["extensions"] = rawJSON(extensions)
		}
		if len(extensions) == 0 {
			delete(members, "extensions")
		}
		for _, name := range documentNames {
			delete(members, name)
		}
		members["query"] = rawJSON(query)
		content[0] = string(rawJSON(members))
	}
	return idempotency.FingerprintOf(content...)
}

// rawJSON marshals strings and parsed JSON, which cannot fail.
func rawJSON(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// runClaimed executes a mutation under a claim and settles the claim, even after a panic.
func (t runner) runClaimed(ctx context.Context, claim idempotency.Claim, exec graphql.GraphExecutor, oc *graphql.OperationContext, req request) (done jsonResponse) {
	// The result must be stored even if the client leaves.
	settling := context.WithoutCancel(ctx)
	ctx, sent := idempotency.TrackSent(ctx)
	returned := false
	defer func() {
		if !returned { // a panic
			done = errorResponse(ctx, http.StatusInternalServerError, gqlerr.Internal(nil))
		}
		settle := claim.Release
		if sent() {
			settle = func(ctx context.Context) error {
				return claim.Finish(ctx, idempotency.Response{Status: done.status, Body: slices.Clone(done.body)})
			}
		}
		if err := settle(settling); err != nil {
			t.log.ErrorContext(ctx, "cannot store the response of a mutation for its Idempotency-Key", "err", err)
		}
	}()
	done = t.execute(ctx, exec, oc, req)
	returned = true
	return done
}

// idempotencyKey returns the Idempotency-Key of a request, or "". A dry run has none: it
// changes nothing, and the key stays available for the real request.
func idempotencyKey(r *http.Request) (string, error) {
	keys := r.Header.Values("Idempotency-Key")
	switch {
	case len(keys) == 0:
		return "", nil
	case len(keys) > 1 || !idempotency.ValidKey(keys[0]):
		return "", badRequest("Send one Idempotency-Key, of 1 to 255 bytes without control characters.")
	}
	if isTrue(r.Header, dryRunKey) {
		return "", nil
	}
	return keys[0], nil
}

// requestStatus returns the status of a response without data, because nothing was executed.
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
