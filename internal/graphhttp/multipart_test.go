package graphhttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"mixcloud-graphql/internal/graphhttp"
)

const (
	sendQuery = `{"query":"mutation($f: Upload) { send(file: $f) }","variables":{"f":null}}`
	sendMap   = `{"0":["variables.f"]}`
	formType  = "Content-Type: multipart/form-data; boundary=b"
	preflight = "GraphQL-Require-Preflight: 1"
)

// part returns one part of a form with the boundary b.
func part(headers, body string) string {
	return "--b\r\nContent-Disposition: form-data; " + headers + "\r\n\r\n" + body + "\r\n"
}

func file(name, body string) string {
	return part(`name="`+name+`"; filename="x.mp3"`+"\r\nContent-Type: audio/mpeg", body)
}

// formOf returns a form with the parts "operations" and "map", and files.
func formOf(operations, fileMap string, files ...string) string {
	return part(`name="operations"`, operations) + part(`name="map"`, fileMap) + strings.Join(files, "") + "--b--\r\n"
}

// TestMultipart covers the transport's handling of a form: its operations, its files as
// variables, and which operations may have files. The form itself is tested in [uploadhttp].
func TestMultipart(t *testing.T) {
	t.Parallel()
	const listQuery = `{"query":"mutation($l: [Upload]) { send(files: $l) }","variables":{"l":[null,null,null]}}`
	op := part(`name="operations"`, sendQuery)
	tests := map[string]struct {
		body   string
		status int
		want   string
	}{
		"one file": {
			formOf(sendQuery, sendMap, file("0", "content")), 200,
			`"send":"variables.f=0,x.mp3,audio/mpeg,content"`,
		},
		"file deep in an input": {
			formOf(`{"query":"mutation($i: In) { send(input: $i) }","variables":{"i":{"deep":{"file":null}}}}`, `{"mp3":["variables.i.deep.file"]}`, file("mp3", "c")), 200,
			`variables.i.deep.file=mp3`,
		},
		"list of files, in the order of arrival": {
			formOf(listQuery, `{"1":["variables.l.0"],"0":["variables.l.2"]}`, file("0", "second"), file("1", "first")), 200,
			`variables.l.2=0,x.mp3,audio/mpeg,second;variables.l.0=1,x.mp3,audio/mpeg,first`,
		},
		"no files": {
			formOf(`{"query":"mutation { set }"}`, `{}`), 200, `"set":"done"`,
		},
		"no files for a field that takes them": {
			formOf(sendQuery, `{}`), 200, `"send":"no files"`,
		},
		"a query": {formOf(`{"query":"{ hello }"}`, `{}`), 200, `"hello":"you"`},
		"field's error": {
			withFile(`{"query":"mutation($f: Upload) { send(file: $f) a: set }","variables":{"f":null}}`), 200, `"a":"done"`,
		},
		"no map":                    {op + "--b--", 400, `The form has no \"map\"`},
		"missing file":              {formOf(sendQuery, sendMap), 400, `without the file \"0\" of its \"map\"`},
		"batch":                     {formOf(`[`+sendQuery+`]`, `{"0":["0.variables.f"]}`, file("0", "c")), 400, "batches are not supported"},
		"member twice":              {formOf(`{"query":"{ hello }","query":"{ hello }"}`, `{}`), 400, `duplicate member \"query\"`},
		"variable twice":            {formOf(`{"query":"{ hello }","variables":{"a":1,"a":2}}`, `{}`), 400, `duplicate member \"variables.a\"`},
		"members in upper case":     {formOf(`{"Query":"{ hello }"}`, `{}`), 400, "The request has no query"},
		"malformed operations":      {formOf(`{`, sendMap), 400, `\"operations\" is not valid JSON`},
		"operations null":           {formOf(`null`, sendMap), 400, "The request has no query"},
		"huge operations":           {formOf(`{"query":"`+strings.Repeat(" ", 1<<20)+`"}`, sendMap), 413, `\"operations\" has more than 1048576 bytes`},
		"cut off within a file":     {strings.TrimSuffix(formOf(sendQuery, sendMap, file("0", "content")), "\r\n--b--\r\n"), 400, "is incomplete"},
		"query with files":          {formOf(`{"query":"query($f: String) { hello(name: $f) }","variables":{"f":null}}`, sendMap, file("0", "c")), 400, "must be a String, not a file"},
		"no field takes the file":   {formOf(`{"query":"mutation($f: Upload) { send(file: $f) @skip(if: true) set }","variables":{"f":null}}`, sendMap, file("0", "c")), 400, "exactly one field of the mutation must take files"},
		"two take files":            {formOf(`{"query":"mutation($f: Upload) { send(file: $f) b: edit }","variables":{"f":null}}`, sendMap, file("0", "c")), 400, "exactly one field of the mutation must take files"},
		"unknown kind of operation": {formOf(`{"query":"mutation($f: Upload) { nope(file: $f) }","variables":{"f":null}}`, sendMap, file("0", "c")), 400, "GRAPHQL_VALIDATION_FAILED"},
	}
	// A file may replace any placeholder, or a missing one.
	for variables, path := range map[string]string{
		`"variables":{"f":null}`: "variables.f", `"variables":{"f":{}}`: "variables.f", `"variables":{"f":[]}`: "variables.f",
		`"variables":{"f":"x.mp3"}`: "variables.f", `"variables":{"f":0}`: "variables.f", `"variables":{"f":false}`: "variables.f",
		`"variables":{"f":{"name":"x"}}`: "variables.f", `"variables":{}`: "variables.f", `"variables":null`: "variables.f", `"x":0`: "variables.f",
		`"variables":{"i":{}}`: "variables.i.file", `"variables": {}`: "variables.i.deep.file", `"variables":{"i":{"file":{}}}`: "variables.i.file",
		`"variables":{"l":[{}]}`: "variables.l.0", `"variables":{"l":[]}`: "variables.l.1", `"variables":  {}`: "variables.l.0",
		`"variables":{"m":[]}`: "variables.m.0.file",
	} {
		tests["the variables "+variables] = struct {
			body   string
			status int
			want   string
		}{formOf(`{"query":"mutation($f: Upload, $i: In, $l: [Upload], $m: [In]) { send(file: $f, files: $l, input: $i, inputs: $m) }",`+variables+`}`, `{"0":["`+path+`"]}`, file("0", "c")), 200, path + "=0,x.mp3,audio/mpeg,c"}
	}
	for name, tt := range tests {
		for way, wrap := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "in pieces": iotest.OneByteReader} {
			if way != "whole" && len(tt.body) > 64<<10 {
				continue
			}
			t.Run(name+"/"+way, func(t *testing.T) {
				t.Parallel()
				r := request(t, http.MethodPost, "/graphql", tt.body, formType, preflight, newer)
				r.Body = io.NopCloser(wrap(strings.NewReader(tt.body)))
				rec := serve(graphhttp.New(newStub(), graphhttp.Options{}), r)
				check(t, rec, tt.status, tt.want)
			})
		}
	}
}

