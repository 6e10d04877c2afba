package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"mixcloud-graphql/bench/process"
)

// after is how long traffic goes on when what was away is back.
const recoveryTime = 5 * time.Second

// calm is which part of the bench's rate leaves the machine idle for most of the
// time, so that what an answer takes is the server's doing.
const lightLoad = 0.2

// killed has Mixcloud die under traffic of pages that were seen before, and come
// back.
func (b *bench) killed(ctx context.Context) ([]row, error) {
	m, err := b.startMixcloud(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { m.Stop() }() // the one that is there then
	var log accessLog
	s, err := process.StartSelf(ctx, process.Options{Log: &log}, append(serve(m.Address()), "--upstream-rate=0", "--log-format=json")...)
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	c := newClient(s.Address())
	defer c.close()
	pages := fullPages(b.seed)
	if err := c.warmUp(ctx, pages); err != nil {
		return nil, err
	}
	draw := newZipf(b.seed, len(pages), b.exponent)
	next := func() request { return pages[draw.next()] }

	// Half of the time before, so that lists go stale during the outage.
	began := time.Now()
	before, _ := c.sendAtRate(ctx, lightLoad*b.rate, b.duration/2, next)
	m.Kill()
	killed := time.Now()
	during, unasked := c.sendAtRate(ctx, lightLoad*b.rate, b.outage, next)
	over := time.Now()
	if err := m.restart(ctx); err != nil {
		return nil, err
	}
	back, _ := c.sendAtRate(ctx, lightLoad*b.rate, recoveryTime, next)

	s.Stop() // so that its log is complete
	logged := func(from, to time.Time) results { return log.results(http.StatusOK, from, to) }
	return []row{
		{
			fmt.Sprintf("Mixcloud killed for %v: pages seen before", b.outage),
			"100 % answered",
			fmt.Sprintf("%s of %d%s, %d said to be stale, %d unasked; %s before and %s in the %v after",
				percent(len(during.good()), len(during)), len(during), during.firstFailure(), len(during.filter(func(a result) bool { return a.stale })), unasked,
				percent(len(before.good()), len(before)), percent(len(back.good()), len(back)), recoveryTime),
		},
		{
			"the same: slowest answer ÷ median before",
			"≤ 2",
			"by the server's access log " + slowness(logged(killed, over), logged(began, killed)) +
				"; by the clients' clocks, which have to share the machine, " + slowness(during, before),
		},
	}, nil
}

// slowness tells how slow answers are by the median of those before.
func slowness(during, before results) string {
	median := before.percentile(0.5)
	tell := func(all results) string {
		slow := all.filter(func(a result) bool { return a.took > 2*median })
		return fmt.Sprintf("%.1f, p99 %.1f, %s above 2", ratio(all.percentile(1), median), ratio(all.percentile(0.99), median), percent(len(slow), len(all)))
	}
	return fmt.Sprintf("%s (before, with a median of %s: %s)", tell(during), ms(median), tell(before))
}
