package main

import (
	"fmt"
	"strings"
	"testing"

	"mixcloud-graphql/bench/queries"
	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// TestEstimateOfWrites checks the estimates of mutations, each right after another one of the same
// viewer.
func TestEstimateOfWrites(t *testing.T) {
	t.Parallel()
	const payload = `{ changed message userErrors { code } viewer { name followingCount favoriteCount } %s { name %s } }`
	user := fmt.Sprintf(payload, "user", "biog followerCount viewerIsFollowing")
	cloudcast := fmt.Sprintf(payload, "cloudcast", "description viewerHasFavorited viewerHasReposted")
	own := world.New(1)
	for _, m := range []struct{ name, input, payload string }{
		{"followUser", `username: "HarbourFM"`, user},
		{"unfollowUser", `username: "HarbourFM"`, user},
		{"unfollowUser", `username: "HarbourFM"`, "{ message }"},
		{"favoriteCloudcast", `key: "/spartacus/party-time/"`, cloudcast},
		{"unfavoriteCloudcast", `key: "/spartacus/party-time/"`, cloudcast},
		{"unrepostCloudcast", `key: "/spartacus/party-time/"`, "{ message }"},
		{"repostCloudcast", `key: "/spartacus/party-time/"`, cloudcast},
		{"unrepostCloudcast", `key: "/spartacus/party-time/"`, cloudcast},
		{"addToListenLater", `key: "/spartacus/party-time/"`, cloudcast},
		{"favoriteCloudcast", `key: "/spartacus/gone/"`, cloudcast},
		{"unfollowUser", `username: "no-such-user"`, user},
		{"editCloudcast", `key: "/demo/lunch-break-a-tracklist-with-holes/", description: "New."`, cloudcast},
		{"editCloudcast", `key: "/spartacus/party-time/", name: "Theirs"`, "{ message userErrors { code } }"},
		{"removeFromListenLater", `key: "/spartacus/party-time/"`, "{ viewer { favoriteCount } }"},
	} {
		t.Run(m.name+m.input+m.payload, func(t *testing.T) { // sequential, because each modifies the emulator's data
			one := fmt.Sprintf("%s(input: {%s}) %s", m.name, m.input, m.payload)
			for _, text := range []string{one, "a: " + one + " b: " + one, `a: repostCloudcast(input: {key: "/spartacus/party-time/"}) { viewer { favoriteCount } } b: ` + one} {
				q := queries.Query{Text: "mutation { " + text + " }", Token: "demo-token"}
				s := newTestServer(t, emulator.WithWorld(own))
				s.execute(t, q)
				if got, want := len(s.calls()), estimateOf(t, q); got > want {
					t.Errorf("%d calls, want at most the estimate of %d\n%s\n%s", got, want, q.Text, strings.Join(s.calls(), "\n"))
				}
			}
		})
	}
}
