package app

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// uncovered are the fields that no golden shows with a value, and why.
var uncovered = map[string]string{
	"RateLimit.budget":            "Mixcloud does not tell, and nothing here counts yet",
	"RateLimit.spent":             "the same",
	"RateLimit.remaining":         "the same",
	"RateLimit.retryAt":           "takes an earlier operation that was refused: TestRateLimitIsTold",
	"Playlist.picture":            "pictures of playlists were never recorded: graph/model's tests",
	"Subscription.uploadProgress": "is answered with events: TestUploadProgress",
	"UploadProgress.uploadId":     "the same",
	"UploadProgress.phase":        "the same",
	"UploadProgress.bytesSent":    "the same",
	"UploadProgress.bytesTotal":   "the same",
	"OtherActivity.id":            "the emulated Mixcloud does nothing that was never recorded: TestLedgerOfUnknownActivities",
	"OtherActivity.key":           "the same",
	"OtherActivity.url":           "the same",
	"OtherActivity.raw":           "the same",
	"OtherActivity.from":          "the same",
	"OtherActivity.title":         "the same",
	"OtherActivity.createdAt":     "the same",
	"OtherActivity.type":          "the same",
	"OtherActivity.cloudcasts":    "the same",
	"OtherActivity.users":         "the same",
	"OtherActivity.subjects":      "the same",
}

// TestGoldensCoverTheSchema asks of the goldens that every field of every type
// is shown with a value by one of them.
func TestGoldensCoverTheSchema(t *testing.T) {
	t.Parallel()
	if *update {
		return // the cases are being written
	}
	all, err := goldens()
	if err != nil {
		t.Fatal(err)
	}
	schema := loadedSchema()
	shown := map[string]bool{}
	for _, g := range all {
		doc, errs := gqlparser.LoadQueryWithRules(schema, g.query, nil)
		if errs != nil {
			continue // what it is about
		}
		var want struct{ Data map[string]any }
		if err := json.Unmarshal([]byte(g.section("want.json")), &want); err != nil {
			t.Fatalf("%s has no answer: make golden (%v)", g.file, err)
		}
		collect(doc.Operations[0].SelectionSet, want.Data, true, shown)
	}

	inSchema := map[string]bool{}
	for name, def := range schema.Types {
		if strings.HasPrefix(name, "__") || def.Kind != ast.Object && def.Kind != ast.Interface {
			continue
		}
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			path := name + "." + f.Name
			inSchema[path] = true
			reason, excused := uncovered[path]
			switch {
			case excused && shown[path]:
				t.Errorf("a golden shows %s: remove it from uncovered in internal/app/coverage_test.go, where it is excused by %q", path, reason)
			case excused && (def == schema.Query || strings.HasSuffix(f.Type.Name(), "Connection")):
				t.Errorf("%s is a root field or a connection, which nothing excuses", path)
			case !excused && !shown[path]:
				t.Errorf("no golden shows %s with a value: write a case in internal/app/testdata/golden, or add it to a query there, then: make golden; if it is null, mixcloud/emulator does not send the member", path)
			}
		}
	}
	for path := range uncovered {
		if !inSchema[path] {
			t.Errorf("the schema has no %s: remove it from uncovered in internal/app/coverage_test.go", path)
		}
	}
	if len(all) < 60 {
		t.Errorf("there are %d goldens, 60 are promised", len(all))
	}
}

// collect notes the fields of a selection that have a value. Known says that
// the selection is about the type of the object for sure: behind an abstract
// type its __typename has to say so.
func collect(set ast.SelectionSet, value any, known bool, shown map[string]bool) {
	if list, ok := value.([]any); ok {
		for _, element := range list {
			collect(set, element, known, shown)
		}
		return
	}
	object, ok := value.(map[string]any)
	if !ok {
		return
	}
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if v := object[s.Alias]; v != nil && known && s.Definition != nil {
				shown[s.ObjectDefinition.Name+"."+s.Name] = true
				if really, ok := object["__typename"].(string); ok {
					shown[really+"."+s.Name] = true
				}
				collect(s.SelectionSet, v, true, shown)
			}
		case *ast.InlineFragment:
			collect(s.SelectionSet, value, fits(object, s.TypeCondition, s.ObjectDefinition), shown)
		case *ast.FragmentSpread:
			collect(s.Definition.SelectionSet, value, fits(object, s.Definition.TypeCondition, s.ObjectDefinition), shown)
		}
	}
}

// fits tells whether an object is known to be of the type that a fragment is
// about.
func fits(object map[string]any, condition string, outer *ast.Definition) bool {
	if condition == "" || condition == outer.Name || slices.Contains(outer.Interfaces, condition) {
		return true
	}
	return object["__typename"] == condition
}

// TestGoldensDiffer asks that no golden is another one under other names: with
// aliases, names and literals taken away, no two are alike.
func TestGoldensDiffer(t *testing.T) {
	t.Parallel()
	all, err := goldens()
	if err != nil {
		t.Fatal(err)
	}
	schema := loadedSchema()
	seen := map[string]string{}
	for _, g := range all {
		form := g.query
		if doc, errs := gqlparser.LoadQueryWithRules(schema, g.query, nil); errs == nil {
			form = normalForm(doc.Operations[0].SelectionSet)
		}
		form += fmt.Sprint(" token:", g.token != "", " emulator:", g.section("emulator.json"))
		if other, ok := seen[form]; ok {
			t.Errorf("%s differs from %s in names and literals only:\n%s", g.name, other, form)
		}
		seen[form] = g.name
	}
}

// normalForm is a selection without what people choose freely. What is selected
// twice counts once.
func normalForm(set ast.SelectionSet) string {
	parts := map[string]bool{}
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			arguments := make([]string, 0, len(s.Arguments))
			for _, a := range s.Arguments {
				arguments = append(arguments, a.Name)
			}
			slices.Sort(arguments)
			parts[s.Name+"("+strings.Join(arguments, ",")+")"+normalForm(s.SelectionSet)] = true
		case *ast.InlineFragment:
			parts["on "+s.TypeCondition+normalForm(s.SelectionSet)] = true
		case *ast.FragmentSpread:
			parts["on "+s.Definition.TypeCondition+normalForm(s.Definition.SelectionSet)] = true
		}
	}
	return "{" + strings.Join(slices.Sorted(maps.Keys(parts)), " ") + "}"
}
