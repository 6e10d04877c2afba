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
	"mixcloud-graphql/internal/upload"
)

// A runner runs operations for the transports.
type runner struct {
	log      *slog.Logger
	gate     *admission.Gate // nil for none
	timeout  time.Duration
	beat     time.Duration // between signs of life in a stream of events
	stop     <-chan struct{}
	writes   idempotency.Store
	audience func(context.Context) string
	takers   map[string]bool // the mutation fields that take files
	unsent   *responselimit.Unsent
	bodies   *Bodies
	prepare  func(context.Context, *graphql.RawParams) (*graphql.OperationContext, gqlerror.List)
}

// A task is what a transport has read of a request.
type task struct {
	params *graphql.RawParams
	to     accept.Types
	slot   *admission.Slot // nil for none

	key     string   // of Idempotency-Key, "" for none
	content []string // what tells the request from another with the same key: its JSON first
	files   *files   // nil when the request can have none
}

// run runs the operation of a task and writes what comes of it.
func (t runner) run(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, task task) {
	if task.slot != admission.From(r.Context()) {
		r = r.WithContext(admission.Into(r.Context(), task.slot))
	}
	hold := t.unsent.Hold()
	defer hold.Set(0)
	r = r.WithContext(responselimit.WithHold(r.Context(), hold))
	ctx, cancel := t.clocked(r.Context(), task)
	defer cancel()
	oc, errs := t.prepare(ctx, task.params)
	note(ctx, oc)
	if len(errs) > 0 {
		media := task.to.MediaOrJSON()
		listed, all := responselimit.List(errs)
		resp := exec.DispatchError(graphql.WithOperationContext(ctx, oc), listed)
		resp.Errors = responselimit.Counted(resp.Errors, all)
		noteErrors(ctx, resp.Errors)
		status := requestStatus(media, resp.Errors)
		if task.to.Media == "" && status < http.StatusBadRequest {
			status = http.StatusBadRequest // who takes only events would wait for them
		}
		if refusesDocument(errs) {
			status = http.StatusBadRequest
		}
		body := encode(resp)
		task.slot.Leave()
		write(w, r, media, answer{status, body})
		return
	}
	if returnsSecret(oc) {
		Uncompressed(w.Header())
	}
	kind := oc.Operation.Operation
	if status, err := t.misfit(r, oc, task); err != nil {
		if status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", http.MethodPost)
		}
		refuse(task.slot, w, r, status, err)
		return
	}
	switch {
	case kind == ast.Subscription, task.to.Media == "":
		t.stream(w, r, exec, oc, task.slot)
	case kind == ast.Mutation && task.key != "":
		t.once(w, r.WithContext(ctx), exec, oc, task)
	default:
		write(w, r, task.to.Media, t.answer(ctx, exec, oc, task))
	}
}

// clocked gives the context that bounds the time of a task. That of a task with
// files stands still while they flow.
func (t runner) clocked(ctx context.Context, task task) (context.Context, context.CancelFunc) {
	if task.files == nil {
		return context.WithTimeoutCause(ctx, t.timeout, timeoutError(t.timeout))
	}
	clock := newClock(ctx, t.timeout)
	task.files.clock = clock
	return upload.Into(clock, task.files), clock.stop
}

// timeoutError says that an operation's time ran out.
func timeoutError(timeout time.Duration) error {
	return &gqlerr.Error{
		Code:    gqlerr.CodeLimitExceeded,
		Message: fmt.Sprintf("The operation took longer than %v, and no operation may take longer. Ask for smaller pages or fewer fields, or split the operation.", timeout),
		Details: map[string]any{"limit": "request-timeout", "maximum": timeout.Seconds()},
		Err:     context.DeadlineExceeded,
	}
}

// misfit says why an operation cannot be answered as it was asked for.
func (t runner) misfit(r *http.Request, oc *graphql.OperationContext, task task) (status int, _ error) {
	kind := oc.Operation.Operation
	switch {
	case isGet(r) && kind == ast.Mutation:
		return http.StatusMethodNotAllowed, badRequest("Only queries and subscriptions can be sent with GET. Send a mutation with POST.")
	case kind == ast.Subscription && !task.to.Events:
		return http.StatusNotAcceptable, badRequest("A subscription is answered with events: send it with the header Accept: " + mediaEvents + ".")
	case kind == ast.Mutation && task.to.Media == "":
		return http.StatusNotAcceptable, badRequest("A mutation is answered at once: accept " + mediaGraphQL + " or " + mediaJSON + ".")
	case task.files != nil && t.taken(oc) != 1:
		return http.StatusBadRequest, badRequest("Files are read while they arrive, once: exactly one field of the mutation must take them.")
	}
	return 0, nil
}

