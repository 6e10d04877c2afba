package graphhttp

import (
	"bytes"
	"context"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/accept"
	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/responselimit"
	"mixcloud-graphql/internal/telemetry"
)

// keepAlive is the time between signs of life in a stream of events, below
// what proxies allow a connection to be silent.
const keepAlive = 15 * time.Second

// stream answers an operation with server-sent events, as GraphQL over SSE has
// them in its mode of distinct connections: an event "next" for each response,
// "complete" at the end. Each write has a deadline of its own; what bounds the
// whole is, for a subscription, the subscription, and for a query the timeout
// of queries.
//
// https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
func (t runner) stream(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, oc *graphql.OperationContext, slot *admission.Slot) {
	resume := admission.Wait(r.Context()) // no slot is held while anything is written
	ctx, cancel := context.WithCancel(r.Context())
	if oc.Operation.Operation != ast.Subscription {
		ctx, cancel = context.WithTimeoutCause(r.Context(), t.timeout, timeoutError(t.timeout))
	}
	defer cancel()

	h := w.Header()
	h.Set("Content-Type", mediaEvents) // UTF-8 always
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold small events back
	accept.Vary(h, "Accept")
	out := &events{w: w, conn: http.NewResponseController(w)}
	w.WriteHeader(http.StatusOK)
	if !out.comment() {
		return
	}
	if oc.Operation.Operation == ast.Subscription {
		slot.Leave()
	}
	resume()

	handle, ctx := exec.DispatchOperation(ctx, oc)
	responses := make(chan response)
	go t.respond(ctx, exec, oc, slot, handle, responses)
	defer func() { // nothing of the operation outlives the request
		cancel()
		for range responses {
		}
	}()
	stop := t.stop
	if oc.Operation.Operation != ast.Subscription {
		stop = nil // a query comes to its end
	}
	beat := time.NewTicker(t.beat)
	defer beat.Stop()
	for {
		select {
		case resp, more := <-responses:
			if !more {
				if r.Context().Err() == nil {
					out.event("complete", nil)
				}
				return
			}
			noteErrors(ctx, resp.errors)
			if !out.event("next", resp.body) {
				return
			}
			responselimit.HoldOf(ctx).Set(0)
			beat.Reset(t.beat)
		case <-beat.C:
			if !out.comment() {
				return
			}
		case <-stop:
			out.event("complete", nil)
			return
		}
	}
}

// A response is one that is ready to be sent: the executor uses the memory of
// its own again for the next.
type response struct {
	body   []byte
	errors gqlerror.List
}

// respond gives the responses of an operation, one for all but subscriptions,
// and closes out.
func (t runner) respond(ctx context.Context, exec graphql.GraphExecutor, oc *graphql.OperationContext, slot *admission.Slot, handle graphql.ResponseHandler, out chan<- response) {
	defer close(out)
	defer func() { // net/http's own recovery ends where a goroutine begins
		if p := recover(); p != nil {
			t.log.ErrorContext(ctx, "panic in a stream of events", "panic", telemetry.Panicked(p), "stack", string(debug.Stack()))
		}
	}()
	subscribed := oc.Operation.Operation == ast.Subscription
	for {
		resp := handle(ctx)
		switch {
		case resp != nil:
		case subscribed:
			return
		default: // the deadline passed before the query began
			resp = exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(context.Cause(ctx))})
		}
		body := encode(resp)
		slot.Leave()
		responselimit.HoldOf(ctx).Set(int64(len(body)))
		out <- response{body, resp.Errors} // stream takes all there is, to the end
		if !subscribed {
			return
		}
	}
}

// events writes server-sent events.
type events struct {
	w    http.ResponseWriter
	conn *http.ResponseController
}

// event sends an event; false when the client is gone. Data is JSON, in which a
// line break can only stand between tokens, where any white space does.
func (e *events) event(name string, data []byte) bool {
	var b bytes.Buffer
	b.WriteString("event: " + name + "\ndata: ")
	b.Write(bytes.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, data))
	b.WriteString("\n\n")
	return e.send(b.Bytes())
}

// comment sends what a client skips: it shows that the connection is alive.
func (e *events) comment() bool { return e.send([]byte(":\n\n")) }

func (e *events) send(text []byte) bool {
	if send(e.w, text) != nil {
		return false
	}
	err := e.conn.Flush()
	_ = e.conn.SetWriteDeadline(time.Time{}) // of the next write
	return err == nil
}
