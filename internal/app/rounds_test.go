package app

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/mixcloud/emulator"
)

// newLatencyServer returns a server whose calls take callLatency.
func newLatencyServer(t *testing.T, cfg config.Serve) *testServer {
	t.Helper()
	return newTestServer(t, serverOptions{config: cfg, emulator: []emulator.Option{emulator.WithLatency(callLatency)}})
}

// hundredLoads needs two calls for the list, at the same time if there are slots, and then one hundred independent ones.
const hundredLoads = `{ user(username: "HarbourFM") { cloudcasts(first: 100) { nodes { description sections { position } } } } }`

// With a hundred independent loads, the number of calls in flight equals --max-upstream.
func TestConcurrency_IsBounded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ bound, most, rounds int }{
		{bound: 1, most: 1, rounds: 102},
		{bound: 7, most: 7, rounds: 1 + 15},
		{bound: 32, most: 32, rounds: 1 + 4},
		{bound: 0, most: 32, rounds: 1 + 4}, // the default
		{bound: 1000, most: 100, rounds: 1 + 1},
	} {
		t.Run(fmt.Sprint(test.bound), func(t *testing.T) {
			t.Parallel()
			sharedWorld()
			synctest.Test(t, func(t *testing.T) {
				s := newLatencyServer(t, config.Serve{MaxUpstream: test.bound})
				start := time.Now()
				if errs := s.execute(t, "", hundredLoads, nil).decode(t, nil); len(errs) > 0 {
					t.Fatalf("error = %+v, want none", errs[0])
				}
				if took, want := time.Since(start), time.Duration(test.rounds)*callLatency; took != want {
					t.Errorf("duration = %v, want %v", took, want)
				}
				if s.recorder.maxInFlight != test.most {
					t.Errorf("%d calls in flight, want %d", s.recorder.maxInFlight, test.most)
				}
			})
		})
	}
}

// The bound applies to all operations together.
func TestConcurrency_IsBoundedForAllOperations(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := newLatencyServer(t, config.Serve{MaxUpstream: 10})
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				if errs := s.execute(t, "", hundredLoads, nil).decode(t, nil); len(errs) > 0 {
					t.Errorf("error = %+v, want none", errs[0])
				}
			})
		}
		group.Wait()
		if s.recorder.maxInFlight != 10 {
			t.Errorf("%d calls in flight, want 10", s.recorder.maxInFlight)
		}
	})
}

// An operation takes exactly as long as its longest chain of dependent calls, with any latency of a call. A list below a
// root field does not depend on its owner, unless look-ahead is disabled.
func TestCriticalPath(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, query      string
		rounds, disabled int // with look-ahead, and without
	}{
		{"no call", `{ discover { key } search(query: "x") { query } rateLimit { budget } }`, 0, 0},
		{"parallel", `{ a: user(username: "spartacus") { name } b: popular { nodes { key } } c: tag(name: "funk") { name } d: categories { name } }`, 1, 1},
		{"a lookup and its lists", `{ user(username: "spartacus") { favorites { nodes { key } } followers { nodes { key } } feed { nodes { key } } } }`, 1, 2},
		{"a list and loads", `{ new(first: 15) { nodes { description user { biog } } } }`, 2, 2},
		{"lists of lists", `{ user(username: "HarbourFM") { followers(first: 3) { nodes { following(first: 3) { nodes { cloudcasts(first: 1) { nodes { slug } } } } } } } }`, 3, 4},
		{"a load at every level", `{ user(username: "HarbourFM") { followers(first: 2) { nodes { biog following(first: 2) { nodes { biog } } } } } }`, 3, 4},
		{"a total and its list", `{ popular(first: 1) { nodes { user { cloudcasts(first: 1) { totalCount nodes { slug } } } } } }`, 3, 3},
		{"branches of different depth", `{ user(username: "spartacus") { name } popular(first: 2) { nodes { user { biog followers(first: 1) { nodes { city } } } } } }`, 3, 3},
		{"many nodes", `{ nodes(ids: ["MXUKL3NwYXJ0YWN1cy8", "MXQKL2dlbnJlcy9mdW5rLw", "MXUKL2RlbW8v"]) { id ... on User { cloudcasts(first: 1) { nodes { description } } } } }`, 2, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sharedWorld()
			for _, latency := range []time.Duration{0, time.Microsecond, 70 * time.Millisecond, 3 * time.Second} {
				for _, disable := range []config.Mechanisms{nil, {config.LookAhead}} {
					rounds := test.rounds
					if disable != nil {
						rounds = test.disabled
					}
					synctest.Test(t, func(t *testing.T) {
						s := newTestServer(t, serverOptions{config: config.Serve{Disable: disable}, emulator: []emulator.Option{emulator.WithLatency(latency)}})
						start := time.Now()
						if errs := s.execute(t, "", test.query, nil).decode(t, nil); len(errs) > 0 {
							t.Fatalf("error = %+v, want none", errs[0])
						}
						if took, want := time.Since(start), time.Duration(rounds)*latency; took != want {
							t.Errorf("latency %v, --disable %v: duration = %v, want %v (%d rounds)", latency, disable, took, want, rounds)
						}
					})
				}
			}
		})
	}
}

// A user that is selected by several paths and spellings is loaded once.
func TestOneLoadForAllSelections(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, serverOptions{})
	query := `
query($id: ID!) {
  plain: user(username: "spartacus") { ...profile }
  shouted: user(username: "SPARTACUS") { ...profile }
  slashed: user(username: "/spartacus/") { ...profile }
  pasted: resource(key: "https://www.mixcloud.com/Spartacus/") { ...profile }
  node(id: $id) { ...profile }
  nodes(ids: [$id, $id]) { ...profile }
  cloudcast(key: "/spartacus/party-time/") {
    user { ...profile again: biog ... on Resource { raw } }
    owner: user { ... @include(if: true) { city } }
  }
  own: user(username: "spartacus") {
    cloudcasts(first: 3) { nodes { user { ...profile } } edges { node { user { country } } } }
  }
}

fragment profile on User {
  biog
  createdAt
  full: raw(full: true)
  followers(first: 1) { totalCount }
}`
	if errs := s.execute(t, "", query, map[string]any{"id": "MXUKL3NwYXJ0YWN1cy8"}).decode(t, nil); len(errs) > 0 {
		t.Fatalf("error = %+v, want none", errs[0])
	}
	loads, lists := 0, 0
	calls := s.takeCalls()
	for _, line := range calls {
		switch {
		case strings.EqualFold(line, "GET /spartacus/"):
			loads++
		case strings.EqualFold(line, "GET /spartacus/followers/?limit=1"):
			lists++
		}
	}
	if loads != 1 || lists != 1 || len(calls) != 4 {
		t.Errorf("%d loads of the user, %d calls for the followers, %d calls in total, want 1, 1 and 4:\n%s", loads, lists, len(calls), strings.Join(calls, "\n"))
	}
}
