package mixcloud

import (
	"bytes"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"
	"unicode/utf8"
)

// A request is one call, without the settings of the client.
type request struct {
	op          string
	method      string    // "" is GET
	body        io.Reader // nil except for uploads and edits
	contentType string    // of body
	length      int64     // of body, if stream is set; -1 if unknown
	stream      bool      // the call has no timeout
	anonymous   bool      // no token is sent, even if the client has one
	base        *url.URL  // path is relative to it
	path        string    // clean
	query       url.Values
	token       credential
	accept      string
}

var (
	errTooLarge = errors.New("the body exceeds the maximum size")
	errNotJSON  = errors.New("the body is not JSON, or is truncated")

	errNoResponse = errors.New("the transport returned neither a response nor an error")
)

// Get returns the JSON at any path of the API, for endpoints that have no method. The elements of
// path may be plain or percent-encoded, and the slash at its end may be left out. The caller may
// change the result. query must not contain an access_token: use [Client.As].
func (c *Client) Get(ctx context.Context, path string, query url.Values) (json.RawMessage, error) {
	if query.Has("access_token") {
		return nil, &InvalidError{Arg: "query", Reason: "must not contain an access_token"}
	}
	var raw json.RawMessage
	err := c.fetch(ctx, "Get", path, query, func(v value) string {
		raw = json.RawMessage(v.Raw())
		return ""
	})
	return raw, err
}

// fetch reads JSON from the API with the client's token.
func (c *Client) fetch(ctx context.Context, op, path string, query url.Values, use func(value) (problem string)) error {
	clean, problem := cleanPath(path)
	if problem != "" {
		return &InvalidError{Arg: "path", Reason: problem}
	}
	return c.fetchJSON(ctx, request{op: op, base: c.api, path: clean, query: query, token: c.token}, use)
}

// fetchJSON makes a call whose response is JSON. use decodes the response, or
// returns why it is not valid.
func (c *Client) fetchJSON(ctx context.Context, r request, use func(value) (problem string)) error {
	r.accept = "application/json, text/javascript;q=0.9, */*;q=0.1"
	return c.do(ctx, r, func(status int, header http.Header, body []byte) error {
		v, failed := readJSON(status, header, body)
		if failed != nil {
			return failed
		}
		if r.token != nil {
			v = removeToken(v)
		}
		if problem := use(v); problem != "" {
			return &Error{Kind: ErrBadResponse, Err: errors.New(problem)}
		}
		return nil
	})
}

// do makes a call. All calls except those of OAuth use it. It passes the response's body to read,
// which must not retain the body.
func (c *Client) do(ctx context.Context, r request, read func(status int, header http.Header, body []byte) error) error {
	if r.token != nil && !c.tokenAllowed {
		return &InvalidError{Arg: "token", Reason: "is not sent over plain http: use https or WithInsecureToken"}
	}
	began := time.Now()
	call := Call{Op: r.op, Method: cmp.Or(r.method, http.MethodGet), Path: r.path, Query: r.query.Encode()}
	err := c.roundTrip(ctx, r, &call, read)
	if err != nil {
		err = sanitizeError(err, r, call.Status)
	}
	if c.observe != nil {
		call.Duration, call.Err = time.Since(began), err
		c.observe(call)
	}
	return err
}

