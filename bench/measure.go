package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"mixcloud-graphql/bench/ideal"
	"mixcloud-graphql/bench/process"
	"mixcloud-graphql/bench/queries"
	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/internal/app"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/mixcloud/emulator"
)

// A bench measures servers in this process that call an emulator in another process.
type bench struct {
	latency   time.Duration
	dial      bool // no connection is open when a run starts
	reference *ideal.Reference
	emulator  *process.Process
}

// newBench starts the emulator. The plans are computed with another emulator in this process, with
// the same data, so that the requests for them are not counted.
func newBench(ctx context.Context, latency time.Duration, dial bool) (*bench, error) {
	local, err := emulator.New()
	if err != nil {
		return nil, err
	}
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	b := &bench{latency: latency, dial: dial, reference: ideal.New(schema, local.Transport(), ideal.DefaultConcurrency)}
	return b, b.startEmulator(ctx)
}

// startEmulator starts this program again, as the emulator.
func (b *bench) startEmulator(ctx context.Context) error {
	var err error
	b.emulator, err = process.StartSelf(ctx, process.Options{Log: os.Stderr}, "emulator", "--addr=127.0.0.1:0", "--log-level=error", "--latency="+b.latency.String())
	return err
}

// A row contains the measurements of a query.
type row struct {
	name           string
	calls, minimum int
	times          []time.Duration // of the server, one for each run
	ideal          []time.Duration // of the ideal client, in the same runs
	criticalPath   time.Duration
}

// measure executes a query a number of times, each time on a new server. Each time the ideal
// client makes the calls of the plan too. The two take turns in running first.
func (b *bench) measure(ctx context.Context, q queries.Query, runs int) (row, error) {
	q, op, err := prepare(q, func(q queries.Query) (body []byte, err error) {
		_, err = b.withColdServer(ctx, func(client *http.Client, server string) error {
			body, err = execute(ctx, client, server, q)
			return err
		})
		return body, err
	})
	if err != nil {
		return row{}, err
	}
	plan, err := b.reference.Plan(op)
	if err != nil {
		return row{}, fmt.Errorf("%s: %w", q.Name, err)
	}
	r := row{name: q.Name, minimum: plan.Calls(), criticalPath: time.Duration(len(plan.Rounds)) * b.latency}
	for i := range runs {
		turns := []func() error{
			func() error { return b.measureServer(ctx, q, &r) },
			func() error { return b.measureIdeal(ctx, plan, q.Token, &r) },
		}
		for j := range turns { // each runs first equally often
			if err := turns[(i+j)%len(turns)](); err != nil {
				return row{}, fmt.Errorf("%s: %w", q.Name, err)
			}
		}
	}
	return r, nil
}

// measureServer executes a query on a new server.
func (b *bench) measureServer(ctx context.Context, q queries.Query, r *row) error {
	took, err := b.withColdServer(ctx, func(client *http.Client, server string) error {
		_, err := execute(ctx, client, server, q)
		return err
	})
	if err != nil {
		return err
	}
	calls, err := process.Requests(ctx, b.emulator.Address())
	if err != nil {
		return err
	}
	r.calls = max(r.calls, len(calls))
	r.times = append(r.times, took)
	return nil
}

// withColdServer starts a server with an empty cache in this process, and returns the duration of
// use. The server runs all parts of the program, including the access log.
func (b *bench) withColdServer(ctx context.Context, use func(client *http.Client, server string) error) (time.Duration, error) {
	log := slog.New(slog.DiscardHandler)
	server, err := app.New(config.Serve{
		APIURL: b.emulator.Address(), SiteURL: b.emulator.Address() + "/www", OEmbedURL: b.emulator.Address() + "/www/oembed/",
		RequestTimeout: time.Minute, DrainTimeout: time.Minute,
	}, log)
	if err != nil {
		return 0, err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- server.Serve(serving, ln) }()

	client, done := newClient()
	err = b.connect(func() error { return connectServer(ctx, client, "http://"+ln.Addr().String()) })
	if err == nil {
		err = process.ClearRequests(ctx, b.emulator.Address())
	}
	runtime.GC() // collects the garbage of the previous run
	began := time.Now()
	if err == nil {
		err = use(client, "http://"+ln.Addr().String())
	}
	took := time.Since(began)
	done()
	stop()
	if failed := <-served; err == nil {
		err = failed
	}
	return took, err
}

// newClient returns an HTTP client without connections, and a function that closes the connections
// that it opens.
func newClient() (client *http.Client, done func()) {
	transport := &http.Transport{MaxIdleConnsPerHost: ideal.DefaultConcurrency}
	return &http.Client{Transport: transport}, transport.CloseIdleConnections
}

// missingPath is a path of Mixcloud without a resource: a request for it opens a connection, and
// puts no resource into a cache.
const missingPath = "/genres/nothing-here/"

// connect opens the connections that a process has after some time, unless dialing is to be
// measured too.
func (b *bench) connect(open func() error) error {
	if b.dial {
		return nil
	}
	return open()
}

// connectServer makes a server open the maximum number of connections, with a query for tags that
// do not exist.
func connectServer(ctx context.Context, client *http.Client, server string) error {
	var text strings.Builder
	for i := range ideal.DefaultConcurrency {
		fmt.Fprintf(&text, " t%d: tag(name: \"nothing here %d\") { name }", i, i)
	}
	_, err := execute(ctx, client, server, queries.Query{Name: "connect", Text: "{" + text.String() + " }"})
	return err
}

// measureIdeal makes the calls of a plan round by round and discards the responses. A server that
// resolves fields in the order in which they depend on each other cannot be faster.
func (b *bench) measureIdeal(ctx context.Context, plan *ideal.Plan, token string, r *row) error {
	client, done := newClient()
	defer done()
	err := b.connect(func() error {
		group, ctx := errgroup.WithContext(ctx)
		for range ideal.DefaultConcurrency {
			group.Go(func() error { return fetch(ctx, client, b.emulator.Address()+missingPath) })
		}
		return group.Wait()
	})
	if err != nil {
		return err
	}
	runtime.GC()
	began := time.Now()
	for _, round := range plan.Rounds {
		group, ctx := errgroup.WithContext(ctx)
		for _, call := range round {
			address := b.emulator.Address() + call.Path + "?" + call.Query
			if token != "" {
				address += "&access_token=" + token
			}
			group.Go(func() error { return fetch(ctx, client, address) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	r.ideal = append(r.ideal, time.Since(began))
	return nil
}

func fetch(ctx context.Context, client *http.Client, rawURL string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
