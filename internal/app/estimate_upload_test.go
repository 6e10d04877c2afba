package app

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
)

// An upload makes at most the estimated number of calls, with all fields of its payload, also if it is refused.
func TestMetered_UploadStaysWithinItsEstimate(t *testing.T) {
	t.Parallel()
	const payload = ` { changed message userErrors { code } cloudcast { key description user { biog } comments(first: 3) { nodes { text } } } viewer { name biog cloudcastCount followingCount } } }`
	file := uploadFile{Path: "variables.mp3", Name: "a.mp3", Head: "ID3", Size: 5000}
	for name, query := range map[string]string{
		"accepted":     `mutation ($mp3: Upload!) { uploadCloudcast(input: {mp3: $mp3, name: "Night Bus"})` + payload,
		"with a write": `mutation ($mp3: Upload!) { favoriteCloudcast(input: {key: "/spartacus/party-time/"}) { changed viewer { favoriteCount } } uploadCloudcast(input: {mp3: $mp3, name: "Night Bus"})` + payload,
		"refused":      `mutation ($mp3: Upload!) { uploadCloudcast(input: {mp3: $mp3, name: ""})` + payload,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, serverOptions{writable: true})
				r := multipartRequest(t, query, map[string]any{"mp3": nil}, file)
				r.Header.Set("X-GraphQL-Cost", "true")
				resp := s.do(r, "demo-token")
				var whole struct {
					Extensions struct {
						Cost struct{ Estimated, UpstreamCalls int }
					}
				}
				if err := json.Unmarshal(resp.body, &whole); err != nil {
					t.Fatal(err)
				}
				cost, calls := whole.Extensions.Cost, s.takeCalls()
				if resp.status != http.StatusOK || cost.Estimated == 0 || len(calls) > cost.Estimated || len(calls) != cost.UpstreamCalls {
					t.Errorf("status = %d, cost = %+v, calls = %q, want 200 and no more calls than estimated:\n%s", resp.status, cost, calls, resp.body)
				}
			})
		})
	}
}
