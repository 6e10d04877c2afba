package app

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"mixcloud-graphql/internal/config"
)

var updateReadme = flag.Bool("update-readme", false, "rewrite the answers in README.md")

// readmeDemo is what `go run . --demo` serves at the README's address.
func readmeDemo(t *testing.T) *App {
	t.Helper()
	demo, err := New(config.Serve{Demo: true, PublicURL: "http://127.0.0.1:8080"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return demo
}

func ask(t *testing.T, h http.Handler, query, token string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	if rec.Code != http.StatusOK {
		t.Fatalf("%s\nstatus %d: %s", query, rec.Code, rec.Body)
	}
	return rec.Body.Bytes()
}

// TestReadme_answers holds each query of the README against the answer that
// stands below it.
func TestReadme_answers(t *testing.T) {
	const path = "../../README.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	demo := readmeDemo(t)
	pairs := regexp.MustCompile("(?s)```graphql\n(.*?)```\n\n```json\n(.*?)```").FindAllSubmatchIndex(text, -1)
	if len(pairs) < 4 {
		t.Fatalf("found %d queries with answers, want at least 4", len(pairs))
	}
	out, end := []byte(nil), 0
	for _, at := range pairs {
		query, want := string(text[at[2]:at[3]]), text[at[4]:at[5]]
		got := readable(t, ask(t, demo, query, ""))
		if !*updateReadme && !bytes.Equal(got, want) {
			t.Errorf("%s\nanswers\n%s\nand not, as README.md says,\n%s", query, got, want)
		}
		out, end = append(append(out, text[end:at[4]]...), got...), at[5]
	}
	if *updateReadme {
		if err := os.WriteFile(path, append(out, text[end:]...), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// readable indents an answer, objects of scalars on one line each.
func readable(t *testing.T, answer []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, answer, "", "  "); err != nil {
		t.Fatal(err)
	}
	flat := regexp.MustCompile(`\{\n\s+([^{}\[\]]*?)\n\s+\}`).ReplaceAllStringFunc(b.String(), func(object string) string {
		inner := regexp.MustCompile(`\n\s+`).ReplaceAllString(object, " ")
		if len(inner) > 90 {
			return object
		}
		return inner
	})
	return append([]byte(flat), '\n')
}

// TestReadme_aiomixcloud runs every query of the table: none may fail, and each
// must give something.
func TestReadme_aiomixcloud(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| aiomixcloud | here |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	demo := readmeDemo(t)
	rows := 0
	for row := range strings.Lines(table) {
		cells := strings.SplitN(strings.Trim(row, "| \n"), " | ", 2)
		query := regexp.MustCompile("`({.*})`").FindStringSubmatch(row)
		if len(cells) != 2 || query == nil {
			continue
		}
		rows++
		token := ""
		if strings.Contains(cells[1], "Authorization") {
			token = "demo-token"
		}
		var answer struct {
			Data   any
			Errors []any
		}
		if err := json.Unmarshal(ask(t, demo, query[1], token), &answer); err != nil {
			t.Fatal(err)
		}
		if len(answer.Errors) > 0 {
			t.Errorf("%s: %v", query[1], answer.Errors)
		}
		if hole := firstHole(answer.Data, "data"); hole != "" {
			t.Errorf("%s: nothing at %s", query[1], hole)
		}
	}
	if rows < 30 {
		t.Errorf("the table has %d queries, want at least 30", rows)
	}
}

// firstHole names the first place of the answer where there is nothing: a null
// look-up or an empty first list.
func firstHole(v any, at string) string {
	switch v := v.(type) {
	case nil:
		return at
	case []any:
		if len(v) == 0 {
			return at
		}
		return firstHole(v[0], at+".0")
	case map[string]any:
		for name, member := range v {
			if _, leaf := member.(string); leaf || name == "raw" || name == "pictures" {
				continue
			}
			if name == "nodes" && at != "data" && strings.Count(at, "nodes") > 0 {
				continue // a list below a list may well be empty
			}
			if hole := firstHole(member, at+"."+name); hole != "" && !optional[name] {
				return fmt.Sprint(hole)
			}
		}
	}
	return ""
}

// optional are members that some resources really lack.
var optional = map[string]bool{"description": true, "biog": true, "cloudcasts": true, "cloudcastCount": true}
