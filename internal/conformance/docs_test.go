package conformance

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mixcloud-graphql/mixcloud/emulator"
)

// A docRow is a row of a table in docs/mixcloud-api.md.
type docRow struct {
	line                             int
	section, fact, confidence, probe string
}

func docRows(t *testing.T) []docRow {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", docPath))
	if err != nil {
		t.Fatal(err)
	}
	var rows []docRow
	section, inTable := "", false
	for i, line := range strings.Split(string(text), "\n") {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.ToLower(strings.ReplaceAll(heading, " ", "-"))
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if !strings.HasPrefix(line, "| ") {
			inTable = false
			continue
		}
		if cells[len(cells)-1] == "probe" { // the head of a table of facts
			inTable = true
			continue
		}
		if !inTable || cells[0] == "---" {
			continue
		}
		if len(cells) != 3 {
			t.Errorf("%s:%d: the row has %d cells, want 3", docPath, i+1, len(cells))
			continue
		}
		rows = append(rows, docRow{i + 1, section, cells[0], cells[1], cells[2]})
	}
	return rows
}

// addRow adds the row of a probe to the end of its section's table.
func addRow(text string, p probe) (string, bool) {
	section := ""
	lines := strings.Split(text, "\n")
	last := -1
	for i, line := range lines {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.ToLower(strings.ReplaceAll(heading, " ", "-"))
		}
		if section == p.section && strings.HasPrefix(line, "| ") {
			last = i
		}
	}
	if last < 0 {
		return text, false
	}
	row := fmt.Sprintf("| %s | %s | `%s` |", strings.TrimSuffix(p.rule, "."), p.confidence, p.name)
	return strings.Join(slices.Insert(lines, last+1, row), "\n"), true
}

