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

// TestEstimateOfRandom holds for documents of the whole schema that what they
// cost a cold server is no more than their estimate: for nobody, for somebody,
// and with a Mixcloud that keeps back what it need not give. Errors are welcome:
// what fails must not have cost more either.
func TestEstimateOfRandom(t *testing.T) {
	t.Parallel()
	keys := pool(t)
	const seeds = 6
	each := fewer(120)
	var mu sync.Mutex
	asked, spent, bound := 0, 0, 0
	used := map[string]bool{}
	t.Run("seeds", func(t *testing.T) {
		for seed := range uint64(seeds) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				for i := range uint64(each) {
					w := &writer{random: rand.New(rand.NewPCG(seed, i)), values: keys, left: 45, variables: map[string]any{}, used: map[string]bool{}}
					q := w.query()
					options := [][]emulator.Option{nil, nil, {withheld}}[i%3]
					if i%3 > 0 {
						q.Token = "demo-token"
					}
					estimate := estimated(t, q)
					if estimate > 300 {
						continue
					}
					s := newStage(t, options...)
					answerAnyhow(t, s, q)
					calls := s.calls()
					if len(calls) > estimate {
						t.Errorf("document %d, token %q: %d calls, at most %d were estimated\n%s\n%v\n%s", i, q.Token, len(calls), estimate, q.Text, q.Variables, strings.Join(calls, "\n"))
					}
					mu.Lock()
					asked, spent, bound = asked+1, spent+len(calls), bound+estimate
					maps.Copy(used, w.used)
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("%d documents with %d different fields cost %d calls, %d were estimated", asked, len(used), spent, bound)
	if asked < seeds*each*5/6 || spent < 3*asked {
		t.Error("they ask for too little to show anything")
	}
	if race.Enabled {
		return // too few documents for every field
	}
	for typ, def := range schemaOf().Types {
		for _, f := range def.Fields {
			dear := strings.Contains(f.Description, "Cost: 1") && def != schemaOf().Mutation && !strings.HasSuffix(typ, "Payload")
			if dear && def.Kind == ast.Object && !used[typ+"."+f.Name] {
				t.Errorf("%s.%s costs, and no document has it", typ, f.Name)
			}
		}
	}
}

// TestEstimateOfKeys asks for all keys of the pool at once, in both orders. The
// estimate may be one above the calls: it counts a decomposed key alone.
func TestEstimateOfKeys(t *testing.T) {
	t.Parallel()
	keys := slices.Clone(pool(t)["keys"])
	for range 2 {
		slices.Reverse(keys)
		q := queries.Query{Text: `query ($keys: [String!]!) { resources(keys: $keys) { key } }`, Variables: map[string]any{"keys": keys}}
		s := newStage(t)
		answerAnyhow(t, s, q)
		if calls, estimate := s.calls(), estimated(t, q); len(calls) > estimate || estimate > len(calls)+1 {
			t.Errorf("%d calls, %d were estimated\n%s", len(calls), estimate, strings.Join(calls, "\n"))
		}
	}
}

// answerAnyhow asks and does not mind errors in the answer, but all others.
func answerAnyhow(t *testing.T, s *stage, q queries.Query) {
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
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || bytes.Contains(answer, []byte(`"INTERNAL"`)) {
		t.Fatalf("status %d, %v\n%.2000s\n%s\n%v", resp.StatusCode, err, answer, q.Text, q.Variables)
	}
}

// A values is what can be put in for an argument that names something, by the
// argument's path such as "User.listens(after)" or its name.
type values map[string][]any

// pool gathers what the world has, and cursors of some of its lists.
func pool(t *testing.T) values {
	w := seeded()
	v := values{
		"username": {"demo", "HarbourFM", "SPARTACUS", "nobody-of-that-name", ""},
		"query":    {"night", "funk", " ", "nothing at all like it"},
		"url":      {"/spartacus/party-time/", "https://www.mixcloud.com/HarbourFM/low-tide-live-from-the-last-ferry/", "https://example.com/"},
		"ids":      {"nonsense"}, "name": {"athens", "nowhere at all"}, "city": {"athens"},
		"slug": {w.Categories[0].Slug, "no-such-category"},
		"tags": {[]any{"funk"}, []any{"funk", "house"}, []any{}, []any{"a", "b", "c", "d", "e", "f"}},
	}
	for _, u := range w.Users[:6] {
		v["username"] = append(v["username"], u.Username)
	}
	v["Query.tag(name)"] = []any{w.Tags[0].Name, "no tag at all"}
	v["Query.cloudcast(key)"] = []any{"/HarbourFM/low-tide-live-from-the-last-ferry/", "/demo/lunch-break-a-tracklist-with-holes/", "/demo/", "/demo/gone/"}
	v["Query.playlist(key)"] = []any{w.User("demo").Playlists[0].Key(), "/demo/playlists/gone/"}
	track := w.Artists[0].Tracks[0]
	v["Query.artist(key)"], v["Query.track(key)"] = []any{track.Artist.Key(), "/artist/gone/"}, []any{track.Key(), "/demo/"}
	for _, key := range []string{"/demo/", "/HarbourFM/", "/demo/lunch-break-a-tracklist-with-holes/", "/genres/funk/", "/categories/ambient/", track.Key()} {
		v["Query.resource(key)"] = append(v["Query.resource(key)"], key)
	}
	v["keys"] = []any{
		// Every kind, some of them twice in different spellings.
		"/demo/", "https://www.mixcloud.com/DEMO/", "/HarbourFM/low-tide-live-from-the-last-ferry/",
		"https://www.mixcloud.com/HarbourFM/low-tide-live-from-the-last-ferry/", "/genres/funk/", "/tag/funk/",
		"/genres/city:athens/", "/categories/ambient/", w.User("demo").Playlists[0].Key(), track.Key(), track.Artist.Key(),
		// Unknown, the second and third with the same key in Unicode NFC.
		"/demo/gone/", "/demo/caf\u00e9/", "/demo/cafe\u0301/", "/nobody-of-that-name/",
		// No keys.
		"", "/a/b/c/d/", "https://example.com/", "/demo/followers/",
	}
	for kind, key := range map[model.Kind]string{
		model.KindUser: "/HarbourFM/", model.KindCloudcast: "/spartacus/party-time/", model.KindTag: "/genres/funk/",
		model.KindCategory: "/categories/ambient/", model.KindPlaylist: w.User("demo").Playlists[0].Key(), model.KindTrack: track.Key(),
	} {
		v["ids"] = append(v["ids"], model.NodeID{Kind: kind, Key: mixcloud.ParseKey(key)}.String())
	}
	slices.SortFunc(v["ids"], func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	s := newStage(t)
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
		cursors := cursorsOf(s.ask(t, queries.Query{Text: "{ " + fmt.Sprintf(list, "first: 30", "edges { cursor }") + " }"}))
		for _, i := range []int{0, len(cursors) / 2, len(cursors) - 1} {
			v[path+"(after)"] = append(v[path+"(after)"], cursors[i])
			v[path+"(before)"] = append(v[path+"(before)"], cursors[i])
		}
	}
	// The text of feeds and comments has ids that are looked for in their lists.
	for _, id := range strings.Split(string(s.ask(t, queries.Query{
		Text: `{ user(username: "demo") { feed(first: 2) { nodes { id } } } cloudcast(key: "/HarbourFM/low-tide-live-from-the-last-ferry/") { comments(first: 2) { nodes { id } } } }`,
	})), `"id":"`)[1:] {
		id, _, _ = strings.Cut(id, `"`)
		v["ids"] = append(v["ids"], id)
	}
	v["id"] = v["ids"]
	return v
}

// A writer writes one document.
type writer struct {
	random    *rand.Rand
	values    values
	left      int // fields
	aliases   int
	declared  []string
	variables map[string]any
	fragments []string
	used      map[string]bool
}

func (w *writer) chance(percent int) bool { return w.random.IntN(100) < percent }

func (w *writer) any(of ...any) any { return of[w.random.IntN(len(of))] }

// query writes a query whose fragments and variables are all used.
func (w *writer) query() queries.Query {
	text := w.selection(schemaOf().Query, 0)
	head := "query"
	if len(w.declared) > 0 {
		head += "(" + strings.Join(w.declared, ", ") + ")"
	}
	return queries.Query{Name: "random", Text: head + " " + text + strings.Join(w.fragments, ""), Variables: w.variables}
}

func (w *writer) selection(typ *ast.Definition, depth int) string {
	var parts []string
	if typ.IsAbstractType() {
		for _, kind := range schemaOf().GetPossibleTypes(typ) {
			if w.left > 0 && w.chance(40) {
				parts = append(parts, w.within(kind, depth))
			}
		}
	}
	candidates := slices.DeleteFunc(slices.Clone(typ.Fields), func(f *ast.FieldDefinition) bool {
		return strings.HasPrefix(f.Name, "__") || depth > 8 && schemaOf().Types[f.Type.Name()].IsCompositeType()
	})
	if len(candidates) > 0 && typ.Kind != ast.Interface {
		for range 1 + w.random.IntN(4) {
			f := candidates[w.random.IntN(len(candidates))]
			for _, items := range []string{"nodes", "edges"} { // what is interesting of a page
				if items := typ.Fields.ForName(items); items != nil && w.chance(50) {
					f = items
				}
			}
			if w.left--; w.left < 0 {
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

// within writes a fragment on a type, in place or by its name.
func (w *writer) within(typ *ast.Definition, depth int) string {
	if w.chance(70) {
		return "... on " + typ.Name + w.directive() + " " + w.selection(typ, depth+1)
	}
	inner := w.selection(typ, depth+1)
	name := fmt.Sprintf("F%d", len(w.fragments))
	w.fragments = append(w.fragments, " fragment "+name+" on "+typ.Name+" "+inner)
	return "..." + name + w.directive() + " ..." + name
}

func (w *writer) field(typ *ast.Definition, f *ast.FieldDefinition, depth int) string {
	w.used[typ.Name+"."+f.Name] = true
	w.aliases++
	text := fmt.Sprintf("f%d: %s", w.aliases, f.Name)
	if args := w.arguments(typ, f); len(args) > 0 {
		text += "(" + strings.Join(args, ", ") + ")"
	}
	text += w.directive()
	below := schemaOf().Types[f.Type.Name()]
	switch {
	case !below.IsCompositeType():
		return text
	case w.chance(10) && !below.IsAbstractType():
		return text + " { " + w.within(below, depth) + " }"
	}
	return text + " " + w.selection(below, depth+1)
}

func (w *writer) directive() string {
	if !w.chance(10) {
		return ""
	}
	return fmt.Sprintf(" @%s(if: %s)", w.any("skip", "include"), w.value("Boolean!", w.chance(50)))
}

// arguments gives those that must be and some that may.
func (w *writer) arguments(typ *ast.Definition, f *ast.FieldDefinition) []string {
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
				elements[i] = w.any(known...)
			}
			if w.chance(2) { // more than are taken
				elements = slices.Repeat([]any{known[0]}, 101)
			}
			add(a.Name, elements)
		case known != nil:
			if a.Type.NonNull || w.chance(60) {
				add(a.Name, w.any(known...))
			}
		case a.Type.Name() == "Boolean" && w.chance(70):
			add(a.Name, w.chance(50))
		case a.Name == "redirectUri":
			add(a.Name, "https://app.test/back")
		case a.Type.Name() == "Int" && w.chance(20):
			add(a.Name, w.any(60, 120))
		case a.Name == "color" && w.chance(20):
			add(a.Name, "ff8800")
		}
	}
	return args
}

// page asks for a page in one of the ways there are, refused ones among them.
func (w *writer) page(typ *ast.Definition, f *ast.FieldDefinition, add func(string, any)) {
	way := w.random.IntN(12)
	size := w.any(1, 2, 3, 3, 5, 8, 0, 101)
	place := func(name string) {
		known := append(slices.Clone(w.values[typ.Name+"."+f.Name+"("+name+")"]), "nonsense")
		add(name, w.any(known...))
	}
	dated := f.Arguments.ForName("since") != nil
	switch {
	case way <= 4:
		add("first", size)
	case way == 5:
		add("last", size)
	case way == 6:
		add("first", size)
		place("after")
	case way == 7:
		add("last", size)
		place("before")
	case way == 8 && dated:
		add("since", "2024-01-01T00:00:00Z")
		add("first", size)
	case way == 9 && dated:
		add("since", "2020-01-01T00:00:00Z")
		add("until", 1735689600)
		add("first", size)
	case way == 10:
		add("first", size)
		add("offset", w.any(0, 1, 5, -1, 5000))
	}
}

// value writes a value in its place, or in a variable, or as a variable's
// default.
func (w *writer) value(typ string, value any) string {
	literal, err := json.Marshal(value)
	if err != nil {
		panic(err) // texts and numbers can always be written
	}
	way := w.random.IntN(6)
	if way > 1 {
		return string(literal)
	}
	name := fmt.Sprintf("v%d", len(w.declared))
	if way == 0 {
		w.declared = append(w.declared, "$"+name+": "+typ+" = "+string(literal))
	} else {
		w.declared = append(w.declared, "$"+name+": "+typ)
		w.variables[name] = value
	}
	return "$" + name
}
