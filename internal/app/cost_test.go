package app

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/mixcloud/emulator"
)

// A price is the number of calls that a field costs for each parent object.
type price struct {
	partial, full int  // with a partial parent, with a full one
	shared        bool // one price for all parents together
	upTo          bool // the price is an upper bound
}

// A costRule is the cost that a description states: for anonymous requests and for
// those with a token.
type costRule struct {
	anonymous, token price
	argument         string // the argument that causes the cost, such as "full: true"; "" for none
	absent           price  // with a token, if there is nothing to undo; free for a field that undoes nothing
}

var (
	free      = price{}
	call      = price{partial: 1, full: 1}
	load      = price{partial: 1}
	costRules = map[string]costRule{
		"none":                              {},
		"1 call":                            {anonymous: call, token: call},
		"1 call per page":                   {anonymous: call, token: call},
		"2 calls":                           {token: price{full: 2}},
		"1 load":                            {anonymous: load, token: load},
		"1 load with `full: true`":          {anonymous: load, token: load, argument: "full: true"},
		"1 load with a token":               {token: load},
		"1 load of the owner of the list":   {anonymous: price{partial: 1, upTo: true}, token: price{partial: 1, upTo: true}},
		"1 call per distinct id":            {anonymous: price{full: 2}, token: price{full: 2}},
		"1 call per distinct key":           {anonymous: price{full: 2}, token: price{full: 2}},
		"1 call per operation with a token": {token: price{partial: 1, full: 1, shared: true}},
		"1 call per operation with a token; none for a full user": {
			token: price{partial: 1, shared: true},
		},
		"1 call per page with a token, plus 1 per operation": {
			token: price{partial: 1, full: 1, shared: true},
		},
		"1 call, plus 1 if `cursor` is selected": {token: call},
		"1 call, plus 1 if there is nothing to undo": {
			token: call, absent: price{full: 2},
		},
	}
	// viewerFlags are the fields whose value a partial object contains, unless
	// Mixcloud withholds the members that depend on the viewer.
	viewerFlags = map[string]bool{
		"User.viewerIsFollowing": true, "Cloudcast.viewerHasFavorited": true, "Cloudcast.viewerHasReposted": true, "Cloudcast.viewerHasListenLater": true,
	}
)

// parseCost reads the cost from a description. A description without a cost is free;
// a cost that is not in costRules is an error.
func parseCost(description string) (costRule, error) {
	paragraphs := strings.Split(strings.TrimSpace(description), "\n\n")
	text := strings.Join(strings.Fields(paragraphs[len(paragraphs)-1]), " ")
	text, found := strings.CutPrefix(text, "Cost: ")
	if !found {
		if strings.Contains(description, "Cost") {
			return costRule{}, fmt.Errorf("the last paragraph of %q is not \"Cost: …\"", description)
		}
		return costRule{}, nil
	}
	t, ok := costRules[strings.TrimSuffix(text, ".")]
	if !ok {
		return costRule{}, fmt.Errorf("costRules in internal/app/cost_test.go has no row for %q", text)
	}
	return t, nil
}

