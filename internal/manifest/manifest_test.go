package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/manifest"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want []manifest.Operation
	}{
		"relay":                        {`{"b": "query B { b }", "a": "{ a }"}`, []manifest.Operation{{ID: "b", Text: "query B { b }"}, {ID: "a", Text: "{ a }"}}},
		"relay with a byte order mark": {"\uFEFF" + `{"a": "{ a }"}`, []manifest.Operation{{ID: "a", Text: "{ a }"}}},
		"relay with the id format":     {`{"format": "query B { b }"}`, []manifest.Operation{{ID: "format", Text: "query B { b }"}}},
		"apollo":                       {`{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"x","name":"N","type":"query","body":"query N { a }","more":1}]}`, []manifest.Operation{{"x", "N", "query", "query N { a }"}}},
		"apollo in other order":        {`{"operations":[{"body":"{ a }","id":"x"}],"version":1,"format":"apollo-persisted-query-manifest"}`, []manifest.Operation{{ID: "x", Text: "{ a }"}}},
	}
	for name, tt := range tests {
		got, err := manifest.Parse([]byte(tt.text))
		if err != nil {
			t.Errorf("%s: Parse failed: %v", name, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: operations differ (-want +got):\n%s", name, diff)
		}
	}
}

func TestParse_Problems(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                             "not a JSON object",
		"[]":                           "not a JSON object",
		"{}":                           "no operations",
		`{"a": "{ a }"`:                "not valid JSON",
		`{"a": "{ a }"} {}`:            "more than one JSON value",
		`{"a": 1}`:                     `member "a" is not a string`,
		`{"a": ""}`:                    `operation "a" has no document`,
		`{"": "{ a }"}`:                "operation 1 has no id",
		`{"a": "{ a }", "a": "{ b }"}`: `duplicate member "a"`,
		`{"format": "other"}`:          `format is "other"`,
		`{"format": "apollo-persisted-query-manifest", "operations": []}`:                                                                                "it has no version, want 1",
		`{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}`:                                                                  "version is 2, not 1",
		`{"format": "apollo-persisted-query-manifest", "version": 1, "operations": {}}`:                                                                  `"operations" is not a list`,
		`{"format": "apollo-persisted-query-manifest", "version": 1}`:                                                                                    `"operations" is not a list`,
		`{"format": "apollo-persisted-query-manifest", "version": 1, "operations": []}`:                                                                  "no operations",
		`{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id":"a","body":"{a}"},{"id":"a","name":"N","body":"query N{a}"}]}`: `the id of its operation N (id "a") is not unique`,
	} {
		if _, err := manifest.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v lacks %q", text, err, want)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "m.json")
	if _, err := manifest.Read(path); err == nil {
		t.Error("Read of a missing file returned no error")
	}
	if err := os.WriteFile(path, []byte(`{"a":"{ a }"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := manifest.Read(path); err != nil || len(got) != 1 {
		t.Errorf("Read = %v, %v, want one document", got, err)
	}
	if _, err := manifest.Read("/dev/zero"); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("Read of an infinite file = %v, want an error with \"more than\"", err)
	}
}