// withFile returns a form with one file.
func withFile(operations string) string { return formOf(operations, sendMap, file("0", "c")) }

// check compares a response. A refusal has exactly one error, with one of the documented codes,
// and no data.
func check(t *testing.T, rec *httptest.ResponseRecorder, status int, want string) {
	t.Helper()
	if rec.Code != status || !strings.Contains(rec.Body.String(), want) {
		t.Errorf("status %d, want %d; %s lacks %s", rec.Code, status, rec.Body, want)
	}
	var got struct {
		Data   json.RawMessage
		Errors []struct{ Extensions struct{ Code string } }
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
		t.Fatalf("response is not JSON: %v: %s", err, rec.Body)
	}
	if status < 400 {
		return
	}
	if got.Data != nil || len(got.Errors) != 1 {
		t.Fatalf("response has %d errors, want one error and no data: %s", len(got.Errors), rec.Body)
	}
	codes := map[int]string{413: "LIMIT_EXCEEDED"}
	if code := got.Errors[0].Extensions.Code; code != codes[status] && code != "BAD_USER_INPUT" && code != "GRAPHQL_VALIDATION_FAILED" {
		t.Errorf("status %d with code %s, want BAD_USER_INPUT, GRAPHQL_VALIDATION_FAILED or %q", status, code, codes[status])
	}
	if status == 413 && got.Errors[0].Extensions.Code != "LIMIT_EXCEEDED" {
		t.Errorf("status 413 without the code LIMIT_EXCEEDED: %s", rec.Body)
	}
}

