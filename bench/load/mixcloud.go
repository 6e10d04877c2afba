package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"mixcloud-graphql/bench/process"
)

// A mixcloud is an emulator in a separate process.
type mixcloud struct {
	*process.Process
	flags []string
}

// startMixcloud starts an emulator with the configured data and latency.
func (b *bench) startMixcloud(ctx context.Context) (*mixcloud, error) {
	m := &mixcloud{flags: []string{"emulator", "--log-level=error", fmt.Sprint("--latency=", b.latency), fmt.Sprint("--seed=", b.seed)}}
	var err error
	m.Process, err = process.StartSelf(ctx, process.Options{}, append(m.flags, "--addr=127.0.0.1:0")...)
	return m, err
}

// restart restarts a killed emulator at the same address.
func (m *mixcloud) restart(ctx context.Context) error {
	_, at, _ := strings.Cut(m.Address(), "://")
	p, err := process.StartSelf(ctx, process.Options{}, append(m.flags, "--addr="+at)...)
	if err == nil {
		m.Process = p
	}
	return err
}

func (m *mixcloud) requests(ctx context.Context) ([]process.Request, error) {
	return process.Requests(ctx, m.Address())
}

// calls returns the number of calls since clearRequests.
func (m *mixcloud) calls(ctx context.Context) (int, error) {
	all, err := m.requests(ctx)
	return len(all), err
}

func (m *mixcloud) clearRequests(ctx context.Context) error {
	return process.ClearRequests(ctx, m.Address())
}

// limit sets the maximum of requests per second; 0 is no limit.
func (m *mixcloud) limit(ctx context.Context, perSecond int) error {
	return process.Control(ctx, m.Address(), http.MethodPost, "settings", map[string]any{"limit": perSecond}, nil)
}

// refuseOnce makes the emulator refuse the next request, with a Retry-After in seconds.
func (m *mixcloud) refuseOnce(ctx context.Context, wait int) error {
	return process.Control(ctx, m.Address(), http.MethodPost, "faults", map[string]any{"match": "*", "times": 1, "fault": "rate-limit", "retryAfter": wait}, nil)
}