// parents contains selections that return objects of each type: partial ones as part of another
// object, and full ones by a lookup. %s is the selection of the field. Types without a lookup have
// only the first.
//
// The emulator for mutations accepts each write and does nothing. Mutations are tested with a token only, except those that
// need none.
var parents = map[string]struct{ partial, full string }{
	"Mutation":                     {full: `mutation { %s }`},
	"FollowUserPayload":            {full: `mutation { followUser(input: {username: "spartacus"}) { %s } }`},
	"UnfollowUserPayload":          {full: `mutation { unfollowUser(input: {username: "spartacus"}) { %s } }`},
	"FavoriteCloudcastPayload":     {full: `mutation { favoriteCloudcast(input: {key: "/spartacus/party-time/"}) { %s } }`},
	"UnfavoriteCloudcastPayload":   {full: `mutation { unfavoriteCloudcast(input: {key: "/spartacus/party-time/"}) { %s } }`},
	"RepostCloudcastPayload":       {full: `mutation { repostCloudcast(input: {key: "/spartacus/party-time/"}) { %s } }`},
	"UnrepostCloudcastPayload":     {full: `mutation { unrepostCloudcast(input: {key: "/spartacus/party-time/"}) { %s } }`},
	"AddToListenLaterPayload":      {full: `mutation { addToListenLater(input: {key: "/spartacus/party-time/"}) { %s } }`},
	"RemoveFromListenLaterPayload": {full: `mutation { removeFromListenLater(input: {key: "/spartacus/party-time/"}) { %s } }`},
	"UploadCloudcastPayload":       {full: `mutation ($mp3: Upload!) { uploadCloudcast(input: {mp3: $mp3, name: "Night Bus"}) { %s } }`},
	"EditCloudcastPayload":         {full: `mutation { editCloudcast(input: {key: "/demo/lunch-break-29082026/", name: "x"}) { %s } }`},
	"ExchangeOAuthCodePayload":     {full: `mutation { exchangeOAuthCode(input: {code: "x", redirectUri: "https://app.test/back"}) { %s } }`},
	"UserError":                    {full: `mutation { followUser(input: {}) { userErrors { %s } } }`},
	"Query":                        {full: `%s`},
	"User":                         {`user(username: "HarbourFM") { followers(first: 3) { nodes { %s } } }`, `user(username: "demo") { %s }`},
	"Cloudcast":                    {`popular(first: 3) { nodes { %s } }`, `cloudcast(key: "/spartacus/party-time/") { %s }`},
	"Tag":                          {`search(query: "funk") { tags(first: 3) { nodes { %s } } }`, `tag(name: "funk") { %s }`},
	"City":                         {full: `city(name: "athens") { %s }`},
	"Category":                     {`categories { %s }`, `category(slug: "ambient") { %s }`},
	"Playlist":                     {`user(username: "demo") { playlists(first: 3) { nodes { %s } } }`, `playlist(key: "/demo/playlists/things-to-hear-again/") { %s }`},
	"Track":                        {tracklist(`track { %s }`), ``},
	"Artist":                       {tracklist(`track { artist { %s } }`), ``},
	"Search":                       {full: `search(query: "night") { %s }`},
	"Discovery":                    {full: `discover(tags: ["funk"]) { %s }`},
	"OEmbed":                       {full: `oembed(url: "/spartacus/party-time/") { %s }`},
	"RateLimit":                    {full: `rateLimit { %s }`},
	"PageInfo":                     {partial: `popular(first: 1) { pageInfo { %s } }`},
	"Picture":                      {partial: `popular(first: 1) { nodes { pictures { %s } } }`},
	"Comment":                      {partial: `user(username: "demo") { comments(first: 3) { nodes { %s } } }`},
	"TrackSection":                 {partial: tracklist(`%s`)},
	"ChapterSection":               {partial: `cloudcast(key: "/demo/lunch-break-a-tracklist-with-holes/") { sections { ... on ChapterSection { %s } } }`},
	"UploadActivity":               {partial: activities("UploadActivity")},
	"ListenActivity":               {partial: activities("ListenActivity")},
	"FavoriteActivity":             {partial: activities("FavoriteActivity")},
	"FollowActivity":               {partial: activities("FollowActivity")},
	"CloudcastConnection":          {partial: `popular(first: 1) { %s }`},
	"CloudcastEdge":                {partial: `popular(first: 1) { edges { %s } }`},
	"ListenConnection":             {partial: `user(username: "demo") { listens(first: 1) { %s } }`},
	"ListenEdge":                   {partial: `user(username: "demo") { listens(first: 1) { edges { %s } } }`},
	"ListenerConnection":           {partial: `cloudcast(key: "/HarbourFM/low-tide-live-from-the-last-ferry/") { listeners(first: 1) { %s } }`},
	"ListenerEdge":                 {partial: `cloudcast(key: "/HarbourFM/low-tide-live-from-the-last-ferry/") { listeners(first: 1) { edges { %s } } }`},
	"UserConnection":               {partial: `user(username: "demo") { followers(first: 1) { %s } }`},
	"UserEdge":                     {partial: `user(username: "demo") { followers(first: 1) { edges { %s } } }`},
	"TagConnection":                {partial: `search(query: "funk") { tags(first: 1) { %s } }`},
	"TagEdge":                      {partial: `search(query: "funk") { tags(first: 1) { edges { %s } } }`},
	"CommentConnection":            {partial: `user(username: "demo") { comments(first: 1) { %s } }`},
	"CommentEdge":                  {partial: `user(username: "demo") { comments(first: 1) { edges { %s } } }`},
	"ActivityConnection":           {partial: `user(username: "demo") { feed(first: 1) { %s } }`},
	"ActivityEdge":                 {partial: `user(username: "demo") { feed(first: 1) { edges { %s } } }`},
	"PlaylistConnection":           {partial: `user(username: "demo") { playlists(first: 1) { %s } }`},
	"PlaylistEdge":                 {partial: `user(username: "demo") { playlists(first: 1) { edges { %s } } }`},
}

