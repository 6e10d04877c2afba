package schema_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/lists"
)

// described calls check for each element of the schema that has a description.
func described(s *ast.Schema, check func(where, description string, directives ast.DirectiveList)) {
	check("schema", s.Description, nil)
	for _, name := range slices.Sorted(maps.Keys(s.Types)) {
		def := s.Types[name]
		if def.BuiltIn {
			continue
		}
		check(name, def.Description, def.Directives)
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			check(name+"."+f.Name, f.Description, f.Directives)
			for _, a := range f.Arguments {
				check(name+"."+f.Name+"("+a.Name+":)", a.Description, a.Directives)
			}
		}
		for _, v := range def.EnumValues {
			check(name+"."+v.Name, v.Description, v.Directives)
		}
	}
}

// TestDescriptions tests that each element has a description in sentences, and that
// a deprecated element has a reason: gqlgen reports none for enum values and
// arguments without one.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	sentences := regexp.MustCompile(`^(?:oEmbed|[A-Z0-9])(?s:.*)\.$`)
	described(loaded(), func(where, description string, directives ast.DirectiveList) {
		if !sentences.MatchString(description) {
			t.Errorf("%s: the description %q must begin with a capital letter and end with a period", where, description)
		}
		if d := directives.ForName("deprecated"); d != nil && d.Arguments.ForName("reason") == nil {
			t.Errorf("%s is deprecated without a reason", where)
		}
	})
}

// TestTermsAreDefined tests that the description of the schema defines the terms
// that the other descriptions use.
func TestTermsAreDefined(t *testing.T) {
	t.Parallel()
	description := strings.Join(strings.Fields(loaded().Description), " ")
	for _, definition := range []string{
		"A *call* is one HTTP request from this server to Mixcloud.", "A *request* is one HTTP request from a client to this server.",
		"An *operation* is", "A *load* is the call", "The *viewer* is", "*anonymous*", "`Cost: 1 call.`", "`per operation`",
	} {
		if !strings.Contains(description, definition) {
			t.Errorf("the description of the schema does not contain %q", definition)
		}
	}
}

// examples are the arguments whose descriptions differ on purpose: each contains its own example,
// or describes the effect of its field.
var examples = map[string]bool{"key": true, "input": true}

// TestArgumentsAreDescribedAlike tests that arguments of the same name, type and
// default have the same description. Lists that are always complete are an
// exception: last needs no before there.
func TestArgumentsAreDescribedAlike(t *testing.T) {
	t.Parallel()
	type argument struct {
		name, signature string
		whole           bool
	}
	descriptions, fields := map[argument]string{}, map[argument]string{}
	s := loaded()
	for _, name := range slices.Sorted(maps.Keys(s.Types)) {
		for _, f := range s.Types[name].Fields {
			field := name + "." + f.Name
			list, _ := lists.ByField(field)
			for _, a := range f.Arguments {
				if strings.HasPrefix(name, "__") || strings.HasPrefix(f.Name, "__") || examples[a.Name] {
					continue
				}
				arg := argument{a.Name, a.Type.String() + " = " + a.DefaultValue.String(), list.Unpaged && a.Name == "last"}
				if first, seen := descriptions[arg]; !seen {
					descriptions[arg], fields[arg] = a.Description, field
				} else if a.Description != first {
					t.Errorf("%s(%s:) has the description %q, but on %s it is %q, want the same", field, a.Name, a.Description, fields[arg], first)
				}
				if requires := strings.Contains(a.Description, "Requires `before`"); a.Name == "last" && requires == list.Unpaged {
					t.Errorf("%s(last:): the description says \"Requires `before`\": %t, but the list is unpaged: %t", field, requires, list.Unpaged)
				}
			}
		}
	}
	if len(descriptions) < 15 {
		t.Errorf("%d arguments were compared, want at least 15", len(descriptions))
	}
}

// TestFieldsOfInterfacesAreDescribedAlike tests that the fields of an interface have
// the same description on each type that implements it, except the names of
// resources.
func TestFieldsOfInterfacesAreDescribedAlike(t *testing.T) {
	t.Parallel()
	s := loaded()
	compared := 0
	for _, def := range s.Types {
		for _, name := range def.Interfaces {
			for _, want := range s.Types[name].Fields {
				got := def.Fields.ForName(want.Name)
				if want.Name == "name" || strings.HasPrefix(want.Name, "__") {
					continue
				}
				compared++
				if got.Description != want.Description {
					t.Errorf("%s.%s has the description %q, but on %s it is %q, want the same", def.Name, want.Name, got.Description, name, want.Description)
				}
			}
		}
	}
	if compared < 80 {
		t.Errorf("%d fields were compared, want at least 80", compared)
	}
}
