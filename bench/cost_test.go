package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/bench/ideal"
	"mixcloud-graphql/bench/queries"
	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// latency is how long a call takes, in a time that only passes in calls.
const latency = 20 * time.Millisecond

// TestNamed holds the server to the least number of calls, and to the critical
// path: no level waits for anything but its calls.
func TestNamed(t *testing.T) {
	t.Parallel()
	for _, q := range named(t) {
		q, plan := ready(t, q)
		t.Run(q.Name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if took, path := check(t, q, plan), pathOf(plan); took != path {
					t.Errorf("took %v, the critical path is %v", took, path)
				}
			})
		})
	}
}

// draw is how many sets of fresh queries TestGenerated draws beside the files, such
// as go test ./bench -run TestGenerated -draw 20.
var draw = flag.Uint64("draw", 0, "draw this many sets of 240 fresh queries for TestGenerated")

// TestGenerated does the same for generated queries, which ask for combinations
// that no client asks for.
func TestGenerated(t *testing.T) {
	t.Parallel()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	files, err := queries.Generated(schema)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for name, of := range files {
		count += len(of)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if t.Failed() {
					t.Logf("If the schema or the world of the emulator changed, make new queries with: %s", queries.Command)
				}
			}()
			checkGenerated(t, of)
		})
	}
	if count < 240 {
		t.Errorf("%d generated queries, want 240", count)
	}
	for seed := range 8 * *draw {
		t.Run(fmt.Sprint("draw ", seed), func(t *testing.T) {
			t.Parallel()
			g := queries.NewGenerator(schema, seeded(), 10_000+seed)
			var drawn []queries.Query
			for i := range 30 {
				drawn = append(drawn, queries.Query{Name: fmt.Sprint("query ", i), Text: g.Query()})
			}
			checkGenerated(t, drawn)
		})
	}
}

// checkGenerated holds a set of generated queries to the least number of calls.
func checkGenerated(t *testing.T, set []queries.Query) {
	t.Helper()
	calls, deepest := 0, 0
	for _, q := range set {
		q, plan := ready(t, q)
		synctest.Test(t, func(t *testing.T) {
			took, path := check(t, q, plan), pathOf(plan)
			// If a round is full, it is a matter of luck which calls wait for the
			// next one, and calls that depend on them come sooner or later.
			if took != path && !fills(plan) {
				t.Errorf("%s took %v, the critical path is %v\n%s", q.Name, took, path, q.Text)
			}
		})
		if plan.Calls() > queries.MaxCalls {
			t.Errorf("%s costs %d calls, above %d", q.Name, plan.Calls(), queries.MaxCalls)
		}
		calls, deepest = calls+plan.Calls(), max(deepest, len(plan.Rounds))
	}
	if calls < 5*len(set) || deepest < 4 {
		t.Errorf("%d queries cost %d calls and the deepest %d rounds: they ask for too little to show anything", len(set), calls, deepest)
	}
}

func pathOf(p *ideal.Plan) time.Duration { return time.Duration(len(p.Rounds)) * latency }

// fills says whether calls have to wait for others to be done.
func fills(p *ideal.Plan) bool {
	return slices.ContainsFunc(p.Rounds, func(round []ideal.Call) bool { return len(round) == ideal.DefaultConcurrency })
}

// check asks a cold server, compares what it asked Mixcloud with the plan, and
// tells how long it took.
func check(t *testing.T, q queries.Query, plan *ideal.Plan) time.Duration {
	t.Helper()
	s := newStage(t, emulator.WithLatency(latency))
	began := time.Now()
	s.ask(t, q)
	took := time.Since(began)
	made := s.calls()
	if least := plan.Calls(); len(made) != least {
		t.Errorf("%s: %d calls, the least is %d\n%s\n-least +made\n%s", q.Name, len(made), least, q.Text, cmp.Diff(planned(plan), spelledAlike(made)))
	}
	if distinct := slices.Compact(slices.Clone(made)); len(distinct) != len(made) {
		t.Errorf("%s: some calls were made twice:\n%s", q.Name, strings.Join(made, "\n"))
	}
	return took
}

// TestLeast compares some plans with what the world itself says, not by way of
// the emulator's answers.
func TestLeast(t *testing.T) {
	t.Parallel()
	w := seeded()
	demo := w.User(world.DemoUser)
	uploaders := make(map[*world.User]bool)
	for _, c := range w.Popular[60:80] {
		uploaders[c.Owner] = true
	}
	_, path, _ := strings.Cut(world.BusyCloudcast, "/")
	owner, slug, _ := strings.Cut(strings.TrimSuffix(path, "/"), "/")
	authors := make(map[*world.User]bool)
	for _, c := range w.Cloudcast(owner, slug).Comments[:50] {
		authors[c.Author] = true
	}
	if len(demo.Cloudcasts) < 20 || len(uploaders) == 20 || len(authors) == 50 {
		t.Errorf("%d cloudcasts, %d uploaders, %d authors: the queries are about too little", len(demo.Cloudcasts), len(uploaders), len(authors))
	}
	want := map[string]int{
		"user-cloudcasts":      1 + 1,
		"popular-descriptions": 1 + 20,
		"popular-users":        1 + len(uploaders),
		"comment-cities":       1 + 1 + len(authors),
		"following-tags":       1 + 1 + min(20, len(demo.Following)),
		"hundred-loads":        1 + 100,
	}
	for _, q := range named(t) {
		if least, ok := want[q.Name]; ok {
			if _, plan := ready(t, q); plan.Calls() != least {
				t.Errorf("%s: the plan has %d calls, the world says %d", q.Name, plan.Calls(), least)
			}
			delete(want, q.Name)
		}
	}
	for name := range want {
		t.Errorf("no query is called %s", name)
	}
}

// planned are the calls of a plan as the journal has them.
func planned(p *ideal.Plan) []string {
	var calls []string
	for _, round := range p.Rounds {
		for _, c := range round {
			calls = append(calls, c.Path+"?"+c.Query)
		}
	}
	return spelledAlike(calls)
}

// spelledAlike makes calls comparable that ask for the same in different words.
func spelledAlike(calls []string) []string {
	alike := make([]string, len(calls))
	for i, c := range calls {
		alike[i] = strings.ToLower(c)
	}
	slices.Sort(alike)
	return alike
}
