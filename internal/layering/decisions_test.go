package layering

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	decisionTitle  = regexp.MustCompile(`^# ([0-9]+)\. (.+)$`)
	decisionStatus = regexp.MustCompile(`^Date: 20[0-9]{2}-[0-9]{2}-[0-9]{2}\. Status: (accepted|superseded by \[ADR [0-9]+\]\([^)]+\))[.,] ?`)
	amends         = regexp.MustCompile(`(?:Amends|Supersedes) [^.]*\.`)
	linkTarget     = regexp.MustCompile(`\]\(([^)]+)\)`)
)

// TestDecisions checks the form of each record in docs/adr: the name of the file is the number and
// the title, the status names the records that replace it, and the text fits on a screen.
func TestDecisions(t *testing.T) {
	t.Parallel()
	const dir, index, maximum = "docs/adr", "docs/adr/README.md", 50
	texts := documents(t)
	checked := 0
	for name, text := range texts {
		if path.Dir(name) != dir || name == index {
			continue
		}
		checked++
		for _, problem := range decisionProblems(path.Base(name), text) {
			t.Errorf("%s: %s", name, problem)
		}
		if lines := strings.Count(text, "\n"); lines > maximum {
			t.Errorf("%s has %d lines, want at most %d", name, lines, maximum)
		}
		if !strings.Contains(texts[index], "("+path.Base(name)+")") {
			t.Errorf("%s does not list %s", index, name)
		}
		for _, sentence := range amends.FindAllString(decisionHead(text), -1) {
			for _, m := range linkTarget.FindAllStringSubmatch(sentence, -1) {
				if !strings.Contains(decisionHead(texts[path.Join(dir, m[1])]), "("+path.Base(name)+")") {
					t.Errorf("%s: the status must name %s, which amends or supersedes this record", m[1], name)
				}
			}
		}
	}
	if checked < 40 {
		t.Errorf("%d decisions were checked, want at least 40", checked)
	}
}

// decisionHead returns the paragraph with the date and the status.
func decisionHead(text string) string {
	_, rest, _ := strings.Cut(text, "\n\n")
	head, _, _ := strings.Cut(rest, "\n\n")
	return strings.ReplaceAll(head, "\n", " ")
}

// decisionProblems returns the deviations of a record from the form.
func decisionProblems(file, text string) (problems []string) {
	title, _, _ := strings.Cut(text, "\n")
	m := decisionTitle.FindStringSubmatch(title)
	if m == nil {
		problems = append(problems, "the first line must be `# NUMBER. Title`")
	} else if want := strings.Repeat("0", max(0, 4-len(m[1]))) + m[1] + "-" + slug(m[2]) + ".md"; file != want {
		problems = append(problems, "the name of the file must be "+want+", from the number and the title")
	}
	if !decisionStatus.MatchString(decisionHead(text)) {
		problems = append(problems, "the second paragraph must be `Date: YYYY-MM-DD. Status: accepted.` or `Status: superseded by [ADR N](file).`")
	}
	position := 0
	for _, section := range []string{"\n## Context\n", "\n## Decision\n", "\n## Consequences\n"} {
		at := strings.Index(text[position:], section)
		if at < 0 {
			problems = append(problems, "the section "+strings.Trim(section, "\n# ")+" is missing or in the wrong place")
			continue
		}
		position += at
	}
	return problems
}

// slug returns a title in lower case, with hyphens between its words.
func slug(title string) string {
	return strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(title), "-"), "-")
}

func TestDecisionProblems(t *testing.T) {
	t.Parallel()
	const good = "# 7. HTTP/2 and TLS\n\nDate: 2026-11-24. Status: accepted.\n\n## Context\n\n## Decision\n\n## Consequences\n"
	for _, tc := range []struct {
		name, file, old, new string
		want                 int
	}{
		{"good", "0007-http-2-and-tls.md", "", "", 0},
		{"superseded", "0007-http-2-and-tls.md", "accepted", "superseded by [ADR 9](0009-x.md)", 0},
		{"other file name", "0007-riddle.md", "", "", 1},
		{"other number", "0008-http-2-and-tls.md", "", "", 1},
		{"no number", "0007-http-2-and-tls.md", "# 7. ", "# ", 1},
		{"no date", "0007-http-2-and-tls.md", "Date: 2026-11-24. ", "", 1},
		{"unknown status", "0007-http-2-and-tls.md", "accepted", "done", 1},
		{"superseded by nothing", "0007-http-2-and-tls.md", "accepted", "superseded", 1},
		{"no context", "0007-http-2-and-tls.md", "## Context\n", "", 1},
		{"consequences first", "0007-http-2-and-tls.md", "## Context\n\n## Decision\n\n## Consequences", "## Consequences\n\n## Context\n\n## Decision", 1},
	} {
		if problems := decisionProblems(tc.file, strings.Replace(good, tc.old, tc.new, 1)); len(problems) != tc.want {
			t.Errorf("%s: problems = %q, want %d", tc.name, problems, tc.want)
		}
	}
}