// noObjects are the types that have no object in the emulator, with the reason.
var noObjects = map[string]string{
	"OtherActivity":  "the emulator has only recorded kinds of activities",
	"Subscription":   "its events make no calls: TestUploadProgress",
	"UploadProgress": "its events make no calls: TestUploadProgress",
}

func tracklist(selection string) string {
	return `cloudcast(key: "/demo/lunch-break-a-tracklist-with-holes/") { sections { ... on TrackSection { ` + selection + ` } } }`
}

func activities(kind string) string {
	return `user(username: "demo") { feed(first: 100, offset: 100) { nodes { ... on ` + kind + ` { %s } } } }`
}

// requiredArguments are the arguments of the fields that need some.
var requiredArguments = map[string]string{
	"Query.oauthAuthorizationUrl":    `redirectUri: "https://app.test/back"`,
	"Mutation.followUser":            `input: {username: "spartacus"}`,
	"Mutation.unfollowUser":          `input: {username: "spartacus"}`,
	"Mutation.favoriteCloudcast":     `input: {key: "/spartacus/party-time/"}`,
	"Mutation.unfavoriteCloudcast":   `input: {key: "/spartacus/party-time/"}`,
	"Mutation.repostCloudcast":       `input: {key: "/spartacus/party-time/"}`,
	"Mutation.unrepostCloudcast":     `input: {key: "/spartacus/party-time/"}`,
	"Mutation.addToListenLater":      `input: {key: "/spartacus/party-time/"}`,
	"Mutation.removeFromListenLater": `input: {key: "/spartacus/party-time/"}`,
	"Mutation.editCloudcast":         `input: {key: "/demo/lunch-break-29082026/", name: "x"}`,
	"Mutation.exchangeOAuthCode":     `input: {code: "x", redirectUri: "https://app.test/back"}`,
	"Mutation.uploadCloudcast":       `input: {mp3: $mp3, name: "Night Bus"}`,

	"Query.node":      `id: "MXUKL3NwYXJ0YWN1cy8"`,
	"Query.nodes":     `ids: ["MXUKL3NwYXJ0YWN1cy8", "MXQKL2dlbnJlcy9mdW5rLw", "MXUKL3NwYXJ0YWN1cy8"]`,
	"Query.resource":  `key: "/spartacus/"`,
	"Query.resources": `keys: ["/spartacus/", "/genres/funk/", "https://www.mixcloud.com/Spartacus"]`,
	"Query.user":      `username: "spartacus"`,
	"Query.cloudcast": `key: "/spartacus/party-time/"`,
	"Query.category":  `slug: "ambient"`,
	"Query.tag":       `name: "funk"`,
	"Query.city":      `name: "athens"`,
	"Query.playlist":  `key: "/demo/playlists/things-to-hear-again/"`,
	"Query.artist":    `key: "/artist/oda-lindqvist/"`,
	"Query.track":     `key: "/track/oda-lindqvist/tidal/"`,
	"Query.search":    `query: "night"`,
	"Query.oembed":    `url: "/spartacus/party-time/"`,
}

// TestCost compares the cost that each description states with the calls that the field makes, with partial and full
// parents, for anonymous requests and with a token.
func TestCost(t *testing.T) {
	t.Parallel()
	schema := loadedSchema()
	for _, name := range slices.Sorted(maps.Keys(schema.Types)) {
		def := schema.Types[name]
		if strings.HasPrefix(name, "__") || def.Kind != ast.Object {
			continue
		}
		from, ok := parents[name]
		if reason := noObjects[name]; ok == (reason != "") {
			t.Errorf("type %s: add a query that returns it to parents in internal/app/cost_test.go, or a reason to noObjects", name)
		}
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			t.Run(name+"."+f.Name, func(t *testing.T) {
				t.Parallel()
				stated, err := parseCost(f.Description)
				if err != nil {
					t.Fatal(err)
				}
				checkCost(t, from.partial, name, f, stated, func(p price) int { return p.partial })
				checkCost(t, from.full, name, f, stated, func(p price) int { return p.full })
			})
		}
	}
}

