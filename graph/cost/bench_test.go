package cost_test

import (
	"testing"

	"mixcloud-graphql/graph/cost"
)

// BenchmarkEstimate measures the time that an estimate adds to each operation. It must
// be negligible compared with a call.
func BenchmarkEstimate(b *testing.B) {
	op, variables := operation(b, `query ($n: Int!) {
		user(username: "demo") {
			name biog
			feed(first: $n) { nodes {
				createdAt from { name }
				... on UploadActivity { cloudcasts { ...card description } }
				... on ListenActivity { cloudcasts { ...card user { country } } }
				... on FavoriteActivity { cloudcasts { ...card user { country } } }
				... on FollowActivity { users { name biog } }
			} }
			followers(first: $n) { totalCount edges { cursor node { name city cloudcasts(first: 3) { nodes { ...card } } } } }
		}
	}
	fragment card on Cloudcast { id name url audioLength playCount picture(size: LARGE) { url } user { id name username } tags { id name } }`,
		`{"n": 30}`)
	for b.Loop() {
		estimator().Estimate(op, variables, cost.Caller{})
	}
}
