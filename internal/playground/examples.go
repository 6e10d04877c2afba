package playground

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// An Example is an operation in the gallery of the page.
type Example struct {
	Title       string          `json:"title"`
	Description string          `json:"description,omitempty"`
	Group       string          `json:"group"`
	Kind        string          `json:"kind"` // query, mutation or subscription
	Query       string          `json:"query"`
	Variables   json.RawMessage `json:"variables,omitempty"`
	Files       []string        `json:"files,omitempty"` // names of the variables that take a file
	Token       bool            `json:"token,omitempty"` // the operation needs an access token
}

// Examples returns the examples of the page, in order. They are the files in the folder
// examples. Each one starts with comments. The first line is the title, and the next ones are the
// description, except for these directives, which are not part of the query:
//
//	# group: the group of the gallery
//	# variables: the variables as a JSON object
//	# files: the names of the variables that take a file
//	# token
//
// The directive token marks an operation that needs an access token.
func Examples() ([]Example, error) {
	names, err := fs.Glob(files, "examples/*.graphql")
	if err != nil {
		return nil, err
	}
	all := make([]Example, 0, len(names))
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		e, err := parseExample(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, e)
	}
	return all, nil
}

var operationKind = regexp.MustCompile(`(?m)^(query|mutation|subscription)\b`)

func parseExample(text string) (Example, error) {
	var e Example
	var query strings.Builder
	var description []string
	for line := range strings.Lines(text) {
		comment, isComment := strings.CutPrefix(strings.TrimSpace(line), "# ")
		if !isComment {
			query.WriteString(line)
			continue
		}
		name, value, _ := strings.Cut(comment, ": ")
		switch {
		case name == "variables":
			if !json.Valid([]byte(value)) {
				return Example{}, fmt.Errorf("the variables are not valid JSON: %s", value)
			}
			e.Variables = json.RawMessage(value)
			continue
		case name == "group":
			e.Group = value
			continue
		case name == "files":
			e.Files = strings.Split(value, ", ")
			continue
		case comment == "token":
			e.Token = true
			continue
		case e.Title == "":
			e.Title = comment
		default:
			description = append(description, comment)
		}
		query.WriteString(line)
	}
	e.Query, e.Description, e.Kind = query.String(), strings.Join(description, " "), operationKind.FindString(query.String())
	if e.Title == "" || e.Group == "" || e.Kind == "" {
		return Example{}, errors.New("the example has no title, no group or no named operation")
	}
	return e, nil
}
