package graphhttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// part writes one part of a form whose boundary is b.
func part(headers, body string) string {
	return "--b\r\nContent-Disposition: form-data; " + headers + "\r\n\r\n" + body + "\r\n"
}

func file(name, body string) string {
	return part(`name="`+name+`"; filename="x.mp3"`+"\r\nContent-Type: audio/mpeg", body)
}

// formed is a form with both of its first parts.
func formed(operations, places string, files ...string) string {
	return part(`name="operations"`, operations) + part(`name="map"`, places) + strings.Join(files, "") + "--b--\r\n"
}

func sendForm(t *testing.T, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := request(t, http.MethodPost, "/graphql", body, append([]string{formType, preflight, newer}, headers...)...)
	return serve(graphhttp.New(newStub(), graphhttp.Options{}), r)
}

// What a form is answered with, case by case of the specification and of its
// abuse.
func TestMultipart(t *testing.T) {
	t.Parallel()
	many := func(n int) (places string, files []string) {
		all := map[string][]string{}
		for i := range n {
			all[fmt.Sprint(i)] = []string{fmt.Sprintf("variables.l.%d", i)}
			files = append(files, file(fmt.Sprint(i), "x"))
		}
		text, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return string(text), files
	}
	threePlaces, threeFiles := many(3)
	const listQuery = `{"query":"mutation($l: [Upload]) { send(files: $l) }","variables":{"l":[null,null,null]}}`
	op := part(`name="operations"`, sendQuery)
	tests := map[string]struct {
		body   string
		status int
		want   string
	}{
		"one file": {
			formed(sendQuery, sendMap, file("0", "content")), 200,
			`"send":"variables.f=0,x.mp3,audio/mpeg,content"`,
		},
		"a file deep in an input": {
			formed(`{"query":"mutation($i: In) { send(input: $i) }","variables":{"i":{"deep":{"file":null}}}}`, `{"mp3":["variables.i.deep.file"]}`, file("mp3", "c")), 200,
			`variables.i.deep.file=mp3`,
		},
		"a list of files, in the order of arrival": {
			formed(listQuery, `{"1":["variables.l.0"],"0":["variables.l.2"]}`, file("0", "second"), file("1", "first")), 200,
			`variables.l.2=0,x.mp3,audio/mpeg,second;variables.l.0=1,x.mp3,audio/mpeg,first`,
		},
		"content like a boundary": {
			formed(sendQuery, sendMap, file("0", "\r\n--\r\n--bx\r\n-b--")), 200, `\r\n--\r\n--bx\r\n-b--`,
		},
		"no files": {
			formed(`{"query":"mutation { set }"}`, `{}`), 200, `"set":"done"`,
		},
		"no files for one who takes them": {
			formed(sendQuery, `{}`), 200, `"send":"no files"`,
		},
		"a query": {formed(`{"query":"{ hello }"}`, `{}`), 200, `"hello":"you"`},
		"operations as a file": {
			part(`name="operations"; filename="o.json"`+"\r\nContent-Type: application/json; charset=UTF-8", sendQuery) + part(`name="map"`, sendMap) + file("0", "c") + "--b--", 200, `"send":`,
		},
		"text around": {
			"preamble\r\n" + strings.TrimSuffix(formed(sendQuery, sendMap, file("0", "c")), "\r\n") + "\r\nepilogue", 200, `"send":`,
		},
		"a field's error": {
			reasonless(`{"query":"mutation($f: Upload) { send(file: $f) a: set }","variables":{"f":null}}`), 200, `"a":"done"`,
		},

		"an empty body":           {" ", 400, "did not arrive whole"},
		"nothing but the end":     {"--b--\r\n", 400, `The form has no \"operations\"`},
		"no map":                  {op + "--b--", 400, `The form has no \"map\"`},
		"no operations":           {part(`name="map"`, sendMap) + file("0", "c") + "--b--", 400, `another part where \"operations\" must be`},
		"the map first":           {part(`name="map"`, sendMap) + op + file("0", "c") + "--b--", 400, `in this order`},
		"a file before the map":   {op + file("0", "c") + part(`name="map"`, sendMap) + "--b--", 400, `another part where \"map\" must be`},
		"operations twice":        {op + op + part(`name="map"`, sendMap) + "--b--", 400, `another part where \"map\" must be`},
		"operations once more":    {formed(sendQuery, sendMap, op, file("0", "c")), 400, `part twice: \"operations\"`},
		"the map once more":       {formed(sendQuery, sendMap, file("0", "c"), part(`name="map"`, "{}")), 400, `part twice: \"map\"`},
		"a file twice":            {formed(sendQuery, sendMap, file("0", "c"), file("0", "d")), 400, `part twice: \"0\"`},
		"a file that is missing":  {formed(sendQuery, sendMap), 400, `without the file that its \"map\" names \"0\"`},
		"one of two is missing":   {formed(listQuery, `{"0":["variables.l.0"],"1":["variables.l.1"]}`, file("0", "c")), 400, `names \"1\"`},
		"a file not in the map":   {formed(sendQuery, sendMap, file("1", "c")), 400, `does not name: \"1\"`},
		"one more than the map":   {formed(sendQuery, sendMap, file("0", "c"), file("1", "c")), 400, `does not name: \"1\"`},
		"files without a map":     {formed(sendQuery, `{}`, file("0", "c")), 400, `does not name: \"0\"`},
		"an empty file":           {formed(sendQuery, sendMap, file("0", "")), 400, "The file for variables.f is empty"},
		"one file at two paths":   {formed(sendQuery, `{"0":["variables.f","variables.g"]}`, file("0", "c")), 400, "one file at 2 paths"},
		"two files at one path":   {formed(sendQuery, `{"0":["variables.f"],"1":["variables.f"]}`, file("0", "c")), 400, "two files at one path"},
		"a file mapped twice":     {formed(sendQuery, `{"0":["variables.f"],"0":["variables.f"]}`, file("0", "c")), 400, "names a file twice"},
		"a file without a path":   {formed(sendQuery, `{"0":[]}`, file("0", "c")), 400, "a file without a path"},
		"a path of no text":       {formed(sendQuery, `{"0":[7]}`, file("0", "c")), 400, "must be a JSON object that gives each file a list of one path"},
		"a path of null":          {formed(sendQuery, `{"0":null}`, file("0", "c")), 400, "a file without a path"},
		"a path not in a list":    {formed(sendQuery, `{"0":"variables.f"}`, file("0", "c")), 400, "must be a JSON object"},
		"a map that is a list":    {formed(sendQuery, `[]`), 400, "must be a JSON object"},
		"a map that is null":      {formed(sendQuery, `null`), 400, "must be a JSON object"},
		"a map of nonsense":       {formed(sendQuery, `{"0"`), 400, "must be a JSON object"},
		"an empty map part":       {formed(sendQuery, ``), 400, "must be a JSON object"},
		"more than a map":         {formed(sendQuery, `{}{}`), 400, "more than one JSON value"},
		"a file called as a part": {formed(sendQuery, `{"map":["variables.f"]}`), 400, "whose name cannot be one"},
		"a file called nothing":   {formed(sendQuery, `{"":["variables.f"]}`), 400, "whose name cannot be one"},
		"too many files":          {formed(listQuery, threePlaces, threeFiles...), 413, "more than 2 files"},
		"a batch":                 {formed(`[`+sendQuery+`]`, `{"0":["0.variables.f"]}`, file("0", "c")), 400, "batches are not supported"},
		"a member twice":          {formed(`{"query":"{ hello }","query":"{ hello }"}`, `{}`), 400, `member \"query\" twice`},
		"a variable twice":        {formed(`{"query":"{ hello }","variables":{"a":1,"a":2}}`, `{}`), 400, `member \"variables.a\" twice`},
		"members in capitals":     {formed(`{"Query":"{ hello }"}`, `{}`), 400, "There is no query"},
		"operations of nonsense":  {formed(`{`, sendMap), 400, `\"operations\" is not valid JSON`},
		"operations of null":      {formed(`null`, sendMap), 400, "There is no query"},
		"huge operations":         {formed(`{"query":"`+strings.Repeat(" ", 1<<20)+`"}`, sendMap), 413, `\"operations\" has more than 1048576 bytes`},
		"a huge map":              {formed(sendQuery, `{"`+strings.Repeat("x", 16<<10)+`":[]}`), 413, `\"map\" has more than 16384 bytes`},
		"a huge header":           {"--b\r\nContent-Disposition: form-data; name=operations\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n" + sendQuery, 400, "headers that are too long or malformed"},
		"a huge header of a file": {formed(sendQuery, sendMap, part(`name="0"; filename="`+strings.Repeat("x", 64<<10)+`"`, "c")), 400, "headers that are too long or malformed"},
		"a part without headers":  {"--b\r\n\r\n" + sendQuery + "\r\n--b--", 400, "headers that are too long or malformed"},
		"a part without a name":   {part(`filename="x"`, sendQuery) + "--b--", 400, "another part"},
		"a line without colon":    {"--b\r\nnonsense\r\n\r\n--b--", 400, "headers that are too long or malformed"},
		"another charset":         {part("name=operations\r\nContent-Type: application/json; charset=latin1", sendQuery), 400, "must be JSON in UTF-8"},
		"an encoded file":         {formed(sendQuery, sendMap, part("name=0; filename=x\r\nContent-Transfer-Encoding: base64", "Yw==")), 400, "Content-Transfer-Encoding"},
		"no boundary in the body": {strings.Repeat("x", 200<<10), 400, "does not begin with the boundary"},
		"cut off in a file":       {formed(sendQuery, sendMap) + "x", 400, `without the file`},
		"cut off in operations":   {"--b\r\nContent-Disposition: form-data; name=operations\r\n\r\n" + sendQuery, 400, "did not arrive whole"},
		"cut off before a file":   {strings.TrimSuffix(formed(sendQuery, sendMap), "--b--\r\n"), 400, "did not arrive whole"},
		"cut off within a file":   {strings.TrimSuffix(formed(sendQuery, sendMap, file("0", "content")), "\r\n--b--\r\n"), 400, "did not arrive whole"},
		"cut off at the end":      {strings.TrimSuffix(formed(sendQuery, sendMap, file("0", "content")), "--\r\n"), 400, "did not arrive whole"},
		"an endless epilogue":     {formed(sendQuery, sendMap, file("0", "c")) + strings.Repeat("x", 400<<10), 400, "goes on after its closing boundary"},
		"a query with files":      {formed(`{"query":"query($f: String) { hello(name: $f) }","variables":{"f":null}}`, sendMap, file("0", "c")), 400, "must be a String, not a file"},
		"nobody takes the file":   {formed(`{"query":"mutation($f: Upload) { send(file: $f) @skip(if: true) set }","variables":{"f":null}}`, sendMap, file("0", "c")), 400, "exactly one field of the mutation must take them"},
		"two take files":          {formed(`{"query":"mutation($f: Upload) { send(file: $f) b: edit }","variables":{"f":null}}`, sendMap, file("0", "c")), 400, "exactly one field of the mutation must take them"},
		"an operation of no kind": {formed(`{"query":"mutation($f: Upload) { nope(file: $f) }","variables":{"f":null}}`, sendMap, file("0", "c")), 400, "GRAPHQL_VALIDATION_FAILED"},
	}
	for _, path := range []string{
		"", "variables", "variables.", "f", "0.variables.f", "Variables.f", "variables.x.9", "variables.f.0", "variables.f.x", "variables..f", "variables.l.3", "variables.l.-1",
		"variables.l.00", "variables.l.+1", "variables.l.x", "variables.l.0.x", "variables.i.s.x", "query", "variables.l.99999999999999999999",
	} {
		text, err := json.Marshal(map[string][]string{"0": {path}})
		if err != nil {
			t.Fatal(err)
		}
		tests["the path "+path] = struct {
			body   string
			status int
			want   string
		}{formed(`{"query":"mutation($f: Upload) { send(file: $f) }","variables":{"f":null,"l":[null,null,7],"i":{"s":"x"}}}`, string(text), file("0", "c")), 400, `has the path`}
	}
	// A placeholder is whatever stands where a file goes, or nothing.
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
		}{formed(`{"query":"mutation($f: Upload, $i: In, $l: [Upload], $m: [In]) { send(file: $f, files: $l, input: $i, inputs: $m) }",`+variables+`}`, `{"0":["`+path+`"]}`, file("0", "c")), 200, path + "=0,x.mp3,audio/mpeg,c"}
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

