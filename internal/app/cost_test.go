package app

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
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

// A tariff is what a description says: the price for nobody, and with a token.
type tariff struct {
	anonymous, token price
	argument         string // what brings it about, such as "full: true"; "" for nothing
	withheld         bool   // token is the price where Mixcloud keeps back what depends on the viewer
}

var (
	free    = price{}
	call    = price{partial: 1, full: 1}
	load    = price{partial: 1}
	tariffs = map[string]tariff{
		"one call":                      {anonymous: call, token: call},
		"one load":                      {anonymous: load, token: load},
		"one load of the owner at most": {anonymous: price{partial: 1, atMost: true}, token: price{partial: 1, atMost: true}},
		"nothing, until a list of it is selected":                  {},
		"nothing; with a token one load":                           {token: load},
		"nothing; with a token one load, if it did not come along": {token: load, withheld: true},
		"nothing without a token; with a token one call":           {token: call},
		"one call per different id":                                {anonymous: price{full: 2}, token: price{full: 2}},
		"with a token: one call for the viewer, shared by all users; none for a user that was looked up itself": {
			token: price{partial: 1, shared: true},
		},
		"nothing for anonymous callers; one call with a token, after those of `isViewer`": {
			token: price{partial: 1, full: 1, shared: true},
		},
	}
	withArgument = regexp.MustCompile("^Cost with `([a-z]+: [a-z]+)`: (.*)$")
)

// tariffOf reads a description. One without a line on cost is free; a line in
// other words than those of the table is an error.
func tariffOf(description string) (tariff, error) {
	paragraphs := strings.Split(strings.TrimSpace(description), "\n\n")
	text := strings.Join(strings.Fields(paragraphs[len(paragraphs)-1]), " ")
	if !strings.HasPrefix(text, "Cost") {
		if strings.Contains(description, "Cost") {
			return tariff{}, fmt.Errorf("the cost is not the last paragraph of %q", description)
		}
		return tariff{}, nil
	}
	argument := ""
	if m := withArgument.FindStringSubmatch(text); m != nil {
		argument, text = m[1], m[2]
	}
	text = strings.TrimPrefix(strings.TrimPrefix(text, "Cost: "), "Cost ")
	t, ok := tariffs[strings.TrimSuffix(text, ".")]
	if !ok {
		return tariff{}, fmt.Errorf("nobody knows how to check %q", text)
	}
	t.argument = argument
	return t, nil
}

// parents says how to come by objects of a type: with what carries them, and by
// a look-up of their own. %s is the selection. Types that only come along have
// no look-up.
var parents = map[string]struct{ partial, full string }{
	"Query":               {full: `%s`},
	"User":                {`user(username: "HarbourFM") { followers(first: 3) { nodes { %s } } }`, `user(username: "demo") { %s }`},
	"Cloudcast":           {`popular(first: 3) { nodes { %s } }`, `cloudcast(key: "/spartacus/party-time/") { %s }`},
	"Tag":                 {`search(query: "funk") { tags(first: 3) { nodes { %s } } }`, `tag(name: "funk") { %s }`},
	"City":                {full: `city(name: "athens") { %s }`},
	"Category":            {`categories { %s }`, `category(slug: "ambient") { %s }`},
	"Playlist":            {`user(username: "demo") { playlists(first: 3) { nodes { %s } } }`, `playlist(key: "/demo/playlists/things-to-hear-again/") { %s }`},
	"Track":               {tracklist(`track { %s }`), ``},
	"Artist":              {tracklist(`track { artist { %s } }`), ``},
	"Search":              {full: `search(query: "night") { %s }`},
	"Discovery":           {full: `discover(tags: ["funk"]) { %s }`},
	"OEmbed":              {full: `oembed(url: "/spartacus/party-time/") { %s }`},
	"RateLimit":           {full: `rateLimit { %s }`},
	"PageInfo":            {partial: `popular(first: 1) { pageInfo { %s } }`},
	"Picture":             {partial: `popular(first: 1) { nodes { pictures { %s } } }`},
	"Comment":             {partial: `user(username: "demo") { comments(first: 3) { nodes { %s } } }`},
	"TrackSection":        {partial: tracklist(`%s`)},
	"ChapterSection":      {partial: `cloudcast(key: "/demo/lunch-break-a-tracklist-with-holes/") { sections { ... on ChapterSection { %s } } }`},
	"UploadActivity":      {partial: activities("UploadActivity")},
	"ListenActivity":      {partial: activities("ListenActivity")},
	"FavoriteActivity":    {partial: activities("FavoriteActivity")},
	"FollowActivity":      {partial: activities("FollowActivity")},
	"CloudcastConnection": {partial: `popular(first: 1) { %s }`},
	"CloudcastEdge":       {partial: `popular(first: 1) { edges { %s } }`},
	"ListenConnection":    {partial: `user(username: "demo") { listens(first: 1) { %s } }`},
	"ListenEdge":          {partial: `user(username: "demo") { listens(first: 1) { edges { %s } } }`},
	"UserConnection":      {partial: `user(username: "demo") { followers(first: 1) { %s } }`},
	"UserEdge":            {partial: `user(username: "demo") { followers(first: 1) { edges { %s } } }`},
	"TagConnection":       {partial: `search(query: "funk") { tags(first: 1) { %s } }`},
	"TagEdge":             {partial: `search(query: "funk") { tags(first: 1) { edges { %s } } }`},
	"CommentConnection":   {partial: `user(username: "demo") { comments(first: 1) { %s } }`},
	"CommentEdge":         {partial: `user(username: "demo") { comments(first: 1) { edges { %s } } }`},
	"ActivityConnection":  {partial: `user(username: "demo") { feed(first: 1) { %s } }`},
	"ActivityEdge":        {partial: `user(username: "demo") { feed(first: 1) { edges { %s } } }`},
	"PlaylistConnection":  {partial: `user(username: "demo") { playlists(first: 1) { %s } }`},
	"PlaylistEdge":        {partial: `user(username: "demo") { playlists(first: 1) { edges { %s } } }`},
}

