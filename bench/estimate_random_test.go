package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/bench/queries"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/race"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// TestEstimateOfRandom checks that random documents over the whole schema cost a server with an
// empty cache at most their estimate: anonymous, with a token, and with an emulator that omits
// optional members. The documents may cause errors; operations with errors must not cost more than
// their estimate either.
func TestEstimateOfRandom(t *testing.T) {
	t.Parallel()
	keys := newValuePool(t)
	const seeds = 6
	each := reducedWithRace(120)
	var mu sync.Mutex
	documents, total, estimates := 0, 0, 0
	used := map[string]bool{}
	t.Run("seeds", func(t *testing.T) {
		for seed := range uint64(seeds) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				for i := range uint64(each) {
					w := &documentWriter{random: rand.New(rand.NewPCG(seed, i)), values: keys, fieldsLeft: 45, variables: map[string]any{}, usedFields: map[string]bool{}}
					q := w.query()
					options := [][]emulator.Option{nil, nil, {withoutViewerMembers}}[i%3]
					if i%3 > 0 {
						q.Token = "demo-token"
					}
					estimate := estimateOf(t, q)
					if estimate > 300 {
						continue
					}
					s := newTestServer(t, options...)
					executeIgnoringErrors(t, s, q)
					calls := s.calls()
					if len(calls) > estimate {
						t.Errorf("document %d, token %q: %d calls, want at most the estimate of %d\n%s\n%v\n%s", i, q.Token, len(calls), estimate, q.Text, q.Variables, strings.Join(calls, "\n"))
					}
					mu.Lock()
					documents, total, estimates = documents+1, total+len(calls), estimates+estimate
					maps.Copy(used, w.usedFields)
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("%d documents with %d different fields cost %d calls; the estimates are %d", documents, len(used), total, estimates)
	if documents < seeds*each*5/6 || total < 3*documents {
		t.Errorf("%d documents made %d calls, want at least %d documents and 3 calls per document", documents, total, seeds*each*5/6)
	}
	if race.Enabled {
		return // too few documents for every field
	}
	for typ, def := range schemaOf().Types {
		for _, f := range def.Fields {
			costly := strings.Contains(f.Description, "Cost: 1") && def != schemaOf().Mutation && !strings.HasSuffix(typ, "Payload")
			if costly && def.Kind == ast.Object && !used[typ+"."+f.Name] {
				t.Errorf("no document selects %s.%s, which has a cost", typ, f.Name)
			}
		}
	}
}

// TestEstimateOfKeys requests all keys of the pool at once, in both orders. The estimate may exceed
// the calls by one, because it counts a key in decomposed Unicode separately.
func TestEstimateOfKeys(t *testing.T) {
	t.Parallel()
	keys := slices.Clone(newValuePool(t)["keys"])
	for range 2 {
		slices.Reverse(keys)
		q := queries.Query{Text: `query ($keys: [String!]!) { resources(keys: $keys) { key } }`, Variables: map[string]any{"keys": keys}}
		s := newTestServer(t)
		executeIgnoringErrors(t, s, q)
		if calls, estimate := s.calls(), estimateOf(t, q); len(calls) > estimate || estimate > len(calls)+1 {
			t.Errorf("%d calls, estimate %d, want an estimate of up to one call more\n%s", len(calls), estimate, strings.Join(calls, "\n"))
		}
	}
}

// executeIgnoringErrors executes a query. The response may contain errors, but no INTERNAL error.
func executeIgnoringErrors(t *testing.T, s *testServer, q queries.Query) {
	body, err := json.Marshal(map[string]any{"query": q.Text, "variables": q.Variables})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://server.test/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json")
	if q.Token != "" {
		req.Header.Set("Authorization", "Bearer "+q.Token)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || bytes.Contains(data, []byte(`"INTERNAL"`)) {
		t.Fatalf("status %d, error %v, want 200 without an INTERNAL error\n%.2000s\n%s\n%v", resp.StatusCode, err, data, q.Text, q.Variables)
	}
}

// A valuePool contains values for arguments that identify objects or pages, by the argument's path,
// such as "User.listens(after)", or by its name.
type valuePool map[string][]any

// newValuePool returns values from the emulator's data, with cursors of some lists.
func newValuePool(t *testing.T) valuePool {
	w := testWorld()
	v := valuePool{
		"username": {"demo", "HarbourFM", "SPARTACUS", "no-such-user", ""},
		"query":    {"night", "funk", " ", "no such text"},
		"url":      {"/spartacus/party-time/", "https://www.mixcloud.com/HarbourFM/low-tide-live-from-the-last-ferry/", "https://example.com/"},
		"ids":      {"invalid"}, "name": {"athens", "no such place"}, "city": {"athens"},
		"slug": {w.Categories[0].Slug, "no-such-category"},
		"tags": {[]any{"funk"}, []any{"funk", "house"}, []any{}, []any{"a", "b", "c", "d", "e", "f"}},
	}
	for _, u := range w.Users[:6] {
		v["username"] = append(v["username"], u.Username)
	}
	v["Query.tag(name)"] = []any{w.Tags[0].Name, "no such tag"}
	v["Query.cloudcast(key)"] = []any{"/HarbourFM/low-tide-live-from-the-last-ferry/", "/demo/lunch-break-a-tracklist-with-holes/", "/demo/", "/demo/gone/"}
	v["Query.playlist(key)"] = []any{w.User("demo").Playlists[0].Key(), "/demo/playlists/gone/"}
	track := w.Artists[0].Tracks[0]
	v["Query.artist(key)"], v["Query.track(key)"] = []any{track.Artist.Key(), "/artist/gone/"}, []any{track.Key(), "/demo/"}
	for _, key := range []string{"/demo/", "/HarbourFM/", "/demo/lunch-break-a-tracklist-with-holes/", "/genres/funk/", "/categories/ambient/", track.Key()} {
		v["Query.resource(key)"] = append(v["Query.resource(key)"], key)
	}
	v["keys"] = []any{
		// Each type, some of them twice in different spellings.
		"/demo/", "https://www.mixcloud.com/DEMO/", "/HarbourFM/low-tide-live-from-the-last-ferry/",
		"https://www.mixcloud.com/HarbourFM/low-tide-live-from-the-last-ferry/", "/genres/funk/", "/tag/funk/",
		"/genres/city:athens/", "/categories/ambient/", w.User("demo").Playlists[0].Key(), track.Key(), track.Artist.Key(),
		// Unknown keys. The second and the third are equal in Unicode NFC.
		"/demo/gone/", "/demo/caf\u00e9/", "/demo/cafe\u0301/", "/no-such-user/",
		// Not keys of a resource.
		"", "/a/b/c/d/", "https://example.com/", "/demo/followers/",
	}
	for kind, key := range map[model.Kind]string{
		model.KindUser: "/HarbourFM/", model.KindCloudcast: "/spartacus/party-time/", model.KindTag: "/genres/funk/",
		model.KindCategory: "/categories/ambient/", model.KindPlaylist: w.User("demo").Playlists[0].Key(), model.KindTrack: track.Key(),
	} {
		v["ids"] = append(v["ids"], model.NodeID{Kind: kind, Key: mixcloud.ParseKey(key)}.String())
	}
	slices.SortFunc(v["ids"], func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	s := newTestServer(t)
	for path, list := range map[string]string{
		"User.cloudcasts": `user(username: "demo") { list: cloudcasts(%s) { %s } }`,
		"User.listens":    `user(username: "demo") { list: listens(%s) { %s } }`,
		"User.followers":  `user(username: "demo") { list: followers(%s) { %s } }`,
		"User.following":  `user(username: "HarbourFM") { list: following(%s) { %s } }`,
		"User.favorites":  `user(username: "demo") { list: favorites(%s) { %s } }`,
		"User.feed":       `user(username: "demo") { list: feed(%s) { %s } }`,
		"Query.popular":   `list: popular(%s) { %s }`,
		"Tag.latest":      `tag(name: "funk") { list: latest(%s) { %s } }`,
	} {
		cursors := cursorsOf(s.execute(t, queries.Query{Text: "{ " + fmt.Sprintf(list, "first: 30", "edges { cursor }") + " }"}))
		for _, i := range []int{0, len(cursors) / 2, len(cursors) - 1} {
			v[path+"(after)"] = append(v[path+"(after)"], cursors[i])
			v[path+"(before)"] = append(v[path+"(before)"], cursors[i])
		}
	}
	// Ids of activities and comments, which are found in their lists.
	for _, id := range strings.Split(string(s.execute(t, queries.Query{
		Text: `{ user(username: "demo") { feed(first: 2) { nodes { id } } } cloudcast(key: "/HarbourFM/low-tide-live-from-the-last-ferry/") { comments(first: 2) { nodes { id } } } }`,
	})), `"id":"`)[1:] {
		id, _, _ = strings.Cut(id, `"`)
		v["ids"] = append(v["ids"], id)
	}
	v["id"] = v["ids"]
	return v
}

// A documentWriter writes one random document.
type documentWriter struct {
	random     *rand.Rand
	values     valuePool
	fieldsLeft int // fields
	aliases    int
	declared   []string
	variables  map[string]any
	fragments  []string
	usedFields map[string]bool
}

func (w *documentWriter) chance(percent int) bool { return w.random.IntN(100) < percent }

func (w *documentWriter) pick(of ...any) any { return of[w.random.IntN(len(of))] }

// query writes a query that uses all its fragments and variables.
func (w *documentWriter) query() queries.Query {
	text := w.selection(schemaOf().Query, 0)
	head := "query"
	if len(w.declared) > 0 {
		head += "(" + strings.Join(w.declared, ", ") + ")"
	}
	return queries.Query{Name: "random", Text: head + " " + text + strings.Join(w.fragments, ""), Variables: w.variables}
}

func (w *documentWriter) selection(typ *ast.Definition, depth int) string {
	var parts []string
	if typ.IsAbstractType() {
		for _, kind := range schemaOf().GetPossibleTypes(typ) {
			if w.fieldsLeft > 0 && w.chance(40) {
				parts = append(parts, w.fragment(kind, depth))
			}
		}
	}
	candidates := slices.DeleteFunc(slices.Clone(typ.Fields), func(f *ast.FieldDefinition) bool {
		return strings.HasPrefix(f.Name, "__") || depth > 8 && schemaOf().Types[f.Type.Name()].IsCompositeType()
	})
	if len(candidates) > 0 && typ.Kind != ast.Interface {
		for range 1 + w.random.IntN(4) {
			f := candidates[w.random.IntN(len(candidates))]
			for _, items := range []string{"nodes", "edges"} { // prefer the items of a page
				if items := typ.Fields.ForName(items); items != nil && w.chance(50) {
					f = items
				}
			}
			if w.fieldsLeft--; w.fieldsLeft < 0 {
				break
			}
			text := w.field(typ, f, depth)
			parts = append(parts, text)
			if w.chance(10) && len(text) < 400 {
				w.aliases++
				_, same, _ := strings.Cut(text, ": ")
				parts = append(parts, fmt.Sprintf("f%d: %s", w.aliases, same))
			}
		}
	}
	if len(parts) == 0 {
		return "{ __typename }"
	}
	return "{ " + strings.Join(parts, " ") + " }"
}

// fragment writes an inline fragment on a type, or spreads of a named one.
func (w *documentWriter) fragment(typ *ast.Definition, depth int) string {
	if w.chance(70) {
		return "... on " + typ.Name + w.directive() + " " + w.selection(typ, depth+1)
	}
	inner := w.selection(typ, depth+1)
	name := fmt.Sprintf("F%d", len(w.fragments))
	w.fragments = append(w.fragments, " fragment "+name+" on "+typ.Name+" "+inner)
	return "..." + name + w.directive() + " ..." + name
}

func (w *documentWriter) field(typ *ast.Definition, f *ast.FieldDefinition, depth int) string {
	w.usedFields[typ.Name+"."+f.Name] = true
	w.aliases++
	text := fmt.Sprintf("f%d: %s", w.aliases, f.Name)
	if args := w.arguments(typ, f); len(args) > 0 {
		text += "(" + strings.Join(args, ", ") + ")"
	}
	text += w.directive()
	result := schemaOf().Types[f.Type.Name()]
	switch {
	case !result.IsCompositeType():
		return text
	case w.chance(10) && !result.IsAbstractType():
		return text + " { " + w.fragment(result, depth) + " }"
	}
	return text + " " + w.selection(result, depth+1)
}

func (w *documentWriter) directive() string {
	if !w.chance(10) {
		return ""
	}
	return fmt.Sprintf(" @%s(if: %s)", w.pick("skip", "include"), w.value("Boolean!", w.chance(50)))
}

// arguments writes the required arguments and some optional ones.
func (w *documentWriter) arguments(typ *ast.Definition, f *ast.FieldDefinition) []string {
	var args []string
	add := func(name string, value any) {
		args = append(args, name+": "+w.value(f.Arguments.ForName(name).Type.String(), value))
	}
	if f.Arguments.ForName("first") != nil {
		w.page(typ, f, add)
		return args
	}
	for _, a := range f.Arguments {
		known := w.values[typ.Name+"."+f.Name+"("+a.Name+")"]
		if known == nil {
			known = w.values[a.Name]
		}
		switch {
		case a.Name == "ids", a.Name == "keys":
			elements := make([]any, w.random.IntN(6))
			for i := range elements {
				elements[i] = w.pick(known...)
			}
			if w.chance(2) { // above the maximum
				elements = slices.Repeat([]any{known[0]}, 101)
			}
			add(a.Name, elements)
		case known != nil:
			if a.Type.NonNull || w.chance(60) {
				add(a.Name, w.pick(known...))
			}
		case a.Type.Name() == "Boolean" && w.chance(70):
			add(a.Name, w.chance(50))
		case a.Name == "redirectUri":
			add(a.Name, "https://app.test/back")
		case a.Type.Name() == "Int" && w.chance(20):
			add(a.Name, w.pick(60, 120))
		case a.Name == "color" && w.chance(20):
			add(a.Name, "ff8800")
		}
	}
	return args
}

// page adds the arguments of a page, in one of several forms, of which some are not valid.
func (w *documentWriter) page(typ *ast.Definition, f *ast.FieldDefinition, add func(string, any)) {
	form := w.random.IntN(12)
	size := w.pick(1, 2, 3, 3, 5, 8, 0, 101)
	addCursor := func(name string) {
		known := append(slices.Clone(w.values[typ.Name+"."+f.Name+"("+name+")"]), "invalid")
		add(name, w.pick(known...))
	}
	dated := f.Arguments.ForName("since") != nil
	switch {
	case form <= 4:
		add("first", size)
	case form == 5:
		add("last", size)
	case form == 6:
		add("first", size)
		addCursor("after")
	case form == 7:
		add("last", size)
		addCursor("before")
	case form == 8 && dated:
		add("since", "2024-01-01T00:00:00Z")
		add("first", size)
	case form == 9 && dated:
		add("since", "2020-01-01T00:00:00Z")
		add("until", 1735689600)
		add("first", size)
	case form == 10:
		add("first", size)
		add("offset", w.pick(0, 1, 5, -1, 5000))
	}
}

// value writes a value as a literal, as a variable, or as a variable's default.
func (w *documentWriter) value(typ string, value any) string {
	literal, err := json.Marshal(value)
	if err != nil {
		panic(err) // strings and numbers are always valid
	}
	form := w.random.IntN(6)
	if form > 1 {
		return string(literal)
	}
	name := fmt.Sprintf("v%d", len(w.declared))
	if form == 0 {
		w.declared = append(w.declared, "$"+name+": "+typ+" = "+string(literal))
	} else {
		w.declared = append(w.declared, "$"+name+": "+typ)
		w.variables[name] = value
	}
	return "$" + name
}
