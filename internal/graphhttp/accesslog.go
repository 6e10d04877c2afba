package graphhttp

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// entry is what the access log tells about an operation beside the request.
// The transports fill it in; it belongs to one request and one goroutine.
type entry struct {
	operation string // query or mutation
	name      string // the client's name for it
	errors    int
	code      string // of the first error
}

type entryKey struct{}

func entryOf(ctx context.Context) *entry {
	e, _ := ctx.Value(entryKey{}).(*entry)
	return e
}

// note records which operation runs.
func note(ctx context.Context, oc *graphql.OperationContext) {
	e := entryOf(ctx)
	if e == nil || oc == nil || oc.Operation == nil {
		return
	}
	e.operation, e.name = string(oc.Operation.Operation), oc.Operation.Name
	if len(e.name) > maxName {
		e.name = e.name[:maxName]
	}
}

// maxName is how much of an operation's name is logged. Names are ASCII.
const maxName = 64

// noteErrors records how it ended.
func noteErrors(ctx context.Context, errs gqlerror.List) {
	if e := entryOf(ctx); e != nil && len(errs) > 0 {
		e.errors = len(errs)
		e.code, _ = errs[0].Extensions["code"].(string)
	}
}

// maxAttrs is how many attributes a line of the access log has at most.
const maxAttrs = 10

// AccessLog logs every request when it is done: the client's [Address], method, path, status, size and
// time, and for GraphQL the operation's kind and name and how it failed. Query
// strings, documents, variables and headers are not logged: they hold what is
// the client's business, tokens among it.
func AccessLog(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := arrivedAt(r.Context())
			e := &entry{}
			rec := &recorder{ResponseWriter: w}
			ctx := context.WithValue(r.Context(), entryKey{}, e)
			defer func() {
				if !log.Enabled(ctx, slog.LevelInfo) {
					return
				}
				attrs := append(make([]slog.Attr, 0, maxAttrs),
					slog.String("client", Address(ctx)),
					slog.String("method", r.Method),
					slog.String("path", r.URL.Path),
					slog.Int("status", rec.status()),
					slog.Int64("bytes", rec.bytes),
					slog.Duration("took", time.Since(start)),
				)
				if e.operation != "" {
					attrs = append(attrs, slog.String("operation", e.operation), slog.String("name", e.name))
				}
				if e.errors > 0 {
					attrs = append(attrs, slog.Int("errors", e.errors), slog.String("code", e.code))
				}
				log.LogAttrs(ctx, slog.LevelInfo, "request", attrs...)
			}()
			next.ServeHTTP(rec, r.WithContext(ctx))
		})
	}
}

// recorder remembers the status and the size of an answer.
type recorder struct {
	http.ResponseWriter
	code  int
	bytes int64
}

func (r *recorder) WriteHeader(code int) {
	if r.code == 0 && code >= 200 { // a 1xx is not the answer yet
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
