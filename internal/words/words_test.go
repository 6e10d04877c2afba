package words

import (
	"bufio"
	_ "embed"
	"flag"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

//go:embed banned.txt
var list string

var (
	root = flag.String("root", "../..", "root of the tree to check")
	only = flag.String("only", "", "check only files whose path begins with one of these, separated by commas")
)

// A rule is one line of banned.txt.
type rule struct {
	pattern *regexp.Regexp
	instead string
}

// inFlight is the standard term that contains a banned word.
var inFlight = regexp.MustCompile(`(?i)\bin[- ]?flight\b`)

// inlineCode is code in a line of a document. The names in it are checked where they are declared.
var inlineCode = regexp.MustCompile("`[^`]*`")

// exceptions maps FILE:EXPRESSION to the reason why the file may contain the banned
// expression.
var exceptions = map[string]string{
	"internal/auth/keys.go:audience": "a label from which keys are derived: changing it would change all principals",
}

func rules(t *testing.T) []rule {
	t.Helper()
	var all []rule
	lines := bufio.NewScanner(strings.NewReader(list))
	for lines.Scan() {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		expression, instead, ok := strings.Cut(line, "\t")
		if !ok || instead == "" {
			t.Fatalf("banned.txt: %q has no alternative", line)
		}
		all = append(all, rule{regexp.MustCompile(`(?i)\b(?:` + expression + `)\b`), instead})
	}
	return all
}

// TestBanned reports each banned expression, with its file, line and alternative.
func TestBanned(t *testing.T) {
	all, files := rules(t), 0
	tree := os.DirFS(*root)
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if excluded(name, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		extract := extractorFor(name)
		if extract == nil || !selected(name) {
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		files++
		for _, l := range extract(source) {
			for _, r := range all {
				if found := r.pattern.FindString(l.text); found != "" && exceptions[name+":"+found] == "" {
					t.Errorf("%s:%d: %q: use %s", name, l.line, found, r.instead)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if *only == "" && files < 500 {
		t.Errorf("%d files were checked, want at least 500", files)
	}
}

func excluded(name, base string) bool {
	switch name {
	case ".":
		return false
	case "graph/generated", "internal/words", "docs/schema", "mixcloud/emulator/world":
		return true
	}
	return base == "testdata" || base == "node_modules" || base == "dist" || (base[0] == '.' && base != ".ci")
}

func selected(name string) bool {
	if *only == "" {
		return true
	}
	for prefix := range strings.SplitSeq(*only, ",") {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// A textLine is the checked text of a line, or a part of it, with the line number.
type textLine struct {
	line int
	text string
}

// extractorFor returns the function that extracts the checked lines from a file
// with this name, or nil if such files are not checked.
func extractorFor(name string) func([]byte) []textLine {
	switch {
	case strings.HasSuffix(name, "_gen.go"):
		return nil
	case path.Ext(name) == ".go":
		return goTexts
	}
	switch path.Ext(name) {
	case ".md", ".graphqls", ".html", ".js", ".mjs", ".ts", ".tsx", ".css", ".yml", ".yaml":
		return lines
	}
	if name == ".ci/run" || name == "Makefile" {
		return lines
	}
	return nil
}

func lines(source []byte) (all []textLine) {
	n := 0
	for line := range strings.Lines(string(source)) {
		n++
		all = append(all, textLine{n, inFlight.ReplaceAllString(inlineCode.ReplaceAllString(line, ""), "")})
	}
	return all
}

// goTexts returns the comments, the literals and the identifiers of Go source.
// Import paths are literals too; none of them contains a banned word.
func goTexts(source []byte) (all []textLine) {
	files := token.NewFileSet()
	file := files.AddFile("", -1, len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, scanner.ScanComments)
	for {
		pos, tok, text := s.Scan()
		switch tok {
		case token.EOF:
			return all
		case token.IDENT:
			text = split(text)
		case token.COMMENT, token.STRING:
		default:
			continue
		}
		at := files.Position(pos).Line
		for line := range strings.Lines(text) {
			all = append(all, textLine{at, inFlight.ReplaceAllString(line, "")})
			at++
		}
	}
}

// split returns the words of an identifier, separated by spaces.
func split(identifier string) string {
	var b strings.Builder
	previous := rune(0)
	for _, r := range identifier {
		if r == '_' || (unicode.IsUpper(r) && !unicode.IsUpper(previous)) {
			b.WriteByte(' ')
		}
		if r != '_' {
			b.WriteRune(r)
		}
		previous = r
	}
	return b.String()
}

func TestGoTexts(t *testing.T) {
	var got []string
	for _, p := range goTexts([]byte("package a\n\n// One\nvar theXylophone_x = \"two\" // in-flight call\n")) {
		got = append(got, fmt.Sprintf("%d:%s", p.line, strings.TrimSpace(p.text)))
	}
	want := []string{"1:a", "3:// One", "4:the Xylophone x", `4:"two"`, "4://  call"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", got, want)
	}
}
