package app

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/graph/lists"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// aheadOwners contains the key of a resource of each kind that has lists, and the root field that
// looks it up by its own argument.
var aheadOwners = map[string]struct{ key, root string }{
	"User":      {"/spartacus/", `user(username: "spartacus")`},
	"Cloudcast": {"/spartacus/party-time/", `cloudcast(key: "/spartacus/party-time/")`},
	"Tag":       {"/genres/funk/", `tag(name: "funk")`},
	"City":      {"/genres/city:athens/", `city(name: "Athens")`},
	"Category":  {"/categories/ambient/", `category(slug: "ambient")`},
	"Playlist":  {"/demo/playlists/things-to-hear-again/", `playlist(key: "/demo/playlists/things-to-hear-again/")`},
	"Artist":    {"/artist/karin-b%C3%B6hm/", `artist(key: "/artist/karin-b%C3%B6hm/")`},
	"Track":     {"", `track(key: %q)`},
}

// generalRoots are the root fields that look up resources of several kinds.
var generalRoots = []string{"node", "nodes", "resource", "resources"}

// withoutOwners are the root fields whose resources are not looked up: their keys are unknown, or they cost no call.
var withoutOwners = []string{"categories", "discover"}

// Every list below a root field that looks up its owner is fetched in parallel with the owner.
// Without look-ahead the response and the calls are the same, one round later.
func TestLookAhead_EveryList(t *testing.T) {
	t.Parallel()
	schema := clientSchema()
	for _, f := range schema.Query.Fields {
		kind := f.Type.Name()
		if (kind == "Node" || kind == "Resource") && !slices.Contains(generalRoots, f.Name) {
			t.Errorf("Query.%s returns resources and is not in this test", f.Name)
		}
		if _, ok := aheadOwners[kind]; !ok || slices.Contains(withoutOwners, f.Name) || f.Name == "viewer" {
			continue
		}
		if !strings.HasPrefix(aheadOwners[kind].root, f.Name+"(") {
			t.Errorf("Query.%s returns a %s and is not in this test", f.Name, kind)
		}
	}
	seen := map[string]bool{"Discovery": true, "Search": true, "Query": true} // without owners
	for _, field := range lists.Fields() {
		kind, name, _ := strings.Cut(field, ".")
		if seen[kind] {
			continue
		}
		owner, ok := aheadOwners[kind]
		if !ok {
			t.Errorf("%s has no row in aheadOwners", kind)
			continue
		}
		if kind == "Track" {
			owner.key = sharedWorld().Artists[0].Tracks[0].Key()
			owner.root = fmt.Sprintf(owner.root, owner.key)
		}
		id := model.NodeID{Kind: model.Kind(kind), Key: mixcloud.ParseKey(owner.key)}.String()
		below := fmt.Sprintf("... on %s { %s(first: 2) { nodes { __typename } } }", kind, name)
		for root, of := range map[string]string{
			owner.root: "", fmt.Sprintf("node(id: %q)", id): "", fmt.Sprintf("nodes(ids: [%q])", id): "",
			fmt.Sprintf("resource(key: %q)", owner.key): "", fmt.Sprintf("resources(keys: [%q])", owner.key): "", "viewer": "User",
		} {
			if of == "" || of == kind {
				t.Run(field+" of "+strings.TrimSpace(root), func(t *testing.T) {
					t.Parallel()
					compareLookAhead(t, "{ "+root+" { "+below+" } }", root == "viewer")
				})
			}
		}
	}
}

