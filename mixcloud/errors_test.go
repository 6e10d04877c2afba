package mixcloud

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/show"

	"github.com/google/go-cmp/cmp"
)

// allKinds are all kinds of errors.
var allKinds = []error{
	ErrInvalid, ErrNotFound, ErrUnauthenticated, ErrForbidden, ErrRateLimited, ErrTimeout,
	ErrUnavailable, ErrBadResponse, ErrRefused, ErrMoved, context.Canceled,
}

func TestErrorKinds(t *testing.T) {
	t.Parallel()
	rateLimit, err := os.ReadFile("testdata/recorded/error_rate_limit_403.json")
	if err != nil {
		t.Fatal(err)
	}
	const (
		html        = "<html><head><title>502 Bad Gateway</title></head><body></body></html>"
		needsToken  = `{"error":{"message":"An access_token is required to access this resource.","type":"OAuthException"}}`
		wrongToken  = `{"error":{"message":"An invalid access token was provided"}}`
		noUser      = `{"error":{"message":"User does not exist.","type":"ResourceNotFoundException"}}`
		validation  = `{"error":{"message":"No","type":"PostValidationError"},"details":{"name":["x"]}}`
		withKey     = `{"key":"/bob/","name":"Bob","biog":"\"error\""}`
		waitMessage = "You have hit your rate limit. Retry after 452 seconds."
	)
	tests := []struct {
		name   string
		status int
		header http.Header
		body   string
		kind   error
		want   Error // Type, Message and RetryAfter
	}{
		{name: "the recorded rate limit", status: 403, body: string(rateLimit), kind: ErrRateLimited, want: Error{Type: typeRateLimit, Message: waitMessage, RetryAfter: 452 * time.Second}},
		{name: "the header has priority", status: 403, header: http.Header{"Retry-After": {"7"}}, body: string(rateLimit), kind: ErrRateLimited, want: Error{Type: typeRateLimit, Message: waitMessage, RetryAfter: 7 * time.Second}},
		{name: "a wait in the message only", status: 403, body: `{"error":{"type":"RateLimitException","message":"` + waitMessage + `"}}`, kind: ErrRateLimited, want: Error{Type: typeRateLimit, Message: waitMessage, RetryAfter: 452 * time.Second}},
		{name: "a wait as a string", status: 403, body: `{"error":{"type":"RateLimitException","retry_after":"30"}}`, kind: ErrRateLimited, want: Error{Type: typeRateLimit, RetryAfter: 30 * time.Second}},
		{name: "no wait", status: 403, body: `{"error":{"type":"RateLimitException"}}`, kind: ErrRateLimited, want: Error{Type: typeRateLimit}},
		{name: "a negative wait", status: 429, header: http.Header{"Retry-After": {"-5"}}, body: `{}`, kind: ErrRateLimited},
		{name: "a wait above the maximum", status: 429, header: http.Header{"Retry-After": {"99999999999"}}, body: `{}`, kind: ErrRateLimited, want: Error{RetryAfter: maxWait}},
		{name: "a wait that overflows", status: 429, header: http.Header{"Retry-After": {"99999999999999999999999"}}, body: `{}`, kind: ErrRateLimited, want: Error{RetryAfter: maxWait}},
		{name: "a wait with a fraction", status: 429, header: http.Header{"Retry-After": {"1.25"}}, body: `{}`, kind: ErrRateLimited, want: Error{RetryAfter: 1250 * time.Millisecond}},
		{name: "a wait with a fraction in the body", status: 403, body: `{"error":{"type":"RateLimitException","retry_after":0.5}}`, kind: ErrRateLimited, want: Error{Type: typeRateLimit, RetryAfter: 500 * time.Millisecond}},
		{name: "a wait that is not a number", status: 429, header: http.Header{"Retry-After": {"NaN"}}, body: `{}`, kind: ErrRateLimited},
		{name: "an invalid wait", status: 429, header: http.Header{"Retry-After": {"soon"}}, body: `{"error":{"retry_after":9}}`, kind: ErrRateLimited, want: Error{RetryAfter: 9 * time.Second}},
		{name: "a rate limit by its wait", status: 403, body: `{"error":{"message":"Slow down","retry_after":5}}`, kind: ErrRateLimited, want: Error{Message: "Slow down", RetryAfter: 5 * time.Second}},
		{name: "a rate limit with status 200", status: 200, body: string(rateLimit), kind: ErrRateLimited, want: Error{Type: typeRateLimit, Message: waitMessage, RetryAfter: 452 * time.Second}},
		{name: "a rate limit as HTML", status: 429, body: html, kind: ErrRateLimited},
		{name: "no token, 400", status: 400, body: needsToken, kind: ErrUnauthenticated, want: Error{Type: typeOAuth, Message: "An access_token is required to access this resource."}},
		{name: "no token, 401", status: 401, body: needsToken, kind: ErrUnauthenticated, want: Error{Type: typeOAuth, Message: "An access_token is required to access this resource."}},
		{name: "no token, 403", status: 403, body: needsToken, kind: ErrUnauthenticated, want: Error{Type: typeOAuth, Message: "An access_token is required to access this resource."}},
		{name: "no token, 500", status: 500, body: needsToken, kind: ErrUnauthenticated, want: Error{Type: typeOAuth, Message: "An access_token is required to access this resource."}},
		{name: "no token, 200", status: 200, body: needsToken, kind: ErrUnauthenticated, want: Error{Type: typeOAuth, Message: "An access_token is required to access this resource."}},
		{name: "a wrong token without a type", status: 400, body: wrongToken, kind: ErrUnauthenticated, want: Error{Message: "An invalid access token was provided"}},
		{name: "401 as HTML", status: 401, body: html, kind: ErrUnauthenticated},
		{name: "not found", status: 404, body: noUser, kind: ErrNotFound, want: Error{Type: typeNotFound, Message: "User does not exist."}},
		{name: "not found, 400", status: 400, body: noUser, kind: ErrNotFound, want: Error{Type: typeNotFound, Message: "User does not exist."}},
		{name: "not found, 200", status: 200, body: noUser, kind: ErrNotFound, want: Error{Type: typeNotFound, Message: "User does not exist."}},
		{name: "404 as HTML", status: 404, body: html, kind: ErrNotFound},
		{name: "404 without a body", status: 404, kind: ErrNotFound},
		{name: "gone", status: 410, body: `{}`, kind: ErrNotFound},
		{name: "forbidden", status: 403, body: `{"error":{"message":"No","type":"PermissionException"}}`, kind: ErrForbidden, want: Error{Type: "PermissionException", Message: "No"}},
		{name: "forbidden without an error", status: 403, body: `{}`, kind: ErrForbidden},
		{name: "the bot page", status: 403, header: http.Header{"Retry-After": {"60"}}, body: html, kind: ErrUnavailable, want: Error{RetryAfter: time.Minute}},
		{name: "too large for the proxy", status: 413, body: html, kind: ErrRefused},
		{name: "method not allowed, as HTML", status: 405, body: html, kind: ErrRefused},
		{name: "gone, as HTML", status: 410, body: html, kind: ErrNotFound},
		{name: "payment required", status: 402, body: html, kind: ErrForbidden},
		{name: "locked", status: 423, body: html, kind: ErrForbidden},
		{name: "withheld for legal reasons", status: 451, body: html, kind: ErrForbidden},
		{name: "withheld for legal reasons, as JSON", status: 451, body: `{}`, kind: ErrForbidden},
		{name: "bad request, as HTML", status: 400, body: html, kind: ErrRefused},
		{name: "conflict", status: 409, header: http.Header{"Retry-After": {"3"}}, body: html, kind: ErrRefused, want: Error{RetryAfter: 3 * time.Second}},
		{name: "a teapot", status: 418, body: html, kind: ErrRefused},
		{name: "an unassigned 4xx", status: 499, body: html, kind: ErrRefused},
		{name: "not implemented", status: 501, body: html, kind: ErrRefused},
		{name: "proxy authentication required", status: 407, body: html, kind: ErrUnavailable, want: Error{Local: "the proxy requires credentials"}},
		{name: "request timeout", status: 408, body: html, kind: ErrUnavailable},
		{name: "misdirected", status: 421, body: html, kind: ErrUnavailable},
		{name: "too early", status: 425, body: html, kind: ErrUnavailable},
		{name: "bad gateway", status: 502, body: html, kind: ErrUnavailable},
		{name: "down, with a wait", status: 503, header: http.Header{"Retry-After": {"3"}}, kind: ErrUnavailable, want: Error{RetryAfter: 3 * time.Second}},
		{name: "server error as JSON", status: 500, body: `{"error":{"message":"Oops","type":"ServerError"}}`, kind: ErrUnavailable, want: Error{Type: "ServerError", Message: "Oops"}},
		{name: "validation", status: 400, body: validation, kind: ErrRefused, want: Error{Type: "PostValidationError", Message: "No", Details: map[string][]string{"name": {"x"}}}},
		{name: "an error of OAuth, which is a string", status: 400, body: `{"error":"invalid_grant"}`, kind: ErrRefused},
		{name: "an unknown error with status 200", status: 200, body: `{"error":{"message":"Odd","type":"OddException"}}`, kind: ErrBadResponse, want: Error{Type: "OddException", Message: "Odd"}},
		{name: "HTML with status 200", status: 200, body: html, kind: ErrBadResponse},
		{name: "truncated", status: 200, body: `{"key":"/bob/","name":"Bo`, kind: ErrBadResponse},
		{name: "garbage at the end", status: 200, body: withKey + "}", kind: ErrBadResponse},
		{name: "two documents", status: 200, body: withKey + withKey, kind: ErrBadResponse},
		{name: "nothing", status: 200, kind: ErrBadResponse},
		{name: "no content", status: 204, kind: ErrBadResponse},
		{name: "no key", status: 200, body: `{"name":"Bob"}`, kind: ErrBadResponse},
		{name: "null", status: 200, body: `null`, kind: ErrBadResponse},
		{name: "a list", status: 200, body: `[]`, kind: ErrBadResponse},
		{name: "moved", status: 301, header: http.Header{"Location": {"/bob/"}}, kind: ErrMoved},
		{name: "found elsewhere", status: 302, header: http.Header{"Location": {"https://example.com/"}}, body: html, kind: ErrMoved},
		{name: "not modified", status: 304, kind: ErrBadResponse},
		{name: "control characters", status: 500, body: `{"error":{"message":"a\u0000b\u202ec\r\nd  "}}`, kind: ErrUnavailable, want: Error{Message: "abc  d"}},
		{name: "a long message", status: 500, body: `{"error":{"message":"` + strings.Repeat("ö", 5000) + `","type":"` + strings.Repeat("T", 500) + `"}}`, kind: ErrUnavailable, want: Error{Message: strings.Repeat("ö", 499) + "…", Type: strings.Repeat("T", 99) + "…"}},
		{name: "members of other types", status: 500, body: `{"error":{"message":["a"],"type":{"b":1},"retry_after":"never"}}`, kind: ErrUnavailable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var observed []Call
			requests := 0
			c := testClient(t, func(r *http.Request) (*http.Response, error) {
				requests++
				return newResponse(r, test.status, test.header, strings.NewReader(test.body)), nil
			}, WithObserver(func(c Call) { observed = append(observed, c) }))
			user, err := c.User(t.Context(), "/bob/")
			if user != nil || err == nil {
				t.Fatalf("User returned %v, %v; want nil and an error", show.Value(user), err)
			}
			for _, kind := range allKinds {
				if errors.Is(err, kind) != (kind == test.kind) {
					t.Errorf("errors.Is(%v, %v) = %t, want %t", err, kind, kind != test.kind, kind == test.kind)
				}
			}
			var got *Error
			if !errors.As(err, &got) {
				t.Fatalf("the error is a %T, want an *Error: %[1]v", err)
			}
			want := test.want
			want.Op, want.Kind, want.Status, want.Err = "User", test.kind, test.status, got.Err
			want.FromAPI = json.Valid([]byte(test.body)) && (test.status != 200 || !strings.HasPrefix(test.body, `{"key"`) && strings.Contains(test.body, `"error"`))
			if diff := cmp.Diff(want, *got, cmp.Comparer(func(a, b error) bool { return a == b })); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if !strings.Contains(err.Error(), fmt.Sprint(test.status)) || !strings.Contains(err.Error(), "User") {
				t.Errorf("the error %q does not contain the status %d and the operation User", err, test.status)
			}
			if requests != 1 || len(observed) != 1 || observed[0].Err != err || observed[0].Status != test.status || observed[0].Bytes != len(test.body) || observed[0].Path != "/bob/" {
				t.Errorf("%d requests, observed calls %+v; want one of each, with the error, status, length and path of the response", requests, observed)
			}
			wait, limited := RetryAfter(fmt.Errorf("wrapped: %w", err))
			if limited != (test.kind == ErrRateLimited) || limited && wait != test.want.RetryAfter {
				t.Errorf("RetryAfter = %v, %t; want %v, %t", wait, limited, test.want.RetryAfter, test.kind == ErrRateLimited)
			}
		})
	}
}

