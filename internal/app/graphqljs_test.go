package app

import (
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// All supported versions of graphql-js can build a client schema from the server's introspection, and it equals the schema of
// the SDL. The versions are those in testdata/graphqljs/package-lock.json.
func TestIntrospectionInGraphQLJS(t *testing.T) {
	t.Parallel()
	const folder = "testdata/graphqljs"
	node := nodeFor(t, folder)
	server := httptest.NewServer(newDemoApp(t).handler)
	defer server.Close()
	files, err := filepath.Glob("../../graph/schema/*.graphqls")
	if err != nil || len(files) == 0 {
		t.Fatalf("schema files = %q (error %v), want some", files, err)
	}
	var sdl bytes.Buffer
	for _, name := range slices.Insert(files, 0, "../../graph/schema.graphqls") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sdl.Write(text)
	}
	whole := filepath.Join(t.TempDir(), "schema.graphql")
	if err := os.WriteFile(whole, sdl.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := exec.CommandContext(t.Context(), node, filepath.Join(folder, "introspect.mjs"), server.URL+"/graphql", whole).CombinedOutput()
	if err != nil {
		t.Errorf("introspect.mjs failed: %v\n%s", err, report)
	}
	t.Logf("%s", report)
}
