package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/bench/queries"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/race"
	"mixcloud-graphql/internal/responselimit"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// TestProjection_GeneratedQueries checks that generated queries over the whole schema have the same response, byte for
// byte, with and without the projection, and that the projection writes most of them.
func TestProjection_GeneratedQueries(t *testing.T) {
	t.Parallel()
	n := 400
	if testing.Short() || race.Enabled {
		n = 60
	}
	with := newProjectionServer(t, newEmulator(t).Transport())
	without := newProjectionServer(t, newEmulator(t).Transport(), config.Projection)
	generator := queries.NewGenerator(clientSchema(), sharedWorld(), 7)
	for range n {
		compareResponses(t, with, without, generator.Query())
	}
	written, left := with.graph.projection.Counts()
	t.Logf("%d values were written from JSON and %d left to the executor", written, left)
	if written < int64(n) {
		t.Errorf("%d values were written from JSON, want at least one for each of %d queries", written, n)
	}
}

// hostileQueries select all fields that the projection writes.
var hostileQueries = []string{
	`{ user(username: "demo") { ...U cloudcasts(first: 5) { ...CC } followers(first: 5) { totalCount edges { cursor node { ...U } } } playlists { nodes { id key url name slug cloudcastCount owner { ...P } pictures { url } } } } } ` + userFields + cloudcastFields + partialUserFields,
	`{ popular(first: 10) { ...CC } } ` + cloudcastFields + partialUserFields,
	`{ search(query: "a") { cloudcasts(first: 5) { ...CC } users(first: 5) { nodes { ...P followerCount biog } } tags { edges { cursor node { id key url name raw __typename } } } } } ` + cloudcastFields + partialUserFields,
	`{ popular(first: 3) { nodes { key description picturePrimaryColor pictureColorHex comments(first: 3) { totalCount nodes { user { ...P cloudcasts(first: 1) { nodes { id } } } id key url text createdAt raw } } listeners(first: 2) { edges { listenedAt node { key } } } } } } ` + partialUserFields,
	`{ tag(name: "funk") { id key url name raw } category(slug: "ambient") { id key url name slug pictures { url } } cloudcast(key: "/demo/x/") { key name } }`,
}

const (
	partialUserFields = `fragment P on User { __typename id key url name username picture { url size width height } small: picture(size: SMALL) { url } pictures { size url width height __typename } isViewer viewerIsFollowing followsViewer raw }`
	userFields        = `fragment U on User { ...P biog createdAt updatedAt followerCount followingCount cloudcastCount favoriteCount listenCount isPro isPremium city country picturePrimaryColor pictureColorHex coverPictures { url } }`

	cloudcastFields = `fragment CC on CloudcastConnection { __typename pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { key } }
		nodes { __typename id key url name slug createdAt updatedAt playCount favoriteCount commentCount listenerCount repostCount hiddenStats isExclusive audioLength
			picture { url size width height } tiny: picture(size: SMALL) { url } huge: picture(size: W1024) { url } pictures { size url width height }
			tags { id key url name } user { ...P } hosts { ...P } viewerHasFavorited viewerHasReposted viewerHasListenLater raw } }`
)

// TestProjection_HostileResponses checks that responses of Mixcloud with values of unexpected kinds have the same response
// with and without the projection.
func TestProjection_HostileResponses(t *testing.T) {
	t.Parallel()
	rounds := 60
	if testing.Short() || race.Enabled {
		rounds = 6
	}
	var written, left int64
	for round := range rounds {
		hostile := func() http.RoundTripper {
			return &mutatingTransport{next: newEmulator(t).Transport(), seed: uint64(round), rate: []float64{0.002, 0.02, 0.1, 0.4}[round%4]}
		}
		with, without := newProjectionServer(t, hostile()), newProjectionServer(t, hostile(), config.Projection)
		for _, query := range hostileQueries {
			compareResponses(t, with, without, query)
		}
		w, l := with.graph.projection.Counts()
		written, left = written+w, left+l
	}
	t.Logf("%d values were written from JSON and %d left to the executor", written, left)
	if written == 0 || left == 0 {
		t.Errorf("%d values were written from JSON and %d left to the executor, want some of both", written, left)
	}
}

