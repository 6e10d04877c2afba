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

// notCovered are the fields that have a value in no golden case, with the reason.
var notCovered = map[string]string{
	"RateLimit.budget":            "null without a configured rate: TestRateLimit_AllReportsAgree",
	"RateLimit.spent":             "the same",
	"RateLimit.remaining":         "the same",
	"RateLimit.retryAt":           "needs an earlier refused call: TestRateLimit_AllReportsAgree",
	"Playlist.picture":            "the recordings of Mixcloud have no pictures of playlists: tests of graph/model",
	"Subscription.uploadProgress": "its response is a stream of events: TestUploadProgress",
	"UploadProgress.uploadId":     "the same",
	"UploadProgress.phase":        "the same",
	"UploadProgress.bytesSent":    "the same",
	"UploadProgress.bytesTotal":   "the same",
	"OtherActivity.id":            "the emulator has only recorded kinds of activities: TestRecordings_UnknownActivities",
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

// TestGoldensCoverTheSchema checks that every field of every type has a value in one of the golden cases.
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
			continue // the case is about an invalid document
		}
		var want struct{ Data map[string]any }
		if err := json.Unmarshal([]byte(g.section("want.json")), &want); err != nil {
			t.Fatalf("%s has no want.json: run make golden (%v)", g.file, err)
		}
		markShown(doc.Operations[0].SelectionSet, want.Data, true, shown)
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
			reason, exempt := notCovered[path]
			switch {
			case exempt && shown[path]:
				t.Errorf("a golden case has a value for %s: remove it from notCovered in internal/app/coverage_test.go (reason %q)", path, reason)
			case exempt && (def == schema.Query || strings.HasSuffix(f.Type.Name(), "Connection")):
				t.Errorf("%s is a root field or a connection: remove it from notCovered and write a golden case", path)
			case !exempt && !shown[path]:
				t.Errorf("no golden case has a value for %s: write a case in internal/app/testdata/golden, or add it to a query there, then: make golden; if it is null, mixcloud/emulator does not send the member", path)
			}
		}
	}
	for path := range notCovered {
		if !inSchema[path] {
			t.Errorf("the schema has no %s: remove it from notCovered in internal/app/coverage_test.go", path)
		}
	}
	if len(all) < 60 {
		t.Errorf("found %d golden cases, want at least 60", len(all))
	}
}

// markShown marks the fields of a selection that have a value. Known is true if the selection is certainly on the object's
// type. For an abstract type, that needs a __typename in the response.
func markShown(set ast.SelectionSet, value any, known bool, shown map[string]bool) {
	if list, ok := value.([]any); ok {
		for _, element := range list {
			markShown(set, element, known, shown)
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
				if concrete, ok := object["__typename"].(string); ok {
					shown[concrete+"."+s.Name] = true
				}
				markShown(s.SelectionSet, v, true, shown)
			}
		case *ast.InlineFragment:
			markShown(s.SelectionSet, value, matchesType(object, s.TypeCondition, s.ObjectDefinition), shown)
		case *ast.FragmentSpread:
			markShown(s.Definition.SelectionSet, value, matchesType(object, s.Definition.TypeCondition, s.ObjectDefinition), shown)
		}
	}
}

// matchesType reports whether an object certainly has the type of a fragment's condition.
func matchesType(object map[string]any, condition string, outer *ast.Definition) bool {
	if condition == "" || condition == outer.Name || slices.Contains(outer.Interfaces, condition) {
		return true
	}
	return object["__typename"] == condition
}

// TestGoldensDiffer checks that no two golden cases are the same apart from aliases, names and literals.
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
			t.Errorf("%s and %s differ only in names and literals:\n%s", g.name, other, form)
		}
		seen[form] = g.name
	}
}

// normalForm returns a selection without aliases, literals and repetitions.
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
