package layering

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var updateLogEvents = flag.Bool("update", false, "rewrite the levels and attributes in docs/operations.md, and add new events")

const operationsPage = "../../docs/operations.md"

// standardMessages are the events that alerts are written for. Their words do not change.
var standardMessages = []string{"circuit breaker opened", "rate limited by Mixcloud", "panic", "connected to Redis"}

// TestLogEvents compares the section "Which log events are there?" of docs/operations.md with the log lines of the
// code. A row contains the message, the levels, the attributes, the meaning and the action of the operator. The last
// two columns are written by hand.
func TestLogEvents(t *testing.T) {
	t.Parallel()
	events := collectLogEvents(t)
	text, err := os.ReadFile(operationsPage)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	listed := map[string]bool{}
	lastRow := 0
	for line := range strings.SplitSeq(string(text), "\n") {
		message, cells := eventRow(line)
		if message == "" {
			lines = append(lines, line)
			continue
		}
		event := events[message]
		switch {
		case listed[message]:
			t.Errorf("docs/operations.md lists %q twice", message)
		case event == nil && *updateLogEvents:
			continue
		case event == nil:
			t.Errorf("docs/operations.md lists %q, which the code does not log", message)
		case *updateLogEvents:
			cells[1], cells[2] = event.cells()
			line = "| " + strings.Join(cells, " | ") + " |"
		default:
			if level, attributes := event.cells(); cells[1] != level || cells[2] != attributes {
				t.Errorf("docs/operations.md: %q has the level %q and the attributes %q, want %q and %q: run this test with -update",
					message, cells[1], cells[2], level, attributes)
			}
		}
		if event != nil && slices.Contains(cells[3:], "") {
			t.Errorf("docs/operations.md: the row of %q lacks its meaning or its action", message)
		}
		listed[message] = true
		lines = append(lines, line)
		lastRow = len(lines)
	}
	for _, message := range slices.Sorted(maps.Keys(events)) {
		if listed[message] {
			continue
		}
		t.Errorf("docs/operations.md does not list %q: run this test with -update, and write its meaning and action", message)
		level, attributes := events[message].cells()
		lines = slices.Insert(lines, lastRow, fmt.Sprintf("| `%s` | %s | %s |  |  |", message, level, attributes))
		lastRow++
	}
	for _, message := range standardMessages {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(events)), func(m string) bool { return strings.HasPrefix(m, message) }) {
			t.Errorf("no log line begins with %q", message)
		}
	}
	if *updateLogEvents {
		if err := os.WriteFile(operationsPage, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// eventRow returns the message and the cells of a row of an event. The message is "" for
// other lines.
func eventRow(line string) (message string, cells []string) {
	if !strings.HasPrefix(line, "| `") {
		return "", nil
	}
	cells = strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |"), " | ")
	if len(cells) != 5 {
		return "", nil
	}
	return strings.Trim(cells[0], "`"), cells
}

// cells returns the table cells of an event's levels and attributes.
func (e *logEvent) cells() (level, attributes string) {
	names := make([]string, len(e.attributes))
	for i, name := range e.attributes {
		names[i] = "`" + name + "`"
	}
	return strings.Join(e.levels, ", "), strings.Join(names, ", ")
}

// The collector follows functions that pass a message on, finds attributes in variables, and
// reports messages and names that are not constant.
func TestLogCollector(t *testing.T) {
	t.Parallel()
	const source = `package p

import ("context"; "log/slog")

func wrapper(l *slog.Logger, level slog.Level, msg string, args ...any) {
	l.Log(context.Background(), level, msg, append(args, count(2))...)
}

func count(n int) slog.Attr { return slog.Int("count", n) }

func f(l *slog.Logger, name, text string, bad bool) {
	wrapper(l, slog.LevelWarn, "wrapped", "key", 1)
	level := slog.LevelInfo
	if bad {
		level = slog.LevelError
	}
	attrs := []any{"first", 1}
	if bad {
		attrs = append(attrs, "second", 2)
	}
	l.Log(context.Background(), level, "variables", attrs...)
	slog.Info("a " + text)
	slog.Info("constant", name, 1)
}
`
	c, _ := newLogCollector(t)
	file, err := parser.ParseFile(c.fset, "p.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	c.addPackage(t, "p", []*ast.File{file})
	for message, want := range map[string][2]string{
		"wrapped": {"warn", "`key`, `count`"}, "variables": {"info, error", "`first`, `second`"},
	} {
		if c.events[message] == nil {
			t.Errorf("no log call with the message %q was found", message)
		} else if level, attributes := c.events[message].cells(); level != want[0] || attributes != want[1] {
			t.Errorf("%q: level %q, attributes %q; want %q", message, level, attributes, want)
		}
	}
	if len(c.problems) != 2 || !strings.Contains(c.problems[0].Error(), "p.go:22:") || !strings.Contains(c.problems[1].Error(), "p.go:23:") {
		t.Errorf("problems = %v, want one on line 22 and one on line 23", c.problems)
	}
}