func checkCost(t *testing.T, parent, typeName string, f *ast.FieldDefinition, stated costRule, of func(price) int) {
	t.Helper()
	if parent == "" {
		return
	}
	withheld := viewerFlags[typeName+"."+f.Name]
	principals := []struct {
		token    string
		price    price
		withheld bool
	}{
		{"", stated.anonymous, false},
		{"demo-token", stated.token, withheld},
	}
	if withheld { // without withholding: all members are sent
		principals = append(principals, struct {
			token    string
			price    price
			withheld bool
		}{"demo-token", free, false})
	}
	if writes := strings.HasPrefix(parent, "mutation"); writes && !strings.Contains(parent+f.Name, "exchangeOAuthCode") {
		principals = principals[1:]
	}
	if stated.absent != free {
		n, calls := extraCallsOf(t, hasNothingToUndo, parent, selectionOf(typeName, f, ""), "demo-token")
		if len(calls) != n*of(stated.absent) {
			t.Errorf("with nothing to undo, %s makes %d calls, want %d as stated:\n%s", f.Name, len(calls), n*of(stated.absent), strings.Join(calls, "\n"))
		}
	}
	for _, principal := range principals {
		selection := selectionOf(typeName, f, "")
		want := principal.price
		if stated.argument != "" {
			if n, calls := extraCalls(t, parent, selection, principal.token, principal.withheld); len(calls) != 0 {
				t.Errorf("without argument %q, token %q, %d parents: calls = %q, want none", stated.argument, principal.token, n, calls)
			}
			selection = selectionOf(typeName, f, stated.argument)
		}
		n, calls := extraCalls(t, parent, selection, principal.token, principal.withheld)
		if want.shared {
			n = min(n, 1)
		}
		if got := len(calls); got > n*of(want) || got < n*of(want) && !want.upTo {
			t.Errorf("%s, token %q: %d calls, want %d as stated:\n%s", fmt.Sprintf(parent, selection), principal.token, got, n*of(want), strings.Join(calls, "\n"))
		}
	}
}

// selectionOf returns the smallest selection of a field.
func selectionOf(typeName string, f *ast.FieldDefinition, argument string) string {
	if argument == "" {
		argument = requiredArguments[typeName+"."+f.Name]
	}
	if f.Arguments.ForName("first") != nil {
		argument = "first: 1"
	}
	if argument != "" {
		argument = "(" + argument + ")"
	}
	inner := ""
	if def := loadedSchema().Types[f.Type.Name()]; def.IsCompositeType() {
		inner = " { __typename }"
	}
	return "probe: " + f.Name + argument + inner
}

// extraCalls returns the number of parents, and the calls that a selection makes in addition to those for its parents.
func extraCalls(t *testing.T, parent, selection, token string, withheld bool) (int, []string) {
	t.Helper()
	upstream := acceptsWrites
	if withheld {
		upstream = withholdsViewerMembers
	}
	return extraCallsOf(t, upstream, parent, selection, token)
}

func extraCallsOf(t *testing.T, of func(testing.TB) serverOptions, parent, selection, token string) (int, []string) {
	t.Helper()
	var without, with any
	base := callsOf(t, of, fmt.Sprintf(parent, "probe: __typename"), token, &without)
	calls := callsOf(t, of, fmt.Sprintf(parent, selection), token, &with)
	for _, line := range base {
		i := slices.Index(calls, line)
		if i < 0 {
			t.Fatalf("calls with %s do not contain %q of the calls without", selection, line)
		}
		calls = slices.Delete(calls, i, i+1)
	}
	n := countProbes(without)
	if n == 0 {
		t.Fatalf("the response to %s contains no parent object", parent)
	}
	return n, calls
}

// acceptsWrites is an emulator that accepts writes without executing them.
func acceptsWrites(t testing.TB) serverOptions { return newWriteStub(t, http.StatusOK) }

// hasNothingToUndo is an emulator that responds 404 to undo actions.
func hasNothingToUndo(t testing.TB) serverOptions { return newWriteStub(t, http.StatusNotFound) }

// withholdsViewerMembers is an emulator that does not send the members about the viewer.
func withholdsViewerMembers(t testing.TB) serverOptions {
	return newWriteStub(t, http.StatusOK, emulator.WithBroken("no-viewer-members"))
}