// unreachable are the types of which the emulated Mixcloud has no object.
var unreachable = map[string]string{
	"OtherActivity": "it does nothing that was never recorded",
}

func tracklist(selection string) string {
	return `cloudcast(key: "/demo/lunch-break-a-tracklist-with-holes/") { sections { ... on TrackSection { ` + selection + ` } } }`
}

func activities(kind string) string {
	return `user(username: "demo") { feed(first: 100, offset: 100) { nodes { ... on ` + kind + ` { %s } } } }`
}

// arguments are those that a field cannot go without.
var arguments = map[string]string{
	"Query.node":      `id: "MXUKL3NwYXJ0YWN1cy8"`,
	"Query.nodes":     `ids: ["MXUKL3NwYXJ0YWN1cy8", "MXQKL2dlbnJlcy9mdW5rLw", "MXUKL3NwYXJ0YWN1cy8"]`,
	"Query.resource":  `key: "/spartacus/"`,
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
	schema := schemaOf()
	for _, name := range slices.Sorted(maps.Keys(schema.Types)) {
		def := schema.Types[name]
		if strings.HasPrefix(name, "__") || def.Kind != ast.Object {
			continue
		}
		from, ok := parents[name]
		if reason := unreachable[name]; ok == (reason != "") {
			t.Errorf("type %s: either a way to it or a reason why there is none is wanted", name)
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
	audiences := []struct {
		token    string
		price    price
		withheld bool
	}{
		{"", said.anonymous, false},
		{"demo-token", said.token, said.withheld},
	}
	if said.withheld { // as it is: everything came along
		audiences = append(audiences, struct {
			token    string
			price    price
			withheld bool
		}{"demo-token", free, false})
	}
	for _, who := range audiences {
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
	if def := schemaOf().Types[f.Type.Name()]; def.IsCompositeType() {
		inner = " { __typename }"
	}
	return "probe: " + f.Name + argument + inner
}

// extra counts the parents, and gives the calls that a selection makes beyond
// those that bring its parents.
func extra(t *testing.T, parent, selection, token string, withheld bool) (int, []string) {
	t.Helper()
	var without, with any
	base := asked(t, fmt.Sprintf(parent, "probe: __typename"), token, withheld, &without)
	calls := asked(t, fmt.Sprintf(parent, selection), token, withheld, &with)
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

func asked(t *testing.T, selection, token string, withheld bool, data any) []string {
	t.Helper()
	s := set{}
	if withheld {
		s.emulator = append(s.emulator, emulator.WithBroken("no-viewer-members"))
	}
	st := newStage(t, s)
	if errs := st.ask(t, token, "{ "+selection+" }", nil).decode(t, data); len(errs) > 0 {
		t.Fatalf("%s: %+v", selection, errs)
	}
	return st.upstream()
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
		for _, f := range schemaOf().Types[name].Fields {
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
					base := asked(t, fmt.Sprintf(way.parent, bare), "", false, &with)
					calls := asked(t, fmt.Sprintf(way.parent, counted), "", false, nil)
					asked(t, fmt.Sprintf(way.parent, "probe: __typename"), "", false, &owners)
					if got, most := len(calls)-len(base), way.most*probes(owners); got > most {
						t.Errorf("%s: %d calls for totals, %d are said", fmt.Sprintf(way.parent, counted), got, most)
					}
				}
			})
		}
	}
}

// TestCostGrammar holds that a new wording does not pass unnoticed.
func TestCostGrammar(t *testing.T) {
	t.Parallel()
	for _, description := range []string{
		"Something.\n\nCost: two calls.",
		"Something.\n\nCost:one call.",
		"Something.\n\nCost: one call.\n\nAnd more.",
		"Something. Cost: one call.",
		"Something.\n\nCost with `full: true`: nothing at all.",
	} {
		if said, err := tariffOf(description); err == nil {
			t.Errorf("%q is read as %+v", description, said)
		}
	}
	used := map[string]bool{}
	for _, def := range schemaOf().Types {
		for _, f := range def.Fields {
			if _, cost, ok := strings.Cut(strings.Join(strings.Fields(f.Description), " "), "Cost"); ok {
				used[cost] = true
			}
		}
	}
	all, err := json.Marshal(slices.Collect(maps.Keys(used)))
	if err != nil {
		t.Fatal(err)
	}
	for words := range tariffs {
		quoted, err := json.Marshal(words)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(all), strings.Trim(string(quoted), `"`)) {
			t.Errorf("no description says %q any more", words)
		}
	}
}
