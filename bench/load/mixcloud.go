package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// A mixcloud is an emulator in a process of its own, and its control.
type mixcloud struct {
	*process
	flags []string
}

// startMixcloud starts an emulator with the bench's world and latency.
func (b *bench) startMixcloud(ctx context.Context) (*mixcloud, error) {
	m := &mixcloud{flags: []string{"emulator", "--log-level=error", fmt.Sprint("--latency=", b.latency), fmt.Sprint("--seed=", b.seed)}}
	var err error
	m.process, err = start(ctx, nil, nil, append(m.flags, "--addr=127.0.0.1:0")...)
	return m, err
}

// restart brings a killed emulator back to where it was.
func (m *mixcloud) restart(ctx context.Context) error {
	_, at, _ := strings.Cut(m.address, "://")
	p, err := start(ctx, nil, nil, append(m.flags, "--addr="+at)...)
	if err == nil {
		m.process = p
	}
	return err
}

// A request is a line of the emulator's journal.
type request struct {
	Path   string `json:"path"`
	Query  string `json:"query"`
	Status int    `json:"status"` // 0 while there is none
}

func (m *mixcloud) journal(ctx context.Context) (made []request, err error) {
	return made, m.control(ctx, http.MethodGet, "requests", nil, &made)
}

// calls are how many were made since the journal was emptied.
func (m *mixcloud) calls(ctx context.Context) (int, error) {
	made, err := m.journal(ctx)
	return len(made), err
}

func (m *mixcloud) forget(ctx context.Context) error {
	return m.control(ctx, http.MethodDelete, "requests", nil, nil)
}

// limit sets how many requests a second are answered; 0 for all.
func (m *mixcloud) limit(ctx context.Context, perSecond int) error {
	return m.control(ctx, http.MethodPost, "settings", map[string]any{"limit": perSecond}, nil)
}

// refuseOnce makes the next answer a refusal that names a wait in seconds.
func (m *mixcloud) refuseOnce(ctx context.Context, wait int) error {
	return m.control(ctx, http.MethodPost, "faults", map[string]any{"match": "*", "times": 1, "fault": "rate-limit", "retryAfter": wait}, nil)
}

func (m *mixcloud) control(ctx context.Context, method, what string, send, into any) error {
	var body io.Reader
	if send != nil {
		text, err := json.Marshal(send)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, m.address+"/__emulator/"+what, body)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the emulator's %s answers with status %d", what, resp.StatusCode)
	}
	if into == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
