package graphhttp

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/telemetry"
)

// A logEntry is the part of an access log line that describes the operation. The transports
// fill it in. It belongs to one request and one goroutine.
type logEntry struct {
	operation string // query or mutation
	name      string // the operation's name in the document
	errors    int
	code      string // of the first error
}

// logEntryFrom returns the entry of the request, or nil outside of one.
func logEntryFrom(ctx context.Context) *logEntry {
	if s := stateFrom(ctx); s != nil {
		return &s.log
	}
	return nil
}

// logOperation records the operation in the access log's entry.
func logOperation(ctx context.Context, oc *graphql.OperationContext) {
	e := logEntryFrom(ctx)
	if e == nil || oc == nil || oc.Operation == nil {
		return
	}
	e.operation, e.name = string(oc.Operation.Operation), oc.Operation.Name
	if len(e.name) > maxName {
		e.name = e.name[:maxName]
	}
}

// maxName is the maximum length of an operation's name in the log. Names are ASCII.
const maxName = 64

// logErrors records the errors of the operation in the access log's entry.
func logErrors(ctx context.Context, errs gqlerror.List) {
	if e := logEntryFrom(ctx); e != nil && len(errs) > 0 {
		e.errors = len(errs)
		e.code, _ = errs[0].Extensions["code"].(string)
	}
}

// maxAttrs is the maximum number of attributes of an access log line, including the request id.
const maxAttrs = 11

// AccessLog returns middleware that logs requests when they are done: the client's [Address],
// method, path, status, size and duration, and for GraphQL the operation's kind, name and errors.
// It does not log query strings, documents, variables and headers, because they contain private
// data such as tokens. It logs all requests with errors; of those without, it logs the first and
// every sample-th after it.
func AccessLog(log *slog.Logger, sample int) func(http.Handler) http.Handler {
	every := uint64(max(sample, 1)) //nolint:gosec // positive
	var succeeded atomic.Uint64
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			state, r := withState(r)
			rec := &state.recording
			*rec = recorder{ResponseWriter: w}
			defer func() {
				failed := rec.status() >= http.StatusBadRequest || state.log.errors > 0
				if failed || every == 1 || (succeeded.Add(1)-1)%every == 0 {
					logRequest(log, r, state, rec)
				}
			}()
			next.ServeHTTP(rec, r)
		})
	}
}

// logRequest writes the line of a request.
func logRequest(log *slog.Logger, r *http.Request, state *requestState, rec *recorder) {
	ctx := r.Context()
	if !log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	attrs := append(make([]slog.Attr, 0, maxAttrs),
		slog.String("client", state.address),
		slog.String("method", r.Method),
		slog.String("path", r.URL.Path),
		slog.Int("status", rec.status()),
		slog.Int64("bytes", rec.bytes),
		slog.Duration("took", time.Since(state.arrived)),
	)
	if e := &state.log; e.operation != "" {
		attrs = append(attrs, slog.String("operation", e.operation), slog.String("name", e.name))
	}
	if e := &state.log; e.errors > 0 {
		attrs = append(attrs, slog.Int("errors", e.errors), slog.String("code", e.code))
	}
	telemetry.LogAttrs(ctx, log, slog.LevelInfo, "request", attrs...)
}

// recorder records the status and the size of a response.
type recorder struct {
	http.ResponseWriter
	code  int
	bytes int64
}

func (r *recorder) WriteHeader(code int) {
	if r.code == 0 && code >= 200 { // a 1xx is not the final status
		r.code = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.code == 0 {
		r.code = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) status() int {
	if r.code == 0 {
		return http.StatusOK
	}
	return r.code
}
