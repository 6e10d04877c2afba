// Package queries holds the queries that the bench asks: those that a client
// would send, in *.graphql beside this file, and generated ones.
package queries

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed *.graphql
var files embed.FS

// A Query is one that the bench asks.
type Query struct {
	Name      string // such as "popular-users"
	Doc       string // what it is about
	Text      string
	Variables map[string]any // numbers are json.Number
	Token     string         // whose viewer it acts for; "" for nobody
	// After is the way to a connection in the answer, such as "user.followers".
	// If there is one, the query asks for the connection's next page: $after is
	// the cursor of the last edge that the same query has without it.
	After string
	// IDs are keys of resources whose global ids, in this order, are $ids.
	IDs []string
}

// Named are the queries of the files, in their order. A file begins with
// comments: what it is about, and lines such as "# token: demo-token" for the
// fields of Query.
func Named() ([]Query, error) {
	names, err := fs.Glob(files, "*.graphql") // sorted
	if err != nil {
		return nil, err
	}
	all := make([]Query, 0, len(names))
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		q, err := read(name, string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, q)
	}
	return all, nil
}

func read(file, text string) (Query, error) {
	_, name, _ := strings.Cut(strings.TrimSuffix(file, ".graphql"), "-") // a number before it
	q := Query{Name: name, Text: text}
	for line := range strings.Lines(text) {
		comment, ok := strings.CutPrefix(line, "# ")
		if !ok {
			break
		}
		comment = strings.TrimSpace(comment)
		key, value, _ := strings.Cut(comment, ": ")
		switch key {
		case "variables":
			d := json.NewDecoder(bytes.NewReader([]byte(value)))
			d.UseNumber()
			if err := d.Decode(&q.Variables); err != nil {
				return q, fmt.Errorf("variables: %w", err)
			}
		case "token":
			q.Token = value
		case "after":
			q.After = value
		case "ids":
			q.IDs = strings.Fields(value)
		default:
			q.Doc = strings.TrimSpace(q.Doc + " " + comment)
		}
	}
	if q.Doc == "" {
		return q, fmt.Errorf("does not say what it is about")
	}
	return q, nil
}
