package cost

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/generated"
)

// sentence returns the last paragraph of a field's description, which states the
// price of the field to clients; "" for a free field. This is its grammar:
//
//	sentence  = "Cost: " ( "none" | amount [ condition ] [ extra ] ) "."
//	amount    = "1 call" [ " per page" | " per operation" | " per distinct id" | " per distinct key" ]
//	          | number " calls"
//	          | "1 load" [ " of the owner of the list" ]
//	condition = " with a token" | " with `argument: true`"
//	extra     = ", plus 1 per operation" | ", plus 1 if there is nothing to undo"
//	          | ", plus 1 if `cursor` is selected" | "; none for a full " type
//
// "Cost: none." is for a free field that looks expensive, and is never required.
func sentence(owner string, def *ast.FieldDefinition, p price) string {
	if p.free() {
		return ""
	}
	var b strings.Builder
	b.WriteString("Cost: " + amount(def, p))
	if p.token {
		b.WriteString(" with a token")
	}
	if p.condition != "" {
		fmt.Fprintf(&b, " with `%s: true`", p.condition)
	}
	if p.viewer && p.calls > 0 {
		b.WriteString(", plus 1 per operation")
	}
	if p.undo {
		b.WriteString(", plus 1 if there is nothing to undo")
	}
	if p.sharedWith != "" {
		b.WriteString(", plus 1 if `cursor` is selected")
	}
	if p.unlessComplete {
		b.WriteString("; none for a full " + strings.ToLower(owner))
	}
	return b.String() + "."
}

// amount returns the number of calls in a sentence, and what it applies to.
func amount(def *ast.FieldDefinition, p price) string {
	switch {
	case p.load:
		return "1 load"
	case p.ownerLoad:
		return "1 load of the owner of the list"
	case p.sharedWith != "":
		return "1 call"
	case p.calls == 0: // for the viewer
		return "1 call per operation"
	case p.calls > 1:
		return fmt.Sprintf("%d calls", p.calls)
	case def.Arguments.ForName("first") != nil:
		return "1 call per page"
	case p.perElement != "" && def.Arguments.ForName(p.perElement).Type.Elem != nil:
		return "1 call per distinct " + strings.TrimSuffix(p.perElement, "s")
	}
	return "1 call"
}

// statedCost returns the last paragraph of a description if it states a cost, or
// "". A cost anywhere else in the description is an error.
func statedCost(description string) (string, error) {
	paragraphs := strings.Split(strings.TrimSpace(description), "\n\n")
	last := strings.Join(strings.Fields(paragraphs[len(paragraphs)-1]), " ")
	if strings.HasPrefix(last, "Cost") {
		return last, nil
	}
	if strings.Contains(description, "Cost") {
		return "", fmt.Errorf("the description must state the cost in its last paragraph")
	}
	return "", nil
}

// directive returns the directives of a field that concern cost, as in the schema.
func directive(def *ast.FieldDefinition) string {
	d := def.Directives.ForName("cost")
	if d == nil {
		return "no @cost"
	}
	var args []string
	for _, a := range d.Arguments {
		args = append(args, a.Name+": "+a.Value.String())
	}
	return "@cost(" + strings.Join(args, ", ") + ")"
}

// mismatches compares the costs in the descriptions of a schema with the
// directives, and returns a message for each field where they differ.
func mismatches(schema *ast.Schema) (messages []string, compared int) {
	for name, def := range schema.Types {
		if def.BuiltIn || def.Kind != ast.Object && def.Kind != ast.Interface {
			continue
		}
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			compared++
			if message := mismatch(name, f); message != "" {
				messages = append(messages, location(name, f)+": "+message)
			}
		}
	}
	return messages, compared
}

// mismatch returns the difference between the description and the directive of a
// field, or "".
func mismatch(owner string, f *ast.FieldDefinition) string {
	p, err := priceOf(f)
	if err != nil {
		return err.Error()
	}
	got, err := statedCost(f.Description)
	if err != nil {
		return err.Error()
	}
	want := sentence(owner, f, p)
	switch {
	case got == want, want == "" && got == "Cost: none.":
		return ""
	case want == "":
		return fmt.Sprintf("the description ends with %q, but the field has no @cost", got)
	case got == "":
		return fmt.Sprintf("the description must end with %q, because the field has %s", want, directive(f))
	}
	return fmt.Sprintf("the description ends with %q, but must end with %q, because the field has %s", got, want, directive(f))
}

// TestSentences tests that each description states the cost that the directives
// of its field state.
func TestSentences(t *testing.T) {
	t.Parallel()
	messages, compared := mismatches(generated.NewExecutableSchema(generated.Config{}).Schema())
	for _, message := range messages {
		t.Error(message)
	}
	if compared < 300 {
		t.Errorf("%d fields were compared, want at least 300", compared)
	}
}

