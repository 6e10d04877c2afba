package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// A client sends requests to one server.
type client struct {
	http   *http.Client
	server string
	cost   bool // request the cost of each operation
}

// openConnections is the maximum number of idle connections of a client.
const openConnections = 1024

func newClient(server string) *client {
	return &client{
		http:   &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: openConnections, DisableCompression: true}},
		server: server,
	}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// A result is the result of a request.
type result struct {
	sentAt  time.Duration // since the start of the traffic
	took    time.Duration // from sending the request to the last byte of the response
	status  int           // 0 for no response
	failure string        // error, or "" for a response without errors
	stale   bool          // a part of the response was stale
	cost    cost
}

// A cost is the cost in the extensions of a response.
type cost struct{ UpstreamCalls, CacheHits, Coalesced, Stale int }

func (c *client) execute(ctx context.Context, q request) (a result) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.server+"/graphql", bytes.NewReader(q.body))
	if err != nil {
		return result{failure: err.Error()}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json")
	if c.cost {
		req.Header.Set("X-GraphQL-Cost", "true")
	}
	began := time.Now()
	resp, err := c.http.Do(req)
	if err != nil {
		return result{took: time.Since(began), failure: err.Error()}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	a.took, a.status = time.Since(began), resp.StatusCode
	switch {
	case err != nil:
		a.failure = err.Error()
	case resp.StatusCode != http.StatusOK, bytes.Contains(body, []byte(`"errors":[`)):
		a.failure = fmt.Sprintf("status %d: %.300s", resp.StatusCode, body)
	}
	a.stale = bytes.Contains(body, []byte(`"freshness":[`))
	if c.cost && a.failure == "" {
		var response struct{ Extensions struct{ Cost cost } }
		if err := json.Unmarshal(body, &response); err != nil {
			a.failure = err.Error()
		}
		a.cost = response.Extensions.Cost
	}
	return a
}

// A collector collects results. It is safe for concurrent use.
type collector struct {
	mu  sync.Mutex
	all []result
}

func (t *collector) add(a result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, a)
}

// results returns the results so far, in the order in which they were added.
func (t *collector) results() results {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append(results(nil), t.all...)
}

// maxInFlight is the maximum number of requests in flight. Requests above it are skipped.
const maxInFlight = 2000

// sendAtRate sends requests at a fixed rate, independent of the responses, for a duration. It
// returns the results and the number of skipped requests when all responses have arrived.
func (c *client) sendAtRate(ctx context.Context, rate float64, d time.Duration, next func() request) (all results, skipped int) {
	var t collector
	var wg sync.WaitGroup
	slots := make(chan struct{}, maxInFlight)
	began := time.Now()
	for i := 0; ; i++ {
		at := time.Duration(float64(i) / rate * float64(time.Second))
		if at >= d {
			break
		}
		if wait := at - time.Since(began); wait > 0 && !pause(ctx, wait) {
			break
		}
		q := next()
		select {
		case slots <- struct{}{}:
		default:
			skipped++
			continue
		}
		wg.Go(func() {
			sentAt := time.Since(began)
			a := c.execute(ctx, q)
			a.sentAt = sentAt
			t.add(a)
			<-slots
		})
	}
	wg.Wait()
	return t.results(), skipped
}

// sendAll sends each request once, a number of them in parallel.
func (c *client) sendAll(ctx context.Context, requests []request, parallel int) results {
	var t collector
	var wg sync.WaitGroup
	queue := make(chan request)
	for range parallel {
		wg.Go(func() {
			for q := range queue {
				t.add(c.execute(ctx, q))
			}
		})
	}
	for _, q := range requests {
		queue <- q
	}
	close(queue)
	wg.Wait()
	return t.results()
}

// warmUp sends requests one after the other, so that the server caches the responses. It retries a
// failed request twice.
func (c *client) warmUp(ctx context.Context, requests []request) error {
	for _, q := range requests {
		var a result
		for range 3 {
			if a = c.execute(ctx, q); a.failure == "" {
				break
			}
		}
		if a.failure != "" {
			return fmt.Errorf("warm-up: %s", a.failure)
		}
	}
	return nil
}
