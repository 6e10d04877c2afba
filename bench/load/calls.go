package main

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"mixcloud-graphql/bench/process"
)

// A chart with what only each cloudcast's and each uploader's own address gives.
const chart = `query Chart { popular(first: 20) { nodes { name description user { name biog followerCount } } } }`

const coldClients = 500

// cold has many clients ask at the same moment what a new server knows nothing
// of.
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
		fmt.Sprintf("%d clients ask the same cold query at once", coldClients),
		fmt.Sprintf("the %d upstream calls of one client", one),
		fmt.Sprintf("%d upstream calls; %d answered, %d not%s; slowest %s", many, len(all.good()), len(all.failures()), all.firstFailure(), ms(all.percentile(1))),
	}}, nil
}

// askCold has so many clients ask a new server, and counts the calls.
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
	var asking sync.WaitGroup
	start := make(chan struct{})
	for range clients {
		asking.Go(func() {
			<-start
			t.add(c.execute(ctx, newRequest(chart, nil)))
		})
	}
	close(start)
	asking.Wait()
	calls, err = m.calls(ctx)
	return calls, t.results(), err
}

// zipf has traffic over the whole world: on a server that knows nothing; then on
// the same when it has seen every page, as one has that has served for a day.
func (b *bench) zipf(ctx context.Context) (rows []row, err error) {
	m, err := b.startMixcloud(ctx)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	// Mixcloud has no limit here: how few calls are made is the question, not
	// how slowly.
	s, err := startServer(ctx, m.Address(), nil, "--upstream-rate=0")
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	c := newClient(s.Address())
	c.cost = true
	defer c.close()
	draw := newZipf(b.seed, len(b.pages), b.exponent)
	cold, err := b.zipfRow(ctx, m, c, draw, "from a cold start")
	if err != nil {
		return nil, err
	}
	seen := c.sendAll(ctx, b.pages, 4)
	if bad := seen.failures(); len(bad) > len(seen)/100 {
		return []row{cold}, fmt.Errorf("%d of %d pages could not be seen%s", len(bad), len(seen), bad.firstFailure())
	}
	warm, err := b.zipfRow(ctx, m, c, draw, "every page seen before")
	if err != nil {
		return []row{cold}, err
	}
	return []row{cold, warm}, nil
}

func (b *bench) zipfRow(ctx context.Context, m *mixcloud, c *client, draw *zipf, what string) (row, error) {
	if err := m.clearRequests(ctx); err != nil {
		return row{}, err
	}
	all, unasked := c.sendAtRate(ctx, b.rate, b.duration, func() request { return b.pages[draw.next()] })
	made, err := m.requests(ctx)
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
		fmt.Sprintf("Zipf traffic over the whole world for %v, %s", b.duration, what),
		"≤ 0.05 upstream calls per query",
		fmt.Sprintf("%.3f (%d calls, %d of them different, for %d queries); hit rate %s of %d reads; %d without a full answer%s; %d unasked",
			ratio(len(made), len(all)), len(made), distinct(made), len(all),
			percent(reads-spent.UpstreamCalls, reads), reads, len(all.failures()), all.firstFailure(), unasked),
	}, nil
}

// different counts the calls that are not repetitions: no server can make fewer
// that has not seen their answers before.
func distinct(made []process.Request) int {
	names := make([]string, len(made))
	for i, r := range made {
		names[i] = r.Path + "?" + r.Query
	}
	slices.Sort(names)
	return len(slices.Compact(names))
}
