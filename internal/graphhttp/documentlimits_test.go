package graphhttp_test

import (
	"net/http"
	"strings"
	"testing"

	"mixcloud-graphql/internal/graphhttp"
)

// A document above a limit is refused before execution. The error has the name of the limit, the document's value and the
// maximum.
func TestLimits_ErrorDetails(t *testing.T) {
	t.Parallel()
	repeat := strings.Repeat
	tests := map[string]struct {
		options        graphhttp.Options
		allowed, above string
		limit          string
		value, maximum float64
		status         int
	}{
		"max-depth": {
			options: graphhttp.Options{MaxDepth: 2},
			allowed: bodyOf(t, "{ nest { hello } }"), above: bodyOf(t, "{ nest { nest { hello } } }"), value: 3, maximum: 2,
		},
		"max-root-fields": {
			options: graphhttp.Options{MaxRootFields: 3},
			allowed: bodyOf(t, "{"+keys("a", 3)+"}"), above: bodyOf(t, "{"+keys("a", 5)+"}"), value: 5, maximum: 3,
		},
		"max-root-fields of a fragment": {
			options: graphhttp.Options{MaxRootFields: 3}, limit: "max-root-fields",
			allowed: bodyOf(t, "{ a0: hello ...f ...f } fragment f on Query {"+keys("a", 3)+"}"),
			above:   bodyOf(t, "{ b: hello ... { c: hello } ...f } fragment f on Query {"+keys("a", 3)+"}"), value: 5, maximum: 3,
		},
		"max-root-fields of a mutation": {
			options: graphhttp.Options{MaxRootFields: 1}, limit: "max-root-fields",
			allowed: bodyOf(t, "mutation { set }"), above: bodyOf(t, "mutation { set b: set }"), value: 2, maximum: 1,
		},
		"max-root-fields, by default": {
			limit:   "max-root-fields",
			allowed: bodyOf(t, "{"+keys("a", 100)+"}"), above: bodyOf(t, "{"+keys("a", 101)+"}"), value: 101, maximum: 100,
		},
		"max-aliases": {
			options: graphhttp.Options{MaxAliases: 3},
			allowed: bodyOf(t, "{ nest {"+keys("a", 3)+"} }"), above: bodyOf(t, "{ nest {"+keys("a", 9)+"} }"), value: 4, maximum: 3,
		},
		"max-directives": {
			options: graphhttp.Options{MaxDirectives: 2},
			allowed: bodyOf(t, "{ hello @skip(if: false) @include(if: true) }"),
			above:   bodyOf(t, "{"+repeat(" hello @skip(if: false)", 4)+"}"), value: 4, maximum: 2,
		},
		"max-tokens": {
			options: graphhttp.Options{TokenLimit: 4},
			allowed: bodyOf(t, "{ hello }"), above: bodyOf(t, "{"+repeat(" hello", 9)+"}"), value: 5, maximum: 4,
		},
		"max-tokens, by default": {
			limit:   "max-tokens",
			allowed: bodyOf(t, "{"+repeat(" hello", 400)+"}"), above: bodyOf(t, "{"+repeat(" hello", 15_000)+"}"), value: 15_001, maximum: 15_000,
		},
		"max-body": {
			options: graphhttp.Options{MaxBody: 40},
			allowed: bodyOf(t, "{ hello }"), above: bodyOf(t, "{ "+repeat(" hello", 20)+" }"), value: 136, maximum: 40, status: http.StatusRequestEntityTooLarge,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.limit == "" {
				tt.limit = name
			}
			if tt.status == 0 {
				tt.status = http.StatusBadRequest
			}
			if rec := post(t, tt.options, tt.allowed, newer); rec.Code != http.StatusOK && !strings.Contains(rec.Body.String(), "GRAPHQL_VALIDATION_FAILED") {
				t.Errorf("document at the limit was refused: %s", rec.Body)
			}
			rec := post(t, tt.options, tt.above, newer)
			got := errorsIn(t, rec.Body.Bytes())
			if rec.Code != tt.status || len(got.Errors) != 1 || len(got.Data) > 0 {
				t.Fatalf("document above the limit: status %d, want %d with one error and no data: %s", rec.Code, tt.status, rec.Body)
			}
			x := got.Errors[0].Extensions
			if x["code"] != "LIMIT_EXCEEDED" || x["limit"] != tt.limit || x["value"] != tt.value || x["maximum"] != tt.maximum {
				t.Errorf("error extensions = %v, want code LIMIT_EXCEEDED, limit %s, value %v, maximum %v", x, tt.limit, tt.value, tt.maximum)
			}
		})
	}
}

// A hidden schema can be neither read nor guessed from the suggestions of errors.
func TestHideSchema(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ query, variables string }{
		"__schema":              {query: "{ __schema { queryType { name } } }"},
		"__type":                {query: `{ a: __type(name: "Query") { name } }`},
		"__schema in fragments": {query: "{ ...f } fragment f on Query { ... { __schema { types { name } } } }"},
		"field":                 {query: "{ hallo }"},
		"argument":              {query: `{ hello(nome: "x") }`},
		"argument of directive": {query: `{ hello @skip(iff: true) }`},
		"type":                  {query: "{ ...f } fragment f on Quer { hello }"},
		"input field":           {query: "mutation { edit(in: {nome: 1}) }"},
		"input field, variable": {query: "mutation($v: In) { edit(in: $v) }", variables: `{"v":{"nome":"x"}}`},
		"enum":                  {query: "{ color(of: REDD) }"},
		"enum, quoted":          {query: `{ color(of: "RED") }`},
		"enum, variable":        {query: "query($v: Color) { color(of: $v) }", variables: `{"v":"REDD"}`},
		"selection":             {query: "{ many }"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.variables == "" {
				tt.variables = "{}"
			}
			body := strings.TrimSuffix(bodyOf(t, tt.query), "}") + `,"variables":` + tt.variables + "}"
			hidden := post(t, graphhttp.Options{HideSchema: true}, body, newer)
			if hidden.Code != http.StatusBadRequest || !strings.Contains(hidden.Body.String(), "GRAPHQL_VALIDATION_FAILED") || strings.Contains(hidden.Body.String(), "id you mean") || strings.Contains(hidden.Body.String(), `"data"`) {
				t.Errorf("hidden schema: status %d, want 400 with GRAPHQL_VALIDATION_FAILED and no suggestion: %s", hidden.Code, hidden.Body)
			}
			shown := post(t, graphhttp.Options{}, body, newer)
			if strings.Contains(name, "__") {
				if shown.Code != http.StatusOK {
					t.Errorf("visible schema: status %d, want 200: %s", shown.Code, shown.Body)
				}
			} else if !strings.Contains(shown.Body.String(), "id you mean") {
				t.Errorf("visible schema: response suggests no name: %s", shown.Body)
			}
		})
	}
	rec := post(t, graphhttp.Options{HideSchema: true}, bodyOf(t, "{ hello }"), newer)
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"hello":"you"`) {
		t.Errorf("valid query with a hidden schema: status %d, want 200: %s", rec.Code, rec.Body)
	}
}
