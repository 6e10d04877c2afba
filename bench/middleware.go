package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/internal/app"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/telemetry"
	"mixcloud-graphql/mixcloud"
)

const (
	middlewareRounds   = 200
	middlewareRequests = 200 // of each kind in a round

	// middlewareTarget is the maximum time that the middleware should add to a request.
	middlewareTarget = 8 * time.Microsecond
)

// printMiddleware measures the time that the server adds to gqlgen's executor for a POST of { __typename } without compression: the
// endpoint, which reads the request, limits and meters the operation and creates its loaders; and the middleware around it, from CORS to
// the session. The three are measured in turns. Each round has a median of each, and a figure is the median of the differences of all
// rounds, so that other load on the machine has little influence.
func printMiddleware(ctx context.Context, out io.Writer) (err error) {
	client, err := mixcloud.New()
	if err != nil {
		return err
	}
	log, err := telemetry.NewLogger(io.Discard, telemetry.Text, slog.LevelInfo)
	if err != nil {
		return err
	}
	server, err := app.NewWithClient(config.Serve{RequestTimeout: time.Minute, OperationBudget: 200, MaxWait: time.Second}, client, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close(ctx)) }()

	whole, endpoint, bare := serverRequest(ctx, server), serverRequest(ctx, server.Endpoint()), executorRequest(ctx)
	var middleware, added, executor []time.Duration
	for range middlewareRounds {
		w, e, b := medianTime(whole), medianTime(endpoint), medianTime(bare)
		middleware, added, executor = append(middleware, w-e), append(added, e-b), append(executor, b)
	}
	_, err = fmt.Fprintf(out, "| part | µs |\n| --- | ---: |\n| gqlgen's executor | %.2f |\n| added by the endpoint | %.2f |\n| added by the middleware | %.2f (target %.0f) |\n",
		micros(median(executor)), micros(median(added)), micros(median(middleware)), micros(middlewareTarget))
	return err
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// medianTime returns the median time of a call.
func medianTime(call func()) time.Duration {
	var all [middlewareRequests]time.Duration
	for i := range all {
		start := time.Now()
		call()
		all[i] = time.Since(start)
	}
	return median(all[:])
}

const typename = "{ __typename }"

// serverRequest returns a function that sends a request to a server without a connection.
func serverRequest(ctx context.Context, server http.Handler) func() {
	body := []byte(`{"query":"` + typename + `"}`)
	reader := bytes.NewReader(body)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://server.test/graphql", nil)
	if err != nil {
		panic(err) // the arguments are constants
	}
	r.RemoteAddr, r.RequestURI, r.ContentLength = "192.0.2.7:4711", "/graphql", int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/graphql-response+json, application/json;q=0.9")
	w := &discardWriter{header: http.Header{}}
	return func() {
		reader.Reset(body)
		r.Body = io.NopCloser(reader)
		clear(w.header)
		w.status = 0
		server.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			panic(fmt.Sprint("status ", w.status))
		}
	}
}

// A discardWriter discards a response except its status.
type discardWriter struct {
	header http.Header
	status int
}

func (*discardWriter) SetReadDeadline(time.Time) error  { return nil } // like that of a connection
func (*discardWriter) SetWriteDeadline(time.Time) error { return nil }

func (w *discardWriter) Header() http.Header         { return w.header }
func (w *discardWriter) WriteHeader(status int)      { w.status = status }
func (w *discardWriter) Write(b []byte) (int, error) { return len(b), nil }

// executorRequest returns a function that executes the operation with gqlgen's executor alone, with the document in its cache.
func executorRequest(ctx context.Context) func() {
	exec := executor.New(generated.NewExecutableSchema(generated.Config{}))
	exec.SetQueryCache(lru.New[*ast.QueryDocument](100))
	return func() {
		ctx := graphql.StartOperationTrace(ctx)
		oc, errs := exec.CreateOperationContext(ctx, &graphql.RawParams{Query: typename})
		if len(errs) > 0 {
			panic(errs)
		}
		handle, ctx := exec.DispatchOperation(ctx, oc)
		if resp := handle(ctx); len(resp.Errors) > 0 || len(resp.Data) == 0 {
			panic(resp)
		}
	}
}
