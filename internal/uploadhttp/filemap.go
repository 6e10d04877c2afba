package uploadhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/upload"
)

// parseMap parses the form's map, which contains the path of the variable of each part. It is
// stricter than the specification: each file must have one path, and each path one file, because
// files are read only once, while they arrive.
func parseMap(text []byte) ([]upload.File, error) {
	const want = `The form's "map" must be a JSON object that maps each file to a list of one path, such as {"0": ["variables.input.mp3"]}.`
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\uFEFF")))) // a byte order mark (RFC 8259, section 8.1)
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, malformed(want)
	}
	var all []upload.File
	parts, paths := map[string]bool{}, map[string]bool{}
	for dec.More() {
		name, err := dec.Token()
		part, _ := name.(string)
		var to []string
		if err != nil || dec.Decode(&to) != nil {
			return nil, malformed(want)
		}
		switch {
		case part == "" || part == "operations" || part == "map" || len(part) > 256:
			return nil, malformed(`The form's "map" has an invalid file name.`)
		case parts[part]:
			return nil, malformed(`The form's "map" has a duplicate file name.`)
		case len(to) == 0:
			return nil, malformed(`The form's "map" has a file without a path.`)
		case len(to) > 1:
			return nil, malformed(`The form's "map" maps one file to %d paths. A file is read once, while it arrives, so it can have only one path.`, len(to))
		case paths[to[0]]:
			return nil, malformed(`The form's "map" maps two files to the same path.`)
		case len(all) == maxFiles:
			return nil, tooLarge("The form has more than %d files.", maxFiles)
		}
		parts[part], paths[to[0]] = true, true
		all = append(all, upload.File{Part: part, Path: to[0]})
	}
	if _, err := dec.Token(); err != nil {
		return nil, malformed(want)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed(`The form's "map" has more than one JSON value.`)
	}
	return all, nil
}

// insert sets the variable at a file's path, as graphql-upload does: it replaces any
// placeholder (null, {}, a string), and creates missing objects and lists on the path. It
// refuses a path through a null or a scalar.
func insert(variables map[string]any, file upload.File) error {
	steps := strings.Split(file.Path, ".")
	if len(steps) < 2 || steps[0] != "variables" || slices.Contains(steps, "") {
		return malformed(`The form's "map" has the path %q. A path must begin with "variables." and end at the value of a file.`, gqlerr.Excerpt(file.Path))
	}
	if _, ok := insertAt(variables, steps[1:], file); !ok {
		return malformed(`The form's "map" has the path %q, which does not match the variables.`, gqlerr.Excerpt(file.Path))
	}
	return nil
}

// insertAt returns a value with the file at steps below it, or false if the path is impossible.
func insertAt(in any, steps []string, file upload.File) (any, bool) {
	if len(steps) == 0 {
		return file, true
	}
	switch in := in.(type) {
	case map[string]any:
		next, found := in[steps[0]]
		if !found && len(steps) > 1 {
			next = newContainer(steps[1])
		}
		value, ok := insertAt(next, steps[1:], file)
		if ok {
			in[steps[0]] = value
		}
		return in, ok
	case []any:
		n, ok := parseIndex(steps[0])
		if !ok || n >= max(len(in), maxFiles) {
			return nil, false
		}
		missing := n >= len(in)
		for n >= len(in) {
			in = append(in, nil)
		}
		if missing && len(steps) > 1 {
			in[n] = newContainer(steps[1])
		}
		in[n], ok = insertAt(in[n], steps[1:], file)
		return in, ok
	}
	return nil, false
}

// newContainer returns the value for a missing member on a path: a list if the next step is an
// index, otherwise an object.
func newContainer(step string) any {
	if _, ok := parseIndex(step); ok {
		return []any{}
	}
	return map[string]any{}
}

// parseIndex parses a step as a list index.
func parseIndex(step string) (int, bool) {
	n, err := strconv.Atoi(step)
	return n, err == nil && n >= 0 && step == strconv.Itoa(n)
}
