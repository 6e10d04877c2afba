package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mixcloud-graphql/internal/markdown"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// TestDocs_Go fails if a Go block of a page is not in this file, where it compiles.
func TestDocs_Go(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("documentexample_test.go")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range markdown.Blocks(string(text)) {
			if b.Language != "go" || b.Comment != "" { // TestClientsPage checks those with a comment
				continue
			}
			found++
			if indented := "\t" + strings.ReplaceAll(strings.TrimSpace(b.Text), "\n", "\n\t"); !strings.Contains(string(source), indented) {
				t.Errorf("%s:%d: the example differs from documentexample_test.go", page, b.Line)
			}
		}
	}
	if found < 2 {
		t.Errorf("found %d examples, want at least 2", found)
	}
}

// TestEmulatorExample runs the example of docs/emulator.md.
func TestEmulatorExample(t *testing.T) {
	t.Parallel()
	e, err := emulator.New(emulator.WithSeed(1))
	if err != nil {
		t.Fatal(err)
	}
	client, err := mixcloud.New(mixcloud.WithHTTPClient(&http.Client{Transport: e.Transport()}))
	if err != nil {
		t.Fatal(err)
	}
	user, err := client.User(t.Context(), "spartacus")
	if err != nil || user.Username != "spartacus" {
		t.Errorf("user = %v, want spartacus (error %v)", user, err)
	}
}

// This is the example of docs/go-client.md. It needs the live API, so it is
// compiled and not run.
var _ = func(ctx context.Context) error {
	client, err := mixcloud.New()
	if err != nil {
		return err
	}
	show, err := client.Cloudcast(ctx, "https://www.mixcloud.com/spartacus/party-time/")
	if errors.Is(err, mixcloud.ErrNotFound) {
		return errors.New("there is no such cloudcast")
	}
	if err != nil {
		return err
	}
	fmt.Println(show.Name, show.Key)
	return nil
}
