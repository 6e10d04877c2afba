package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"mixcloud-graphql/bench/process"
)

// The queries of a crowd. The server has cached their responses, so that they cost no calls.
var crowdQueries = []struct{ name, query string }{
	{"small", `query Small { user(username: "demo") { name biog followerCount } }`},
	{"fan-out", chart},
	{"large", `query Large { popular(first: 100) { nodes { id key name url description audioLength playCount favoriteCount createdAt user { id name username pictures { size url } } tags { id name } pictures { size width height url } } } }`},
}

const (
	baseConnections = 32
	phaseLength     = 4 * time.Second // each phase
	settleTime      = time.Second     // at the start of a phase, not counted
	floodSettleTime = 3 * time.Second // the same for a flood, which opens thousands of connections
	overloadFactor  = 5               // times the capacity
)

// crowd measures the server with more clients than it can serve, and after they have left: 32 → 256 →
// 32 → 1,000 → 32 connections that send the next request as soon as they have a response, refused or
// not; then 5 times the capacity, then half of it, at a fixed rate. The server has one processor, and
// the clients another one.
func (b *bench) crowd(ctx context.Context) ([]row, error) {
	m, err := b.startMixcloud(ctx)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	refusal, rows, err := b.refusalCost(ctx, m)
	if err != nil {
		return rows, err
	}
	for _, q := range crowdQueries {
		r, err := b.measureCrowd(ctx, m, q.name, newRequest(q.query, nil), refusal)
		rows = append(rows, r...)
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// startPinned starts a server with one processor, with its default log.
func startPinned(ctx context.Context, args ...string) (*process.Process, error) {
	s, err := process.StartSelf(ctx, process.Options{Env: []string{"GOMAXPROCS=1"}}, args...)
	if err != nil {
		return nil, err
	}
	if _, err := process.Pin(s.Pid(), 0); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// startCrowdServer starts a server that has cached the responses to a query.
func startCrowdServer(ctx context.Context, m *mixcloud, q request, flags ...string) (*process.Process, error) {
	s, err := startPinned(ctx, append(append(serve(m.Address()), "--upstream-rate=0"), flags...)...)
	if err != nil {
		return nil, err
	}
	c := newClient(s.Address())
	defer c.close()
	if err := c.warmUp(ctx, []request{q, q}); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// refusalCost measures the processor time of a refusal, and compares it with a handler of net/http
// that reads the request and responds with the same status. The server refuses requests after 1 ms, so
// that it spends most of its time on refusals.
func (b *bench) refusalCost(ctx context.Context, m *mixcloud) (time.Duration, []row, error) {
	const connections = 256
	q := newRequest(crowdQueries[0].query, nil)
	one := func(connections int, start func() (*process.Process, error)) (phase, error) {
		s, err := start()
		if err != nil {
			return phase{}, err
		}
		defer s.Stop()
		l, err := newLoadGenerator(s, q)
		if err != nil {
			return phase{}, err
		}
		return l.phase(ctx, l.closedLoop(connections)), nil
	}
	calm, err := one(baseConnections, func() (*process.Process, error) { return startCrowdServer(ctx, m, q) })
	if err != nil {
		return 0, nil, err
	}
	many, err := one(connections, func() (*process.Process, error) { return startCrowdServer(ctx, m, q, "--max-wait=1ms") })
	if err != nil {
		return 0, nil, err
	}
	bare, err := one(connections, func() (*process.Process, error) { return startPinned(ctx, bareCommand) })
	if err != nil {
		return 0, nil, err
	}
	response := calm.cost(calm.good)
	refusal := time.Duration(ratio(float64(many.cpu)-float64(many.good)*float64(response), float64(many.refused)))
	return refusal, []row{{
		"processor time of a refusal ÷ that of a bare net/http 503",
		"≤ 1.5",
		fmt.Sprintf("%.2f (%s ÷ %s; %d refusals and %d responses of %s in %s of processor time; %d bare ones)",
			ratio(refusal, bare.cost(bare.refused)), us(refusal), us(bare.cost(bare.refused)), many.refused, many.good, us(response), many.cpu.Round(time.Millisecond), bare.refused),
	}}, nil
}

// measureCrowd measures the phases with one query.
func (b *bench) measureCrowd(ctx context.Context, m *mixcloud, name string, q request, refusal time.Duration) ([]row, error) {
	s, err := startCrowdServer(ctx, m, q)
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	l, err := newLoadGenerator(s, q)
	if err != nil {
		return nil, err
	}
	stop := l.closedLoop(baseConnections).start(ctx)
	before := l.phase(ctx, nil)
	at256 := l.phase(ctx, l.closedLoop(256-baseConnections))
	after256 := l.phase(ctx, nil)
	at1000 := l.phase(ctx, l.closedLoop(1000-baseConnections))
	after1000 := l.phase(ctx, nil)
	stop()
	capacity := before.perSecond(before.good)
	l.settleTime = floodSettleTime
	flooded := l.phase(ctx, l.openLoop(overloadFactor*capacity))
	l.settleTime = settleTime
	half := l.phase(ctx, l.openLoop(capacity/2))

	response := before.cost(before.good)
	x := ratio(refusal, response)
	// The maximum share of good responses, for the number of requests that were sent.
	times := flooded.perSecond(flooded.good+flooded.refused) / capacity
	possible := (1 - times*x) / (1 - x)
	share := func(p phase) string {
		return fmt.Sprintf("%.2f (%.0f/s and %.0f refused; %.0f and %.0f per second of processor time)", p.perSecond(p.good)/capacity,
			p.perSecond(p.good), p.perSecond(p.refused), ratio(float64(p.good), p.cpu.Seconds()), ratio(float64(p.refused), p.cpu.Seconds()))
	}
	return []row{
		{name + ": good responses of 256 connections ÷ of 32", "≥ 0.9", share(at256) + fmt.Sprintf("; of 32 %.0f/s, %s each", capacity, us(response))},
		{name + ": good responses of 1,000 connections ÷ of 32", "≥ 0.9", share(at1000)},
		{name + ": refusals later than 1 s after 256 → 32, after 1,000 → 32, after 5 × → 0.5 ×", "0, 0, 0", fmt.Sprintf("%d, %d, %d; good responses %.2f and %.2f of those before the crowd", after256.refused, after1000.refused, half.refused, after256.perSecond(after256.good)/capacity, after1000.perSecond(after1000.good)/capacity)},
		{
			fmt.Sprintf("%s: good responses at %d × capacity ÷ capacity", name, overloadFactor),
			fmt.Sprintf("≥ 0.9 (1 − nx)/(1 − x) = %.2f, with n = %.1f sent", 0.9*possible, times),
			share(flooded) + fmt.Sprintf("; x = %.3f; sent %.0f/s, %d not sent", x, flooded.perSecond(flooded.good+flooded.refused), flooded.unsent),
		},
		{name + ": other failures", "0", strconv.Itoa(before.failed + at256.failed + after256.failed + at1000.failed + after1000.failed + flooded.failed + half.failed)},
	}, nil
}

func us(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond)) }
