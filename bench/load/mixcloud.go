package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"mixcloud-graphql/bench/process"
)

// A mixcloud is an emulator in a process of its own, and its control.
type mixcloud struct {
	*process.Process
	flags []string
}

// startMixcloud starts an emulator with the bench's world and latency.
func (b *bench) startMixcloud(ctx context.Context) (*mixcloud, error) {
	m := &mixcloud{flags: []string{"emulator", "--log-level=error", fmt.Sprint("--latency=", b.latency), fmt.Sprint("--seed=", b.seed)}}
	var err error
	m.Process, err = process.StartSelf(ctx, process.Options{}, append(m.flags, "--addr=127.0.0.1:0")...)
	return m, err
}

// restart brings a killed emulator back to where it was.
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

// calls are how many were made since the journal was emptied.
func (m *mixcloud) calls(ctx context.Context) (int, error) {
	made, err := m.requests(ctx)
	return len(made), err
}

func (m *mixcloud) clearRequests(ctx context.Context) error {
	return process.ClearRequests(ctx, m.Address())
}

// limit sets how many requests a second are answered; 0 for all.
func (m *mixcloud) limit(ctx context.Context, perSecond int) error {
	return process.Control(ctx, m.Address(), http.MethodPost, "settings", map[string]any{"limit": perSecond}, nil)
}

// refuseOnce makes the next answer a refusal that names a wait in seconds.
func (m *mixcloud) refuseOnce(ctx context.Context, wait int) error {
	return process.Control(ctx, m.Address(), http.MethodPost, "faults", map[string]any{"match": "*", "times": 1, "fault": "rate-limit", "retryAfter": wait}, nil)
}