// TestSizesInDescriptions tests that "Up to n" in the description of a list is its
// @listSize.
func TestSizesInDescriptions(t *testing.T) {
	t.Parallel()
	compared := 0
	for name, def := range generated.NewExecutableSchema(generated.Config{}).Schema().Types {
		for _, f := range def.Fields {
			size, err := sizeOf(f)
			if err != nil {
				t.Fatalf("%s: sizeOf returned the error %v", location(name, f), err)
			}
			var stated int64
			if _, err := fmt.Sscanf(f.Description, "Up to %d", &stated); err != nil {
				continue
			}
			compared++
			if stated != size {
				t.Errorf("%s: the description says up to %d, @listSize says %d", location(name, f), stated, size)
			}
		}
	}
	if compared < 2 {
		t.Errorf("%d lists were compared, want at least 2", compared)
	}
}

// TestMismatches tests that a field whose description and directive differ is reported with its
// file and line, and with the expected sentence.
func TestMismatches(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ field, want string }{
		"free field":              {`"Text." x: Int`, ""},
		"free field that says so": {`"Text.\n\nCost: none." x: Int`, ""},
		"load":                    {`"Text.\n\nCost: 1 load." x: Int @cost(load: true)`, ""},
		"load with an argument":   {"\"Text.\\n\\nCost: 1 load with `full: true`.\" x(full: Boolean): Int @cost(load: true, if: \"full\")", ""},
		"load of the owner":       {`"Text.\n\nCost: 1 load of the owner of the list." x: Int @cost(ownerLoad: true)`, ""},
		"page":                    {`"Text.\n\nCost: 1 call per page." x(first: Int): Int @cost(calls: 1)`, ""},
		"page without its name":   {`"Text.\n\nCost: 1 call." x(first: Int): Int @cost(calls: 1)`, `must end with "Cost: 1 call per page."`},
		"elements":                {`"Text.\n\nCost: 1 call per distinct key." x(keys: [ID!]): Int @cost(calls: 1, perElement: "keys")`, ""},
		"one element":             {`"Text.\n\nCost: 1 call." x(key: ID): Int @cost(calls: 1, perElement: "key")`, ""},
		"viewer":                  {`"Text.\n\nCost: 1 call per operation with a token; none for a full query." x: Int @cost(viewer: true, token: true, unlessComplete: true)`, ""},
		"page of the viewer":      {`"Text.\n\nCost: 1 call per page with a token, plus 1 per operation." x(first: Int): Int @cost(calls: 1, viewer: true, token: true)`, ""},
		"undo":                    {`"Text.\n\nCost: 2 calls, plus 1 if there is nothing to undo." x: Int @cost(calls: 2, undo: true)`, ""},
		"shared":                  {"\"Text.\\n\\nCost: 1 call, plus 1 if `cursor` is selected.\" x: Int @cost(sharedWith: \"y\")", ""},
		"no directive":            {`"Text.\n\nCost: 1 load." x: Int`, `ends with "Cost: 1 load.", but the field has no @cost`},
		"no sentence":             {`"Text." x: Int @cost(calls: 1)`, `must end with "Cost: 1 call.", because the field has @cost(calls: 1)`},
		"wrong price":             {`"Text.\n\nCost: 1 call." x: Int @cost(calls: 2)`, `ends with "Cost: 1 call.", but must end with "Cost: 2 calls.", because the field has @cost(calls: 2)`},
		"said to be free":         {`"Text.\n\nCost: none." x: Int @cost(load: true)`, `must end with "Cost: 1 load."`},
		"wrong wording":           {`"Text.\n\nCost: one load." x: Int @cost(load: true)`, `must end with "Cost: 1 load."`},
		"not at the end":          {`"Text.\n\nCost: 1 load.\n\nMore text." x: Int @cost(load: true)`, "in its last paragraph"},
		"inside a paragraph":      {`"Text. Cost: 1 load." x: Int @cost(load: true)`, "in its last paragraph"},
		"no such argument":        {`"Text." x: Int @cost(calls: 1, if: "full")`, `names the argument "full"`},
		"no such list":            {`"Text." x(id: ID): Int @cost(calls: 1, perElement: "ids")`, `names the argument "ids"`},
		"not a number":            {`"Text." x: Int @cost(calls: "1")`, `calls: "1" has the wrong type`},
		"negative":                {`"Text." x: Int @cost(calls: -1)`, `must not be negative`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			schema, err := gqlparser.LoadSchema(Directives(t), &ast.Source{Name: "../schema/x.graphqls", Input: "\n\ntype Query {\n\n" + tt.field + " }"})
			if err != nil {
				t.Fatal(err)
			}
			messages, _ := mismatches(schema)
			got := strings.Join(messages, "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) || tt.want != "" && !strings.HasPrefix(got, "graph/schema/x.graphqls:5: Query.x: ") {
				t.Errorf("mismatches = %q, want one of Query.x with %q, or none if that is empty", got, tt.want)
			}
		})
	}
}
