package conformance

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A docRow is a row of a table of docs/mixcloud-api.md.
type docRow struct {
	line                      int
	section, fact, sure, told string
}

func docRows(t *testing.T) []docRow {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", docPath))
	if err != nil {
		t.Fatal(err)
	}
	var rows []docRow
	section := ""
	for i, line := range strings.Split(string(text), "\n") {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.ToLower(strings.ReplaceAll(heading, " ", "-"))
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if !strings.HasPrefix(line, "| ") || section == "" || cells[0] == "---" || strings.HasSuffix(cells[len(cells)-1], "probe") {
			continue
		}
		if len(cells) != 3 {
			t.Errorf("line %d has %d cells", i+1, len(cells))
			continue
		}
		rows = append(rows, docRow{i + 1, section, cells[0], cells[1], cells[2]})
	}
	return rows
}

// The page and the probes tell of each other, in the same section and with the
// same confidence.
func TestDocs_ListProbes(t *testing.T) {
	t.Parallel()
	known := make(map[string]probe)
	for _, p := range probes() {
		if _, twice := known[p.name]; twice {
			t.Errorf("two probes are called %s", p.name)
		}
		known[p.name] = p
	}
	quoted := regexp.MustCompile("^`([a-z0-9-]+)`$")
	for _, row := range docRows(t) {
		m := quoted.FindStringSubmatch(row.told)
		if m == nil {
			if row.told != "none" && !strings.HasPrefix(row.told, "none: ") {
				t.Errorf("line %d names no probe: %q", row.line, row.told)
			}
			continue
		}
		p, ok := known[m[1]]
		if !ok {
			t.Errorf("line %d names the probe %s, which does not exist or stands there twice", row.line, m[1])
			continue
		}
		delete(known, m[1])
		if p.section != row.section {
			t.Errorf("line %d: %s belongs to #%s", row.line, p.name, p.section)
		}
		if !strings.HasPrefix(row.sure, string(p.sure)) {
			t.Errorf("line %d: %s is %s, and %q there", row.line, p.name, p.sure, row.sure)
		}
	}
	for name := range known {
		t.Errorf("the page does not name the probe %s", name)
	}
}

// What is called observed says when, and names recordings that are there.
func TestDocs_NameRecordings(t *testing.T) {
	t.Parallel()
	observed := regexp.MustCompile(`^observed \d{4}(-\d{4})?(, \d{4})*(: .*)?$`)
	confidence := regexp.MustCompile(`^(documented|observed|client code|inferred|unknown)\b`)
	recording := regexp.MustCompile(`[a-z0-9_]+\.json`)
	for _, row := range docRows(t) {
		if !confidence.MatchString(row.sure) || strings.HasPrefix(row.sure, "observed") && !observed.MatchString(row.sure) {
			t.Errorf("line %d: how sure is %q", row.line, row.sure)
		}
		for _, name := range recording.FindAllString(row.sure, -1) {
			if _, err := os.Stat(filepath.Join("..", "..", "mixcloud", "testdata", "recorded", name)); err != nil {
				t.Errorf("line %d: %v", row.line, err)
			}
		}
	}
}

// Every probe says what it asks for, in the project's own words.
func TestProbes_SayWhatTheyAsk(t *testing.T) {
	t.Parallel()
	kebab := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for _, p := range probes() {
		if !kebab.MatchString(p.name) || p.judge == nil {
			t.Errorf("%q is no probe", p.name)
		}
		if len(p.rule) < 20 || !strings.HasSuffix(strings.TrimSuffix(p.rule, `"`), ".") {
			t.Errorf("the rule of %s is no sentence: %q", p.name, p.rule)
		}
	}
}