func TestRetryAfter_Date(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, test := range map[string]struct{ ahead, want time.Duration }{
			"ahead": {90 * time.Second, 90 * time.Second},
			"past":  {-time.Hour, 0},
			"far":   {1000 * time.Hour * 24, maxWait},
		} {
			header := http.Header{"Retry-After": {time.Now().Add(test.ahead).UTC().Format(http.TimeFormat)}}
			if got := retryAfterOf(header, value{}, ""); got != test.want {
				t.Errorf("%s: retryAfterOf = %v, want %v", name, got, test.want)
			}
			// The wait is computed from the Date header of the response, so a wrong
			// clock of either side has no effect.
			for _, wrong := range []time.Duration{-50 * 365 * 24 * time.Hour, 50 * 365 * 24 * time.Hour} {
				theirs := time.Now().Add(wrong)
				header.Set("Date", theirs.UTC().Format(http.TimeFormat))
				header.Set("Retry-After", theirs.Add(test.ahead).UTC().Format(http.TimeFormat))
				if got := retryAfterOf(header, value{}, ""); got != test.want {
					t.Errorf("%s, with a clock that is wrong by %v: %v, want %v", name, wrong, got, test.want)
				}
			}
			header.Set("Date", "yesterday")
			header.Set("Retry-After", time.Now().Add(test.ahead).UTC().Format(http.TimeFormat))
			if got := retryAfterOf(header, value{}, ""); got != test.want {
				t.Errorf("%s, with an invalid Date: %v, want %v", name, got, test.want)
			}
		}
		header := http.Header{"Retry-After": {time.Now().Add(5 * time.Second).UTC().Format(http.TimeFormat)}}
		time.Sleep(600 * time.Millisecond)
		if got := retryAfterOf(header, value{}, ""); got != 5*time.Second { // 4 would be too early
			t.Errorf("a date in 4.4 s: %v, want 5s", got)
		}
	})
}

