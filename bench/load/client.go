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

// A client asks one server.
type client struct {
	http   *http.Client
	server string
	cost   bool // ask for what each answer has cost
}

// openConnections is how many a client keeps.
const openConnections = 1024

func newClient(server string) *client {
	return &client{
		http:   &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: openConnections, DisableCompression: true}},
		server: server,
	}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// An answer is what became of a question.
type result struct {
	sentAt  time.Duration // since the traffic began that it is of
	took    time.Duration // from sending it to the last byte
	status  int           // 0 when there was none
	failure string        // why it is no full answer; "" for one
	stale   bool          // something in it was said not to be fresh
	cost    cost
}

// A cost is what an answer says that it has cost.
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
		var said struct{ Extensions struct{ Cost cost } }
		if err := json.Unmarshal(body, &said); err != nil {
			a.failure = err.Error()
		}
		a.cost = said.Extensions.Cost
	}
	return a
}

// A tally gathers answers. It is safe for concurrent use.
type collector struct {
	mu  sync.Mutex
	all []result
}

func (t *collector) add(a result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, a)
}

// answers are those that are there by now, in the order in which they came.
func (t *collector) results() results {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append(results(nil), t.all...)
}

// mostUnderWay bounds how many questions are under way at once: what is too much
// for this is not asked.
const maxInFlight = 2000

// traffic asks at a fixed rate, whatever the answers are, and gives them when
// all are there. Unasked is how many there should have been more.
func (c *client) sendAtRate(ctx context.Context, rate float64, d time.Duration, next func() request) (all results, unasked int) {
	var t collector
	var asking sync.WaitGroup
	places := make(chan struct{}, maxInFlight)
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
		case places <- struct{}{}:
		default:
			unasked++
			continue
		}
		asking.Go(func() {
			asked := time.Since(began)
			a := c.execute(ctx, q)
			a.sentAt = asked
			t.add(a)
			<-places
		})
	}
	asking.Wait()
	return t.results(), unasked
}

// each asks every question once, so many at a time.
func (c *client) sendAll(ctx context.Context, questions []request, atOnce int) results {
	var t collector
	var asking sync.WaitGroup
	left := make(chan request)
	for range atOnce {
		asking.Go(func() {
			for q := range left {
				t.add(c.execute(ctx, q))
			}
		})
	}
	for _, q := range questions {
		left <- q
	}
	close(left)
	asking.Wait()
	return t.results()
}

// see makes a server see pages: it asks until each was answered, since a server
// may well refuse some of many at once.
func (c *client) warmUp(ctx context.Context, questions []request) error {
	for _, q := range questions {
		var a result
		for range 3 {
			if a = c.execute(ctx, q); a.failure == "" {
				break
			}
		}
		if a.failure != "" {
			return fmt.Errorf("a page cannot be seen: %s", a.failure)
		}
	}
	return nil
}