func (c *Client) roundTrip(ctx context.Context, r request, call *Call, read func(int, http.Header, []byte) error) error {
	r.path = requestPath(ctx, r)
	call.Path = r.path
	target := *r.base
	target.RawPath = r.base.EscapedPath() + r.path
	target.Path, _ = url.PathUnescape(target.RawPath) // cannot fail: both parts are clean
	target.RawQuery = call.Query
	limited, cancel := c.withTimeout(ctx, r)
	defer cancel()
	req, err := http.NewRequestWithContext(withToken(limited, r.token), call.Method, "", r.body)
	if err != nil {
		return err
	}
	req.URL, req.Host = &target, target.Host
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("Accept", r.accept)
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	resp, err := c.transmit(r, req)
	if err != nil {
		return transportError(ctx, err)
	}
	defer resp.Body.Close()
	call.Status = resp.StatusCode

	buffer := buffers.Get().(*bytes.Buffer)
	defer recycle(buffer)
	n, err := io.Copy(buffer, io.LimitReader(resp.Body, c.maxBody+1))
	call.Bytes = int(n)
	switch {
	case isRedirect(resp.StatusCode):
		return redirectError(r, &target, resp.Header.Get("Location"))
	case n > c.maxBody:
		return &Error{Kind: tooLargeKind(resp.StatusCode), Err: errTooLarge}
	case err != nil && (resp.StatusCode < 300 || ctx.Err() != nil):
		return truncatedError(ctx, err)
	}
	// The status of an error response counts even if its body is truncated.
	return read(resp.StatusCode, resp.Header, buffer.Bytes())
}

// withTimeout adds the client's timeout to ctx, unless ctx has an earlier deadline.
func (c *Client) withTimeout(ctx context.Context, r request) (context.Context, context.CancelFunc) {
	timeout := c.http.Timeout
	if at, ok := ctx.Deadline(); timeout <= 0 || r.stream || ok && time.Until(at) <= timeout {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// transmit sends a request and waits for the response.
func (c *Client) transmit(r request, req *http.Request) (*http.Response, error) {
	if r.stream {
		req.ContentLength = r.length
		return doUpload(c.streaming, req)
	}
	// The transport is called without http.Client, which starts a goroutine and two timers for
	// each call, for features such as redirects and cookies that a call does not use.
	resp, err := c.http.Transport.RoundTrip(req)
	switch {
	case err != nil:
		return nil, err
	case resp == nil:
		return nil, errNoResponse
	case resp.Body == nil:
		resp.Body = http.NoBody
	}
	return resp, nil
}

// buffers has buffers to read bodies into. Results are copied out of them.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func recycle(b *bytes.Buffer) {
	if b.Cap() <= 1<<20 {
		b.Reset()
		buffers.Put(b)
	}
}

// readJSON returns the JSON of a response, or the error that it describes.
func readJSON(status int, header http.Header, body []byte) (value, *Error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\ufffd"))
	}
	v, ok := parse(body)
	if ok && status/100 == 2 && !isFailure(v) {
		return v, nil
	}
	return value{}, responseError(status, header, v)
}

// transportError returns the error of a call without a response.
func transportError(ctx context.Context, err error) *Error {
	// The outer error contains the URL.
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	local := localFault(err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &Error{Kind: context.Canceled, Err: cause(ctx)}
	case local != "":
		return &Error{Kind: ErrUnavailable, Err: err, Local: local, NeverSent: neverSent(err)}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &Error{Kind: ErrTimeout, Err: context.DeadlineExceeded}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return &Error{Kind: ErrTimeout, Err: err}
	}
	return &Error{Kind: ErrUnavailable, Err: err, NeverSent: neverSent(err)}
}

// neverSent reports whether a call failed before there was a connection.
func neverSent(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	_, ok := errors.AsType[*net.DNSError](err)
	return ok
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

// cause returns the reason why ctx was canceled, or nil if there is none.
func cause(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// truncatedError returns the error of a successful call whose body could not be read to its end:
// an ErrBadResponse if the body could not be decompressed, otherwise the same error as without a
// response.
func truncatedError(ctx context.Context, err error) *Error {
	failed := transportError(ctx, err)
	if failed.Kind == ErrUnavailable && isGarbage(err) {
		failed.Kind = ErrBadResponse
	}
	return failed
}

// isGarbage reports whether reading failed because the body is not valid gzip.
func isGarbage(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum)
}

// tooLargeKind returns the kind of the error for a body above the maximum size.
func tooLargeKind(status int) error {
	if status/100 == 2 {
		return ErrBadResponse
	}
	return kindOfStatus(status, false)
}