func TestListWithoutData(t *testing.T) {
	t.Parallel()
	var observed Call
	c := testClient(t, func(r *http.Request) (*http.Response, error) {
		return newResponse(r, 200, nil, strings.NewReader(`{"key":"/bob/"}`)), nil
	}, WithObserver(func(c Call) { observed = c }))
	page, err := c.UserFeed(t.Context(), "/bob/", Range{})
	if page != nil || !errors.Is(err, ErrBadResponse) || observed.Err != err {
		t.Errorf("UserFeed returned %v, %v, observed error %v; want nil, and ErrBadResponse in both", show.Value(page), err, observed.Err)
	}
}

func TestTextResponses(t *testing.T) {
	t.Parallel()
	const frame = `<iframe width="100%"></iframe>`
	const document = `<?xml version="1.0" encoding="utf-8"?><oembed><html>&lt;iframe&gt;</html></oembed>`
	notFound := `{"error":{"message":"Cloudcast does not exist.","type":"ResourceNotFoundException"}}`
	html := func(ctx context.Context, c *Client) (string, error) {
		return c.EmbedHTML(ctx, "/bob/x/", EmbedOptions{})
	}
	xml := func(ctx context.Context, c *Client) (string, error) {
		return c.OEmbedXML(ctx, "/bob/x/", OEmbedOptions{})
	}
	tests := []struct {
		name   string
		call   func(context.Context, *Client) (string, error)
		status int
		body   string
		want   error
	}{
		{"html", html, 200, frame, nil},
		{"html, not found", html, 404, notFound, ErrNotFound},
		{"html, an error with status 200", html, 200, notFound, ErrNotFound},
		{"html, JSON", html, 200, `{"html": "x"}`, ErrBadResponse},
		{"html, empty", html, 200, ``, ErrBadResponse},
		{"html, bad UTF-8", html, 200, "<\xff>", ErrBadResponse},
		{"html, a proxy's page", html, 503, "<html>", ErrUnavailable},
		{"html, a redirect", html, 302, "<html>", ErrMoved},
		{"xml", xml, 200, document, nil},
		{"xml, not found", xml, 404, "", ErrNotFound},
		{"xml, a page", xml, 200, "<html><body>", ErrBadResponse},
		{"xml, truncated", xml, 200, document[:70], ErrBadResponse},
		{"xml, the bot page", xml, 403, "<html>", ErrUnavailable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := testClient(t, func(r *http.Request) (*http.Response, error) {
				return newResponse(r, test.status, http.Header{}, strings.NewReader(test.body)), nil
			})
			got, err := test.call(t.Context(), c)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) || err == nil && got != test.body || err != nil && got != "" {
				t.Errorf("got %q, %v; want %q only without an error, and the error %v", got, err, test.body, test.want)
			}
		})
	}
}

