package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/mixcloud/emulator"
)

// TestResponseLimit_CountsExactly executes each golden case with limits that equal the size of its response, which must succeed, and with
// limits that are one less, which must be exceeded.
func TestResponseLimit_CountsExactly(t *testing.T) {
	t.Parallel()
	all, err := goldens()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range all {
		if g.writes || g.files != nil || len(g.emulator.Faults) > 0 || g.section("status") != "" {
			continue
		}
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			sharedWorld()
			execute := func(limits config.Serve) (resp response) {
				synctest.Test(t, func(t *testing.T) {
					s := newTestServer(t, serverOptions{config: limits, emulator: []emulator.Option{emulator.WithSettings(emulator.Settings{Latency: callLatency})}})
					g.setUpEmulator(t, s)
					resp = g.send(t, s, g.token)
				})
				return resp
			}
			unlimited := execute(config.Serve{})
			data, errs := splitData(t, unlimited)
			if len(errs) > 0 { // values of failed fields are counted but not in the response
				return
			}
			hasJSON := strings.Contains(g.query, "raw") || strings.Contains(g.query, "embedJson") // JSON whose members are not fields
			fields, size := fieldsOf(t, data), len(data)
			if exact := execute(config.Serve{MaxFields: fields, MaxBytes: config.Bytes(size)}); !bytes.Equal(exact.body, unlimited.body) {
				t.Errorf("response with the limits %d fields and %d bytes = %s, want %s", fields, size, exact.body, unlimited.body)
			}
			checkLimitExceeded(t, execute(config.Serve{MaxBytes: config.Bytes(size - 1)}), "max-response-bytes", size-1)
			if introspects := strings.Contains(g.query, "__schema"); fields > 1 && !hasJSON && !introspects { // introspection is counted before it runs
				checkLimitExceeded(t, execute(config.Serve{MaxFields: fields - 1}), "max-response-fields", fields-1)
			}
		})
	}
}

func splitData(t *testing.T, resp response) (data json.RawMessage, errs []responseError) {
	t.Helper()
	errs = resp.decode(t, &data)
	return data, errs
}

// fieldsOf returns the number of members of all objects in data.
func fieldsOf(t *testing.T, data []byte) int {
	t.Helper()
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	var count func(any) int
	count = func(value any) int {
		n := 0
		switch value := value.(type) {
		case map[string]any:
			n = len(value)
			for _, v := range value {
				n += count(v)
			}
		case []any:
			for _, v := range value {
				n += count(v)
			}
		}
		return n
	}
	return count(value)
}

// checkLimitExceeded checks that a response has no data and one error about a limit.
func checkLimitExceeded(t *testing.T, resp response, limit string, maximum int) {
	t.Helper()
	data, errs := splitData(t, resp)
	if resp.status != http.StatusOK || string(data) != "null" || len(errs) != 1 {
		t.Errorf("status = %d, %d bytes of data, %d errors, want 200, null and one error", resp.status, len(data), len(errs))
		return
	}
	x := errs[0].Extensions
	if errs[0].code() != "LIMIT_EXCEEDED" || x["limit"] != limit || x["maximum"] != float64(maximum) || errs[0].Path != nil {
		t.Errorf("error = %+v, want LIMIT_EXCEEDED by %s %d", errs[0], limit, maximum)
	}
}

