package playground

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator"
)

// Every example is one valid named operation with its variables. The examples of a group follow
// each other.
func TestExamples(t *testing.T) {
	t.Parallel()
	s := schema(t)
	examples, err := Examples()
	if err != nil {
		t.Fatal(err)
	}
	if len(examples) < 30 {
		t.Errorf("%d examples, want at least 30", len(examples))
	}
	titles := map[string]bool{}
	groups, kinds := []string{""}, map[string]bool{}
	for _, e := range examples {
		kinds[e.Kind] = true
		if e.Group != groups[len(groups)-1] {
			if slices.Contains(groups, e.Group) {
				t.Errorf("the examples of group %s do not follow each other", e.Group)
			}
			groups = append(groups, e.Group)
		}
		t.Run(e.Title, func(t *testing.T) {
			if titles[e.Title] {
				t.Error("the title is not unique")
			}
			titles[e.Title] = true
			if e.Description == "" {
				t.Error("the example has no description")
			}
			doc, errs := gqlparser.LoadQueryWithRules(s, e.Query, nil)
			if errs != nil {
				t.Fatal(errs)
			}
			if len(doc.Operations) != 1 || string(doc.Operations[0].Operation) != e.Kind || doc.Operations[0].Name == "" {
				t.Errorf("query must have one named %s", e.Kind)
			}
			variables := map[string]any{}
			if e.Variables != nil {
				if err := json.Unmarshal(e.Variables, &variables); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range e.Files {
				variables[name] = "a file"
			}
			if _, err := validator.VariableValues(s, doc.Operations[0], variables); err != nil {
				t.Error(err)
			}
			for name := range variables {
				if doc.Operations[0].VariableDefinitions.ForName(name) == nil {
					t.Errorf("variable %s is not used", name)
				}
			}
			if needed := e.Kind != "query" || strings.Contains(e.Query, "viewer"); e.Token != needed {
				t.Errorf("directive token: %t, want %t", e.Token, needed)
			}
			for _, directive := range []string{"# group:", "# variables:", "# files:", "# token"} {
				if strings.Contains(e.Query, directive) {
					t.Errorf("query contains the directive %q", directive)
				}
			}
		})
	}
	if len(kinds) != 3 {
		t.Errorf("the examples have the kinds %v, want query, mutation and subscription", kinds)
	}
}

func TestParseExample_Problems(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no title":      "# group: A\nquery A { a }",
		"no group":      "# Title\nquery A { a }",
		"not named":     "# Title\n# group: A\n{ a }",
		"bad variables": "# Title\n# group: A\n# variables: {x}\nquery A { a }",
	} {
		if _, err := parseExample(text); err == nil {
			t.Errorf("parseExample(%s) returned no error", name)
		}
	}
}
