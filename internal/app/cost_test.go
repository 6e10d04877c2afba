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

// A price is what a field costs in calls, for each object that it is asked of.
type price struct {
	partial, full int  // under a parent that came along, under one that was looked up
	shared        bool // once for all parents
	atMost        bool // or less
}

// A tariff is the cost that a description states: for anonymous requests and for
// those with a token.
type tariff struct {
	anonymous, token price
	argument         string // the argument that causes the cost, such as "full: true"; "" for none
	absent           price  // with a token, if there is nothing to undo; free for a field that undoes nothing
}

var (
	free    = price{}
	call    = price{partial: 1, full: 1}
	load    = price{partial: 1}
	tariffs = map[string]tariff{
		"none":                              {},
		"1 call":                            {anonymous: call, token: call},
		"1 call per page":                   {anonymous: call, token: call},
		"2 calls":                           {token: price{full: 2}},
		"1 load":                            {anonymous: load, token: load},
		"1 load with `full: true`":          {anonymous: load, token: load, argument: "full: true"},
		"1 load with a token":               {token: load},
		"1 load of the owner of the list":   {anonymous: price{partial: 1, atMost: true}, token: price{partial: 1, atMost: true}},
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

// tariffOf reads the cost from a description. A description without a cost is free;
// a cost that is not in tariffs is an error.
func tariffOf(description string) (tariff, error) {
	paragraphs := strings.Split(strings.TrimSpace(description), "\n\n")
	text := strings.Join(strings.Fields(paragraphs[len(paragraphs)-1]), " ")
	text, found := strings.CutPrefix(text, "Cost: ")
	if !found {
		if strings.Contains(description, "Cost") {
			return tariff{}, fmt.Errorf("the last paragraph of %q is not \"Cost: …\"", description)
		}
		return tariff{}, nil
	}
	t, ok := tariffs[strings.TrimSuffix(text, ".")]
	if !ok {
		return tariff{}, fmt.Errorf("tariffs in internal/app/cost_test.go has no row for %q", text)
	}
	return t, nil
}

// parents says how to come by objects of a type: with what carries them, and by
// a look-up of their own. %s is the selection. Types that only come along have
// no look-up.
//
// The fields of mutations are asked of a Mixcloud that says yes to each write
// and does nothing, and by a viewer only, but for what nobody needs a token for.
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

// unreachable are the types of which the emulated Mixcloud has no object.
var unreachable = map[string]string{
	"OtherActivity":  "it does nothing that was never recorded",
	"Subscription":   "its events make no call: TestUploadProgress",
	"UploadProgress": "the same",
}

func tracklist(selection string) string {
	return `cloudcast(key: "/demo/lunch-break-a-tracklist-with-holes/") { sections { ... on TrackSection { ` + selection + ` } } }`
}

func activities(kind string) string {
	return `user(username: "demo") { feed(first: 100, offset: 100) { nodes { ... on ` + kind + ` { %s } } } }`
}

// arguments are those that a field cannot go without.
var arguments = map[string]string{
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

// TestCost holds the cost that each description states, or that there is none,
// against the calls that the field really makes: under parents that came along
// and under one that was looked up, for nobody and with a token.
func TestCost(t *testing.T) {
	t.Parallel()
	schema := loadedSchema()
	for _, name := range slices.Sorted(maps.Keys(schema.Types)) {
		def := schema.Types[name]
		if strings.HasPrefix(name, "__") || def.Kind != ast.Object {
			continue
		}
		from, ok := parents[name]
		if reason := unreachable[name]; ok == (reason != "") {
			t.Errorf("type %s: add a query that returns it to parents in internal/app/cost_test.go, or a reason to unreachable", name)
		}
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			t.Run(name+"."+f.Name, func(t *testing.T) {
				t.Parallel()
				said, err := tariffOf(f.Description)
				if err != nil {
					t.Fatal(err)
				}
				checkCost(t, from.partial, name, f, said, func(p price) int { return p.partial })
				checkCost(t, from.full, name, f, said, func(p price) int { return p.full })
			})
		}
	}
}

func checkCost(t *testing.T, parent, typeName string, f *ast.FieldDefinition, said tariff, of func(price) int) {
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
		{"", said.anonymous, false},
		{"demo-token", said.token, withheld},
	}
	if withheld { // as it is: everything came along
		principals = append(principals, struct {
			token    string
			price    price
			withheld bool
		}{"demo-token", free, false})
	}
	if writes := strings.HasPrefix(parent, "mutation"); writes && !strings.Contains(parent+f.Name, "exchangeOAuthCode") {
		principals = principals[1:]
	}
	if said.absent != free {
		n, calls := extraOf(t, nothingToUndo, parent, selectionOf(typeName, f, ""), "demo-token")
		if len(calls) != n*of(said.absent) {
			t.Errorf("with nothing to undo, %s makes %d calls, %d are said:\n%s", f.Name, len(calls), n*of(said.absent), strings.Join(calls, "\n"))
		}
	}
	for _, who := range principals {
		bare := selectionOf(typeName, f, "")
		want := who.price
		if said.argument != "" {
			if n, calls := extra(t, parent, bare, who.token, who.withheld); len(calls) != 0 {
				t.Errorf("without %q, token %q, %d parents: calls %q, none is said", said.argument, who.token, n, calls)
			}
			bare = selectionOf(typeName, f, said.argument)
		}
		n, calls := extra(t, parent, bare, who.token, who.withheld)
		if want.shared {
			n = min(n, 1)
		}
		if got := len(calls); got > n*of(want) || got < n*of(want) && !want.atMost {
			t.Errorf("in %s, token %q: %d calls, %d are said:\n%s", fmt.Sprintf(parent, bare), who.token, got, n*of(want), strings.Join(calls, "\n"))
		}
	}
}

// selectionOf selects a field, as little of it as there can be.
func selectionOf(typeName string, f *ast.FieldDefinition, argument string) string {
	if argument == "" {
		argument = arguments[typeName+"."+f.Name]
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

// extra counts the parents, and gives the calls that a selection makes beyond
// those that bring its parents.
func extra(t *testing.T, parent, selection, token string, withheld bool) (int, []string) {
	t.Helper()
	upstream := asItIs
	if withheld {
		upstream = keepingBack
	}
	return extraOf(t, upstream, parent, selection, token)
}

func extraOf(t *testing.T, of func(testing.TB) serverOptions, parent, selection, token string) (int, []string) {
	t.Helper()
	var without, with any
	base := asked(t, of, fmt.Sprintf(parent, "probe: __typename"), token, &without)
	calls := asked(t, of, fmt.Sprintf(parent, selection), token, &with)
	for _, line := range base {
		i := slices.Index(calls, line)
		if i < 0 {
			t.Fatalf("%q is not asked for with %s", line, selection)
		}
		calls = slices.Delete(calls, i, i+1)
	}
	n := probes(without)
	if n == 0 {
		t.Fatalf("there is no parent in %s", parent)
	}
	return n, calls
}

// asItIs is the emulated Mixcloud, but that writes are answered and not done.
func asItIs(t testing.TB) serverOptions { return saysYes(t, http.StatusOK) }

// nothingToUndo is one that finds nothing to undo.
func nothingToUndo(t testing.TB) serverOptions { return saysYes(t, http.StatusNotFound) }

// keepingBack is one that keeps back what depends on the viewer.
func keepingBack(t testing.TB) serverOptions {
	return saysYes(t, http.StatusOK, emulator.WithBroken("no-viewer-members"))
}

// saysYes answers the undoing of an action with a status.
func saysYes(t testing.TB, undone int, options ...emulator.Option) serverOptions {
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

func asked(t *testing.T, of func(testing.TB) serverOptions, selection, token string, data any) []string {
	t.Helper()
	st := newTestServer(t, of(t))
	resp := response{}
	switch {
	case strings.Contains(selection, "$mp3"):
		if !strings.HasPrefix(selection, "mutation (") {
			selection = strings.Replace(selection, "mutation", "mutation ($mp3: Upload!)", 1)
		}
		resp = st.upload(t, token, selection, map[string]any{"mp3": nil}, uploadFile{Path: "variables.mp3", Name: "a.mp3", Head: "ID3", Size: 100})
	case strings.HasPrefix(selection, "mutation"):
		resp = st.execute(t, token, selection, nil)
	default:
		resp = st.execute(t, token, "{ "+selection+" }", nil)
	}
	if errs := resp.decode(t, data); len(errs) > 0 {
		t.Fatalf("%s: %+v", selection, errs)
	}
	return st.takeCalls()
}

// probes counts the objects that have a member "probe".
func probes(v any) int {
	n := 0
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			n += probes(e)
		}
	case map[string]any:
		for name, m := range v {
			if name == "probe" {
				n++
				continue
			}
			n += probes(m)
		}
	}
	return n
}

// TestCostOfTotals holds the cost of totalCount, of every connection of every
// type, against the calls: at most the owner's own load, and none under an owner
// that was looked up.
func TestCostOfTotals(t *testing.T) {
	t.Parallel()
	for name, from := range parents {
		for _, f := range loadedSchema().Types[name].Fields {
			if !strings.HasSuffix(f.Type.Name(), "Connection") {
				continue
			}
			t.Run(name+"."+f.Name, func(t *testing.T) {
				t.Parallel()
				for _, way := range []struct {
					parent string
					most   int
				}{{from.partial, 1}, {from.full, 0}} {
					if way.parent == "" {
						continue
					}
					bare := fmt.Sprintf("probe: %s(first: 1) { pageInfo { hasNextPage } }", f.Name)
					counted := fmt.Sprintf("probe: %s(first: 1) { pageInfo { hasNextPage } totalCount }", f.Name)
					var with any
					var owners any
					base := asked(t, asItIs, fmt.Sprintf(way.parent, bare), "", &with)
					calls := asked(t, asItIs, fmt.Sprintf(way.parent, counted), "", nil)
					asked(t, asItIs, fmt.Sprintf(way.parent, "probe: __typename"), "", &owners)
					if got, most := len(calls)-len(base), way.most*probes(owners); got > most {
						t.Errorf("%s: %d calls for totals, %d are said", fmt.Sprintf(way.parent, counted), got, most)
					}
				}
			})
		}
	}
}

// TestCostGrammar tests that a cost in an unknown form is an error, and that
// descriptions use each known form.
func TestCostGrammar(t *testing.T) {
	t.Parallel()
	for _, description := range []string{
		"Text.\n\nCost: 1 calls.",
		"Text.\n\nCost:1 call.",
		"Text.\n\nCost: 1 call.\n\nMore text.",
		"Text. Cost: 1 call.",
		"Text.\n\nCost: none with `full: true`.",
	} {
		if said, err := tariffOf(description); err == nil {
			t.Errorf("%q is read as %+v", description, said)
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
	for text := range tariffs {
		if !used[text] {
			t.Errorf("no description states the cost %q", text)
		}
	}
}
