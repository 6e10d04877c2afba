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

// latency is the duration of a call. With the virtual clock, time passes only in calls.
const latency = 20 * time.Millisecond

// TestNamed checks that the server makes the minimum number of calls for each named query, and that
// each query takes exactly as long as its critical path: the server waits only for calls.
func TestNamed(t *testing.T) {
	t.Parallel()
	for _, q := range namedQueries(t) {
		q, plan := prepareTest(t, q)
		t.Run(q.Name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if took, path := check(t, q, plan), criticalPath(plan); took != path {
					t.Errorf("the query took %v, want its critical path of %v", took, path)
				}
			})
		})
	}
}

// draw is the number of sets of new queries that TestGenerated generates in addition to the files.
// Example: go test ./bench -run TestGenerated -draw 20.
var draw = flag.Uint64("draw", 0, "number of sets of 240 new queries that TestGenerated generates")

// TestGenerated makes the checks of TestNamed for generated queries, with unusual combinations of
// fields.
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
					t.Logf("If the schema or the emulator's data has changed, generate new queries with: %s", queries.Command)
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
			g := queries.NewGenerator(schema, testWorld(), 10_000+seed)
			var set []queries.Query
			for i := range 30 {
				set = append(set, queries.Query{Name: fmt.Sprint("query ", i), Text: g.Query()})
			}
			checkGenerated(t, set)
		})
	}
}

// checkGenerated checks that the server makes the minimum number of calls for each query of a set.
func checkGenerated(t *testing.T, set []queries.Query) {
	t.Helper()
	calls, deepest := 0, 0
	for _, q := range set {
		q, plan := prepareTest(t, q)
		synctest.Test(t, func(t *testing.T) {
			took, path := check(t, q, plan), criticalPath(plan)
			// If a round is full, the order of the calls is random, and with it the round of the
			// calls that depend on them.
			if took != path && !hasFullRound(plan) {
				t.Errorf("%s took %v, want its critical path of %v\n%s", q.Name, took, path, q.Text)
			}
		})
		if plan.Calls() > queries.MaxCalls {
			t.Errorf("%s makes %d calls, want at most %d", q.Name, plan.Calls(), queries.MaxCalls)
		}
		calls, deepest = calls+plan.Calls(), max(deepest, len(plan.Rounds))
	}
	if calls < 5*len(set) || deepest < 4 {
		t.Errorf("%d queries make %d calls in at most %d rounds, want at least 5 calls per query and 4 rounds", len(set), calls, deepest)
	}
}

func criticalPath(p *ideal.Plan) time.Duration { return time.Duration(len(p.Rounds)) * latency }

// hasFullRound reports whether calls have to wait for a slot.
func hasFullRound(p *ideal.Plan) bool {
	return slices.ContainsFunc(p.Rounds, func(round []ideal.Call) bool { return len(round) == ideal.DefaultConcurrency })
}

// check executes a query on a server with an empty cache, compares its calls with the plan, and
// returns the duration.
func check(t *testing.T, q queries.Query, plan *ideal.Plan) time.Duration {
	t.Helper()
	s := newTestServer(t, emulator.WithLatency(latency))
	began := time.Now()
	s.execute(t, q)
	took := time.Since(began)
	calls := s.calls()
	if minimum := plan.Calls() + len(plan.Unneeded); len(calls) != minimum {
		t.Errorf("%s: %d calls, want the minimum of %d and the lists of unknown resources\n%s\n-minimum +calls\n%s", q.Name, len(calls), minimum, q.Text, cmp.Diff(plannedCalls(plan), normalized(calls)))
	}
	if distinct := slices.Compact(slices.Clone(calls)); len(distinct) != len(calls) {
		t.Errorf("%s: some calls were made twice, want each once:\n%s", q.Name, strings.Join(calls, "\n"))
	}
	return took
}

// TestMinimum compares some plans with numbers that are computed from the emulator's data, without
// its responses.
func TestMinimum(t *testing.T) {
	t.Parallel()
	w := testWorld()
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
		t.Errorf("the test data has %d cloudcasts, %d uploaders and %d authors, want at least 20, and repeated uploaders and authors", len(demo.Cloudcasts), len(uploaders), len(authors))
	}
	want := map[string]int{
		"user-cloudcasts":      1 + 1,
		"popular-descriptions": 1 + 20,
		"popular-users":        1 + len(uploaders),
		"comment-cities":       1 + 1 + len(authors),
		"following-tags":       1 + 1 + min(20, len(demo.Following)),
		"hundred-loads":        1 + 100,
	}
	for _, q := range namedQueries(t) {
		if minimum, ok := want[q.Name]; ok {
			if _, plan := prepareTest(t, q); plan.Calls() != minimum {
				t.Errorf("%s: the plan has %d calls, want %d", q.Name, plan.Calls(), minimum)
			}
			delete(want, q.Name)
		}
	}
	for name := range want {
		t.Errorf("the query %s does not exist", name)
	}
}

// plannedCalls returns the calls of a plan and the unneeded ones in the form of testServer.calls.
func plannedCalls(p *ideal.Plan) []string {
	var calls []string
	for _, round := range append([][]ideal.Call{p.Unneeded}, p.Rounds...) {
		for _, c := range round {
			calls = append(calls, c.Path+"?"+c.Query)
		}
	}
	return normalized(calls)
}

// normalized returns sorted calls in lower case, because the same call can have several spellings.
func normalized(calls []string) []string {
	all := make([]string, len(calls))
	for i, c := range calls {
		all[i] = strings.ToLower(c)
	}
	slices.Sort(all)
	return all
}
