package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"mixcloud-graphql/bench/soak/malformed"
	"mixcloud-graphql/internal/race"
)

// Twenty thousand malformed requests and some valid ones cause no status of 500 or above, no panic
// and no growth.
func TestSoak(t *testing.T) {
	var out bytes.Buffer
	malformed := 20_000
	if race.Enabled {
		malformed = 5_000
	}
	s := soak{malformed: malformed, rows: 4, seed: 1, out: &out}
	if err := s.run(context.Background()); err != nil {
		t.Error(err)
	}
	if sent := s.sent(); sent < s.malformed {
		t.Errorf("%d malformed requests were sent, want %d", sent, s.malformed)
	}
	t.Log(out.String())
}

// The same seed generates the same requests.
func TestCorpus_Deterministic(t *testing.T) {
	t.Parallel()
	a, b := malformed.New(7), malformed.New(7)
	for range 1000 {
		x, y := a.Next(), b.Next()
		if !bytes.Equal(x.Raw, y.Raw) || x.Mutations != y.Mutations || x.Truncated != y.Truncated {
			t.Fatalf("request %d differs between two generators with the same seed", x.Number)
		}
	}
}

// The error names the resource that has grown.
func TestCheckGrowth(t *testing.T) {
	t.Parallel()
	base := state{goroutines: 10, descriptors: 10, heap: 1 << 20}
	for _, test := range []struct {
		last state
		want string
	}{
		{base, ""},
		{state{goroutines: 31, descriptors: 10, heap: 1 << 20}, "goroutines"},
		{state{goroutines: 10, descriptors: 21, heap: 1 << 20}, "descriptors"},
		{state{goroutines: 10, descriptors: 10, heap: 64 << 20}, "heap"},
	} {
		err := checkGrowth([]state{base, {}, test.last})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("checkGrowth to %+v = %v, want an error with %q, or nil if that is empty", test.last, err, test.want)
		}
	}
}
