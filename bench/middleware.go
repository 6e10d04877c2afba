package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
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

	// middlewareTarget is what the chain should add to a request at most.
	middlewareTarget = 8 * time.Microsecond
)

// printMiddleware measures what the server adds to gqlgen's executor for a POST of { __typename } without compression: the endpoint,
// which reads the request, bounds and meters the operation and makes its loaders; and the chain of middleware around that, from CORS to
// the session. They take turns, and each round has its medians; a figure is the median of the rounds' differences, so that what else
// the machine does hardly counts.
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

	whole, endpoint, bare := wholeRequest(ctx, server), wholeRequest(ctx, server.Endpoint()), bareRequest(ctx)
	var chain, inner, alone []time.Duration
	for range middlewareRounds {
		all, some, least := middleTime(whole), middleTime(endpoint), middleTime(bare)
		chain, inner, alone = append(chain, all-some), append(inner, some-least), append(alone, least)
	}
	_, err = fmt.Fprintf(out, "| what | µs |\n| --- | ---: |\n| gqlgen's executor | %.2f |\n| added by the endpoint | %.2f |\n| added by the middleware | %.2f (target %.0f) |\n",
		micros(middle(alone)), micros(middle(inner)), micros(middle(chain)), micros(middlewareTarget))
	return err
}

func middle(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// middleTime returns the median time of a call.
func middleTime(call func()) time.Duration {
	var all [middlewareRequests]time.Duration
	for i := range all {
		start := time.Now()
		call()
		all[i] = time.Since(start)
	}
	return middle(all[:])
}

const typename = "{ __typename }"

// wholeRequest returns a request to the server, from its header on.
func wholeRequest(ctx context.Context, server http.Handler) func() {
	body := []byte(`{"query":"` + typename + `"}`)
	reader := bytes.NewReader(body)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://server.test/graphql", nil)
	if err != nil {
		panic(err) // it is constant
	}
	r.RemoteAddr, r.RequestURI, r.ContentLength = "192.0.2.7:4711", "/graphql", int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/graphql-response+json, application/json;q=0.9")
	w := &unread{header: http.Header{}}
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

// unread is a response that nobody reads.
type unread struct {
	header http.Header
	status int
}

func (*unread) SetReadDeadline(time.Time) error  { return nil } // as a connection can
func (*unread) SetWriteDeadline(time.Time) error { return nil }

func (n *unread) Header() http.Header         { return n.header }
func (n *unread) WriteHeader(status int)      { n.status = status }
func (n *unread) Write(b []byte) (int, error) { return len(b), nil }

// bareRequest returns the same operation for gqlgen's executor alone, with a document that it knows.
func bareRequest(ctx context.Context) func() {
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
