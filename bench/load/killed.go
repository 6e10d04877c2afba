package main

import (
	"context"
	"fmt"
	"time"
)

// after is how long traffic goes on when what was away is back.
const after = 5 * time.Second

// calm is which part of the bench's rate leaves the machine idle for most of the
// time, so that what an answer takes is the server's doing.
const calm = 0.2

// killed has Mixcloud die under traffic of pages that were seen before, and come
// back.
func (b *bench) killed(ctx context.Context) ([]row, error) {
	m, err := b.startMixcloud(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { m.Stop() }() // the one that is there then
	s, err := startServer(ctx, m.Address(), nil, "--upstream-rate=0")
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	c := newClient(s.Address())
	defer c.close()
	pages := fullPages(b.seed)
	if err := c.see(ctx, pages); err != nil {
		return nil, err
	}
	draw := newZipf(b.seed, len(pages), b.exponent)
	next := func() question { return pages[draw.next()] }

	// Half of the time before, so that lists go stale during the outage.
	before, _ := c.traffic(ctx, calm*b.rate, b.duration/2, next)
	m.Kill()
	during, unasked := c.traffic(ctx, calm*b.rate, b.outage, next)
	if err := m.restart(ctx); err != nil {
		return nil, err
	}
	back, _ := c.traffic(ctx, calm*b.rate, after, next)

	median := before.at(0.5)
	slow := func(all answers) answers { return all.only(func(a answer) bool { return a.took > 2*median }) }
	return []row{
		{
			fmt.Sprintf("Mixcloud killed for %v: pages seen before", b.outage),
			"100 % answered",
			fmt.Sprintf("%s of %d%s, %d said to be stale, %d unasked; %s before and %s in the %v after",
				percent(len(during.good()), len(during)), len(during), during.why(), len(during.only(func(a answer) bool { return a.stale })), unasked,
				percent(len(before.good()), len(before)), percent(len(back.good()), len(back)), after),
		},
		{
			"the same: slowest answer ÷ median before",
			"≤ 2",
			fmt.Sprintf("%.1f (p50 %.2f, p99 %.1f, %s above 2; before, with a median of %s: slowest %.1f, p99 %.1f, %s above 2)",
				ratio(during.at(1), median), ratio(during.at(0.5), median), ratio(during.at(0.99), median), percent(len(slow(during)), len(during)), ms(median),
				ratio(before.at(1), median), ratio(before.at(0.99), median), percent(len(slow(before)), len(before))),
		},
	}, nil
}