// FuzzProjection compares the responses for any item of a list, with and without the projection.
func FuzzProjection(f *testing.F) {
	f.Add([]byte(`{"key":"/a/b/","name":"\u0041\/\"\n","pictures":{"large":"x"},"tags":[{"key":"/genres/funk/","name":"Funk shows"}],"user":{"key":"/a/"}}`))
	f.Add([]byte(`{"key":"/a/b/","key":"/c/d/","created_time":"2015-04-29T18:59:19Z","play_count":1e3,"hidden_stats":true,"hosts":[null,{},{"key":"/x/"}]}`))
	f.Add([]byte(`{"key":"\/a\/b\/","url":7,"slug":"","updated_time":"0001-01-01T00:00:00Z","audio_length":12345678901,"is_exclusive":"yes"}`))
	f.Fuzz(func(t *testing.T, item []byte) {
		if !json.Valid(item) {
			return
		}
		page := []byte(`{"data":[` + string(item) + `],"paging":{}}`)
		respond := transportFunc(func(r *http.Request) (*http.Response, error) { return jsonResponse(r, page), nil })
		compareResponses(t, newProjectionServer(t, respond), newProjectionServer(t, respond, config.Projection), hostileQueries[1])
	})
}

func newProjectionServer(tb testing.TB, transport http.RoundTripper, disable ...string) *App {
	tb.Helper()
	client, err := mixcloud.New(mixcloud.WithAPIURL(mixcloudURL), mixcloud.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		tb.Fatal(err)
	}
	a, err := NewWithClient(config.Serve{CacheBytes: 64 << 20, OperationBudget: 1000, Disable: disable}, client, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = a.Close(context.WithoutCancel(tb.Context())) })
	return a
}

// compareResponses checks that two servers send the same response. It ignores the order of errors,
// and which of too many errors are omitted: both depend on the order of concurrent resolvers.
func compareResponses(t *testing.T, with, without *App, query string) {
	t.Helper()
	got, want := responseTo(t, with, query), responseTo(t, without, query)
	if bytes.Equal(got, want) || bytes.Equal(sortErrors(t, got), sortErrors(t, want)) {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	from := max(0, at-200)
	t.Fatalf("%.300s\nthe response with the projection, from byte %d:\n%.600s\nwithout:\n%.600s", query, from, got[from:], want[from:])
}

func responseTo(t *testing.T, a *App, query string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w.Body.Bytes()
}

func sortErrors(t *testing.T, body []byte) []byte {
	t.Helper()
	var response struct {
		Errors []json.RawMessage
		Data   json.RawMessage
	}
	if err := json.Unmarshal(body, &response); err != nil {
		t.Fatalf("%v: %.300s", err, body)
	}
	if len(response.Errors) >= responselimit.MaxErrors { // the others were omitted; which ones differs from run to run
		response.Errors = nil
	}
	slices.SortFunc(response.Errors, func(a, b json.RawMessage) int { return strings.Compare(string(a), string(b)) })
	sorted, err := json.Marshal(response)
	if err != nil {
		t.Fatal(err)
	}
	return sorted
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func jsonResponse(r *http.Request, body []byte) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), ProtoMajor: 1, ProtoMinor: 1,
	}
}

// A mutatingTransport replaces values of Mixcloud's responses by hostile ones. It depends on the seed and the URL only.
type mutatingTransport struct {
	next http.RoundTripper
	seed uint64
	rate float64
}

func (m *mutatingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := m.next.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	hash := fnv.New64()
	_, _ = io.WriteString(hash, r.URL.String())
	random := rand.New(rand.NewPCG(m.seed, hash.Sum64()))
	var mutated strings.Builder
	m.write(&mutated, json.RawMessage(body), random, "", 0)
	return jsonResponse(r, []byte(mutated.String())), nil
}

