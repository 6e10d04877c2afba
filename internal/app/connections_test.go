package app

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/connlimit"
)

// More clients than connections are allowed, all of which keep theirs open: each is
// answered, and the operator is told.
func TestServe_ConnectionLimit(t *testing.T) {
	t.Parallel()
	const limit, clients = 8, 40
	log := new(logBuffer)
	a, err := New(config.Serve{Demo: true, PublicURL: "http://127.0.0.1:8080", DrainTimeout: 10 * time.Second}, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	a.conns = connlimit.New(limit, a.log)
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx, ln) }()
	for range clients {
		c := &http.Client{Transport: new(http.Transport), Timeout: time.Minute}
		defer c.CloseIdleConnections()
		resp, err := c.Post("http://"+ln.Addr().String()+"/graphql", "application/json", strings.NewReader(`{"query":"{ __typename }"}`))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("status %d, %v: %s", resp.StatusCode, err, body)
		}
		_ = resp.Body.Close()
	}
	if !strings.Contains(log.String(), "connection limit reached") {
		t.Error("the log has no line about it")
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
