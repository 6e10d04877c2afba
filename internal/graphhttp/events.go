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

// keepAlive is the interval of keep-alive comments in a stream of events. It is shorter than
// the idle timeouts of proxies.
const keepAlive = 15 * time.Second

// stream sends the responses of an operation as server-sent events, as in the distinct
// connections mode of GraphQL over SSE: an event "next" for each response, and "complete" at
// the end. Each write has its own deadline. A subscription has no timeout as a whole; a query
// has the timeout of queries.
//
// https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
func (t runner) stream(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, oc *graphql.OperationContext, slot *admission.Slot) {
	resume := admission.Wait(r.Context()) // holds no slot while it writes
	ctx, cancel := context.WithCancel(r.Context())
	if oc.Operation.Operation != ast.Subscription {
		ctx, cancel = context.WithTimeoutCause(r.Context(), t.timeout, t.timedOut)
	}
	defer cancel()

	h := w.Header()
	h.Set("Content-Type", mediaEvents) // always UTF-8
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // disables nginx's buffering
	accept.Vary(h, "Accept")
	out := &events{w: w, conn: http.NewResponseController(w)}
	w.WriteHeader(http.StatusOK)
	if !out.comment() {
		return
	}
	if oc.Operation.Operation == ast.Subscription {
		slot.Close()
	}
	resume()

	handle, ctx := exec.DispatchOperation(ctx, oc)
	responses := make(chan eventResponse)
	go t.respond(ctx, exec, oc, slot, handle, responses)
	defer func() { // the operation ends with the request
		cancel()
		for range responses {
		}
	}()
	stop := t.stop
	if oc.Operation.Operation != ast.Subscription {
		stop = nil // a query ends by itself
	}
	ticker := time.NewTicker(t.keepAlive)
	defer ticker.Stop()
	for {
		select {
		case resp, more := <-responses:
			if !more {
				if r.Context().Err() == nil {
					out.event("complete", nil)
				}
				return
			}
			logErrors(ctx, resp.errors)
			if !out.event("next", resp.body) {
				return
			}
			responselimit.ReservationOf(ctx).Set(0)
			ticker.Reset(t.keepAlive)
		case <-ticker.C:
			if !out.comment() {
				return
			}
		case <-stop:
			out.event("complete", nil)
			return
		}
	}
}

// An eventResponse is an encoded response of a stream. It is a copy, because the executor reuses
// its buffer for the next response.
type eventResponse struct {
	body   []byte
	errors gqlerror.List
}

// respond sends the responses of an operation, several only for a subscription, and closes out.
func (t runner) respond(ctx context.Context, exec graphql.GraphExecutor, oc *graphql.OperationContext, slot *admission.Slot, handle graphql.ResponseHandler, out chan<- eventResponse) {
	defer close(out)
	defer func() { // net/http does not recover panics of other goroutines
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
		default: // the deadline passed before the query started
			resp = exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(context.Cause(ctx))})
		}
		body := encode(resp)
		slot.Close()
		responselimit.ReservationOf(ctx).Set(int64(cap(body)))
		out <- eventResponse{body, resp.Errors} // stream receives until the channel is closed
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

// event sends an event, and returns false if the client has left. Data is JSON, whose line
// breaks are only between tokens, where any white space is allowed.
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

// comment sends a comment, which clients ignore, to keep the connection alive.
func (e *events) comment() bool { return e.send([]byte(":\n\n")) }

func (e *events) send(text []byte) bool {
	if send(e.w, text) != nil {
		return false
	}
	err := e.conn.Flush()
	_ = e.conn.SetWriteDeadline(time.Time{}) // clear the deadline of the previous write
	return err == nil
}
