package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"mixcloud-graphql/bench/ideal"
	"mixcloud-graphql/bench/queries"
	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/internal/app"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/race"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// testWorld returns the emulator's data for all tests, which must not modify it.
var testWorld = sync.OnceValue(func() *world.World { return world.New(1) })

// reference returns a reference that uses the data of testWorld and its own emulator.
var reference = sync.OnceValue(func() *ideal.Reference {
	mixcloud, err := emulator.New(emulator.WithWorld(testWorld()))
	if err != nil {
		panic(err)
	}
	return ideal.New(generated.NewExecutableSchema(generated.Config{}).Schema(), mixcloud.Transport(), ideal.DefaultConcurrency)
})

// reducedWithRace returns n, or with the race detector a fifth of it and at least 1.
func reducedWithRace(n int) int {
	if race.Enabled {
		return max(1, n/5)
	}
	return n
}

// A testServer is a server with an empty cache, and its emulator.
type testServer struct {
	emulator *emulator.Emulator
	client   *http.Client // of the server
}

func newTestServer(t testing.TB, options ...emulator.Option) *testServer {
	t.Helper()
	e, err := emulator.New(append([]emulator.Option{emulator.WithWorld(testWorld())}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	client, err := mixcloud.New(
		mixcloud.WithAPIURL("https://mixcloud.test"),
		mixcloud.WithSiteURL("https://mixcloud.test/www"),
		mixcloud.WithOEmbedURL("https://mixcloud.test/www/oembed/"),
		mixcloud.WithHTTPClient(&http.Client{Transport: e.Transport()}),
	)
	if err != nil {
		t.Fatal(err)
	}
	server, err := app.NewWithClient(config.Serve{RequestTimeout: time.Minute, OperationBudget: 1000}, client, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return &testServer{e, &http.Client{Transport: inProcess{server}}}
}

func (s *testServer) execute(t testing.TB, q queries.Query) []byte {
	t.Helper()
	body, err := execute(context.Background(), s.client, "http://server.test", q)
	if err != nil {
		t.Fatalf("the request failed: %v\n%s", err, q.Text)
	}
	return body
}

// calls returns the calls that the emulator received, sorted.
func (s *testServer) calls() []string {
	var calls []string
	for _, r := range s.emulator.Requests() {
		calls = append(calls, r.Path+"?"+r.Query)
	}
	slices.Sort(calls)
	return calls
}

// prepareTest returns a query with all variables, and its plan.
func prepareTest(t testing.TB, q queries.Query) (queries.Query, *ideal.Plan) {
	t.Helper()
	q, op, err := prepare(q, func(q queries.Query) ([]byte, error) { return newTestServer(t).execute(t, q), nil })
	if err != nil {
		t.Fatal(err)
	}
	plan, err := reference().Plan(op)
	if err != nil {
		t.Fatalf("Plan returned the error %v\n%s", err, q.Text)
	}
	return q, plan
}

func namedQueries(t testing.TB) []queries.Query {
	t.Helper()
	all, err := queries.Named()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// inProcess is a RoundTripper that calls a handler.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result(), nil
}