// endless is a body without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

func TestMaxBody(t *testing.T) {
	t.Parallel()
	exact := `{"key":"/bob/"}` + strings.Repeat(" ", 1000)
	for name, test := range map[string]struct {
		status int
		body   io.Reader
		want   error
	}{
		"the maximum size": {200, strings.NewReader(exact), nil},
		"one byte more":    {200, strings.NewReader(exact + " "), ErrBadResponse},
		"endless":          {200, new(endless), ErrBadResponse},
		"an endless 502":   {502, new(endless), ErrUnavailable},
		"an endless 404":   {404, new(endless), ErrNotFound},
		"an endless 403":   {403, new(endless), ErrUnavailable},
	} {
		c := testClient(t, func(r *http.Request) (*http.Response, error) {
			return newResponse(r, test.status, nil, test.body), nil
		}, WithMaxBody(int64(len(exact))))
		_, err := c.User(t.Context(), "/bob/")
		if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: error %v, want %v", name, err, test.want)
		}
		if e, ok := test.body.(*endless); ok && e.read > 64<<10 {
			t.Errorf("%s: %d bytes were read, want at most %d", name, e.read, 64<<10)
		}
	}
}

// brokenBody is a body that ends with an error.
type brokenBody struct {
	io.Reader
	err error
}

