package graphhttp

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/internal/gqlerr"
)

// bodyTimeout bounds the reading of a JSON body. A slower client would only occupy a
// connection.
const bodyTimeout = 10 * time.Second

// bufferedText returns the JSON body of a request that [bufferBody] has read.
func bufferedText(r *http.Request, limit int64) (text []byte, ok bool) {
	if early, ok := r.Body.(*bufferedBody); ok && int64(len(early.text)) <= limit {
		return trimMark(early.text), true
	}
	return nil, false
}

// readBody reads a JSON body. The status belongs to the error; it is 0 if there is no memory
// for the body.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, reservation *bodyReservation) (body []byte, status int, _ error) {
	if r.ContentLength > limit { // reading would send 100 Continue to a client that waits for it
		return nil, http.StatusRequestEntityTooLarge, tooLong(max(r.ContentLength, limit+1), limit, "The request body")
	}
	// The deadline must be reset after the body, because net/http continues to read in order
	// to detect that the client leaves. A writer without deadlines occurs only in tests.
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(reservation.reader(http.MaxBytesReader(w, r.Body, limit)))
	if errors.Is(err, errBodyMemory) {
		return nil, 0, err
	}
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, http.StatusRequestEntityTooLarge, tooLong(max(r.ContentLength, limit+1), limit, "The request body")
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if r.ProtoMajor == 1 {
				_ = conn.SetReadDeadline(time.Now()) // otherwise net/http reads the rest before it sends the response
			}
			return nil, http.StatusRequestTimeout, badRequest(fmt.Sprintf("The request body did not arrive within %v.", bodyTimeout))
		}
		return nil, http.StatusBadRequest, badRequest("The request body is incomplete.")
	}
	_ = conn.SetReadDeadline(time.Time{})
	return trimMark(body), 0, nil
}

// tooLong refuses a text that is too long. label is its name in the message. If the size is
// unknown, callers pass the maximum plus one.
func tooLong(size, maximum int64, label string) error {
	return &gqlerr.Error{
		Code:    gqlerr.CodeLimitExceeded,
		Message: fmt.Sprintf("%s has more than %d bytes. Move values to variables, or split the request.", label, maximum),
		Details: map[string]any{"limit": "max-body", "value": size, "maximum": maximum},
	}
}

// operation parses the JSON of an operation. label is its name in messages. Unknown members are
// ignored.
func operation(text []byte, label string, header http.Header) (*graphql.RawParams, error) {
	value, err := decode(text, label)
	if err != nil {
		return nil, err
	}
	members, isObject := value.(map[string]any)
	if value != nil && !isObject {
		return nil, badRequest(label + " must be one JSON object: batches are not supported.")
	}
	params := &graphql.RawParams{Headers: header}
	var errs [4]error
	params.Query, errs[0] = textMember(members, "query")
	params.OperationName, errs[1] = textMember(members, "operationName")
	params.Variables, errs[2] = objectMember(members, "variables")
	params.Extensions, errs[3] = objectMember(members, "extensions")
	if err := cmp.Or(errs[:]...); err != nil {
		return nil, err
	}
	if err := setDocument(params, func(name string) (string, error) { return textMember(members, name) }); err != nil {
		return nil, err
	}
	if params.Query == "" && len(params.Extensions) == 0 {
		return nil, errNoQuery
	}
	return params, nil
}

var errNoQuery = badRequest(`The request has no query. Send {"query": "{ … }"} with POST, or open the page at / to explore the schema.`)

// urlParams parses the operation in the query string of a GET.
func urlParams(r *http.Request) (*graphql.RawParams, error) {
	start := graphql.Now()
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("The query string has an invalid percent-encoding.")
	}
	for _, name := range slices.Concat(documentNames, []string{"query", "operationName", "variables", "extensions"}) {
		switch {
		case len(q[name]) > 1:
			return nil, gqlerr.Invalid(name, "occurs twice in the query string")
		case !utf8.ValidString(q.Get(name)):
			return nil, gqlerr.Invalid(name, "must be UTF-8")
		}
	}
	params := &graphql.RawParams{
		Query:         q.Get("query"),
		OperationName: q.Get("operationName"),
		Headers:       r.Header,
	}
	if params.Variables, err = objectParam(q, "variables"); err != nil {
		return nil, err
	}
	if params.Extensions, err = objectParam(q, "extensions"); err != nil {
		return nil, err
	}
	if err := setDocument(params, func(name string) (string, error) { return q.Get(name), nil }); err != nil {
		return nil, err
	}
	if params.Query == "" && len(params.Extensions) == 0 {
		return nil, errNoQuery
	}
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	return params, nil
}

// objectParam parses a parameter that is a JSON object. It returns nil if it is absent, empty
// or null.
func objectParam(q url.Values, name string) (map[string]any, error) {
	text := q.Get(name)
	if text == "" {
		return nil, nil
	}
	value, err := decode([]byte(text), `The parameter "`+name+`"`)
	if err != nil {
		return nil, err
	}
	object, isObject := value.(map[string]any)
	if value != nil && !isObject {
		return nil, gqlerr.Invalid(name, "must be a JSON object")
	}
	return object, nil
}
