package app

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"mixcloud-graphql/internal/markdown"
	"mixcloud-graphql/mixcloud/emulator"
)

// sendQuery sends a query and returns the body of the response.
func sendQuery(t *testing.T, h http.Handler, query, token string) []byte {
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
		t.Fatalf("%s\nstatus = %d, want 200: %s", query, rec.Code, rec.Body)
	}
	return rec.Body.Bytes()
}

// TestReadme runs the examples of the README, and then the rows of its table.
func TestReadme(t *testing.T) {
	t.Parallel()
	examples := testDocument(t, "../../README.md", func(t *testing.T, text string, demo *App) { testTable(t, text, demo, 4) })
	if examples < 11 {
		t.Errorf("ran %d examples, want at least 11", examples)
	}
}

// TestReadme_Shells runs the commands of the README in bash and in zsh, with the
// programs of this machine and a server that listens, and compares the responses.
func TestReadme_Shells(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, shell := range []string{"bash", "zsh"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			requirePrograms(t, shell, "curl", "head")
			_, url := serveDemo(t)
			folder, requests := t.TempDir(), 0
			blocks := append(markdown.Blocks(string(text)), markdown.Block{})
			for i, block := range blocks {
				if block.Language != "sh" || strings.HasPrefix(block.Text, "go run ") { // serveDemo has run it
					continue
				}
				script := strings.ReplaceAll(block.Text, "http://127.0.0.1:8080", url)
				cmd := exec.CommandContext(t.Context(), shell, "-e", "-c", script)
				cmd.Dir = folder
				output, err := cmd.Output()
				if err != nil {
					t.Fatalf("%s\nfailed: %v", script, err)
				}
				checkComplete(t, script, output)
				if next := blocks[i+1]; next.Language == "json" && readable(t, output) != next.Text {
					t.Errorf("%s\nhas the response\n%s\nwant\n%s", script, output, next.Text)
				}
				requests++
			}
			if requests < 6 {
				t.Errorf("ran %d blocks, want at least 6", requests)
			}
		})
	}
}

// requirePrograms skips the test if a program is missing; in CI it fails the test.
func requirePrograms(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil && inCI() {
			t.Fatal(err)
		} else if err != nil {
			t.Skip(err)
		}
	}
}

// checkComplete fails if a response contains an error, or a null or an empty list in its data.
func checkComplete(t *testing.T, request string, response []byte) {
	t.Helper()
	for _, data := range responseData(t, request, response) {
		if at := firstEmpty(data, "data"); at != "" {
			t.Errorf("%s\nresponse has null or an empty list at %s, want a value: %s", request, at, response)
		}
	}
}

// responseData returns the data of a response, or of each event of a stream. It fails if
// there are errors.
func responseData(t *testing.T, request string, response []byte) []any {
	t.Helper()
	texts := []string{string(response)}
	if bytes.HasPrefix(response, []byte(":")) || bytes.HasPrefix(response, []byte("event:")) {
		texts = nil
		for _, m := range regexp.MustCompile(`(?m)^event: next\ndata: (.*)$`).FindAllSubmatch(response, -1) {
			texts = append(texts, string(m[1]))
		}
	}
	data := make([]any, len(texts))
	for i, text := range texts {
		var message struct {
			Data   any
			Errors []any
		}
		if err := json.Unmarshal([]byte(text), &message); err != nil {
			t.Fatalf("%s\nresponse is not JSON: %v: %s", request, err, response)
		}
		if len(message.Errors) > 0 || regexp.MustCompile(`"userErrors":\[[^\]]`).MatchString(text) {
			t.Errorf("%s\nresponse has errors, want none: %s", request, text)
		}
		data[i] = message.Data
	}
	if len(data) == 0 {
		t.Errorf("%s\nresponse has no event: %s", request, response)
	}
	return data
}

// testTable sends each query and mutation of the table from aiomixcloud. The rows
// from the first with a token on have one.
func testTable(t *testing.T, text string, demo *App, minimum int) {
	t.Helper()
	_, table, _ := strings.Cut(text, "| aiomixcloud | GraphQL |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	rows, token := 0, ""
	for row := range strings.Lines(table) {
		cells := strings.SplitN(strings.Trim(row, "| \n"), " | ", 2)
		query := regexp.MustCompile("`((?:mutation )?{.*})`").FindStringSubmatch(row)
		if len(cells) != 2 || query == nil {
			continue
		}
		rows++
		if strings.Contains(cells[1], "token") {
			token = "demo-token"
		}
		sent := query[1]
		if strings.Contains(sent, `"CODE"`) {
			sent = strings.Replace(sent, "CODE", signInCode(t, demo, "http://127.0.0.1:8080/emulator", emulator.DemoClientID, "http://127.0.0.1:8080/oauth/callback", "demo"), 1)
		}
		checkComplete(t, sent, sendQuery(t, demo, sent, token))
	}
	if rows < minimum {
		t.Errorf("the table has %d queries, want at least %d", rows, minimum)
	}
}

// firstEmpty returns the path of the first null or empty list in the data, or "".
func firstEmpty(v any, at string) string {
	switch v := v.(type) {
	case nil:
		return at
	case []any:
		if len(v) == 0 {
			return at
		}
		return firstEmpty(v[0], at+".0")
	case map[string]any:
		for name, member := range v {
			if _, leaf := member.(string); leaf || optional[name] {
				continue
			}
			if name == "nodes" && strings.Contains(at, "nodes") {
				continue // a list of an item of a list may be empty
			}
			if empty := firstEmpty(member, at+"."+name); empty != "" {
				return empty
			}
		}
	}
	return ""
}

// optional are members that may be null or empty.
var optional = map[string]bool{
	"biog": true, "cloudcastCount": true, "cloudcasts": true, "description": true, "pictures": true, "raw": true, "userErrors": true,
}