func (b *brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}

func TestInterruptedBody(t *testing.T) {
	t.Parallel()
	reset := &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}
	for name, test := range map[string]struct {
		status int
		body   string
		err    error
		want   error
	}{
		"in a success":               {200, `{"key":`, io.ErrUnexpectedEOF, ErrUnavailable},
		"after a whole success":      {200, `{"key":"/bob/"}`, reset, ErrUnavailable},
		"in bytes that are not gzip": {200, ``, gzip.ErrHeader, ErrBadResponse},
		"in invalid gzip":            {200, `{"key":`, flate.CorruptInputError(7), ErrBadResponse},
		"after a wrong checksum":     {200, `{"key":"/bob/"}`, gzip.ErrChecksum, ErrBadResponse},
		"in a 404":                   {404, `{"error":`, io.ErrUnexpectedEOF, ErrNotFound},
		"in a proxy's page":          {502, `<html>`, reset, ErrUnavailable},
		"a connection's deadline":    {200, `{"key":`, os.ErrDeadlineExceeded, ErrTimeout},
	} {
		c := testClient(t, func(r *http.Request) (*http.Response, error) {
			return newResponse(r, test.status, nil, &brokenBody{strings.NewReader(test.body), test.err}), nil
		})
		_, err := c.User(t.Context(), "/bob/")
		var e *Error
		if !errors.Is(err, test.want) || !errors.As(err, &e) || e.Status != test.status {
			t.Errorf("%s: error %v, want an *Error with %v and status %d", name, err, test.want, test.status)
		}
	}
}

func TestConnectionFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ cause, want error }{
		"refused":              {&net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}, ErrUnavailable},
		"no such host":         {&net.DNSError{Err: "no such host", Name: "api.test", IsNotFound: true}, ErrUnavailable},
		"resolver timed out":   {&net.DNSError{Err: "i/o timeout", Name: "api.test", IsTimeout: true}, ErrUnavailable},
		"connection timed out": {&net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}, ErrTimeout},
		"an unknown error":     {fs.ErrPermission, ErrUnavailable},
		"no response":          {nil, ErrUnavailable},
		"a URL in the error":   {&url.Error{Op: "Get", URL: "http://api.test/bob/", Err: io.EOF}, ErrUnavailable},
	} {
		c := testClient(t, func(*http.Request) (*http.Response, error) { return nil, test.cause })
		_, err := c.User(t.Context(), "/bob/")
		var e *Error
		if !errors.Is(err, test.want) || !errors.As(err, &e) || e.Status != 0 || e.Op != "User" {
			t.Errorf("%s: error %v, want an *Error of User with %v and status 0", name, err, test.want)
		}
		if var1 := new(net.DNSError); errors.As(test.cause, &var1) && !errors.As(err, &var1) {
			t.Errorf("%s: error %v does not wrap its cause %v", name, err, test.cause)
		}
	}
}

