package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed queries
var queryFiles embed.FS

// The folders of queryFiles. Both contain the same queries, each in the schema of its servers.
const (
	ourQueries  = "queries/ours"
	nodeQueries = "queries/node"
)

// A query is a query in both schemas.
type query struct {
	name   string            // such as "2 user-cloudcasts"
	texts  map[string]string // by folder
	quoted map[string][]byte // the same as JSON
}

// repeated contains the beginnings of the names of the queries that are also measured with the same
// variables in each request: a small query, a fan-out and a large one.
var repeated = []string{"2 ", "4 ", "6 "}

func (q query) repeats() bool {
	return slices.ContainsFunc(repeated, func(number string) bool { return strings.HasPrefix(q.name, number) })
}

// loadQueries returns the queries whose names contain a text, in order.
func loadQueries(text string) (all []query, err error) {
	names, err := fs.Glob(queryFiles, ourQueries+"/*.graphql") // sorted
	if err != nil {
		return nil, err
	}
	for _, file := range names {
		q := query{name: strings.Replace(strings.TrimSuffix(path.Base(file), ".graphql"), "-", " ", 1), texts: map[string]string{}, quoted: map[string][]byte{}}
		for _, folder := range []string{ourQueries, nodeQueries} {
			text, err := queryFiles.ReadFile(path.Join(folder, path.Base(file)))
			if err != nil {
				return nil, err
			}
			q.texts[folder] = string(text)
			if q.quoted[folder], err = json.Marshal(string(text)); err != nil {
				return nil, err
			}
		}
		if strings.Contains(q.name, text) {
			all = append(all, q)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no query has a name that contains %q", text)
	}
	return all, nil
}

// usesOffset reports whether the variable of a query is the offset of a page. Otherwise it is a name.
func (q query) usesOffset() bool {
	return strings.HasPrefix(q.name[2:], "popular") || strings.HasPrefix(q.name[2:], "hundred")
}

// variables returns the variables of a query for a number. The queries for two numbers read no
// object or page in common.
func (q query) variables(n int64) map[string]any {
	if q.usesOffset() {
		return map[string]any{"offset": n * 100}
	}
	return map[string]any{"name": fmt.Sprint("user", n)}
}

// body returns the body of a request with the variables for a number.
func (q query) body(folder string, n int64) []byte {
	if q.usesOffset() {
		return fmt.Appendf(nil, `{"query":%s,"variables":{"offset":%d}}`, q.quoted[folder], n*100)
	}
	return fmt.Appendf(nil, `{"query":%s,"variables":{"name":"user%d"}}`, q.quoted[folder], n)
}

// scalars returns the scalar values in the data of a response, sorted. They are equal in responses
// to the same query in different schemas.
func scalars(response []byte) ([]string, error) {
	var r struct {
		Data   any               `json:"data"`
		Errors []json.RawMessage `json:"errors"`
	}
	if err := json.Unmarshal(response, &r); err != nil {
		return nil, err
	}
	if len(r.Errors) > 0 {
		return nil, fmt.Errorf("the response has errors: %.300s", r.Errors[0])
	}
	var values []string
	var collect func(any)
	collect = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, member := range v {
				collect(member)
			}
		case []any:
			for _, item := range v {
				collect(item)
			}
		default:
			values = append(values, fmt.Sprint(v))
		}
	}
	collect(r.Data)
	slices.Sort(values)
	return values, nil
}
