package main

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"mixcloud-graphql/bench/process"
)

// chart is a query for popular cloudcasts, with members of the full form of each cloudcast and
// uploader.
const chart = `query Chart { popular(first: 20) { nodes { name description user { name biog followerCount } } } }`

const coldClients = 500

// cold measures many clients that send the same query at once to a server with an empty cache.
func (b *bench) cold(ctx context.Context) ([]row, error) {
	m, err := b.startMixcloud(ctx)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	one, _, err := b.executeCold(ctx, m, 1)
	if err != nil {
		return nil, err
	}
	many, all, err := b.executeCold(ctx, m, coldClients)
	if err != nil {
		return nil, err
	}
	return []row{{
		fmt.Sprintf("%d clients send the same query at once, empty cache", coldClients),
		fmt.Sprintf("the %d calls of one client", one),
		fmt.Sprintf("%d calls; %d succeeded, %d failed%s; slowest %s", many, len(all.good()), len(all.failures()), all.firstFailure(), ms(all.percentile(1))),
	}}, nil
}

// executeCold executes the chart query for a number of clients at once on a new server, and counts
// the calls.
func (b *bench) executeCold(ctx context.Context, m *mixcloud, clients int) (calls int, all results, err error) {
	s, err := startServer(ctx, m.Address(), nil)
	if err != nil {
		return 0, nil, err
	}
	defer s.Stop()
	if err := m.clearRequests(ctx); err != nil {
		return 0, nil, err
	}
	c := newClient(s.Address())
	defer c.close()
	var t collector
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range clients {
		wg.Go(func() {
			<-start
			t.add(c.execute(ctx, newRequest(chart, nil)))
		})
	}
	close(start)
	wg.Wait()
	calls, err = m.calls(ctx)
	return calls, t.results(), err
}

// zipf measures traffic over all pages, with a Zipf distribution: first with an empty cache, then
// after every page was requested once, as on a server that has run for a day.
func (b *bench) zipf(ctx context.Context) (rows []row, err error) {
	m, err := b.startMixcloud(ctx)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	// Without a rate limit, because this measures the number of calls and not their rate.
	s, err := startServer(ctx, m.Address(), nil, "--upstream-rate=0")
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	c := newClient(s.Address())
	c.cost = true
	defer c.close()
	draw := newZipf(b.seed, len(b.pages), b.exponent)
	cold, err := b.zipfRow(ctx, m, c, draw, "empty cache at the start")
	if err != nil {
		return nil, err
	}
	all := c.sendAll(ctx, b.pages, 4)
	if failed := all.failures(); len(failed) > len(all)/100 {
		return []row{cold}, fmt.Errorf("%d of %d pages failed%s", len(failed), len(all), failed.firstFailure())
	}
	warm, err := b.zipfRow(ctx, m, c, draw, "every page cached")
	if err != nil {
		return []row{cold}, err
	}
	return []row{cold, warm}, nil
}

func (b *bench) zipfRow(ctx context.Context, m *mixcloud, c *client, draw *zipf, what string) (row, error) {
	if err := m.clearRequests(ctx); err != nil {
		return row{}, err
	}
	all, skipped := c.sendAtRate(ctx, b.rate, b.duration, func() request { return b.pages[draw.next()] })
	calls, err := m.requests(ctx)
	if err != nil {
		return row{}, err
	}
	var spent cost
	for _, a := range all {
		spent.UpstreamCalls += a.cost.UpstreamCalls
		spent.CacheHits += a.cost.CacheHits
		spent.Coalesced += a.cost.Coalesced
		spent.Stale += a.cost.Stale
	}
	reads := spent.UpstreamCalls + spent.CacheHits + spent.Coalesced + spent.Stale
	return row{
		fmt.Sprintf("Zipf traffic over all pages for %v, %s", b.duration, what),
		"≤ 0.05 calls per query",
		fmt.Sprintf("%.3f (%d calls, %d distinct, for %d queries); hit rate %s of %d reads; %d failed%s; %d skipped",
			ratio(len(calls), len(all)), len(calls), distinct(calls), len(all),
			percent(reads-spent.UpstreamCalls, reads), reads, len(all.failures()), all.firstFailure(), skipped),
	}, nil
}

// distinct returns the number of distinct calls, which is the minimum with an empty cache.
func distinct(calls []process.Request) int {
	names := make([]string, len(calls))
	for i, r := range calls {
		names[i] = r.Path + "?" + r.Query
	}
	slices.Sort(names)
	return len(slices.Compact(names))
}