// newWriteStub returns an emulator that does not execute writes, and responds to undo actions with the given status.
func newWriteStub(t testing.TB, undone int, options ...emulator.Option) serverOptions {
	t.Helper()
	e := newEmulator(t, options...)
	return serverOptions{mixcloud: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet {
			return e.Transport().RoundTrip(r)
		}
		if r.Body != nil {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return nil, err
			}
		}
		w := httptest.NewRecorder()
		if r.Method == http.MethodDelete {
			w.WriteHeader(undone)
		}
		fmt.Fprint(w, `{"access_token": "x", "result": {"success": true, "message": "Done", "key": "/demo/night-bus/"}}`)
		return w.Result(), nil
	})}
}

// callsOf executes a selection with a new server, decodes the response's data and returns the calls.
func callsOf(t *testing.T, of func(testing.TB) serverOptions, selection, token string, data any) []string {
	t.Helper()
	s := newTestServer(t, of(t))
	resp := response{}
	switch {
	case strings.Contains(selection, "$mp3"):
		if !strings.HasPrefix(selection, "mutation (") {
			selection = strings.Replace(selection, "mutation", "mutation ($mp3: Upload!)", 1)
		}
		resp = s.upload(t, token, selection, map[string]any{"mp3": nil}, uploadFile{Path: "variables.mp3", Name: "a.mp3", Head: "ID3", Size: 100})
	case strings.HasPrefix(selection, "mutation"):
		resp = s.execute(t, token, selection, nil)
	default:
		resp = s.execute(t, token, "{ "+selection+" }", nil)
	}
	if errs := resp.decode(t, data); len(errs) > 0 {
		t.Fatalf("%s: errors = %+v, want none", selection, errs)
	}
	return s.takeCalls()
}

// countProbes returns the number of objects with a member "probe".
func countProbes(v any) int {
	n := 0
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			n += countProbes(e)
		}
	case map[string]any:
		for name, m := range v {
			if name == "probe" {
				n++
				continue
			}
			n += countProbes(m)
		}
	}
	return n
}

// TestCostOfTotals checks the calls of totalCount of every connection: at most one load of the owner, and none if the owner
// was looked up.
func TestCostOfTotals(t *testing.T) {
	t.Parallel()
	for name, from := range parents {
		for _, f := range loadedSchema().Types[name].Fields {
			if !strings.HasSuffix(f.Type.Name(), "Connection") {
				continue
			}
			t.Run(name+"."+f.Name, func(t *testing.T) {
				t.Parallel()
				for _, tt := range []struct {
					parent string
					most   int
				}{{from.partial, 1}, {from.full, 0}} {
					if tt.parent == "" {
						continue
					}
					selection := fmt.Sprintf("probe: %s(first: 1) { pageInfo { hasNextPage } }", f.Name)
					counted := fmt.Sprintf("probe: %s(first: 1) { pageInfo { hasNextPage } totalCount }", f.Name)
					var owners any
					base := callsOf(t, acceptsWrites, fmt.Sprintf(tt.parent, selection), "", nil)
					calls := callsOf(t, acceptsWrites, fmt.Sprintf(tt.parent, counted), "", nil)
					callsOf(t, acceptsWrites, fmt.Sprintf(tt.parent, "probe: __typename"), "", &owners)
					if got, most := len(calls)-len(base), tt.most*countProbes(owners); got > most {
						t.Errorf("%s: %d calls for totals, want at most %d", fmt.Sprintf(tt.parent, counted), got, most)
					}
				}
			})
		}
	}
}

// TestCost_Wordings tests that a cost in an unknown form is an error, and that
// descriptions use each known form.
func TestCost_Wordings(t *testing.T) {
	t.Parallel()
	for _, description := range []string{
		"Text.\n\nCost: 1 calls.",
		"Text.\n\nCost:1 call.",
		"Text.\n\nCost: 1 call.\n\nMore text.",
		"Text. Cost: 1 call.",
		"Text.\n\nCost: none with `full: true`.",
	} {
		if stated, err := parseCost(description); err == nil {
			t.Errorf("parseCost(%q) = %+v, want an error", description, stated)
		}
	}
	used := map[string]bool{}
	for _, def := range loadedSchema().Types {
		for _, f := range def.Fields {
			if _, cost, ok := strings.Cut(f.Description, "Cost: "); ok {
				used[strings.TrimSuffix(cost, ".")] = true
			}
		}
	}
	for text := range costRules {
		if !used[text] {
			t.Errorf("costRules has the rule %q, which no description states", text)
		}
	}
}