// hangingTransport returns a transport that hangs until the request is canceled:
// after the first half of a body if responds is true, else before the response.
func hangingTransport(responds bool) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		if !responds {
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		}
		slow, w := io.Pipe()
		go func() {
			_, _ = io.WriteString(w, `{"key":`)
			<-r.Context().Done()
			w.CloseWithError(context.Cause(r.Context()))
		}()
		return newResponse(r, 200, nil, slow), nil
	}
}

func TestTimeAndCancellation(t *testing.T) {
	t.Parallel()
	errGone := errors.New("the browser disconnected")
	for _, responds := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := testClient(t, hangingTransport(responds))
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			_, err := c.User(ctx, "/bob/")
			if !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || time.Since(began) != 3*time.Second {
				t.Errorf("context deadline, headers sent %t: error %v after %v, want ErrTimeout and DeadlineExceeded after 3s", responds, err, time.Since(began))
			}
		})
		synctest.Test(t, func(t *testing.T) {
			c := testClient(t, hangingTransport(responds))
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(errGone) })
			_, err := c.User(ctx, "/bob/")
			if !errors.Is(err, context.Canceled) || errors.Is(err, ErrTimeout) || errors.Is(err, ErrUnavailable) || errors.Is(err, ErrBadResponse) || !errors.Is(err, errGone) {
				t.Errorf("canceled context, headers sent %t: error %v, want Canceled with its cause, and no other kind", responds, err)
			}
		})
		synctest.Test(t, func(t *testing.T) {
			c := testClient(t, nil, WithHTTPClient(&http.Client{Transport: hangingTransport(responds), Timeout: 5 * time.Second}))
			later, cancel := context.WithTimeout(t.Context(), 11*time.Second)
			defer cancel()
			for _, ctx := range []context.Context{t.Context(), later} {
				began := time.Now()
				_, err := c.User(ctx, "/bob/")
				if !errors.Is(err, ErrTimeout) || time.Since(began) != 5*time.Second {
					t.Errorf("timeout of http.Client, headers sent %t: error %v after %v, want ErrTimeout after 5s", responds, err, time.Since(began))
				}
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in   error
		want string
	}{
		{&Error{Op: "User", Kind: ErrNotFound, Status: 404, Type: "ResourceNotFoundException", Message: "User does not exist."}, "mixcloud: User: not found (404 Not Found): ResourceNotFoundException: User does not exist."},
		{&Error{Op: "Popular", Kind: ErrRateLimited, Status: 403, RetryAfter: 452 * time.Second}, "mixcloud: Popular: rate limited (403 Forbidden) (retry after 7m32s)"},
		{&Error{Op: "Me", Kind: ErrUnavailable, Err: errors.New("connection refused")}, "mixcloud: Me: unavailable: connection refused"},
		{&Error{Op: "Me", Kind: ErrBadResponse, Status: 299, Err: errNotJSON}, "mixcloud: Me: bad response (299): the body is not JSON, or is truncated"},
		{&InvalidError{Arg: "limit", Reason: "is negative"}, "mixcloud: limit is negative"},
	} {
		if got := test.in.Error(); got != test.want {
			t.Errorf("Error() = %q, want %q", got, test.want)
		}
	}
}

func TestNew_InvalidOptions(t *testing.T) {
	t.Parallel()
	tests := map[string]Option{
		"no scheme":      WithAPIURL("api.mixcloud.com"),
		"another scheme": WithAPIURL("ftp://api.mixcloud.com"),
		"no host":        WithSiteURL("https:///x"),
		"opaque":         WithSiteURL("https:api"),
		"a user":         WithOEmbedURL("https://a:b@app.mixcloud.com/oembed/"),
		"a query":        WithAPIURL("https://api.mixcloud.com/?a=b"),
		"a fragment":     WithAPIURL("https://api.mixcloud.com/#a"),
		"an invalid URL": WithAPIURL("https://api .com"),
		"no client":      WithHTTPClient(nil),
		"no middleware":  WithMiddleware(nil),
		"a maximum of 0": WithMaxBody(0),
		"a line break":   WithUserAgent("a\r\nb: c"),
	}
	for name, opt := range tests {
		if c, err := New(opt); err == nil || c != nil {
			t.Errorf("New with %s returned %v, %v; want nil and an error", name, c, err)
		}
	}
}
