package queries

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// Command is the command that generates the files of generated queries.
const Command = "go run ./bench/queries/generate"

//go:embed generated/*.graphql
var generated embed.FS

// Generated returns the queries of the files in generated, by the file's name without extension. If
// a query is not valid in the schema, the error contains its position and Command.
//
// The queries are committed because a Generator generates different ones for a different schema: a
// new field would change all of them.
func Generated(schema *ast.Schema) (map[string][]Query, error) {
	names, err := fs.Glob(generated, "generated/*.graphql")
	if err != nil {
		return nil, err
	}
	all := make(map[string][]Query, len(names))
	for _, name := range names {
		text, err := generated.ReadFile(name)
		if err != nil {
			return nil, err
		}
		read, err := parseGenerated(schema, name, string(text))
		if err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(path.Base(name), ".graphql")] = read
	}
	return all, nil
}

// parseGenerated parses a file that has a comment or a query on each line.
func parseGenerated(schema *ast.Schema, file, text string) ([]Query, error) {
	var read []Query
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if _, err := gqlparser.LoadQueryWithRules(schema, line, nil); err != nil {
			return nil, fmt.Errorf("bench/queries/%s:%d: %w\nIf the schema has changed, generate new queries with: %s", file, number, err, Command)
		}
		read = append(read, Query{Name: fmt.Sprintf("%s:%d", file, number), Text: line})
	}
	return read, nil
}

// Write returns the text of a file with n generated queries. Each is on its own line and has a name,
// so that the file is one document.
func (g *Generator) Write(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Written by %s; do not edit.\n", Command)
	for i := range n {
		fmt.Fprintf(&b, "query Q%d %s\n", i+1, g.Query())
	}
	return b.String()
}
