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

// seeded is the world of all tests. Nobody writes to it.
var seeded = sync.OnceValue(func() *world.World { return world.New(1) })

// reference plans over that world, through an emulator of its own.
var reference = sync.OnceValue(func() *ideal.Reference {
	mixcloud, err := emulator.New(emulator.WithWorld(seeded()))
	if err != nil {
		panic(err)
	}
	return ideal.New(generated.NewExecutableSchema(generated.Config{}).Schema(), mixcloud.Transport(), ideal.DefaultConcurrency)
})

// fewer is n, or a fifth of it with the race detector, at least 1.
func fewer(n int) int {
	if race.Enabled {
		return max(1, n/5)
	}
	return n
}

// A stage is a cold server over an emulator that nobody has asked anything.
type stage struct {
	mixcloud *emulator.Emulator
	client   *http.Client // of the server
}

func newStage(t testing.TB, options ...emulator.Option) *stage {
	t.Helper()
	e, err := emulator.New(append([]emulator.Option{emulator.WithWorld(seeded())}, options...)...)
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
	return &stage{e, &http.Client{Transport: inProcess{server}}}
}

func (s *stage) ask(t testing.TB, q queries.Query) []byte {
	t.Helper()
	answer, err := ask(context.Background(), s.client, "http://server.test", q)
	if err != nil {
		t.Fatalf("%v\n%s", err, q.Text)
	}
	return answer
}

// calls are those that were made, sorted.
func (s *stage) calls() []string {
	var calls []string
	for _, r := range s.mixcloud.Requests() {
		calls = append(calls, r.Path+"?"+r.Query)
	}
	slices.Sort(calls)
	return calls
}

// ready is a query that can be asked, and its plan.
func ready(t testing.TB, q queries.Query) (queries.Query, *ideal.Plan) {
	t.Helper()
	q, question, err := question(q, func(q queries.Query) ([]byte, error) { return newStage(t).ask(t, q), nil })
	if err != nil {
		t.Fatal(err)
	}
	plan, err := reference().Plan(question)
	if err != nil {
		t.Fatalf("%v\n%s", err, q.Text)
	}
	return q, plan
}

func named(t testing.TB) []queries.Query {
	t.Helper()
	all, err := queries.Named()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// inProcess hands requests to a handler.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result(), nil
}
