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

// A bench measures servers of this process over an emulator in another.
type bench struct {
	latency   time.Duration
	dial      bool // no connection is open when the clock starts
	reference *ideal.Reference
	emulator  *process.Process
}

// newBench starts the emulator. The plans are made with another one in this
// process, of the same world, so that they stand in nobody's journal.
func newBench(ctx context.Context, latency time.Duration, dial bool) (*bench, error) {
	local, err := emulator.New()
	if err != nil {
		return nil, err
	}
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	b := &bench{latency: latency, dial: dial, reference: ideal.New(schema, local.Transport(), ideal.DefaultConcurrency)}
	return b, b.startEmulator(ctx)
}

// startEmulator runs this program once more, as the emulator.
func (b *bench) startEmulator(ctx context.Context) error {
	var err error
	b.emulator, err = process.Again(ctx, process.Options{Log: os.Stderr}, "emulator", "--addr=127.0.0.1:0", "--log-level=error", "--latency="+b.latency.String())
	return err
}

// A row is what was measured of a query.
type row struct {
	name         string
	calls, least int
	times        []time.Duration // of the server, one for each run
	ideal        []time.Duration // of the ideal client, in the same runs
	path         time.Duration   // the critical path
}

// measure asks a query so many times, each time of a new server, and has the
// ideal client make the calls of its plan as often, in turns.
func (b *bench) measure(ctx context.Context, q queries.Query, runs int) (row, error) {
	q, question, err := question(q, func(q queries.Query) (answer []byte, err error) {
		_, err = b.cold(ctx, func(client *http.Client, server string) error {
			answer, err = ask(ctx, client, server, q)
			return err
		})
		return answer, err
	})
	if err != nil {
		return row{}, err
	}
	plan, err := b.reference.Plan(question)
	if err != nil {
		return row{}, fmt.Errorf("%s: %w", q.Name, err)
	}
	r := row{name: q.Name, least: plan.Calls(), path: time.Duration(len(plan.Rounds)) * b.latency}
	for i := range runs {
		turns := []func() error{
			func() error { return b.askServer(ctx, q, &r) },
			func() error { return b.askIdeal(ctx, plan, q.Token, &r) },
		}
		for j := range turns { // each is the first one as often as the other
			if err := turns[(i+j)%len(turns)](); err != nil {
				return row{}, fmt.Errorf("%s: %w", q.Name, err)
			}
		}
	}
	return r, nil
}

func (b *bench) askServer(ctx context.Context, q queries.Query, r *row) error {
	took, err := b.cold(ctx, func(client *http.Client, server string) error {
		_, err := ask(ctx, client, server, q)
		return err
	})
	if err != nil {
		return err
	}
	made, err := process.Journal(ctx, b.emulator.Address())
	if err != nil {
		return err
	}
	r.calls = max(r.calls, len(made))
	r.times = append(r.times, took)
	return nil
}

// cold starts a server that knows nothing yet, and times what use does with it.
// It is everything that the program serves with, access log included, in this
// process.
func (b *bench) cold(ctx context.Context, use func(client *http.Client, server string) error) (time.Duration, error) {
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
		err = process.Forget(ctx, b.emulator.Address())
	}
	runtime.GC() // of what the run before left
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

// newClient gives an HTTP client without connections, and what closes those
// that it will make.
func newClient() (client *http.Client, done func()) {
	transport := &http.Transport{MaxIdleConnsPerHost: ideal.DefaultConcurrency}
	return &http.Client{Transport: transport}, transport.CloseIdleConnections
}

// nowhere is a path of Mixcloud where nothing is, so that asking for it opens a
// connection and teaches nothing.
const nowhere = "/genres/nothing-here/"

// connect opens the connections that a process which has served for a while
// has, unless dialling is to be measured too.
func (b *bench) connect(open func() error) error {
	if b.dial {
		return nil
	}
	return open()
}

// connectServer makes a server open as many connections as it will use, by a
// question about things that do not exist.
func connectServer(ctx context.Context, client *http.Client, server string) error {
	var text strings.Builder
	for i := range ideal.DefaultConcurrency {
		fmt.Fprintf(&text, " t%d: tag(name: \"nothing here %d\") { name }", i, i)
	}
	_, err := ask(ctx, client, server, queries.Query{Name: "connect", Text: "{" + text.String() + " }"})
	return err
}

// askIdeal makes the calls of a plan round by round and looks at nothing that
// comes. No server can be faster whose fields depend on each other as the
// query's do.
func (b *bench) askIdeal(ctx context.Context, plan *ideal.Plan, token string, r *row) error {
	client, done := newClient()
	defer done()
	err := b.connect(func() error {
		group, ctx := errgroup.WithContext(ctx)
		for range ideal.DefaultConcurrency {
			group.Go(func() error { return fetch(ctx, client, b.emulator.Address()+nowhere) })
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

func fetch(ctx context.Context, client *http.Client, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
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
