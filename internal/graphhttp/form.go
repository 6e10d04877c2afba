package graphhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/multipartstream"
	"mixcloud-graphql/internal/upload"
)

// Bounds of a multipart request. Those of its files are the schema's business.
const (
	maxMap   = 16 << 10
	maxFiles = 2 // an upload has no more
)

// specification is where the form of a multipart request is described.
const specification = "https://github.com/jaydenseric/graphql-multipart-request-spec"

// A formError is a request that is not of the form that the specification has.
type formError struct {
	status int
	err    error
}

func (e *formError) Error() string { return e.err.Error() }

// Unwrap gives the error in its public words.
func (e *formError) Unwrap() error { return e.err }

func malformed(format string, args ...any) *formError {
	return &formError{http.StatusBadRequest, badRequest(fmt.Sprintf(format, args...))}
}

func tooLarge(format string, args ...any) *formError {
	return &formError{http.StatusRequestEntityTooLarge, gqlerr.Limit(fmt.Sprintf(format, args...))}
}

// unreadable says what kept a body from being read.
func unreadable(err error) *formError {
	if form, ok := errors.AsType[*formError](err); ok {
		return form
	}
	switch {
	case isLate(err):
		return &formError{http.StatusRequestTimeout, badRequest("The client has stopped sending before the request was whole.")}
	case errors.Is(err, multipartstream.ErrHeaders):
		return malformed("A part of the request has headers that are too long or malformed. Each needs a Content-Disposition of form-data with a name.")
	case errors.Is(err, multipartstream.ErrPreamble):
		return malformed("The request body does not begin with the boundary that its Content-Type names.")
	case errors.Is(err, multipartstream.ErrEpilogue):
		return malformed("The request body goes on after its closing boundary.")
	}
	return malformed("The request body did not arrive whole: it ends before its closing boundary.")
}

// field reads one of the first two parts of the form whole.
func field(parts *multipartstream.Reader, name string, limit int64, hold *bodyHold) ([]byte, error) {
	part, err := parts.Next()
	if errors.Is(err, io.EOF) {
		return nil, malformed(`The form has no "%s". Send "operations", then "map", then the files: %s`, name, specification)
	}
	if err != nil {
		return nil, unreadable(err)
	}
	if part.Name != name {
		return nil, malformed(`The form has another part where "%s" must be. Send "operations", then "map", then the files, in this order: %s`, name, specification)
	}
	if err := plain(part); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(hold.reader(io.LimitReader(part, limit+1)))
	switch {
	case errors.Is(err, errBodies):
		return nil, err
	case err != nil:
		return nil, unreadable(err)
	case int64(len(text)) > limit && name == "operations":
		return nil, &formError{http.StatusRequestEntityTooLarge, tooLong(limit+1, limit, `The form's "operations"`)}
	case int64(len(text)) > limit:
		return nil, tooLarge(`The form's "%s" has more than %d bytes.`, name, limit)
	}
	return text, nil
}

// plain refuses parts that would have to be decoded: nothing is, files least
// of all.
func plain(part *multipartstream.Part) error {
	switch strings.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
	case "", "binary", "8bit", "7bit":
	default:
		return malformed("A part of the form has a Content-Transfer-Encoding. Send it as it is.")
	}
	if part.Name != "operations" && part.Name != "map" {
		return nil
	}
	if kind := part.Header.Get("Content-Type"); kind != "" {
		_, params, err := mime.ParseMediaType(kind)
		if charset := params["charset"]; err != nil || charset != "" && !strings.EqualFold(charset, "utf-8") {
			return malformed(`The form's "%s" must be JSON in UTF-8.`, part.Name)
		}
	}
	return nil
}

// fileMap reads the form's map: which part of it is the value of which variable.
func fileMap(text []byte) ([]upload.File, error) {
	const want = `The form's "map" must be a JSON object that gives each file a list of one path, such as {"0": ["variables.input.mp3"]}.`
	dec := json.NewDecoder(bytes.NewReader(unmarked(text)))
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
			return nil, malformed(`The form's "map" has a file whose name cannot be one.`)
		case parts[part]:
			return nil, malformed(`The form's "map" names a file twice.`)
		case len(to) == 0:
			return nil, malformed(`The form's "map" has a file without a path.`)
		case len(to) > 1:
			return nil, malformed(`The form's "map" puts one file at %d paths. A file is read once, while it arrives, so it has one.`, len(to))
		case paths[to[0]]:
			return nil, malformed(`The form's "map" puts two files at one path.`)
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

// place puts a file where its path leads in the variables, as graphql-upload
// does: whatever is there is its placeholder, be it null, {} or a text, and what
// is missing on the way is made. A path through a null or a text leads nowhere.
func place(variables map[string]any, file upload.File) error {
	steps := strings.Split(file.Path, ".")
	if len(steps) < 2 || steps[0] != "variables" || slices.Contains(steps, "") {
		return malformed(`The form's "map" has the path %q. A path begins with "variables." and leads to where a file goes.`, short(file.Path))
	}
	if _, ok := put(variables, steps[1:], file); !ok {
		return malformed(`The form's "map" has the path %q, which leads to no place in the variables.`, short(file.Path))
	}
	return nil
}

// put returns a value with the file put at steps below it; false if no such
// place can be.
func put(in any, steps []string, file upload.File) (any, bool) {
	if len(steps) == 0 {
		return file, true
	}
	switch in := in.(type) {
	case map[string]any:
		next, found := in[steps[0]]
		if !found && len(steps) > 1 {
			next = container(steps[1])
		}
		put, ok := put(next, steps[1:], file)
		if ok {
			in[steps[0]] = put
		}
		return in, ok
	case []any:
		n, ok := index(steps[0])
		if !ok || n >= max(len(in), maxFiles) {
			return nil, false
		}
		missing := n >= len(in)
		for n >= len(in) {
			in = append(in, nil)
		}
		if missing && len(steps) > 1 {
			in[n] = container(steps[1])
		}
		in[n], ok = put(in[n], steps[1:], file)
		return in, ok
	}
	return nil, false
}

// container is what is made for a missing member: a list if the step into it is
// an index.
func container(step string) any {
	if _, ok := index(step); ok {
		return []any{}
	}
	return map[string]any{}
}

// index reads a step as the index of a list.
func index(step string) (int, bool) {
	n, err := strconv.Atoi(step)
	return n, err == nil && n >= 0 && step == strconv.Itoa(n)
}

// short keeps what is quoted back to a glance.
func short(s string) string {
	const most = 100
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
