package app

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/mixcloud/emulator"
)

var updateReadme = flag.Bool("update-readme", false, "rewrite the answers in README.md")

// atReadmeURL is the configuration of `go run . --demo`.
func atReadmeURL(cfg *config.Serve) { cfg.PublicURL = "http://127.0.0.1:8080" }

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
	demo := newDemoApp(t, atReadmeURL)
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

// TestReadme_Outage runs the commands under "When Mixcloud is down", in a time
// in which nobody sleeps, and holds the last answer against the one below.
func TestReadme_Outage(t *testing.T) {
	const path = "../../README.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)## When Mixcloud is down\n.*?```\n(.*?)```\n\n```json\n(.*?)```").FindSubmatchIndex(text)
	if found == nil {
		t.Fatal("there is no such section")
	}
	var got []byte
	synctest.Test(t, func(t *testing.T) {
		demo := newDemoApp(t, atReadmeURL, func(cfg *config.Serve) {
			cfg.CacheBytes, cfg.StaleFor = 64<<20, 24*time.Hour
			cfg.UpstreamRate, cfg.UpstreamBurst, cfg.UpstreamRetries = 20, 200, 2
		})
		defer func() {
			if err := demo.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		for line := range strings.Lines(string(text[found[2]:found[3]])) {
			switch words := shellWords(t, line); words[0] {
			case "curl":
				got = newCurl(t, words[1:]).send(t, demo, nil)
			case "sleep":
				d, err := time.ParseDuration(words[1] + "s")
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(d)
			default:
				t.Fatalf("nobody knows what %q does", line)
			}
		}
	})
	got = readable(t, got)
	want := text[found[4]:found[5]]
	if *updateReadme {
		if err := os.WriteFile(path, slices.Concat(text[:found[4]], got, text[found[5]:]), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the answer is\n%s\nand not, as README.md says,\n%s", got, want)
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

// TestReadme_SignedIn sends the requests of the curl commands under "Signed in",
// in their order, and then runs every row of the table from aiomixcloud, of
// which some build on what was uploaded. None may fail, and each must give
// something.
func TestReadme_SignedIn(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	demo := newDemoApp(t, atReadmeURL)
	_, section, _ := strings.Cut(string(text), "## Signed in\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var commands []*curl
	files := map[string]int{}
	for _, block := range regexp.MustCompile("(?s)```\n(.*?)```").FindAllStringSubmatch(section, -1) {
		for line := range strings.Lines(strings.ReplaceAll(block[1], "\\\n", " ")) {
			made := regexp.MustCompile(`^head -c (\d+) /dev/urandom > (\S+)\n$`).FindStringSubmatch(line)
			switch words := shellWords(t, line); {
			case len(words) > 0 && words[0] == "curl":
				commands = append(commands, newCurl(t, words[1:]))
			case made != nil:
				if files[made[2]], err = strconv.Atoi(made[1]); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if len(commands) < 4 {
		t.Fatalf("found %d commands, want at least 4", len(commands))
	}
	for _, c := range commands {
		answer := c.send(t, demo, files)
		for _, data := range answered(t, c.text, answer) {
			if hole := firstHole(data, "data"); hole != "" {
				t.Errorf("%s\ngives nothing at %s: %s", c.text, hole, answer)
			}
		}
	}
	t.Run("aiomixcloud", func(t *testing.T) { aiomixcloud(t, string(text), demo) })
}

// TestReadme_persisted sends what stands under "Persisted queries": the query
// with its hash, and then the hash alone.
func TestReadme_persisted(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## Persisted queries\n")
	section, _, _ = strings.Cut(section, "\n## ")
	whole := regexp.MustCompile(`-d '(.*)'\n`).FindStringSubmatch(section)
	hash := regexp.MustCompile(`'(extensions)=(.*)'\n`).FindStringSubmatch(section)
	if whole == nil || hash == nil {
		t.Fatalf("the commands are not there:\n%s", section)
	}
	demo := newDemoApp(t, atReadmeURL)
	made := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(whole[1]))
	made.Header.Set("Content-Type", "application/json")
	known := httptest.NewRequest(http.MethodGet, "/graphql?"+url.Values{hash[1]: hash[2:]}.Encode(), nil)
	for _, r := range []*http.Request{made, known} {
		rec := httptest.NewRecorder()
		demo.ServeHTTP(rec, r)
		if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `{"data":{"popular":{"nodes":[`) {
			t.Errorf("%s answers %d %s", r.Method, rec.Code, rec.Body)
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

// aiomixcloud runs every query and mutation of the table.
func aiomixcloud(t *testing.T, readme string, demo *App) {
	_, table, _ := strings.Cut(readme, "| aiomixcloud | here |\n")
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
			asked = strings.Replace(asked, "CODE", codeOf(t, demo, "http://127.0.0.1:8080/emulator", emulator.DemoClientID, "http://127.0.0.1:8080/oauth/callback", "demo"), 1)
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
