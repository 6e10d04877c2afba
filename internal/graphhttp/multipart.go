package graphhttp

import (
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/internal/accept"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/multipartstream"
	"mixcloud-graphql/internal/upload"
)

// multipart answers operations with files, as the GraphQL multipart request
// specification has them (version 2 of jaydenseric's), without ever storing a
// file: the operation runs as soon as the parts "operations" and "map" are
// there, and reads the files while they arrive. From that follows what is
// stricter than the specification: one path for each file, one file for each
// path, and one mutation field that takes them.
//
// Time is bounded like this: the operation's timeout runs until the first file
// is asked for. While files flow, only standing still counts (idleTimeout,
// stallTimeout). After the last byte there is answerTimeout for the rest.
type multipart struct {
	runner
	idle    time.Duration
	maxBody int64 // of "operations"
}

func (multipart) Supports(r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media == "" { // malformed, but meant so
		media, _, _ = strings.Cut(strings.ToLower(r.Header.Get("Content-Type")), ";")
	}
	return strings.TrimSpace(media) == "multipart/form-data"
}

func (t multipart) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	flow := newFlow(w, r, t.idle)
	defer flow.linger()
	w = &ending{ResponseWriter: w, flow: flow}

	to := accept.Of(r)
	boundary, err := multipartstream.Boundary(r.Header.Get("Content-Type"))
	switch {
	case !preflighted(r):
		gqlerr.Write(w, r, http.StatusBadRequest, badRequest("Multipart requests without a bearer token must carry one of these headers, to prevent CSRF: "+
			strings.Join(preflightHeaders, ", ")+"."))
		return
	case err != nil:
		gqlerr.Write(w, r, http.StatusBadRequest, badRequest("The request cannot be read as a form: "+err.Error()+"."))
		return
	case encoded(r.Header):
		gqlerr.Write(w, r, http.StatusUnsupportedMediaType, badRequest("Send the body without a Content-Encoding."))
		return
	case to.None():
		notAcceptable(w, r)
		return
	}
	key, err := idempotencyKey(r)
	if err != nil {
		gqlerr.Write(w, r, http.StatusBadRequest, err)
		return
	}
	hold := t.bodies.hold()
	defer hold.release()
	task, err := t.read(flow, r, boundary, hold)
	if errors.Is(err, errBodies) {
		overload(w, r, to)
		return
	}
	if err == nil && key != "" {
		err = task.identify()
	}
	if err != nil {
		form := unreadable(err)
		gqlerr.Write(w, r, form.status, form.err)
		return
	}
	slot, ok := t.enter(w, r, to)
	if !ok {
		return
	}
	defer slot.Leave()
	task.to, task.key, task.slot = to, key, slot
	t.run(w, r, exec, task)
}

// read reads the form up to its first file. Without files it reads all of it.
func (t multipart) read(flow *flow, r *http.Request, boundary string, hold *bodyHold) (task, error) {
	start := graphql.Now()
	if err := hold.add(freeBody + formBuffer); err != nil {
		return task{}, err
	}
	parts := multipartstream.NewReader(flow, boundary)
	text, err := field(parts, "operations", t.maxBody, hold)
	if err != nil {
		return task{}, err
	}
	params, err := operation(text, `The form's "operations"`, r.Header)
	if err != nil {
		return task{}, &formError{http.StatusBadRequest, err}
	}
	places, err := field(parts, "map", maxMap, hold)
	if err != nil {
		return task{}, err
	}
	mapped, err := fileMap(places)
	if err != nil {
		return task{}, err
	}
	source := &files{
		parts: parts, length: r.ContentLength, flowing: flow.run, arrived: map[string]bool{},
		tail: int64(len("\r\n--" + boundary + "--\r\n")), expected: map[string]upload.File{},
	}
	for _, file := range mapped {
		if params.Variables == nil { // absent or null
			params.Variables = map[string]any{}
		}
		if err := place(params.Variables, file); err != nil {
			return task{}, err
		}
		source.expected[file.Part] = file
	}
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	read := task{params: params, content: []string{string(unmarked(text)), string(places)}}
	if len(mapped) == 0 {
		_, err := source.peek() // nothing may follow
		return read, err
	}
	read.files = source
	return read, nil
}

// identify adds to a task's content what can be known of its files without
// reading any: how the first is called and what it is said to be.
func (t *task) identify() error {
	if t.files == nil {
		return nil
	}
	part, err := t.files.peek()
	if err != nil {
		return err
	}
	t.content = append(t.content, part.Name, part.Filename, part.Header.Get("Content-Type"))
	return nil
}

// preflightHeaders are headers that a page of another site cannot send without a
// CORS preflight, which this server refuses for requests with cookies.
var preflightHeaders = []string{"GraphQL-Require-Preflight", "Apollo-Require-Preflight", "X-Requested-With", "X-Apollo-Operation-Name"}

// preflighted reports whether a request cannot be the form of a page of another
// site. A bearer token shows it too: unlike a cookie, or the credentials of other
// schemes, a browser never adds one by itself.
func preflighted(r *http.Request) bool {
	scheme, _, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return true
	}
	for _, name := range preflightHeaders {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

// ending is a writer that stops the reading of the body when the answer
// begins, and has the connection closed if the body has more to it. In HTTP/2
// the header that does so would end all other requests of the connection.
type ending struct {
	http.ResponseWriter
	flow *flow
}

// WriteHeader implements [http.ResponseWriter].
func (e *ending) WriteHeader(status int) {
	if whole := e.flow.close(); !whole && e.flow.http1 {
		e.Header().Set("Connection", "close")
	}
	e.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (e *ending) Unwrap() http.ResponseWriter { return e.ResponseWriter }

// takers are the mutation fields that take files: those with an argument that
// has an Upload in it, however deep.
func takers(schema *ast.Schema) map[string]bool {
	all := map[string]bool{}
	if schema.Mutation == nil {
		return all
	}
	seen := map[string]bool{}
	var takes func(t *ast.Type) bool
	takes = func(t *ast.Type) bool {
		def := schema.Types[t.Name()]
		switch {
		case t.Name() == "Upload":
			return true
		case def == nil || def.Kind != ast.InputObject || seen[def.Name]:
			return false
		}
		seen[def.Name] = true
		for _, f := range def.Fields {
			if takes(f.Type) {
				return true
			}
		}
		return false
	}
	for _, f := range schema.Mutation.Fields {
		clear(seen)
		for _, arg := range f.Arguments {
			if takes(arg.Type) {
				all[f.Name] = true
			}
		}
	}
	return all
}

// taken counts the fields of an operation that would read the request's files.
func (t runner) taken(oc *graphql.OperationContext) int {
	n := 0
	if oc.Operation.Operation == ast.Mutation {
		for _, f := range graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{"Mutation"}) {
			if t.takers[f.Name] {
				n++
			}
		}
	}
	return n
}
