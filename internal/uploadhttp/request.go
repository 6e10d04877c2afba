// Package uploadhttp parses GraphQL multipart requests while they arrive. It never stores a
// file: the operation starts as soon as the form's first two parts, "operations" and "map",
// have arrived, and reads the files from the request body.
//
// A transport calls [Open], which takes over the body and its timeouts, then
// [Request.CheckHeader], [Request.Operations], [Request.Files] and, at the end, [Request.Close].
// [Files] is the [upload.Source] of the resolver. The package consists of three mechanisms: a
// streaming body with an idle timeout instead of the server's deadline (body.go), a connection
// that reads ahead in chunked bodies (conn.go), and an operation deadline that moves with the
// transfer (deadline.go).
//
// The package handles only the request body and its form. It does not know operations or their
// execution.
package uploadhttp

import (
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// Options are the timeouts of a request.
type Options struct {
	// HeadTimeout is the time in which "operations" and "map" must arrive.
	HeadTimeout time.Duration
	// IdleTimeout is the maximum pause of a client while it sends files. 0 means a minute.
	IdleTimeout time.Duration
}

// A Request is a multipart request whose body is still arriving. Only one goroutine may use it.
type Request struct {
	http     *http.Request
	body     *body
	writer   *responseWriter
	boundary string
	account  func(io.Reader) io.Reader
	parts    *MultipartReader
	mapText  []byte
	files    *Files // nil if there are none
}

// IsForm reports whether r is a multipart/form-data request, even with a malformed
// Content-Type, which [Request.CheckHeader] refuses.
func IsForm(r *http.Request) bool {
	const form = "multipart/form-data"
	text := strings.TrimSpace(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost || len(text) < len(form) || !strings.EqualFold(text[:len(form)], form) {
		return false
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media == "" {
		media, _, _ = strings.Cut(strings.ToLower(r.Header.Get("Content-Type")), ";")
	}
	return strings.TrimSpace(media) == form
}

// Open takes over the body of r. The response must be written to [Request.ResponseWriter], and
// the request closed after it.
func Open(w http.ResponseWriter, r *http.Request, o Options) *Request {
	if o.IdleTimeout == 0 {
		o.IdleTimeout = defaultIdleTimeout
	}
	body := newBody(w, r, o)
	return &Request{http: r, body: body, writer: &responseWriter{ResponseWriter: w, body: body}}
}

// ResponseWriter returns the writer of the response. When the response starts, the writer stops
// the reading of the body, and closes the connection unless the body was read completely.
func (q *Request) ResponseWriter() http.ResponseWriter { return q.writer }

// Close discards a bounded part of the rest of the body, so that the client reads the response.
// See drain.go.
func (q *Request) Close() { q.body.drain() }

// CheckHeader refuses a cross-site request (CSRF) and a Content-Type without a usable boundary.
// The error is an [*Error].
func (q *Request) CheckHeader() error {
	if !preflighted(q.http) {
		return malformed("Multipart requests without a bearer token must carry one of these headers, to prevent CSRF: %s.",
			strings.Join(preflightHeaders, ", "))
	}
	boundary, err := parseBoundary(q.http.Header.Get("Content-Type"))
	if err != nil {
		return malformed("The request is not a valid form: %v.", err)
	}
	q.boundary = boundary
	return nil
}

// Operations returns the JSON of the form's first part. If it has more than limit bytes the error
// is [ErrTooLong]. "operations" and "map" are read through the reader that account returns, which
// may count their bytes. Operations returns an error of that reader unchanged. Other errors are
// an [*Error].
func (q *Request) Operations(limit int64, account func(io.Reader) io.Reader) ([]byte, error) {
	q.account = account
	q.parts = NewMultipartReader(q.body, q.boundary)
	return q.readText("operations", limit)
}

// Files parses the form's second part, "map", and sets the variable of each file to an
// [upload.File]. It returns nil if the map is empty, after it has read the whole form. The
// errors are those of [Request.Operations].
func (q *Request) Files(variables *map[string]any) (*Files, error) {
	text, err := q.readText("map", maxMap)
	if err != nil {
		return nil, err
	}
	q.mapText = text
	mapped, err := parseMap(text)
	if err != nil {
		return nil, err
	}
	files := newFiles(q.parts, q.body, q.http.ContentLength, q.boundary)
	for _, file := range mapped {
		if *variables == nil { // absent or null
			*variables = map[string]any{}
		}
		if err := insert(*variables, file); err != nil {
			return nil, err
		}
		files.expected[file.Part] = file
	}
	if len(mapped) == 0 {
		_, err := files.peek() // no further part is allowed
		return nil, err
	}
	q.files = files
	return files, nil
}

// Fingerprint returns values that distinguish the form from others with the same operations
// without reading a file: the map, and the name, file name and type of the first file. It waits
// for the header of that file.
func (q *Request) Fingerprint() ([]string, error) {
	all := []string{string(q.mapText)}
	if q.files == nil {
		return all, nil
	}
	part, err := q.files.peek()
	if err != nil {
		return nil, err
	}
	return append(all, part.Name, part.Filename, part.Header.Get("Content-Type")), nil
}

// preflightHeaders are headers that a cross-site page cannot send without a CORS preflight
// request, which this server refuses for requests with cookies.
var preflightHeaders = []string{"GraphQL-Require-Preflight", "Apollo-Require-Preflight", "X-Requested-With", "X-Apollo-Operation-Name"}

// preflighted reports whether a header proves that no cross-site page submitted the form. A
// bearer token proves this too, because browsers never add one automatically, unlike cookies and
// the credentials of other schemes.
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

// A responseWriter stops the reading of the body when the response starts, and closes the
// connection unless the body was read completely. In HTTP/2 it sends no Connection: close, which
// would end all other requests of the connection.
type responseWriter struct {
	http.ResponseWriter
	body  *body
	begun bool
}

// WriteHeader implements [http.ResponseWriter].
func (w *responseWriter) WriteHeader(status int) {
	w.begun = true
	if whole := w.body.stop(); !whole && w.body.http1 {
		w.Header().Set("Connection", "close")
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *responseWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
