package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mixcloud-graphql/bench/process"
)

// loadQueries are the queries of the load. %d is a number that is new in each request, so that no response comes from
// the cache.
var loadQueries = []string{
	`{ user(username: "u%d") { key username name cloudcasts(first: 20) { nodes { key name slug createdAt playCount audioLength picture(size: LARGE) { url } tags { name } } } } }`,
	`{ search(query: "q%d") { cloudcasts(first: 20) { nodes { key name user { username followerCount biog } } } } }`,
	`{ user(username: "u%d") { cloudcasts(first: 100) { nodes { key url name slug createdAt updatedAt playCount favoriteCount commentCount listenerCount repostCount audioLength ` + pictureFields +
		` tags { key url name } user { key url name username ` + pictureFields + ` } } } } }`,
	`{ user(username: "u%d") { name city followers(first: 10) { nodes { username cloudcasts(first: 10) { nodes { name tags { name } } } } } } }`,
}

const pictureFields = `small: picture(size: SMALL) { url } thumbnail: picture(size: THUMBNAIL) { url } mediumMobile: picture(size: MEDIUM_MOBILE) { url } ` +
	`medium: picture(size: MEDIUM) { url } large: picture(size: LARGE) { url } extraLarge: picture(size: EXTRA_LARGE) { url }`

// serve starts a server that calls the simulated Mixcloud of the bench, with additional flags.
func (b *bench) serve(ctx context.Context, flags ...string) (*process.Process, error) {
	m := b.mixcloud.url
	return b.startServer(ctx, append([]string{"--api-url=" + m, "--site-url=" + m, "--oembed-url=" + m + "/oembed/"}, flags...)...)
}

func (b *bench) startServer(ctx context.Context, flags ...string) (*process.Process, error) {
	args := append([]string{"serve", "--addr=127.0.0.1:0", "--log-level=error", "--upstream-rate=0"}, flags...)
	if b.command != "" {
		return process.StartCommand(ctx, process.Options{}, b.command, args...)
	}
	return process.StartSelf(ctx, process.Options{}, args...)
}

// A load sends requests to one server until it is stopped.
type load struct {
	server string
	next   func() string // the next query
	done   atomic.Int64  // number of responses
	failed atomic.Int64  // responses with an error
	error  atomic.Value  // string: one of the errors
}

// run sends requests on a number of connections until ctx ends.
func (l *load) run(ctx context.Context, connections int) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := execute(ctx, client, l.server, l.next()); err != nil && ctx.Err() == nil {
					l.failed.Add(1)
					l.error.Store(err.Error())
				}
				l.done.Add(1)
			}
		})
	}
	wg.Wait()
}

func execute(ctx context.Context, client *http.Client, server, query string) error {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	response, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || bytes.Contains(response, []byte(`"errors":[`)) {
		return fmt.Errorf("status %d: %.300s", resp.StatusCode, response)
	}
	return nil
}

// peak measures the peak of the resident memory under load, for each size of the cache.
func (b *bench) peak(ctx context.Context) (rows []row, err error) {
	for _, size := range b.caches {
		r, err := b.peakWith(ctx, size)
		if err != nil {
			return rows, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (b *bench) peakWith(ctx context.Context, size int64) (row, error) {
	server, err := b.serve(ctx, fmt.Sprintf("--cache-bytes=%dMiB", size))
	if err != nil {
		return row{}, err
	}
	defer server.Stop()
	var count atomic.Int64
	l := &load{server: server.Address(), next: func() string {
		n := count.Add(1)
		return fmt.Sprintf(loadQueries[n%int64(len(loadQueries))], n)
	}}
	traffic, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.run(traffic, b.connections)
	}()
	for target := b.mixcloud.sent.Load() + 2*size<<20; b.mixcloud.sent.Load() < target; { // the cache is full afterwards
		if !pause(ctx, 50*time.Millisecond) {
			return row{}, ctx.Err()
		}
	}
	done := l.done.Load()
	before, err := server.ProcessorTime()
	if err != nil {
		return row{}, err
	}
	if !pause(ctx, b.duration) {
		return row{}, ctx.Err()
	}
	after, err := server.ProcessorTime()
	if err != nil {
		return row{}, err
	}
	done = l.done.Load() - done
	stop()
	<-ended
	peak, err := server.Memory("VmHWM")
	if err != nil {
		return row{}, err
	}
	value := fmt.Sprintf("%d MiB; %d requests, %d failed, with a full cache %d µs of processor time per request",
		peak>>20, l.done.Load(), l.failed.Load(), (after-before).Microseconds()/max(done, 1))
	if text, ok := l.error.Load().(string); ok {
		value += ", such as `" + text + "`"
	}
	return row{fmt.Sprintf("peak of resident memory, %d connections, cache of %d MiB", b.connections, size), fmt.Sprintf("%d MiB", 2*size+64), value}, nil
}

// smallValues measures the peak of the resident memory while the server caches many small values.
func (b *bench) smallValues(ctx context.Context) ([]row, error) {
	const cache, perRequest, maxConnections = 256, 100, 8 // more would fill the server's queue of calls
	server, err := b.serve(ctx, fmt.Sprintf("--cache-bytes=%dMiB", cache))
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	traffic, stop := context.WithCancel(ctx)
	defer stop()
	var count atomic.Int64
	l := &load{server: server.Address(), next: func() string {
		n := int(count.Add(1))
		if n*perRequest >= b.values {
			stop()
		}
		query := []byte("{")
		for i := range perRequest {
			query = fmt.Appendf(query, ` a%d: user(username: "small%d") { username }`, i, n*perRequest+i)
		}
		return string(append(query, '}'))
	}}
	l.run(traffic, min(b.connections, maxConnections))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	peak, err := server.Memory("VmHWM")
	if err != nil {
		return nil, err
	}
	value := fmt.Sprintf("%d MiB, %d requests failed", peak>>20, l.failed.Load())
	if text, ok := l.error.Load().(string); ok {
		value += ", such as `" + text + "`"
	}
	return []row{{fmt.Sprintf("peak of resident memory with %d small values, cache of %d MiB", b.values, cache), fmt.Sprintf("%d MiB", 2*cache+64), value}}, nil
}
