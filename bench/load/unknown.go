package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// unknownShare is the number of pages of which one does not exist.
const unknownShare = 20

// unknown measures Zipf traffic with 5 % unknown names, with look-ahead and without, on new servers. A
// list that is requested before its owner has arrived is not needed if the owner does not exist.
func (b *bench) unknown(ctx context.Context) ([]row, error) {
	with, _, err := b.callsForUnknown(ctx)
	if err != nil {
		return nil, err
	}
	without, queries, err := b.callsForUnknown(ctx, "--disable=look-ahead")
	if err != nil {
		return nil, err
	}
	return []row{{
		fmt.Sprintf("Zipf traffic over all pages for %v, 5 %% of them unknown: calls with look-ahead ÷ without", b.duration),
		"≤ 1.02",
		fmt.Sprintf("%.3f (%d ÷ %d calls, for %d queries)", ratio(with, without), with, without, queries),
	}}, nil
}

// callsForUnknown returns the number of calls of a new server with an empty cache.
func (b *bench) callsForUnknown(ctx context.Context, flags ...string) (calls, queries int, err error) {
	m, err := b.startMixcloud(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer m.Stop()
	s, err := startServer(ctx, m.Address(), nil, append(flags, "--upstream-rate=0")...)
	if err != nil {
		return 0, 0, err
	}
	defer s.Stop()
	if err := m.clearRequests(ctx); err != nil {
		return 0, 0, err
	}
	c := newClient(s.Address())
	defer c.close()
	pages, draw := withUnknown(b.pages), newZipf(b.seed, len(b.pages), b.exponent)
	all, skipped := c.sendAtRate(ctx, b.rate, b.duration, func() request { return pages[draw.next()] })
	if failed := all.failures(); len(failed)+skipped > len(all)/100 {
		return 0, 0, fmt.Errorf("%d of %d queries failed%s; %d skipped", len(failed), len(all), failed.firstFailure(), skipped)
	}
	calls, err = m.calls(ctx)
	return calls, len(all), err
}

// withUnknown returns pages of which 5 % have the name of a resource that does not exist.
func withUnknown(pages []request) []request {
	all := make([]request, len(pages))
	for i, page := range pages {
		all[i] = page
		if i%unknownShare != unknownShare/2 {
			continue
		}
		var body struct {
			Query     string
			Variables map[string]string
		}
		if err := json.Unmarshal(page.body, &body); err != nil {
			panic(err) // newRequest has encoded it
		}
		name, isKey := strings.CutSuffix(body.Variables["name"], "/")
		name += "-unknown"
		if isKey {
			name += "/"
		}
		all[i] = newRequest(body.Query, map[string]any{"name": name})
	}
	return all
}
