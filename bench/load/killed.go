package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"mixcloud-graphql/bench/process"
)

// recoveryTime is the duration of the traffic after an outage.
const recoveryTime = 5 * time.Second

// lightLoad is a share of the rate with which the machine is mostly idle, so that response times do
// not depend on other requests.
const lightLoad = 0.2

// killed measures traffic of cached pages while Mixcloud is killed and restarted.
func (b *bench) killed(ctx context.Context) ([]row, error) {
	m, err := b.startMixcloud(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { m.Stop() }() // m may have been restarted
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

	// Before the outage for half of the duration, so that lists become stale during the outage.
	began := time.Now()
	before, _ := c.sendAtRate(ctx, lightLoad*b.rate, b.duration/2, next)
	m.Kill()
	killed := time.Now()
	during, skipped := c.sendAtRate(ctx, lightLoad*b.rate, b.outage, next)
	over := time.Now()
	if err := m.restart(ctx); err != nil {
		return nil, err
	}
	back, _ := c.sendAtRate(ctx, lightLoad*b.rate, recoveryTime, next)

	s.Stop() // so that its log is complete
	logged := func(from, to time.Time) results { return log.results(http.StatusOK, from, to) }
	return []row{
		{
			fmt.Sprintf("Mixcloud killed for %v: cached pages", b.outage),
			"100 % succeeded",
			fmt.Sprintf("%s of %d%s, %d stale, %d skipped; %s before and %s in the %v after",
				percent(len(during.good()), len(during)), len(during), during.firstFailure(), len(during.filter(func(a result) bool { return a.stale })), skipped,
				percent(len(before.good()), len(before)), percent(len(back.good()), len(back)), recoveryTime),
		},
		{
			"the same: slowest response ÷ median before",
			"≤ 2",
			"in the server's access log " + slowness(logged(killed, over), logged(began, killed)) +
				"; measured by the clients, which share the machine, " + slowness(during, before),
		},
	}, nil
}

// slowness compares response times during an outage with the median before.
func slowness(during, before results) string {
	median := before.percentile(0.5)
	format := func(all results) string {
		slow := all.filter(func(a result) bool { return a.took > 2*median })
		return fmt.Sprintf("%.1f, p99 %.1f, %s above 2", ratio(all.percentile(1), median), ratio(all.percentile(0.99), median), percent(len(slow), len(all)))
	}
	return fmt.Sprintf("%s (before, with a median of %s: %s)", format(during), ms(median), format(before))
}