// answer executes an operation that is answered at once, and gives its slot back.
func (t runner) answer(ctx context.Context, exec graphql.GraphExecutor, oc *graphql.OperationContext, task task) answer {
	defer task.slot.Leave()
	handle, ctx := exec.DispatchOperation(ctx, oc)
	resp := handle(ctx)
	if task.files != nil {
		if form := task.files.fault(); form != nil {
			// Whatever the operation made of it, the request was no good.
			return refusal(ctx, form.status, form.err)
		}
	}
	if resp == nil { // the deadline passed, or the client left, before it began
		resp = exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(context.Cause(ctx))})
		noteErrors(ctx, resp.Errors)
		status := requestStatus(task.to.Media, resp.Errors)
		if status == http.StatusBadRequest { // the request may be as good as any
			status = http.StatusServiceUnavailable
		}
		return answer{status, encode(resp)}
	}
	noteErrors(ctx, resp.Errors)
	body := encode(resp)
	responselimit.HoldOf(ctx).Set(int64(len(body)))
	return answer{http.StatusOK, body}
}

// refusal is the answer to a request that is no good.
func refusal(ctx context.Context, status int, err error) answer {
	errs := gqlerror.List{gqlerr.Public(ctx, err)}
	noteErrors(ctx, errs)
	return answer{status, encode(&graphql.Response{Errors: errs})}
}

// once executes a mutation that the client has named, or gives what came of it
// before.
func (t runner) once(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, oc *graphql.OperationContext, task task) {
	ctx := r.Context()
	audience := t.audience(ctx)
	if audience == "" { // nobody's name could be told from that of somebody else
		write(w, r, task.to.Media, t.answer(ctx, exec, oc, task))
		return
	}
	content := task.fingerprint(oc.RawQuery)
	resume := admission.Wait(ctx) // the store may be another process
	claim, before, err := t.writes.Begin(ctx, idempotency.Name{Audience: audience, Key: task.key}, content)
	resume()
	if claim == nil {
		task.slot.Leave()
	}
	switch {
	case errors.Is(err, idempotency.ErrInFlight):
		w.Header().Set("Retry-After", "1")
		write(w, r, task.to.Media, refusal(ctx, http.StatusConflict, badRequest("A request with the same Idempotency-Key is under way. Send this one again when that was answered.")))
		return
	case errors.Is(err, idempotency.ErrOtherContent):
		write(w, r, task.to.Media, refusal(ctx, http.StatusUnprocessableEntity, badRequest("The Idempotency-Key belongs to another request of the last 24 hours. Choose a new key for each request that is meant anew.")))
		return
	case err != nil:
		write(w, r, task.to.Media, refusal(ctx, http.StatusServiceUnavailable, &gqlerr.Error{
			Code: gqlerr.CodeUpstreamUnavailable, Message: "It could not be told whether this request was made before. Nothing was done.", Err: err,
		}))
		return
	case before != nil:
		w.Header().Set("Idempotent-Replayed", "true")
		write(w, r, task.to.Media, answer{before.Status, before.Body})
		return
	}
	done := t.claimed(ctx, claim, exec, oc, task)
	write(w, r, task.to.Media, done)
}

// fingerprint tells a task from another one. What it asks for counts, not
// whether its document came as a whole or as its hash: clients that try again
// may do either.
func (t task) fingerprint(query string) idempotency.Fingerprint {
	content := slices.Clone(t.content)
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

// rawJSON marshals what cannot fail to be: texts, and JSON that was read.
func rawJSON(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// claimed executes a mutation under a claim and settles the claim, panic or not.
func (t runner) claimed(ctx context.Context, claim idempotency.Claim, exec graphql.GraphExecutor, oc *graphql.OperationContext, task task) (done answer) {
	// The client may leave; what became of its request is still to be kept.
	settling := context.WithoutCancel(ctx)
	ctx, sent := idempotency.Watch(ctx)
	done = refusal(ctx, http.StatusInternalServerError, gqlerr.Internal(nil)) // should it panic
	defer func() {
		settle := claim.Release
		if sent() {
			settle = func(ctx context.Context) error {
				return claim.Finish(ctx, idempotency.Answer{Status: done.status, Body: done.body})
			}
		}
		if err := settle(settling); err != nil {
			t.log.ErrorContext(ctx, "cannot keep what came of a write", "err", err)
		}
	}()
	done = t.answer(ctx, exec, oc, task)
	return done
}

// idempotencyKey is the name that the client gives its request; "" for none. A
// dry run has none: it does nothing that could be done twice, and leaves the name
// to the request that it was made for.
func idempotencyKey(r *http.Request) (string, error) {
	keys := r.Header.Values("Idempotency-Key")
	switch {
	case len(keys) == 0:
		return "", nil
	case len(keys) > 1 || !idempotency.ValidKey(keys[0]):
		return "", badRequest("Send the Idempotency-Key once, as 1 to 255 bytes without control characters.")
	}
	if isTrue(r.Header, DryRunHeader) {
		return "", nil
	}
	return keys[0], nil
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