func TestMultipart_headers(t *testing.T) {
	t.Parallel()
	body := formOf(sendQuery, sendMap, file("0", "c"))
	tests := map[string]struct {
		headers []string
		status  int
		want    string
	}{
		"no preflight":                        {[]string{formType}, 400, "GraphQL-Require-Preflight, Apollo-Require-Preflight, X-Requested-With, X-Apollo-Operation-Name"},
		"no boundary":                         {[]string{"Content-Type: multipart/form-data", preflight}, 400, "has no boundary"},
		"compressed":                          {[]string{formType, preflight, "Content-Encoding: gzip"}, 415, "without a Content-Encoding"},
		"no acceptable media type":            {[]string{formType, preflight, "Accept: text/html"}, 406, "The Accept header allows no supported media type"},
		"events":                              {[]string{formType, preflight, "Accept: text/event-stream"}, 406, "A mutation does not return a stream"},
		"empty idempotency key":               {[]string{formType, preflight, "Idempotency-Key: "}, 400, "1 to 255 bytes"},
		"long idempotency key":                {[]string{formType, preflight, "Idempotency-Key: " + strings.Repeat("x", 256)}, 400, "1 to 255 bytes"},
		"idempotency key with a tab":          {[]string{formType, preflight, "Idempotency-Key: a\tb"}, 400, "without control characters"},
		"two keys":                            {[]string{formType, preflight, "Idempotency-Key: a", "Idempotency-Key: b"}, 400, "one Idempotency-Key"},
		"valid idempotency key":               {[]string{formType, preflight, "Idempotency-Key: a"}, 200, `"send"`},
		"not multipart/form-data":             {[]string{"Content-Type: multipart/mixed; boundary=b", preflight}, 415, "application/json"},
		"URL-encoded form":                    {[]string{"Content-Type: application/x-www-form-urlencoded", preflight}, 415, "application/json"},
		"type with a longer name":             {[]string{"Content-Type: multipart/form-data2; boundary=b", preflight}, 415, "application/json"},
		"both media types, old one preferred": {[]string{formType, preflight, "Accept: application/json"}, 200, `"send"`},
		"error in the old media type":         {[]string{"Content-Type: multipart/form-data; boundary=c", preflight, "Accept: application/json"}, 400, "is incomplete"},
		"variants of clients":                 {[]string{formType, preflight, "Accept: application/graphql-response+json, application/json, text/event-stream, multipart/mixed"}, 200, `"send"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := serve(graphhttp.New(newStub(), graphhttp.Options{}), request(t, http.MethodPost, "/graphql", body, tt.headers...))
			check(t, rec, tt.status, tt.want)
		})
	}
}

// An error of the form that a mutation finds while it reads is the request's error, regardless
// of the mutation's result.
func TestMultipart_swallowedError(t *testing.T) {
	t.Parallel()
	s := newStub()
	s.fields["send"] = func(ctx context.Context, args map[string]any) (any, error) {
		if _, err := readAll(ctx, args); err != nil {
			return "never mind", nil //nolint:nilerr // the case under test
		}
		return "whole", nil
	}
	r := request(t, http.MethodPost, "/graphql", formOf(sendQuery, sendMap), formType, preflight, newer)
	rec := serve(graphhttp.New(s, graphhttp.Options{}), r)
	check(t, rec, 400, "without the file")
}

// An error in a file that the mutation does not read is ignored.
func TestMultipart_unread(t *testing.T) {
	t.Parallel()
	s := newStub()
	s.fields["send"] = func(context.Context, map[string]any) (any, error) { return "refused", nil }
	r := request(t, http.MethodPost, "/graphql", formOf(sendQuery, sendMap, file("1", "not in the map")), formType, preflight, newer)
	rec := serve(graphhttp.New(s, graphhttp.Options{}), r)
	check(t, rec, 200, "refused")
	if rec.Header().Get("Connection") != "close" {
		t.Errorf("Connection = %q with an unread body, want close", rec.Header().Get("Connection"))
	}
}

// FuzzMultipart sends any form: the response is JSON, without a panic and without an internal
// error.
func FuzzMultipart(f *testing.F) {
	f.Add(formOf(sendQuery, sendMap, file("0", "content")))
	f.Add(formOf(sendQuery, `{"0":["variables.x.9"]}`, file("0", "content")))
	f.Add(formOf(`{"query":"mutation($i: In) { send(input: $i) }","variables":{"i":{"deep":{"files":[null]}}}}`, `{"mp3":["variables.i.deep.files.0"]}`, file("mp3", "c")))
	f.Add(strings.TrimSuffix(formOf(sendQuery, sendMap, file("0", "content")), "--\r\n"))
	f.Add("--b\r\n\r\n\r\n--b--")
	h := graphhttp.New(newStub(), graphhttp.Options{})
	f.Fuzz(func(t *testing.T, body string) {
		if strings.Contains(body, "wait") || strings.Contains(body, "panic") {
			return
		}
		r := request(t, http.MethodPost, "/graphql", "x", formType, preflight, newer)
		r.Body = io.NopCloser(iotest.HalfReader(bytes.NewReader([]byte(body))))
		rec := serve(h, r)
		var got struct {
			Data   json.RawMessage
			Errors []struct{ Extensions struct{ Code string } }
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
			t.Fatalf("response is not JSON: %v: %s", err, rec.Body)
		}
		for _, e := range got.Errors {
			if e.Extensions.Code == "" || e.Extensions.Code == "INTERNAL" {
				t.Fatalf("error without a code, or INTERNAL: %s", rec.Body)
			}
		}
	})
}
