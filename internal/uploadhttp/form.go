package uploadhttp

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"mixcloud-graphql/internal/gqlerr"
)

// Limits of a form. The schema limits the sizes of its files.
const (
	maxMap   = 16 << 10
	maxFiles = 2 // an upload needs no more
)

// specification describes the form of a multipart request.
const specification = "https://github.com/jaydenseric/graphql-multipart-request-spec"

// ErrTooLong is the error of "operations" that exceed their limit.
var ErrTooLong = errors.New(`the form's "operations" part is too large`)

// An Error refuses a request because its form does not follow the specification, or because the
// client stopped sending.
type Error struct {
	Status int   // of the HTTP response
	Err    error // a [gqlerr.Error] for the client
}

// Error implements error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the error for the client.
func (e *Error) Unwrap() error { return e.Err }

func malformed(format string, args ...any) *Error {
	return badInput(http.StatusBadRequest, format, args...)
}

func badInput(status int, format string, args ...any) *Error {
	return &Error{status, &gqlerr.Error{Code: gqlerr.CodeBadUserInput, Message: fmt.Sprintf(format, args...)}}
}

func tooLarge(format string, args ...any) *Error {
	return &Error{http.StatusRequestEntityTooLarge, gqlerr.Limit(fmt.Sprintf(format, args...))}
}

// readError returns the Error for an error of the [MultipartReader].
func readError(err error) *Error {
	if form, ok := errors.AsType[*Error](err); ok {
		return form
	}
	switch {
	case isTimeout(err):
		return badInput(http.StatusRequestTimeout, "The client stopped sending before the request was complete.")
	case errors.Is(err, errHeaders):
		return malformed("A part of the request has headers that are too long or malformed. Each part needs a Content-Disposition of form-data with a name.")
	case errors.Is(err, errPreamble):
		return malformed("The request body does not begin with the boundary of its Content-Type.")
	case errors.Is(err, errEpilogue):
		return malformed("The request body continues after its closing boundary.")
	}
	return malformed("The request body is incomplete: it ends before its closing boundary.")
}

// readText reads the next part completely. It must have the given name.
func (q *Request) readText(name string, limit int64) ([]byte, error) {
	part, err := q.parts.Next()
	if errors.Is(err, io.EOF) {
		return nil, malformed(`The form has no "%s". Send "operations", then "map", then the files: %s`, name, specification)
	}
	if err != nil {
		return nil, readError(err)
	}
	if part.Name != name {
		return nil, malformed(`The form has another part in the place of "%s". Send "operations", then "map", then the files, in this order: %s`, name, specification)
	}
	if err := checkPart(part); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(q.account(io.LimitReader(partReader{part}, limit+1)))
	switch {
	case err != nil:
		return nil, err
	case int64(len(text)) > limit && name == "operations":
		return nil, ErrTooLong
	case int64(len(text)) > limit:
		return nil, tooLarge(`The form's "%s" has more than %d bytes.`, name, limit)
	}
	return text, nil
}

// A partReader reads a part. It converts errors with [readError], so that they differ from the
// errors of a reader that wraps it.
type partReader struct{ part *Part }

// Read implements [io.Reader].
func (r partReader) Read(p []byte) (int, error) {
	n, err := r.part.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = readError(err)
	}
	return n, err
}

// checkPart refuses an encoded part.
func checkPart(part *Part) error {
	switch strings.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
	case "", "binary", "8bit", "7bit":
	default:
		return malformed("A part of the form has a Content-Transfer-Encoding. Send the part without an encoding.")
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