// hostileValues are values that a member can have by mistake.
var hostileValues = []string{
	`null`, `true`, `false`, `0`, `-0`, `-1`, `3.7`, `1e3`, `123456789`, `1234567890`, `3000000000`, `12345678901234567890`, `1e400`, `""`, `"x"`, `"7"`, `"true"`,
	`"\u0041\/\b\f"`, `"\ud800"`, `"\ud83d\ude00 é"`, `"a\"b\\c\n\t\r"`, `"\u0000"`, `"<&>\u2028"`, `[]`, `{}`, `[[]]`, `[null,1,"x",{},{"key":"/k/"}]`, `{"key":"/x/"}`, `{"key":"no path"}`,
	`"2015-04-29T18:59:19Z"`, `"2015-13-45T00:00:00Z"`, `"0001-01-01T00:00:00Z"`, `"2015-04-29T18:59:19+02:00"`, `"2015-04-29 18:59:19"`, `1430333959`, `"/x/y/"`, `"Live shows"`, `"a1B2c3"`,
	strings.Repeat(`[`, 200) + strings.Repeat(`]`, 200), `{"metadata":{}}`,
}

// write writes a value with changes. The structure of a page, and the key and the time of an item, rarely change.
func (m *mutatingTransport) write(b *strings.Builder, v json.RawMessage, random *rand.Rand, name string, depth int) {
	rate := m.rate
	if depth < 3 || name == "key" {
		rate /= 20
	}
	if depth > 0 && name != "paging" && random.Float64() < rate {
		b.WriteString(hostileValues[random.IntN(len(hostileValues))])
		return
	}
	var object map[string]json.RawMessage
	var list []json.RawMessage
	switch {
	case json.Unmarshal(v, &object) == nil && object != nil && name != "paging":
		b.WriteByte('{')
		first := true
		for _, member := range slices.Sorted(func(yield func(string) bool) {
			for name := range object {
				if !yield(name) {
					return
				}
			}
		}) {
			for range 1 + random.IntN(2)*random.IntN(2)*int(min(1, m.rate*100)) { // sometimes twice
				if random.Float64() < m.rate/4 {
					continue // absent
				}
				if !first {
					b.WriteByte(',')
				}
				first = false
				fmt.Fprintf(b, "%q:", member)
				m.write(b, object[member], random, member, depth+1)
			}
		}
		b.WriteByte('}')
	case json.Unmarshal(v, &list) == nil && list != nil:
		b.WriteByte('[')
		for i, element := range list {
			if i > 0 {
				b.WriteByte(',')
			}
			m.write(b, element, random, "", depth+1)
		}
		b.WriteByte(']')
	default:
		b.Write(v)
	}
}

// TestProjection_StaleReads checks that the projection changes neither the data nor extensions.freshness of an operation
// that reads stale responses below a fresh list.
func TestProjection_StaleReads(t *testing.T) {
	t.Parallel()
	sharedWorld()
	bodies := map[string]string{}
	for _, disable := range []string{"", config.Projection} {
		synctest.Test(t, func(t *testing.T) {
			options := serverOptions{}
			if disable != "" {
				options.config.Disable = config.Mechanisms{disable}
			}
			s := newTestServer(t, options)
			const query = `{ popular(first: 3) { nodes { name description user { followerCount cloudcasts(first: 2) { nodes { name } } } } } }`
			s.execute(t, "", query, nil)
			time.Sleep(12 * time.Hour) // all entries are stale and usable
			s.execute(t, "", `{ popular(first: 3) { nodes { key } } }`, nil)
			synctest.Wait() // the list is fresh again, and what its items need is stale
			if err := s.emulator.Fail(emulator.Fault{Kind: emulator.FaultReset}); err != nil {
				t.Fatal(err)
			}
			resp := s.execute(t, "", query, nil)
			if entries := freshnessOf(t, resp); len(entries) < 6 {
				t.Errorf("%d entries of extensions.freshness, want those of the items of the list: %s", len(entries), resp.body)
			}
			bodies[disable] = normalizeBody(t, resp)
		})
	}
	if diff := cmp.Diff(bodies[config.Projection], bodies[""]); diff != "" {
		t.Errorf("response depends on the projection (- without, + with):\n%s", diff)
	}
}
