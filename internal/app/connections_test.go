package app

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/connlimit"
)

// At the connection limit the server closes idle connections: clients that keep their connections open still get responses.
// The log reports the limit.
func TestServe_ConnectionLimit(t *testing.T) {
	t.Parallel()
	const limit, clients = 8, 40
	s := newTestServer(t, serverOptions{})
	s.app.conns = connlimit.New(limit, s.app.log)
	url := listenAndServe(t, s.app, "http")
	for range clients {
		c := &http.Client{Transport: new(http.Transport), Timeout: time.Minute}
		defer c.CloseIdleConnections()
		resp, err := c.Post(url+"/graphql", "application/json", strings.NewReader(`{"query":"{ __typename }"}`))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("status = %d, want 200 (error %v): %s", resp.StatusCode, err, body)
		}
		_ = resp.Body.Close()
	}
	if !strings.Contains(s.log.String(), "connection limit reached") {
		t.Error("log does not contain \"connection limit reached\"")
	}
}
