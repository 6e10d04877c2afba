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

// TestResponseLimit_CountsExactly holds what is counted while a response is made against the response itself: each
// golden query passes under limits that are exactly its size, and exceeds either limit that is one less.
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
			ask := func(limits config.Serve) (resp response) {
				synctest.Test(t, func(t *testing.T) {
					s := newTestServer(t, serverOptions{config: limits, emulator: []emulator.Option{emulator.WithSettings(emulator.Settings{Latency: callLatency})}})
					g.setUpEmulator(t, s)
					resp = g.send(t, s, g.token)
				})
				return resp
			}
			free := ask(config.Serve{})
			data, errs := splitData(t, free)
			if len(errs) > 0 { // a field that failed was counted with a value that is not there
				return
			}
			hasJSON := strings.Contains(g.query, "raw") || strings.Contains(g.query, "embedJson") // whose keys are no fields
			fields, size := fieldsOf(t, data), len(data)
			if exact := ask(config.Serve{MaxFields: fields, MaxBytes: config.Bytes(size)}); !bytes.Equal(exact.body, free.body) {
				t.Errorf("under limits of its own size, %d fields and %d bytes, the response is\n%s", fields, size, exact.body)
			}
			wantExceeded(t, ask(config.Serve{MaxBytes: config.Bytes(size - 1)}), "max-response-bytes", size-1)
			if ofSchema := strings.Contains(g.query, "__schema"); fields > 1 && !hasJSON && !ofSchema { // which are counted before it runs
				wantExceeded(t, ask(config.Serve{MaxFields: fields - 1}), "max-response-fields", fields-1)
			}
		})
	}
}

func splitData(t *testing.T, resp response) (data json.RawMessage, errs []responseError) {
	t.Helper()
	errs = resp.decode(t, &data)
	return data, errs
}

// fieldsOf counts the keys of all objects of JSON.
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

// wantExceeded checks that a response is what a limit leaves of it.
func wantExceeded(t *testing.T, resp response, limit string, maximum int) {
	t.Helper()
	data, errs := splitData(t, resp)
	if resp.status != http.StatusOK || string(data) != "null" || len(errs) != 1 {
		t.Errorf("status = %d, want 200, %d bytes of data, %d errors; want 200, null and one error", resp.status, len(data), len(errs))
		return
	}
	x := errs[0].Extensions
	if errs[0].code() != "LIMIT_EXCEEDED" || x["limit"] != limit || x["maximum"] != float64(maximum) || errs[0].Path != nil {
		t.Errorf("error %+v, want LIMIT_EXCEEDED of %s %d", errs[0], limit, maximum)
	}
}

// introspections are the queries of tools; the number is how many of their fields the schema has.
func TestResponseLimit_IntrospectionIsComputed(t *testing.T) {
	t.Parallel()
	const types = "{ __schema { types { name kind fields(includeDeprecated: %t) { name type { ...T } args { name type { ...T } } } " +
		"inputFields { name type { ...T } } interfaces { name } possibleTypes { name } enumValues { name } } directives { name args { name } } } " +
		`__type(name: "User") { a: fields { name __typename } b: name } } fragment T on __Type { name ofType { name ofType { name } } }`
	for _, query := range []string{
		fmt.Sprintf(types, true), fmt.Sprintf(types, false),
		`query($d: Boolean = true) { __type(name: "PictureSize") { enumValues(includeDeprecated: $d) { name } } other: __type(name: "Nothing") { name } }`,
		`query($s: Boolean = true) { __schema { types @skip(if: $s) { name } queryType { name } mutationType { kind } subscriptionType { name } } }`,
	} {
		free := newTestServer(t, serverOptions{}).execute(t, "", query, nil)
		data, errs := splitData(t, free)
		if len(errs) > 0 {
			t.Fatalf("%s: %+v", query, errs)
		}
		fields := fieldsOf(t, data)
		if resp := newTestServer(t, serverOptions{config: config.Serve{MaxFields: fields}}).execute(t, "", query, nil); !bytes.Equal(resp.body, free.body) {
			t.Errorf("%s: under a limit of its %d fields the response is %s", query, fields, resp.body)
		}
		less := newTestServer(t, serverOptions{config: config.Serve{MaxFields: fields - 1}}).execute(t, "", query, nil)
		_, errs = splitData(t, less)
		if less.status != http.StatusBadRequest || len(errs) != 1 || errs[0].code() != "LIMIT_EXCEEDED" || errs[0].Extensions["maximum"] != float64(fields-1) {
			t.Errorf("%s: with a field less, status = %d, want 400 and %+v; want to be refused before it runs", query, less.status, errs)
		}
	}
}

// TestResponseLimit_Implementors holds the names that are passed to graphql.CollectFields against those of the generated
// code. If they differ, nothing breaks, but each selection set is collected twice.
func TestResponseLimit_Implementors(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../graph/generated/*.generated.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
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
				t.Errorf("%s: names %q, and %q in the generated code", want[0], got, want)
			}
			found++
		}
	}
	if found < 50 {
		t.Errorf("found %d types in the generated code", found)
	}
}

// TestResponseLimit_GoNames holds the Go types that stand for object types of interfaces against their GraphQL names:
// the bytes of a concrete type are counted by that name.
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
				t.Errorf("%s is not *model.%s in the generated code", possible.Name, possible.Name)
			}
			checked++
		}
	}
	if checked < 10 {
		t.Errorf("found %d object types of interfaces", checked)
	}
}

// TestResponseLimit_Concurrent holds the fields that are said to run in goroutines of their own against the generated
// code.
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
			if name == "Mutation" { // one after the other
				continue
			}
			for rest := o[0]; ; {
				f := field.FindSubmatchIndex(rest)
				if f == nil {
					break
				}
				fieldName, body := string(rest[f[2]:f[3]]), rest[f[4]:f[5]]
				if want := bytes.Contains(body, []byte("Concurrently(")); concurrent(name, fieldName) != want && !strings.HasPrefix(fieldName, "__") {
					t.Errorf("%s.%s runs in a goroutine of its own: %v", name, fieldName, want)
				}
				rest = rest[f[5]:]
				found++
			}
		}
	}
	if found < 200 {
		t.Errorf("found %d fields in the generated code", found)
	}
}
