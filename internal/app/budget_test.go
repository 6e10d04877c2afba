package app

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/mixcloud/emulator"
)

// If Mixcloud returns fewer items per page than requested, an operation needs more calls than
// estimated. The budget limits them. As the error says, a repeated operation continues with the
// cached data.
func TestMetered_BudgetExceededWhileRunning(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		const budget = 8
		s := newTestServer(t, serverOptions{config: config.Serve{OperationBudget: budget}})
		if err := s.emulator.Set(emulator.Settings{PageCap: 10}); err != nil {
			t.Fatal(err)
		}
		const query = `{ hot(first: 60) { nodes { name } } popular(first: 60) { nodes { name } } }`
		resp := s.execute(t, "", query, nil)
		errs := resp.decode(t, nil)
		if len(errs) == 0 || resp.status != http.StatusOK {
			t.Fatalf("status = %d, want 200 with errors: %s", resp.status, resp.body)
		}
		// When the budget is used up, calls in the queue are not made, and calls in flight continue.
		synctest.Wait()
		calls := len(s.takeCalls())
		if calls < 2 || calls > budget {
			t.Errorf("%d calls, want 2 to %d", calls, budget)
		}
		for _, err := range errs {
			x := err.Extensions
			reported, _ := x["upstreamCalls"].(float64)
			if err.code() != "LIMIT_EXCEEDED" || x["budget"] != 8.0 || x["estimated"] != 2.0 || reported < 2 || reported > budget || !strings.Contains(err.Message, "repeat the operation") {
				t.Errorf("error = %+v, want LIMIT_EXCEEDED with budget 8, estimated 2, upstreamCalls 2 to %d and the advice to repeat the operation", err, budget)
			}
		}
		const attempts = 5 // enough to read all pages
		for range attempts {
			if errs = s.execute(t, "", query, nil).decode(t, nil); errs == nil {
				return
			}
			synctest.Wait()
			if again := len(s.takeCalls()); again == 0 || again > budget {
				t.Errorf("repeated operation made %d calls, want 1 to %d", again, budget)
			}
		}
		t.Errorf("errors after %d attempts = %v, want none", attempts, errs)
	})
}
