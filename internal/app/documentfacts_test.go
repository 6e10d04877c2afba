package app

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud/emulator"
)

// tableUnder returns the cells of the first table below a heading of a page, without
// the table's head and without backticks.
func tableUnder(t *testing.T, page, heading string) [][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/%s has no heading %q", page, heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var rows [][]string
	for line := range strings.Lines(section) {
		switch {
		case strings.HasPrefix(line, "| "):
			cells := strings.Split(strings.Trim(strings.ReplaceAll(line, "`", ""), "| \n"), " | ")
			rows = append(rows, cells)
		case rows != nil:
			return rows[2:]
		}
	}
	if len(rows) < 3 {
		t.Fatalf("docs/%s has no table under %q", page, heading)
	}
	return rows[2:]
}

func firstCells(rows [][]string) []string {
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row[0]
	}
	return names
}

// docs/errors.md lists every code of errors and of user errors.
func TestDocs_Codes(t *testing.T) {
	t.Parallel()
	var codes, userCodes []string
	for _, code := range gqlerr.Codes() {
		codes = append(codes, string(code))
	}
	for _, code := range model.AllUserErrorCode {
		userCodes = append(userCodes, string(code))
	}
	for heading, want := range map[string][]string{"Which codes are there?": codes, "What is a user error?": userCodes} {
		if got := firstCells(tableUnder(t, "errors.md", heading)); !slices.Equal(got, want) {
			t.Errorf("%s lists %q, want %q", heading, got, want)
		}
	}
}

// docs/caching.md lists the default lifetimes.
func TestDocs_Lifetimes(t *testing.T) {
	t.Parallel()
	rows := tableUnder(t, "caching.md", "How old can data be?")
	classes := upstream.Classes()
	if len(rows) != len(classes) {
		t.Fatalf("the table has %d rows, want %d", len(rows), len(classes))
	}
	for i, class := range classes {
		life := class.Lifetime()
		want := []string{class.String(), short(life.Fresh), short(life.Revalidate), short(life.NegativeTTL)}
		if !slices.Equal(rows[i], want) {
			t.Errorf("the row of %s is %q, want %q", class, rows[i], want)
		}
		if life.Retain != 24*time.Hour {
			t.Errorf("entries of the class %v are retained for %v, want 24 hours as on the page", class, life.Retain)
		}
	}
}

// short formats a duration as people write it.
func short(d time.Duration) string {
	if d == 0 {
		return "never"
	}
	return regexp.MustCompile(`([hm])0m?0?s`).ReplaceAllString(d.String(), "$1")
}

// docs/emulator.md lists every fault.
func TestDocs_Faults(t *testing.T) {
	t.Parallel()
	var want []string
	for _, kind := range emulator.FaultKinds() {
		want = append(want, string(kind))
	}
	if got := firstCells(tableUnder(t, "emulator.md", "Which faults are there?")); !slices.Equal(got, want) {
		t.Errorf("the page lists %q, want %q", got, want)
	}
}