// compareLookAhead compares the outcomes of a query with and without look-ahead.
func compareLookAhead(t *testing.T, query string, signedIn bool) {
	sharedWorld()
	outcomes := map[bool]outcome{}
	for _, disabled := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var cfg config.Serve
			if disabled {
				cfg.Disable = config.Mechanisms{config.LookAhead}
			}
			s := newTestServer(t, serverOptions{config: cfg, emulator: []emulator.Option{emulator.WithLatency(callLatency)}})
			token := ""
			if signedIn {
				token = "demo-token"
				s.app.store.MarkVerified(token)
			}
			start := time.Now()
			resp := s.execute(t, token, query, nil)
			outcomes[disabled] = outcome{status: resp.status, body: string(resp.body), upstream: s.takeCalls(), rounds: int(time.Since(start) / callLatency)}
		})
	}
	ahead, later := outcomes[false], outcomes[true]
	if strings.Contains(ahead.body, `"errors"`) || ahead.rounds != 1 || later.rounds != len(later.upstream) {
		t.Errorf("%d rounds, %d without look-ahead, for the calls %q; want 1 and one for each call: %s", ahead.rounds, later.rounds, later.upstream, ahead.body)
	}
	ahead.rounds = later.rounds
	if diff := cmp.Diff(later, ahead, cmp.AllowUnexported(outcome{})); diff != "" {
		t.Errorf("outcome differs (-without look-ahead +with):\n%s", diff)
	}
}

// A prefetch that was not needed and failed is part of the cost. Errors, freshness and headers are
// the same as without it.
func TestLookAhead_Unneeded(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for _, kind := range []emulator.FaultKind{emulator.FaultError500, emulator.FaultNotJSON, emulator.FaultReset, emulator.FaultHTML403} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			responses, costs := map[bool]string{}, map[bool]int{}
			for _, disabled := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					var cfg config.Serve
					if disabled {
						cfg.Disable = config.Mechanisms{config.LookAhead}
					}
					// The latency makes the call for the list start before the response for its owner arrives.
					s := newTestServer(t, serverOptions{config: cfg, emulator: []emulator.Option{emulator.WithLatency(callLatency)}})
					if err := s.emulator.Fail(emulator.Fault{Match: "/no-such-user/followers/", Kind: kind}); err != nil {
						t.Fatal(err)
					}
					get := func(header string) response {
						query := url.QueryEscape(`{ user(username: "no-such-user") { followers(first: 1) { totalCount nodes { name } } } tag(name: "funk") { name popular(first: 1) { nodes { name } } } }`)
						r := httptest.NewRequest(http.MethodGet, "/graphql?query="+query, nil)
						if header != "" {
							r.Header.Set(header, "true")
						}
						return s.do(r, "")
					}
					var body struct {
						Extensions struct{ Cost struct{ UpstreamCalls int } }
					}
					began := time.Now()
					if err := json.Unmarshal(get("X-GraphQL-Cost").body, &body); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Until(began.Add(time.Second))) // max-age depends on the time
					costs[disabled] = body.Extensions.Cost.UpstreamCalls
					resp := get("")
					responses[disabled] = strconv.Itoa(resp.status) + "\n" + headerText(resp.header) + string(resp.body)
				})
			}
			if diff := cmp.Diff(responses[true], responses[false]); diff != "" {
				t.Errorf("response differs (-without look-ahead +with):\n%s", diff)
			}
			if costs[true] != 3 || costs[false] < 4 {
				t.Errorf("upstreamCalls = %d without look-ahead and %d with it, want 3 and at least 4", costs[true], costs[false])
			}
			if !strings.Contains(responses[false], "Cache-Control: public") {
				t.Errorf("response = %s, want Cache-Control: public", responses[false])
			}
		})
	}
}

// Operations for users that do not exist make at most about fifty calls that are not needed.
func TestLookAhead_UnknownNames(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, serverOptions{emulator: []emulator.Option{emulator.WithLatency(callLatency)}})
		const operations = 100
		for i := range operations {
			query := fmt.Sprintf(`{ user(username: "no-such-user-%d") { followers(first: 1) { nodes { name } } } }`, i)
			if errs := s.execute(t, "", query, nil).decode(t, nil); len(errs) > 0 {
				t.Fatalf("error = %+v, want none", errs[0])
			}
		}
		if got := len(s.takeCalls()); got < operations+40 || got > operations+60 {
			t.Errorf("%d calls for %d operations, want %d to %d", got, operations, operations+40, operations+60)
		}
	})
}

// headerText returns the headers of a response, sorted.
func headerText(h http.Header) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(h)) {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(h[name], ", "))
	}
	return b.String()
}
