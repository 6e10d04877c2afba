package cost

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/generated"
)

// sentences are what a description may say about cost after "Cost:" or "Cost", and
// the directive that says the same to the estimator. A new wording needs a row.
var sentences = map[string]price{
	"one call":                    {calls: 1},
	"one call to the site":        {calls: 1},
	"one call, before the change": {calls: 1},
	"one call, and one more if its `cursor` is selected":                              {sharedWith: anyField},
	"one call, and one more when there is nothing to undo":                            {calls: 1, undo: true},
	"one call, and one to look up the viewer":                                         {calls: 2},
	"one call per different id":                                                       {calls: 1, perElement: "ids"},
	"one call per different key":                                                      {calls: 1, perElement: "keys"},
	"one load":                                                                        {load: true},
	"one load of the owner at most":                                                   {ownerLoad: true},
	"nothing, until a list of it is selected":                                         {},
	"nothing; with a token one load":                                                  {load: true, token: true},
	"nothing without a token; with a token one call":                                  {viewer: true, token: true},
	"nothing; with a token one load, if it did not come along":                        {load: true, token: true},
	"nothing for anonymous callers; one call with a token, after those of `isViewer`": {calls: 1, viewer: true, token: true},
	"with a token: one call for the viewer, shared by all users; none for a user that was looked up itself": {
		viewer: true, unlessComplete: true, token: true,
	},
}

// anyField stands for the name of a field in a row of sentences.
const anyField = "…"

var conditional = regexp.MustCompile("^Cost with `([a-z]+): true`: (.*)$")

// saidPrice returns the price that a description states; the zero price if its last
// paragraph does not begin with "Cost".
func saidPrice(description string) (p price, sentence string, err error) {
	paragraphs := strings.Split(strings.TrimSpace(description), "\n\n")
	text := strings.Join(strings.Fields(paragraphs[len(paragraphs)-1]), " ")
	if !strings.HasPrefix(text, "Cost") {
		if strings.Contains(description, "Cost") {
			return price{}, text, fmt.Errorf("the sentence that begins with \"Cost\" must be the last paragraph of the description")
		}
		return price{}, "nothing about cost", nil
	}
	condition, said := "", text
	if m := conditional.FindStringSubmatch(text); m != nil {
		condition, said = m[1], "Cost: "+m[2]
	}
	said = strings.TrimPrefix(strings.TrimPrefix(said, "Cost"), ":")
	p, known := sentences[strings.TrimSuffix(strings.TrimSpace(said), ".")]
	if !known {
		return price{}, text, fmt.Errorf("no price is known for the sentence %q: use one of graph/cost/sentences_test.go, or add it there", text)
	}
	p.condition = condition
	return p, text, nil
}

// directive writes a price as the schema has it.
func directive(p price) string {
	var args []string
	add := func(set bool, format string, value ...any) {
		if set {
			args = append(args, fmt.Sprintf(format, value...))
		}
	}
	add(p.calls > 0, "calls: %d", p.calls)
	add(p.perElement != "", "perElement: %q", p.perElement)
	add(p.load, "load: true")
	add(p.ownerLoad, "ownerLoad: true")
	add(p.viewer, "viewer: true")
	add(p.unlessComplete, "unlessComplete: true")
	add(p.sharedWith != "", "sharedWith: %q", p.sharedWith)
	add(p.undo, "undo: true")
	add(p.token, "token: true")
	add(p.condition != "", "if: %q", p.condition)
	if args == nil {
		return "no @cost"
	}
	return "@cost(" + strings.Join(args, ", ") + ")"
}

// mismatches compares what the descriptions of a schema say about cost with the
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
			said, sentence, err := saidPrice(f.Description)
			if err != nil {
				messages = append(messages, fmt.Sprintf("%s: %v", at(name, f), err))
				continue
			}
			has, err := priceOf(f)
			if err != nil {
				messages = append(messages, fmt.Sprintf("%s: %v", at(name, f), err))
				continue
			}
			if said.sharedWith == anyField && has.sharedWith != "" {
				said.sharedWith = has.sharedWith
			}
			if name == schema.Query.Name && said.calls == 1 && said.perElement == "" && (has.perElement == "id" || has.perElement == "key") {
				said.perElement = has.perElement // an argument with one element is one call
			}
			if said != has {
				messages = append(messages, fmt.Sprintf("%s: the description says %q, which is %s, and the field has %s: change one of them", at(name, f), sentence, directive(said), directive(has)))
			}
		}
	}
	return messages, compared
}

// What a description says about cost is what the directive says.
func TestSentences(t *testing.T) {
	t.Parallel()
	messages, compared := mismatches(generated.NewExecutableSchema(generated.Config{}).Schema())
	for _, message := range messages {
		t.Error(message)
	}
	if compared < 300 {
		t.Errorf("only %d fields were compared", compared)
	}
}

// A field whose description and directive differ is reported with its file and
// line, and with what to change.
func TestSentencesThatDiffer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ field, want string }{
		"a plain field":          {`"Text." x: Int`, ""},
		"equal":                  {`"Text.\n\nCost: one load." x: Int @cost(load: true)`, ""},
		"of an argument":         {"\"Text.\\n\\nCost with `full: true`: one load.\" x(full: Boolean): Int @cost(load: true, if: \"full\")", ""},
		"no directive":           {`"Text.\n\nCost: one load." x: Int`, `which is @cost(load: true), and the field has no @cost`},
		"no sentence":            {`"Text." x: Int @cost(calls: 1)`, `says "nothing about cost", which is no @cost, and the field has @cost(calls: 1)`},
		"another price":          {`"Text.\n\nCost: one call." x: Int @cost(calls: 2)`, `which is @cost(calls: 1), and the field has @cost(calls: 2)`},
		"another wording":        {`"Text.\n\nCost: two loads." x: Int @cost(load: true)`, `no price is known for the sentence "Cost: two loads."`},
		"not at the end":         {`"Text.\n\nCost: one load.\n\nAnd more." x: Int @cost(load: true)`, "must be the last paragraph"},
		"in the midst":           {`"Text. Cost: one load." x: Int @cost(load: true)`, "must be the last paragraph"},
		"no such argument":       {`"Text." x: Int @cost(calls: 1, if: "full")`, `names the argument "full"`},
		"no such argument of it": {`"Text." x(id: ID): Int @cost(calls: 1, perElement: "ids")`, `names the argument "ids"`},
		"not a number":           {`"Text." x: Int @cost(calls: "1")`, `calls: "1" is not a value`},
		"negative":               {`"Text." x: Int @cost(calls: -1)`, `is negative`},
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
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