// reasonless is a form with one file.
func reasonless(operations string) string { return formed(operations, sendMap, file("0", "c")) }

// check holds an answer against what is wanted: refusals have one error of the
// closed codes, and no data.
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
		t.Fatalf("%v: %s", err, rec.Body)
	}
	if status < 400 {
		return
	}
	if got.Data != nil || len(got.Errors) != 1 {
		t.Fatalf("there is not just one error: %s", rec.Body)
	}
	codes := map[int]string{413: "LIMIT_EXCEEDED"}
	if code := got.Errors[0].Extensions.Code; code != codes[status] && code != "BAD_USER_INPUT" && code != "GRAPHQL_VALIDATION_FAILED" {
		t.Errorf("the code is %s", code)
	}
	if status == 413 && got.Errors[0].Extensions.Code != "LIMIT_EXCEEDED" {
		t.Errorf("the code is not LIMIT_EXCEEDED: %s", rec.Body)
	}
}

func TestMultipart_headers(t *testing.T) {
	t.Parallel()
	body := formed(sendQuery, sendMap, file("0", "c"))
	tests := map[string]struct {
		headers []string
		status  int
		want    string
	}{
		"preflight by GraphQL":       {[]string{formType, "GraphQL-Require-Preflight: 1"}, 200, `"send"`},
		"preflight by Apollo":        {[]string{formType, "Apollo-Require-Preflight: true"}, 200, `"send"`},
		"preflight by habit":         {[]string{formType, "X-Requested-With: XMLHttpRequest"}, 200, `"send"`},
		"preflight by Apollo's name": {[]string{formType, "X-Apollo-Operation-Name: Send"}, 200, `"send"`},
		"a bearer token":             {[]string{formType, "Authorization: Bearer x"}, 200, `"send"`},
		"a bearer token in capitals": {[]string{formType, "Authorization: BEARER x"}, 200, `"send"`},
		"no preflight":               {[]string{formType}, 400, "GraphQL-Require-Preflight, Apollo-Require-Preflight, X-Requested-With, X-Apollo-Operation-Name"},
		"a cookie alone":             {[]string{formType, "Cookie: __Host-mixcloud-graphql=x"}, 400, "to prevent CSRF"},
		"what a browser adds":        {[]string{formType, "Authorization: Basic eDp5"}, 400, "to prevent CSRF"},
		"bearer without a blank":     {[]string{formType, "Authorization: Bearerx"}, 400, "to prevent CSRF"},
		"an empty preflight":         {[]string{formType, "X-Requested-With: "}, 400, "Apollo-Require-Preflight"},
		"no boundary":                {[]string{"Content-Type: multipart/form-data", preflight}, 400, "names no boundary"},
		"an empty boundary":          {[]string{`Content-Type: multipart/form-data; boundary=""`, preflight}, 400, "names no boundary"},
		"a long boundary":            {[]string{"Content-Type: multipart/form-data; boundary=" + strings.Repeat("b", 71), preflight}, 400, "more than 70 characters"},
		"a malformed type":           {[]string{`Content-Type: multipart/form-data; boundary="b`, preflight}, 400, "well-formed"},
		"another charset":            {[]string{"Content-Type: multipart/form-data; charset=utf-16; boundary=b", preflight}, 400, "another charset"},
		"UTF-8":                      {[]string{`Content-Type: Multipart/Form-Data; charset="UTF-8"; boundary="b"`, preflight}, 200, `"send"`},
		"another boundary":           {[]string{"Content-Type: multipart/form-data; boundary=c", preflight}, 400, "did not arrive whole"},
		"compressed":                 {[]string{formType, preflight, "Content-Encoding: gzip"}, 415, "without a Content-Encoding"},
		"nothing acceptable":         {[]string{formType, preflight, "Accept: text/html"}, 406, "the Accept header allows none"},
		"events":                     {[]string{formType, preflight, "Accept: text/event-stream"}, 406, "A mutation is answered at once"},
		"an empty idempotency key":   {[]string{formType, preflight, "Idempotency-Key: "}, 400, "1 to 255 bytes"},
		"a long idempotency key":     {[]string{formType, preflight, "Idempotency-Key: " + strings.Repeat("x", 256)}, 400, "1 to 255 bytes"},
		"a key with a tab":           {[]string{formType, preflight, "Idempotency-Key: a\tb"}, 400, "without control characters"},
		"two keys":                   {[]string{formType, preflight, "Idempotency-Key: a", "Idempotency-Key: b"}, 400, "once"},
		"a key is fine":              {[]string{formType, preflight, "Idempotency-Key: a"}, 200, `"send"`},
		"not multipart/form-data":    {[]string{"Content-Type: multipart/mixed; boundary=b", preflight}, 415, "application/json"},
		"a form of the other kind":   {[]string{"Content-Type: application/x-www-form-urlencoded", preflight}, 415, "application/json"},
		"a type with a longer name":  {[]string{"Content-Type: multipart/form-data2; boundary=b", preflight}, 415, "application/json"},
		"both types of answer, old":  {[]string{formType, preflight, "Accept: application/json"}, 200, `"send"`},
		"a refusal in the old type":  {[]string{"Content-Type: multipart/form-data; boundary=c", preflight, "Accept: application/json"}, 400, "did not arrive whole"},
		"everything that clients do": {[]string{formType, preflight, "Accept: application/graphql-response+json, application/json, text/event-stream, multipart/mixed"}, 200, `"send"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := serve(graphhttp.New(newStub(), graphhttp.Options{}), request(t, http.MethodPost, "/graphql", body, tt.headers...))
			check(t, rec, tt.status, tt.want)
		})
	}
}

// A fault that shows while the mutation reads is the request's, whatever the
// mutation makes of it.
func TestMultipart_swallowedFault(t *testing.T) {
	t.Parallel()
	s := newStub()
	s.fields["send"] = func(ctx context.Context, args map[string]any) (any, error) {
		if _, err := readAll(ctx, args); err != nil {
			return "never mind", nil //nolint:nilerr // that is what it is about
		}
		return "whole", nil
	}
	r := request(t, http.MethodPost, "/graphql", formed(sendQuery, sendMap), formType, preflight, newer)
	rec := serve(graphhttp.New(s, graphhttp.Options{}), r)
	check(t, rec, 400, "without the file")
}

// What a mutation does not read is nobody's fault.
func TestMultipart_unread(t *testing.T) {
	t.Parallel()
	s := newStub()
	s.fields["send"] = func(context.Context, map[string]any) (any, error) { return "refused", nil }
	r := request(t, http.MethodPost, "/graphql", formed(sendQuery, sendMap, file("1", "not in the map")), formType, preflight, newer)
	rec := serve(graphhttp.New(s, graphhttp.Options{}), r)
	check(t, rec, 200, "refused")
	if rec.Header().Get("Connection") != "close" {
		t.Error("the connection is to be used again in the middle of a body")
	}
}

// The request is never quoted back at length.
func TestMultipart_quotesLittle(t *testing.T) {
	t.Parallel()
	rec := sendForm(t, formed(sendQuery, `{"0":["`+strings.Repeat("x", 5000)+`"]}`, file("0", "c")))
	check(t, rec, 400, "has the path")
	if rec.Body.Len() > 1000 {
		t.Errorf("%d bytes: %s", rec.Body.Len(), rec.Body)
	}
}

// FuzzMultipart sends forms of any kind: each is answered with JSON, without a
// panic and without a fault of this server.
func FuzzMultipart(f *testing.F) {
	f.Add(formed(sendQuery, sendMap, file("0", "content")))
	f.Add(formed(sendQuery, `{"0":["variables.x.9"]}`, file("0", "content")))
	f.Add(formed(`{"query":"mutation($i: In) { send(input: $i) }","variables":{"i":{"deep":{"files":[null]}}}}`, `{"mp3":["variables.i.deep.files.0"]}`, file("mp3", "c")))
	f.Add(strings.TrimSuffix(formed(sendQuery, sendMap, file("0", "content")), "--\r\n"))
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
			t.Fatalf("%v: %s", err, rec.Body)
		}
		for _, e := range got.Errors {
			if e.Extensions.Code == "" || e.Extensions.Code == "INTERNAL" {
				t.Fatalf("%s", rec.Body)
			}
		}
	})
}

// The body's own error is nothing of the form's.
func TestMultipart_brokenConnection(t *testing.T) {
	t.Parallel()
	whole := formed(sendQuery, sendMap, file("0", "content"))
	for n := range len(whole) - len("--\r\n") {
		r := request(t, http.MethodPost, "/graphql", "x", formType, preflight, newer)
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(whole[:n]), iotest.ErrReader(errors.New("s3cret-canary"))))
		rec := serve(graphhttp.New(newStub(), graphhttp.Options{}), r)
		if rec.Code != 400 || strings.Contains(rec.Body.String(), "canary") || strings.Contains(rec.Body.String(), `"data"`) {
			t.Errorf("cut after %d bytes: %d %s", n, rec.Code, rec.Body)
		}
	}
}
