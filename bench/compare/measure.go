package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"mixcloud-graphql/bench/ideal"
	"mixcloud-graphql/graph/generated"
)

// samples is the number of response times that a round measures for each query and server.
const samples = 5

// warmUps is the number of measurements of each query and server that are not counted. The first
// requests to a server for Node take five times as long, until its code is compiled.
const warmUps = 2

// results are the results of a run.
type results struct {
	settings settings
	servers  []string
	cold     []coldRow
	loads    []loadRow
	memory   []memory // by server
}

// A coldRow contains the response times of a query whose variables are new in each sample.
type coldRow struct {
	name    string
	minimum int             // number of calls
	ideal   []time.Duration // by sample
	servers []coldMeasures  // by server
}

type coldMeasures struct {
	times []time.Duration // by sample
	calls []int
}

// A loadRow contains the processor times of a query, with new variables in each request or with the
// same ones.
type loadRow struct {
	name    string
	repeats bool
	servers [][]loadMeasure // by server and round
}

// A loadMeasure is one measurement under load.
type loadMeasure struct {
	requests, failed, calls int
	processorTime           time.Duration
}

// cost returns the processor time of a request.
func (m loadMeasure) cost() time.Duration { return m.processorTime / time.Duration(max(m.requests, 1)) }

type memory struct{ idle, peak int64 }

// measure compares the responses of all servers, and measures them in rounds. Each round measures each query with all
// servers, one directly after the other, and begins with another server.
func (b *bench) measure(ctx context.Context) (*results, error) {
	r := &results{settings: b.settings}
	for _, s := range b.servers {
		r.servers = append(r.servers, s.name)
	}
	for _, q := range b.queries {
		if err := b.compare(ctx, q); err != nil {
			return nil, err
		}
		r.cold = append(r.cold, coldRow{name: q.name, servers: make([]coldMeasures, len(b.servers))})
	}
	for _, repeats := range []bool{false, true} {
		for _, q := range b.queries {
			if !repeats || q.repeats() {
				r.loads = append(r.loads, loadRow{name: q.name, repeats: repeats, servers: make([][]loadMeasure, len(b.servers))})
			}
		}
	}
	fmt.Fprintln(b.progress, "compare: warm-up")
	for range warmUps {
		for _, q := range b.queries {
			for _, s := range b.servers {
				if _, err := b.load(ctx, s, q, false); err != nil {
					return nil, err
				}
			}
		}
	}
	for round := range b.rounds {
		fmt.Fprintf(b.progress, "compare: round %d of %d\n", round+1, b.rounds)
		if err := b.round(ctx, round, r); err != nil {
			return nil, err
		}
	}
	for _, s := range b.servers {
		peak, err := s.process.Memory("VmHWM")
		if err != nil {
			return nil, err
		}
		r.memory = append(r.memory, memory{s.idle, peak})
	}
	return r, nil
}

func (b *bench) round(ctx context.Context, round int, r *results) error {
	for i, q := range b.queries {
		for sample := range samples {
			if err := b.coldSample(ctx, q, round+sample, &r.cold[i]); err != nil {
				return err
			}
		}
	}
	for i := range r.loads {
		row := &r.loads[i]
		q := b.queries[slices.IndexFunc(b.queries, func(q query) bool { return q.name == row.name })]
		for turn := range b.servers {
			at := (turn + round) % len(b.servers)
			m, err := b.load(ctx, b.servers[at], q, row.repeats)
			if err != nil {
				return err
			}
			row.servers[at] = append(row.servers[at], m)
		}
	}
	return nil
}

// compare returns an error unless the responses of all servers have the same scalar values.
func (b *bench) compare(ctx context.Context, q query) error {
	b.next++
	var first []string
	for _, s := range b.servers {
		response, err := s.send(ctx, q.body(s.queries, b.next))
		if err != nil {
			return fmt.Errorf("%s: %s: %w", s.name, q.name, err)
		}
		values, err := scalars(response)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", s.name, q.name, err)
		}
		if first == nil {
			first = values
		}
		if !slices.Equal(values, first) {
			return fmt.Errorf("%s: the response of %s differs from that of %s", q.name, s.name, b.servers[0].name)
		}
	}
	return nil
}

// coldSample measures the response time of all servers and of the ideal client, with the same new variables.
func (b *bench) coldSample(ctx context.Context, q query, turn int, row *coldRow) error {
	b.next++
	plan, err := b.plan(q, b.next)
	if err != nil {
		return err
	}
	row.minimum = plan.Calls()
	b.mixcloud.latency.Store(int64(b.latency))
	defer b.mixcloud.latency.Store(0)
	for i := range len(b.servers) + 1 {
		at := (i + turn) % (len(b.servers) + 1)
		calls, began := b.mixcloud.calls.Load(), time.Now()
		if at == len(b.servers) {
			if err := b.execute(ctx, plan); err != nil {
				return err
			}
			row.ideal = append(row.ideal, time.Since(began))
			continue
		}
		s := b.servers[at]
		if _, err := s.send(ctx, q.body(s.queries, b.next)); err != nil {
			return fmt.Errorf("%s: %s: %w", s.name, q.name, err)
		}
		m := &row.servers[at]
		m.times = append(m.times, time.Since(began))
		m.calls = append(m.calls, int(b.mixcloud.calls.Load()-calls))
	}
	return nil
}

// plan returns the minimum calls of a query.
func (b *bench) plan(q query, n int64) (*ideal.Plan, error) {
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	plan, err := ideal.New(schema, b.mixcloud, ideal.DefaultConcurrency).Plan(ideal.Operation{Query: q.texts[ourQueries], Variables: q.variables(n)})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", q.name, err)
	}
	return plan, nil
}

// idealClient has its own connections, which stay open like those of the servers.
var idealClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: ideal.DefaultConcurrency}}

// execute makes the calls of a plan, round by round, and discards the responses.
func (b *bench) execute(ctx context.Context, plan *ideal.Plan) error {
	for _, round := range plan.Rounds {
		group, ctx := errgroup.WithContext(ctx)
		for _, call := range round {
			group.Go(func() error {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.mixcloud.url+call.Path+"?"+call.Query, nil)
				if err != nil {
					return err
				}
				resp, err := idealClient.Do(req)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				_, err = io.Copy(io.Discard, resp.Body)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return nil
}
