package lists_test

import (
	"path"
	"slices"
	"strings"
	"testing"

	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/graph/lists"
	"mixcloud-graphql/internal/upstream"
)

// Each connection of the schema has one row in the table, and each row is for fields of
// the schema.
func TestFields(t *testing.T) {
	t.Parallel()
	connections := map[string]bool{}
	for name, def := range generated.NewExecutableSchema(generated.Config{}).Schema().Types {
		for _, f := range def.Fields {
			if f.Arguments.ForName("first") == nil {
				continue
			}
			field := name + "." + f.Name
			connections[field] = true
			if l, ok := lists.ByField(field); !ok || !slices.Contains(l.Fields, field) || l.Segment == "" {
				t.Errorf("graph/lists/table.go: no row for the field %s at %s:%d", field, path.Join("graph/generated", f.Position.Src.Name), f.Position.Line)
			}
		}
	}
	for _, field := range lists.Fields() {
		if !connections[field] {
			t.Errorf("graph/lists/table.go: %s is not a connection of the schema, want only connections", field)
		}
	}
}

// A flag changes one list, and the count of an own list is a field of its owner.
func TestWritable(t *testing.T) {
	t.Parallel()
	user := generated.NewExecutableSchema(generated.Config{}).Schema().Types["User"]
	for flag, want := range map[upstream.Flag]string{
		upstream.Following: "User.following", upstream.Favorited: "User.favorites", upstream.ListenLater: "User.listenLater", upstream.Reposted: "",
	} {
		l, ok := lists.ByFlag(flag)
		if got := strings.Join(l.Fields, " "); got != want || ok != (want != "") {
			t.Errorf("flag %s changes %q, want %q", flag, got, want)
		}
		if !ok || l.Writable.CountField == "" {
			continue
		}
		if name, of := strings.CutPrefix(l.Writable.CountField, "User."); !of || user.Fields.ForName(name) == nil || l.Count == nil || !lists.OwnCounts()[l.Writable.CountField] {
			t.Errorf("CountField %q of %s is not a count field of User", l.Writable.CountField, want)
		}
	}
}