// The fields of introspection are counted before the operation runs.
func TestResponseLimit_IntrospectionIsCountedBeforehand(t *testing.T) {
	t.Parallel()
	const types = "{ __schema { types { name kind fields(includeDeprecated: %t) { name type { ...T } args { name type { ...T } } } " +
		"inputFields { name type { ...T } } interfaces { name } possibleTypes { name } enumValues { name } } directives { name args { name } } } " +
		`__type(name: "User") { a: fields { name __typename } b: name } } fragment T on __Type { name ofType { name ofType { name } } }`
	for _, query := range []string{
		fmt.Sprintf(types, true), fmt.Sprintf(types, false),
		`query($d: Boolean = true) { __type(name: "PictureSize") { enumValues(includeDeprecated: $d) { name } } other: __type(name: "Nothing") { name } }`,
		`query($s: Boolean = true) { __schema { types @skip(if: $s) { name } queryType { name } mutationType { kind } subscriptionType { name } } }`,
	} {
		unlimited := newTestServer(t, serverOptions{}).execute(t, "", query, nil)
		data, errs := splitData(t, unlimited)
		if len(errs) > 0 {
			t.Fatalf("%s: errors = %+v, want none", query, errs)
		}
		fields := fieldsOf(t, data)
		if resp := newTestServer(t, serverOptions{config: config.Serve{MaxFields: fields}}).execute(t, "", query, nil); !bytes.Equal(resp.body, unlimited.body) {
			t.Errorf("%s: response with a limit of %d fields = %s, want %s", query, fields, resp.body, unlimited.body)
		}
		less := newTestServer(t, serverOptions{config: config.Serve{MaxFields: fields - 1}}).execute(t, "", query, nil)
		_, errs = splitData(t, less)
		if less.status != http.StatusBadRequest || len(errs) != 1 || errs[0].code() != "LIMIT_EXCEEDED" || errs[0].Extensions["maximum"] != float64(fields-1) {
			t.Errorf("%s: with a limit of %d fields: status = %d, errors = %+v, want 400 and LIMIT_EXCEEDED", query, fields-1, less.status, errs)
		}
	}
}

// TestResponseLimit_Implementors compares the names that are passed to graphql.CollectFields with those in the generated code. If they
// differ, the results are the same, but each selection set is collected twice.
func TestResponseLimit_Implementors(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../graph/generated/*.generated.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d files of generated code, want some (error %v)", len(files), err)
	}
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`Implementors = \[\]string\{(.*)\}`).FindAllSubmatch(text, -1) {
			var want []string
			if err := json.Unmarshal([]byte("["+string(match[1])+"]"), &want); err != nil {
				t.Fatal(err)
			}
			got := []string{want[0]}
			for _, def := range schema.GetImplements(schema.Types[want[0]]) {
				got = append(got, def.Name)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: names = %q, want %q as in the generated code", want[0], got, want)
			}
			found++
		}
	}
	if found < 50 {
		t.Errorf("found %d types in the generated code, want at least 50", found)
	}
}

// TestResponseLimit_GoNames checks that object types of interfaces have the same name in Go: the limit finds the GraphQL type of an object
// by the name of its Go type.
func TestResponseLimit_GoNames(t *testing.T) {
	t.Parallel()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	text := new(strings.Builder)
	files, err := filepath.Glob("../../graph/generated/*.generated.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(source)
	}
	checked := 0
	for _, def := range schema.Types {
		if def.Kind != ast.Interface && def.Kind != ast.Union {
			continue
		}
		for _, possible := range schema.GetPossibleTypes(def) {
			if possible.Kind != ast.Object {
				continue
			}
			if !strings.Contains(text.String(), "case *model."+possible.Name+":\n") {
				t.Errorf("the generated code has no case for *model.%s", possible.Name)
			}
			checked++
		}
	}
	if checked < 10 {
		t.Errorf("found %d object types of interfaces, want at least 10", checked)
	}
}

// TestResponseLimit_Concurrent compares the result of concurrentFields with the generated code.
func TestResponseLimit_Concurrent(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../graph/generated/*.generated.go")
	if err != nil {
		t.Fatal(err)
	}
	concurrent, found := concurrentFields(), 0
	object := regexp.MustCompile(`(?s)func \(ec \*executionContext\) _(\w+)\(ctx context.Context, sel ast.SelectionSet.*?\n}\n`)
	field := regexp.MustCompile(`(?s)\t\tcase "(\w+)":\n(.*?)\n\t\t(?:case|default)`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range object.FindAllSubmatch(text, -1) {
			name := string(o[1])
			if name == "Mutation" { // its fields run one after another
				continue
			}
			for rest := o[0]; ; {
				f := field.FindSubmatchIndex(rest)
				if f == nil {
					break
				}
				fieldName, body := string(rest[f[2]:f[3]]), rest[f[4]:f[5]]
				if want := bytes.Contains(body, []byte("Concurrently(")); concurrent(name, fieldName) != want && !strings.HasPrefix(fieldName, "__") {
					t.Errorf("concurrent(%s.%s) = %t, want %t", name, fieldName, !want, want)
				}
				rest = rest[f[5]:]
				found++
			}
		}
	}
	if found < 200 {
		t.Errorf("found %d fields in the generated code, want at least 200", found)
	}
}
