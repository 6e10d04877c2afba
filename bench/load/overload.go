package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"mixcloud-graphql/bench/process"
)

// A page with much on it, so that the server has much to do for what costs its client
// little: all of it was seen before.
const fullPage = `query Full { popular(first: 20) { nodes { id key name description audioLength playCount createdAt user { id name username pictures { size url } } tags { id name } pictures { size width height url } } } }`

const (
	overload   = 5 // times the capacity
	capacityOf = 4 * time.Second
	quiet      = 10 * time.Second
	quietRate  = 20
	burst      = time.Second // until which too much is a burst, which is waited out
	flood      = 8 * time.Second
)

// overload asks five times as much as the server can answer. The server has one
// processor, so that the clients have another one.
func (b *bench) overload(ctx context.Context) ([]row, error) {
	m, err := b.startMixcloud(ctx)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	var log accessLog
	s, err := process.Again(ctx, process.Options{Log: &log, Env: []string{"GOMAXPROCS=1"}}, append(serve(m.Address()), "--upstream-rate=0", "--log-format=json")...)
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	c := newClient(s.Address())
	defer c.close()
	page := ask(fullPage, nil)
	if err := c.see(ctx, []question{page}); err != nil {
		return nil, err
	}
	next := func() question { return page }

	unloaded, _ := c.traffic(ctx, quietRate, quiet, next)
	capacity := c.capacity(ctx, page)
	began := time.Now()
	loaded, unasked := c.traffic(ctx, overload*capacity, burst+flood, next)
	first := loaded.only(func(a answer) bool { return a.asked < burst }).good()
	loaded = loaded.only(func(a answer) bool { return a.asked >= burst })
	admitted := loaded.good()
	refused := loaded.only(func(a answer) bool { return a.status == http.StatusServiceUnavailable })
	s.Stop() // so that its log is complete
	logged := log.with(http.StatusServiceUnavailable, began.Add(burst), time.Now())
	return []row{
		{
			fmt.Sprintf("%d × overload: p99 of the admitted ÷ p99 unloaded", overload),
			"≤ 2",
			fmt.Sprintf("%.1f (%s ÷ %s; p50 %s ÷ %s); capacity %.0f/s, asked %.0f/s, admitted %.0f/s, %d unasked; in the burst of the first %v p99 %s",
				ratio(admitted.at(0.99), unloaded.at(0.99)), ms(admitted.at(0.99)), ms(unloaded.at(0.99)), ms(admitted.at(0.5)), ms(unloaded.at(0.5)),
				capacity, float64(len(loaded))/flood.Seconds(), float64(len(admitted))/flood.Seconds(), unasked,
				burst, ms(first.at(0.99))),
		},
		{
			"the same: refusals",
			"≤ 5 ms",
			fmt.Sprintf("by the server's access log %s within 5 ms, p50 %s, p99 %s, slowest %s; by the clients' clocks, which have to share the machine, p50 %s, p99 %s, slowest %s; %d refused, %d failed in another way",
				percent(len(logged.only(func(a answer) bool { return a.took <= 5*time.Millisecond })), len(logged)), ms(logged.at(0.5)), ms(logged.at(0.99)), ms(logged.at(1)), ms(refused.at(0.5)), ms(refused.at(0.99)), ms(refused.at(1)),
				len(refused), len(loaded)-len(admitted)-len(refused)),
		},
	}, nil
}

// capacity is how many questions a second are answered when there are always a
// few.
func (c *client) capacity(ctx context.Context, q question) float64 {
	ctx, cancel := context.WithTimeout(ctx, capacityOf)
	defer cancel()
	began := time.Now()
	var t tally
	done := make(chan struct{})
	const atOnce = 2
	for range atOnce {
		go func() {
			defer func() { done <- struct{}{} }()
			for ctx.Err() == nil {
				if a := c.ask(ctx, q); a.failed == "" {
					t.add(a)
				}
			}
		}()
	}
	for range atOnce {
		<-done
	}
	return float64(len(t.answers())) / time.Since(began).Seconds()
}

// An accessLog is what a server writes that logs in JSON.
type accessLog struct {
	mu   sync.Mutex
	text []byte
}

func (l *accessLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, b...)
	return len(b), nil
}

// with are the answers of a status between two moments, as the server sees them.
func (l *accessLog) with(status int, from, to time.Time) (all answers) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(l.text) {
		var said struct {
			Time   time.Time
			Msg    string
			Status int
			Took   time.Duration
		}
		if json.Unmarshal(line, &said) == nil && said.Msg == "request" && said.Status == status && said.Time.After(from) && said.Time.Before(to) {
			all = append(all, answer{took: said.Took, status: status})
		}
	}
	return all
}
