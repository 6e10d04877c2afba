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

// Clients and tools of all supported versions of graphql-js load the server's
// introspection, and its SDL gives the same schema. The versions are those of
// testdata/graphqljs/package-lock.json.
func TestIntrospectionInGraphQLJS(t *testing.T) {
	t.Parallel()
	const folder = "testdata/graphqljs"
	node := nodeFor(t, folder)
	server := httptest.NewServer(newDemoApp(t).handler)
	defer server.Close()
	files, err := filepath.Glob("../../graph/schema/*.graphqls")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
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
		t.Errorf("%v\n%s", err, report)
	}
	t.Logf("%s", report)
}
