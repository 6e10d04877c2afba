// Package queries contains the queries of the benchmarks: those that a client would send, in
// *.graphql, and generated ones.
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

// A Query is a query with its variables and token.
type Query struct {
	Name      string // such as "popular-users"
	Doc       string // description
	Text      string
	Variables map[string]any // numbers are json.Number
	Token     string         // of the viewer; "" for an anonymous query
	// After is the path of a connection in the response, such as "user.followers", or "". If it is
	// set the query requests the second page of the connection: $after is the cursor of the last
	// edge in the response to the query without $after.
	After string
	// IDs are the keys of the resources whose global ids are $ids, in order.
	IDs []string
}

// Named returns the queries of the files, in order. A file begins with comments: a description, and
// lines such as "# token: demo-token" for the fields of Query.
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
		q, err := parse(name, string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, q)
	}
	return all, nil
}

func parse(file, text string) (Query, error) {
	_, name, _ := strings.Cut(strings.TrimSuffix(file, ".graphql"), "-") // after the number
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
		return q, fmt.Errorf("the description is missing")
	}
	return q, nil
}
