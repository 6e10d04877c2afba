package app

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/mixcloud/emulator"
)

// TestMetered_Overspent checks that the budget also limits calls that the estimate could not
// include: a Mixcloud that returns fewer items per page than requested. The
// error has the numbers of a refusal beforehand, and what it says is true: asked
// again, the operation goes on from what it has read.
func TestMetered_Overspent(t *testing.T) {
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
			t.Fatalf("status = %d, want 200: %s", resp.status, resp.body)
		}
		// When the budget ends, calls that wait for their turn are not made, and
		// those that are under way go on.
		synctest.Wait()
		calls := len(s.takeCalls())
		if calls < 2 || calls > budget {
			t.Errorf("%d calls were made, the budget is %d", calls, budget)
		}
		for _, err := range errs {
			x := err.Extensions
			reported, _ := x["upstreamCalls"].(float64)
			if err.code() != "LIMIT_EXCEEDED" || x["budget"] != 8.0 || x["estimated"] != 2.0 || reported < 2 || reported > budget || !strings.Contains(err.Message, "repeat the operation") {
				t.Errorf("%s", resp.body)
			}
		}
		const most = 5 // times that each page can be the one that is too much
		for range most {
			if errs = s.execute(t, "", query, nil).decode(t, nil); errs == nil {
				return
			}
			synctest.Wait()
			if again := len(s.takeCalls()); again == 0 || again > budget {
				t.Errorf("asked again, %d calls were made", again)
			}
		}
		t.Errorf("asked again: %v", errs)
	})
}
