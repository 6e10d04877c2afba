package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"mixcloud-graphql/mixcloud/emulator"
)

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

// TestReadme runs the examples of the README, and then every row of the table
// from aiomixcloud: some rows use the upload of the examples.
func TestReadme(t *testing.T) {
	t.Parallel()
	if examples := testDocument(t, "../../README.md", aiomixcloud); examples < 8 {
		t.Errorf("ran %d examples, want at least 8", examples)
	}
}

// checkComplete fails if a response has an error, or no data at one place.
func checkComplete(t *testing.T, request string, response []byte) {
	t.Helper()
	for _, data := range answered(t, request, response) {
		if hole := firstHole(data, "data"); hole != "" {
			t.Errorf("%s\nhas no data at %s: %s", request, hole, response)
		}
	}
}

// answered reads an answer, or the events of one: no error may be in it.
func answered(t *testing.T, asked string, answer []byte) []any {
	t.Helper()
	texts := []string{string(answer)}
	if bytes.HasPrefix(answer, []byte(":")) || bytes.HasPrefix(answer, []byte("event:")) {
		texts = nil
		for _, m := range regexp.MustCompile(`(?m)^event: next\ndata: (.*)$`).FindAllSubmatch(answer, -1) {
			texts = append(texts, string(m[1]))
		}
	}
	all := make([]any, len(texts))
	for i, text := range texts {
		var whole struct {
			Data   any
			Errors []any
		}
		if err := json.Unmarshal([]byte(text), &whole); err != nil {
			t.Fatalf("%s\nanswers %s: %v", asked, answer, err)
		}
		if len(whole.Errors) > 0 || regexp.MustCompile(`"userErrors":\[[^\]]`).MatchString(text) {
			t.Errorf("%s\nanswers %s", asked, text)
		}
		all[i] = whole.Data
	}
	if len(all) == 0 {
		t.Errorf("%s\nhears nothing: %s", asked, answer)
	}
	return all
}

// aiomixcloud runs every query and mutation of the table in text.
func aiomixcloud(t *testing.T, text string, demo *App) {
	_, table, _ := strings.Cut(text, "| aiomixcloud | here |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	rows, token := 0, ""
	for row := range strings.Lines(table) {
		cells := strings.SplitN(strings.Trim(row, "| \n"), " | ", 2)
		query := regexp.MustCompile("`((?:mutation )?{.*})`").FindStringSubmatch(row)
		if len(cells) != 2 || query == nil {
			continue
		}
		rows++
		if strings.Contains(cells[1], "Authorization") { // as everything below
			token = "demo-token"
		}
		asked := query[1]
		if strings.Contains(asked, `"CODE"`) {
			asked = strings.Replace(asked, "CODE", signInCode(t, demo, "http://127.0.0.1:8080/emulator", emulator.DemoClientID, "http://127.0.0.1:8080/oauth/callback", "demo"), 1)
		}
		for _, data := range answered(t, query[1], ask(t, demo, asked, token)) {
			if hole := firstHole(data, "data"); hole != "" {
				t.Errorf("%s: nothing at %s", query[1], hole)
			}
		}
	}
	if rows < 44 {
		t.Errorf("the table has %d queries, want at least 44", rows)
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
			if _, leaf := member.(string); leaf || name == "raw" || name == "pictures" || name == "userErrors" {
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
