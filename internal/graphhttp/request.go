package graphhttp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/internal/gqlerr"
)

// bodyTimeout bounds the reading of a JSON body: who sends more slowly than
// this is not asking, but holding a connection.
const bodyTimeout = 10 * time.Second

// readBody reads a JSON body. The status belongs to the error.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) (body []byte, status int, _ error) {
	if early, ok := r.Body.(*earlyBody); ok && int64(len(early.text)) <= limit {
		return unmarked(early.text), 0, nil
	}
	// The deadline must not outlive the body: net/http goes on reading to learn
	// when the client leaves. A writer without deadlines is one of a test.
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(bodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, http.StatusRequestEntityTooLarge, gqlerr.Limit(fmt.Sprintf(
				"The request body has more than %d bytes. Move values into variables, or split the request.", limit))
		}
		return nil, http.StatusBadRequest, badRequest("The request body did not arrive whole.")
	}
	_ = conn.SetReadDeadline(time.Time{})
	return unmarked(body), 0, nil
}

// operation reads what the JSON text, called by what it is, asks for.
func operation(text []byte, what string, header http.Header) (*graphql.RawParams, error) {
	params := &graphql.RawParams{Headers: header}
	if err := decode(text, what, params); err != nil {
		return nil, err
	}
	if params.Query == "" && len(params.Extensions) == 0 {
		return nil, errNoQuery
	}
	return params, nil
}

var errNoQuery = badRequest(`There is no query in the request. Send {"query": "{ … }"} with POST; to explore the graph by hand, open the page at /.`)

// urlParams reads the operation from the query string of a GET.
func urlParams(r *http.Request) (*graphql.RawParams, error) {
	start := graphql.Now()
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("The query string is not percent-encoded as it should be.")
	}
	for _, name := range []string{"query", "operationName"} {
		if !utf8.ValidString(q.Get(name)) {
			return nil, gqlerr.Invalid(name, "must be UTF-8")
		}
	}
	params := &graphql.RawParams{
		Query:         q.Get("query"),
		OperationName: q.Get("operationName"),
		Headers:       r.Header,
	}
	for name, into := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
		if s := q.Get(name); s != "" {
			var members map[string]json.RawMessage
			if json.Unmarshal(unmarked([]byte(s)), &members) != nil {
				return nil, gqlerr.Invalid(name, "must be a JSON object")
			}
			if err := decode([]byte(s), name, into); err != nil {
				return nil, err
			}
		}
	}
	if params.Query == "" && len(params.Extensions) == 0 {
		return nil, errNoQuery
	}
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	return params, nil
}