// addRows adds a row to the page for each probe that it does not list.
func addRows(t *testing.T) {
	t.Helper()
	path := filepath.Join("..", "..", docPath)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for _, p := range probes() {
		if strings.Contains(page, "`"+p.name+"`") {
			continue
		}
		ok := false
		if page, ok = addRow(page, p); !ok {
			t.Errorf("%s: %s has no table in the section %s", p.name, docPath, p.section)
		}
	}
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDocs_ListProbes checks that the page lists all probes, in their section and with
// their confidence. With -update it adds a row for each missing probe.
func TestDocs_ListProbes(t *testing.T) { // not parallel: it may rewrite the page
	if *update {
		addRows(t)
	}
	known := make(map[string]probe)
	for _, p := range probes() {
		if _, twice := known[p.name]; twice {
			t.Errorf("two probes have the name %s", p.name)
		}
		known[p.name] = p
	}
	quoted := regexp.MustCompile("^`([a-z0-9-]+)`$")
	for _, row := range docRows(t) {
		m := quoted.FindStringSubmatch(row.probe)
		if m == nil {
			if row.probe != "none" && !strings.HasPrefix(row.probe, "none: ") {
				t.Errorf("line %d: the probe cell is %q, want the name of a probe, none, or none: reason", row.line, row.probe)
			}
			continue
		}
		p, ok := known[m[1]]
		if !ok {
			t.Errorf("line %d names the probe %s, which does not exist or is listed twice", row.line, m[1])
			continue
		}
		delete(known, m[1])
		if p.section != row.section {
			t.Errorf("line %d: %s belongs to the section #%s, not #%s", row.line, p.name, p.section, row.section)
		}
		if !strings.HasPrefix(row.confidence, string(p.confidence)) {
			t.Errorf("line %d: the confidence of %s is %s, not %q", row.line, p.name, p.confidence, row.confidence)
		}
	}
	for name := range known {
		t.Errorf("%s does not list the probe %s. To add it, run: go test ./internal/conformance -run Docs -update", docPath, name)
	}
}

// TestDocs_NameRecordings checks that observed rules have a year and existing
// recordings.
func TestDocs_NameRecordings(t *testing.T) {
	t.Parallel()
	observed := regexp.MustCompile(`^observed \d{4}(-\d{4})?(, \d{4})*(: .*)?$`)
	confidence := regexp.MustCompile(`^(documented|observed|client code|inferred|unknown)\b`)
	recording := regexp.MustCompile(`[a-z0-9_]+\.json`)
	for _, row := range docRows(t) {
		if !confidence.MatchString(row.confidence) || strings.HasPrefix(row.confidence, "observed") && !observed.MatchString(row.confidence) {
			t.Errorf("line %d: invalid confidence %q, want documented, observed with its year, client code, inferred or unknown", row.line, row.confidence)
		}
		for _, name := range recording.FindAllString(row.confidence, -1) {
			if _, err := os.Stat(filepath.Join("..", "..", "mixcloud", "testdata", "recorded", name)); err != nil {
				t.Errorf("line %d: the recording does not exist: %v", row.line, err)
			}
		}
	}
}

// TestProbes_AreComplete checks that every probe has a valid name, a check and a rule
// that is a sentence.
func TestProbes_AreComplete(t *testing.T) {
	t.Parallel()
	kebab := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for _, p := range probes() {
		if !kebab.MatchString(p.name) || p.check == nil {
			t.Errorf("probe %q has no check, or its name is not in lower case with hyphens", p.name)
		}
		if len(p.rule) < 20 || !strings.HasSuffix(strings.TrimSuffix(p.rule, `"`), ".") {
			t.Errorf("the rule of %s is not a sentence: %q", p.name, p.rule)
		}
	}
}

// routesWithoutProbe are the routes of the emulator that no probe requests, with the
// reasons.
var routesWithoutProbe = map[string]string{
	"/www/oembed/":                                "the probes of oEmbed use another base URL and their own pattern",
	"/categories/{category}/":                     "the list of categories has the same members",
	"/categories/{category}/userpick-cloudcasts/": "no client uses it, and it was recorded as a connection only (2013)",
	"/categories/{category}/userpick-users/":      "no client uses it, and it was recorded as a connection only (2013)",
	"/track/{artist}/{track}/":                    undocumentedRoute,
	"/track/{artist}/{track}/popular/":            undocumentedRoute,
	"/track/{artist}/{track}/new/":                undocumentedRoute,
	"/track/{artist}/{track}/hot/":                undocumentedRoute,
	"/artist/{artist}/popular/":                   undocumentedRoute,
	"/artist/{artist}/new/":                       undocumentedRoute,
	"/artist/{artist}/hot/":                       undocumentedRoute,
	"/{user}/playlists/{playlist}/":               "clients read playlists from their list, and their cloudcasts",
}

// undocumentedRoute is the reason for routes of tracks and artists.
const undocumentedRoute = "not documented since about 2015, and tracklists, which link to it, have been empty since about 2017"

// TestProbes_RequestEveryRoute checks that a probe requests every GET route of the
// emulator.
func TestProbes_RequestEveryRoute(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`\{[a-z]+\}`)
	bare := func(pattern string) string {
		pattern = named.ReplaceAllString(strings.TrimPrefix(pattern, "/www"), "{}")
		for _, prefix := range []string{"/tag/", "/discover/"} {
			if rest, ok := strings.CutPrefix(pattern, prefix); ok {
				return "/genres/" + rest
			}
		}
		return strings.Replace(pattern, "/me/", "/{}/", 1)
	}
	requested := map[string]bool{}
	for _, p := range probes() {
		for _, pattern := range p.paths {
			requested[bare(pattern)] = true
		}
	}
	for _, l := range userLists {
		requested["/{}/"+l.name+"/"] = true
	}
	for _, route := range emulator.Routes() {
		if route.Method != http.MethodGet || strings.HasPrefix(route.Pattern, "/www/oauth/") || strings.HasPrefix(route.Pattern, "/me/") {
			continue
		}
		switch _, exempt := routesWithoutProbe[route.Pattern]; {
		case !exempt && !requested[bare(route.Pattern)]:
			t.Errorf("no probe requests %s of mixcloud/emulator: write one in internal/conformance, and the rule that breaks it in mixcloud/emulator/broken_rules.go, then: go test ./internal/conformance -run 'Rule|Docs' -update", route.Pattern)
		case exempt && requested[bare(route.Pattern)]:
			t.Errorf("a probe requests %s: remove it from routesWithoutProbe in internal/conformance/docs_test.go", route.Pattern)
		}
	}
}
