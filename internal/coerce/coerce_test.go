package coerce_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"mixcloud-graphql/internal/coerce"
	"mixcloud-graphql/internal/gqlerr"
)

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	scalar Even
	scalar Free
	enum Size { SMALL LARGE }
	input In { name: String! n: Int = 7 tags: [String!] size: Size deep: In even: Even }
	type Query {
		f(int: Int, float: Float, text: String, flag: Boolean, id: ID, size: Size, even: Even, free: Free,
			ints: [Int], tags: [String!], nested: [[Int!]!], in: In, full: Boolean! = false, must: String): String
		g: Query
	}
`})

func even(v any) error {
	n, ok := v.(json.Number)
	if i, isInt := v.(int64); isInt {
		n, ok = json.Number(fmt.Sprint(i)), true
	}
	if ok && strings.ContainsAny(n.String()[len(n)-1:], "02468") {
		return nil
	}
	return errors.New("must be an even number")
}

// coerceVariables validates a document and coerces its variables, in the same way
// as the server.
func coerceVariables(t *testing.T, query, variables string) (*ast.OperationDefinition, map[string]any, gqlerror.List) {
	t.Helper()
	c := coerce.New(schema, map[string]coerce.Scalar{"Even": even})
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatal(err)
	}
	all := rules.NewDefaultRules()
	all.ReplaceRule(coerce.RuleName, c.Rule)
	if errs := validator.ValidateWithRules(schema, doc, all); len(errs) > 0 {
		return nil, nil, errs
	}
	var raw map[string]any
	if variables != "" {
		dec := json.NewDecoder(strings.NewReader(variables))
		dec.UseNumber()
		if err := dec.Decode(&raw); err != nil {
			t.Fatal(err)
		}
	}
	values, errs := c.Variables(doc.Operations[0], raw)
	return doc.Operations[0], values, errs
}

func messages(errs gqlerror.List) []string {
	var all []string
	for _, err := range errs {
		all = append(all, err.Message)
	}
	return all
}

func TestVariables(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		argument, kind string // argument of f, and the type of the variable
		json           string
		want           any
		wantError      string // instead of a value
	}{
		{"int", "Int", `1`, int64(1), ""},
		{"int", "Int", `1.0`, int64(1), ""},
		{"int", "Int", `12e2`, int64(1200), ""},
		{"int", "Int", `-2147483648`, int64(-2147483648), ""},
		{"int", "Int", `2147483647`, int64(2147483647), ""},
		{"int", "Int", `null`, nil, ""},
		{"int", "Int", `2147483648`, nil, `Variable "$v" must be an Int, but this number is not valid: it must be a 32-bit integer.`},
		{"int", "Int", `-2147483649`, nil, `must be a 32-bit integer`},
		{"int", "Int", `1e400`, nil, `must be a 32-bit integer`},
		{"int", "Int", `1.5`, nil, `but this number is not valid`},
		{"int", "Int", `"2"`, nil, `Variable "$v" must be an Int, not a string.`},
		{"int", "Int", `true`, nil, `must be an Int, not a boolean.`},
		{"int", "Int", `[1]`, nil, `must be an Int, not a list.`},
		{"int", "Int!", `null`, nil, `Variable "$v" must be an Int!, not null.`},
		{"float", "Float", `1`, 1.0, ""},
		{"float", "Float", `1.5`, 1.5, ""},
		{"float", "Float", `1e400`, nil, `must be a finite 64-bit number`},
		{"float", "Float", `"1.5"`, nil, `must be a Float, not a string.`},
		{"text", "String", `"x"`, "x", ""},
		{"text", "String", `""`, "", ""},
		{"text", "String", `1.5`, nil, `Variable "$v" must be a String, not a number.`},
		{"text", "String", `{}`, nil, `must be a String, not an object.`},
		{"flag", "Boolean", `false`, false, ""},
		{"flag", "Boolean", `"true"`, nil, `must be a Boolean, not a string.`},
		{"flag", "Boolean", `1`, nil, `must be a Boolean, not a number.`},
		{"id", "ID", `"x"`, "x", ""},
		{"id", "ID", `7`, "7", ""},
		{"id", "ID", `7.0`, "7", ""},
		{"id", "ID", `123456789012345678901234567890`, "123456789012345678901234567890", ""},
		{"id", "ID", `1.5`, nil, `must be a string or an integer`},
		{"id", "ID", `1e40`, nil, `must be a string or an integer`},
		{"id", "ID", `true`, nil, `must be an ID, not a boolean.`},
		{"size", "Size", `"LARGE"`, "LARGE", ""},
		{"size", "Size", `"large"`, nil, `Variable "$v" must be a Size, but this string is not one of its values. Did you mean "LARGE"?`},
		{"size", "Size", `"huge"`, nil, `must be a Size, but this string is not one of its values.`},
		{"size", "Size", `1`, nil, `must be a Size, not a number.`},
		{"even", "Even", `4`, json.Number("4"), ""},
		{"even", "Even", `5`, nil, `Variable "$v" must be an Even, but this number is not valid: it must be an even number.`},
		{"free", "Free", `[{"a": 1}]`, []any{map[string]any{"a": json.Number("1")}}, ""},
		{"ints", "[Int]", `[1, null]`, []any{int64(1), nil}, ""},
		{"ints", "[Int]", `1.0`, []any{int64(1)}, ""},
		{"ints", "[Int]", `null`, nil, ""},
		{"ints", "[Int]", `[1, "2"]`, nil, `Variable "$v.1" must be an Int, not a string.`},
		{"tags", "[String!]", `["a", null]`, nil, `Variable "$v.1" must be a String!, not null.`},
		{"nested", "[[Int!]!]", `[[1], 2]`, []any{[]any{int64(1)}, []any{int64(2)}}, ""},
		{"nested", "[[Int!]!]", `[[1], null]`, nil, `Variable "$v.1" must be a [Int!]!, not null.`},
		{"in", "In", `{"name": "x", "tags": "one", "size": null}`, map[string]any{"name": "x", "n": int64(7), "tags": []any{"one"}, "size": nil}, ""},
		{"in", "In", `{"name": "x", "deep": {"name": "y", "n": 1.0}}`, map[string]any{"name": "x", "n": int64(7), "deep": map[string]any{"name": "y", "n": int64(1)}}, ""},
		{"in", "In", `{"name": "x", "deep": {"name": "y", "n": "1"}}`, nil, `Variable "$v.deep.n" must be an Int, not a string.`},
		{"in", "In", `{}`, nil, `Variable "$v.name" is missing: it must be a String!.`},
		{"in", "In", `{"name": "x", "tag": "y"}`, nil, `Variable "$v.tag" is unknown: In has no such field. Did you mean "tags"?`},
		{"in", "In", `{"name": "x", "__typename": "In"}`, nil, `Variable "$v.__typename" is unknown: In has no such field.`},
		{"in", "In", `"x"`, nil, `Variable "$v" must be an In, not a string.`},
		{"in", "In", `[{"name": "x"}]`, nil, `Variable "$v" must be an In, not a list.`},
	} {
		_, got, errs := coerceVariables(t, fmt.Sprintf("query($v: %s) { f(%s: $v) }", test.kind, test.argument), `{"v": `+test.json+`}`)
		switch {
		case test.wantError == "" && len(errs) > 0:
			t.Errorf("%s %s: errors %q, want none", test.kind, test.json, messages(errs))
		case test.wantError == "" && !cmp.Equal(got, map[string]any{"v": test.want}):
			t.Errorf("%s %s: got %#v, want %#v", test.kind, test.json, got, test.want)
		case test.wantError != "" && (len(errs) != 1 || !strings.Contains(errs[0].Message, test.wantError)):
			t.Errorf("%s %s: got errors %q, want %q", test.kind, test.json, messages(errs), test.wantError)
		}
	}
}

func TestMissingVariables(t *testing.T) {
	t.Parallel()
	_, got, errs := coerceVariables(t, `query($a: Int, $b: Int = 3, $c: [String!] = "x", $d: Size = LARGE) { f(int: $a, ints: [$b], tags: $c, size: $d) }`, `{"unknown": 1}`)
	if want := map[string]any{"b": int64(3), "c": []any{"x"}, "d": "LARGE"}; len(errs) > 0 || !cmp.Equal(got, want) {
		t.Errorf("got variables %#v and errors %q, want %#v and none", got, messages(errs), want)
	}
	const missing = `Variable "$a" is missing: it must be an Int!.`
	if _, _, errs := coerceVariables(t, `query($a: Int!) { f(int: $a) }`, ""); len(errs) != 1 || errs[0].Message != missing {
		t.Errorf("missing variable of type Int!: got errors %q, want [%q]", messages(errs), missing)
	}
}

func TestLiterals(t *testing.T) {
	t.Parallel()
	for argument, wantError := range map[string]string{
		`int: 1`: "", `int: null`: "", `float: 1`: "", `id: 7`: "", `id: "x"`: "", `text: """x"""`: "", `size: LARGE`: "",
		`ints: 1`: "", `ints: [1, null]`: "", `even: 4`: "", `free: {a: [B]}`: "", `in: {name: "x", tags: "y"}`: "",
		`int: 1.0`:                               `Argument "int" of Query.f must be an Int, but this number is not valid: it must be written without a decimal point or an exponent.`,
		`int: "2"`:                               `Argument "int" of Query.f must be an Int, not a string.`,
		`int: 2147483648`:                        `it must be a 32-bit integer.`,
		`int: LARGE`:                             `must be an Int, not an enum value.`,
		`text: 1.5`:                              `must be a String, not a number.`,
		`text: {}`:                               `must be a String, not an object.`,
		`text: true`:                             `must be a String, not a boolean.`,
		`id: 9223372036854775808`:                `it must be within the range of a 64-bit integer.`,
		`free: [{a: 1e400}]`:                     `Argument "free" of Query.f must be a Free, but this list is not valid: it must be within the range of a 64-bit integer.`,
		`float: 1e400`:                           `it must be a finite 64-bit number.`,
		`id: 1.5`:                                `must be an ID, not a number.`,
		`flag: "true"`:                           `must be a Boolean, not a string.`,
		`full: null`:                             `must be a Boolean!, not null.`,
		`size: LARG`:                             `Argument "size" of Query.f must be a Size, but this enum value is not one of its values. Did you mean "LARGE"?`,
		`size: "LARGE"`:                          `Did you mean LARGE, without quotes?`,
		`even: 5`:                                `Argument "even" of Query.f must be an Even, but this number is not valid: it must be an even number.`,
		`even: four`:                             `must be an Even, not an enum value.`,
		`ints: [1, [2]]`:                         `Argument "ints.1" of Query.f must be an Int, not a list.`,
		`tags: ["a", null]`:                      `Argument "tags.1" of Query.f must be a String!, not null.`,
		`in: "x"`:                                `must be an In, not a string.`,
		`in: {}`:                                 `Argument "in.name" of Query.f is missing: it must be a String!.`,
		`in: {name: 1}`:                          `Argument "in.name" of Query.f must be a String!, not a number.`,
		`in: {nam: "x"}`:                         `Argument "in.nam" of Query.f is unknown: In has no such field. Did you mean "name" or "n"?`,
		`in: {name: "x" n: 1.0 deep: {name: 7}}`: `Argument "in.n" of Query.f must be an Int, but this number is not valid`,
	} {
		_, _, errs := coerceVariables(t, "{ f("+argument+") }", "")
		switch {
		case wantError == "" && len(errs) > 0:
			t.Errorf("%s: errors %q, want none", argument, messages(errs))
		case wantError != "" && !strings.Contains(strings.Join(messages(errs), "\n"), wantError):
			t.Errorf("%s: got errors %q, want %q", argument, messages(errs), wantError)
		case wantError != "" && errs[0].Locations[0].Line != 1:
			t.Errorf("%s: the error is on line %d, want 1", argument, errs[0].Locations[0].Line)
		}
	}
}

// A literal in a fragment is visited for each operation that uses the fragment, and
// reported once; so is the default of a variable.
func TestLiteralsReportedOnce(t *testing.T) {
	t.Parallel()
	_, _, errs := coerceVariables(t, `query A($v: Int = "x") { ...F f(int: $v) } query B { ...F g { ...F } } fragment F on Query { a: f(int: "1") b: f(text: "x") @skip(if: "no") }`, "")
	want := []string{
		`The default of the variable "$v" must be an Int, not a string.`,
		`Argument "int" of Query.f must be an Int, not a string.`,
		`Argument "if" of @skip must be a Boolean!, not a string.`,
	}
	if got := messages(errs); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

// A nullable variable is allowed where a value is required if there is a default;
// null is rejected per request, unless the selection that uses it is not executed.
func TestNulls(t *testing.T) {
	t.Parallel()
	const null = `Variable "$v" must be a Boolean!, not null.`
	for query, want := range map[string]string{
		`query($v: Boolean) { f(full: $v) }`:                                                     null,
		`query($v: Boolean) { g { ...F } } fragment F on Query { ... on Query { f(full: $v) } }`: null,
		`query($v: Boolean = true) { g @include(if: $v) { f } }`:                                 null,
		`query($v: Boolean) { f(flag: $v) }`:                                                     "",
		`query($v: Boolean) { f(full: $v) @skip(if: true) }`:                                     "",
		`query($v: Boolean, $on: Boolean = false) { g @include(if: $on) { f(full: $v) } }`:       "",
	} {
		_, _, errs := coerceVariables(t, query, `{"v": null}`)
		if got := strings.Join(messages(errs), ""); got != want {
			t.Errorf("%s: got errors %q, want %q", query, got, want)
		}
	}
	for _, query := range []string{
		`query($v: String = "x") { f(tags: ["a", $v]) }`,
		`query($v: String = "x") { f(in: {name: $v}) }`,
	} {
		if _, _, errs := coerceVariables(t, query, `{"v": null}`); len(errs) != 1 || errs[0].Message != `Variable "$v" must be a String!, not null.` {
			t.Errorf("%s: got errors %q, want one that null is not a String!", query, messages(errs))
		}
	}
	if _, _, errs := coerceVariables(t, `query($v: Boolean) { f(full: $v) }`, ``); len(errs) > 0 {
		t.Errorf("missing variable of type Boolean: errors %q, want none", messages(errs))
	}
}

// At most twenty errors are described, and all are counted.
func TestMaxErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		query, variables string
		want             int
	}{
		"twenty":            {`query($v: [Int]) { f(ints: $v) }`, `{"v": [` + strings.Repeat(`"x",`, 19) + `"x"]}`, 20},
		"twenty-one":        {`query($v: [Int]) { f(ints: $v) }`, `{"v": [` + strings.Repeat(`"x",`, 20) + `"x"]}`, 21},
		"many variables":    {`query($v: [Int]) { f(ints: $v) }`, `{"v": [` + strings.Repeat(`"x",`, 100_000) + `1]}`, 100_000},
		"many literals":     {`{ f(ints: [` + strings.Repeat(`"x" `, 1000) + `]) }`, "", 1000},
		"fields and values": {`query($v: In) { f(in: $v) }`, `{"v": {"name": 1, "size": 2, "tags": [` + strings.Repeat("1,", 30) + `"t"], "nope": 1}}`, 33},
	} {
		_, _, errs := coerceVariables(t, test.query, test.variables)
		described := 0
		for _, err := range errs {
			if err.Message != "" {
				described++
			}
		}
		if len(errs) != test.want || described != coerce.MaxErrors {
			t.Errorf("%s: %d of %d errors have a message, want %d errors", name, described, len(errs), test.want)
		}
	}
}

// Names that are too long to compare get no suggestion; values are not quoted.
func TestMessagesOmitValues(t *testing.T) {
	t.Parallel()
	_, _, errs := coerceVariables(t, `query($v: In) { f(in: $v) }`, `{"v": {"name": "x", "`+strings.Repeat("tags", 20)+`": "s3cret", "size": "s3cret"}}`)
	for _, m := range messages(errs) {
		if strings.Contains(m, "s3cret") || strings.Contains(m, "Did you mean") {
			t.Errorf("the message contains a value or a suggestion: %s", m)
		}
	}
}

func TestErrorDetails(t *testing.T) {
	t.Parallel()
	_, _, errs := coerceVariables(t, "query($v: In) {\n f(in: $v) }", `{"v": {"name": "x", "deep": {"name": 1}}}`)
	detailed, ok := errors.AsType[*gqlerr.Error](errs[0])
	if !ok || detailed.Code != gqlerr.CodeValidationFailed {
		t.Fatalf("got error %#v, want a gqlerr.Error with the code VALIDATION_FAILED", errs[0])
	}
	want := map[string]any{"variable": "v", "path": []string{"deep", "name"}, "expected": "String!", "received": "number"}
	if diff := cmp.Diff(want, detailed.Details); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
	if got := errs[0].Locations[0]; got.Line != 1 || got.Column != 7 {
		t.Errorf("the error is at %d:%d, want 1:7", got.Line, got.Column)
	}
}
