package uploadhttp_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestForm covers valid and invalid forms.
func TestForm(t *testing.T) {
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
		"content like a boundary": {
			formOf(sendQuery, sendMap, file("0", "\r\n--\r\n--bx\r\n-b--")), 200, `\r\n--\r\n--bx\r\n-b--`,
		},
		"operations as a file": {
			part(`name="operations"; filename="o.json"`+"\r\nContent-Type: application/json; charset=UTF-8", sendQuery) + part(`name="map"`, sendMap) + file("0", "c") + "--b--", 200, `"send":`,
		},
		"preamble and epilogue": {
			"preamble\r\n" + strings.TrimSuffix(formOf(sendQuery, sendMap, file("0", "c")), "\r\n") + "\r\nepilogue", 200, `"send":`,
		},
		"empty body":                        {" ", 400, "is incomplete"},
		"only the closing boundary":         {"--b--\r\n", 400, `The form has no \"operations\"`},
		"no map":                            {op + "--b--", 400, `The form has no \"map\"`},
		"no operations":                     {part(`name="map"`, sendMap) + file("0", "c") + "--b--", 400, `another part in the place of \"operations\"`},
		"the map first":                     {part(`name="map"`, sendMap) + op + file("0", "c") + "--b--", 400, `in this order`},
		"file before the map":               {op + file("0", "c") + part(`name="map"`, sendMap) + "--b--", 400, `another part in the place of \"map\"`},
		"operations twice":                  {op + op + part(`name="map"`, sendMap) + "--b--", 400, `another part in the place of \"map\"`},
		"operations repeated after the map": {formOf(sendQuery, sendMap, op, file("0", "c")), 400, `duplicate part: \"operations\"`},
		"map repeated":                      {formOf(sendQuery, sendMap, file("0", "c"), part(`name="map"`, "{}")), 400, `duplicate part: \"map\"`},
		"file twice":                        {formOf(sendQuery, sendMap, file("0", "c"), file("0", "d")), 400, `duplicate part: \"0\"`},
		"missing file":                      {formOf(sendQuery, sendMap), 400, `without the file \"0\" of its \"map\"`},
		"one of two is missing":             {formOf(listQuery, `{"0":["variables.l.0"],"1":["variables.l.1"]}`, file("0", "c")), 400, `without the file \"1\"`},
		"file not in the map":               {formOf(sendQuery, sendMap, file("1", "c")), 400, `not in its \"map\": \"1\"`},
		"part not in the map":               {formOf(sendQuery, sendMap, file("0", "c"), file("1", "c")), 400, `not in its \"map\": \"1\"`},
		"files without a map":               {formOf(sendQuery, `{}`, file("0", "c")), 400, `not in its \"map\": \"0\"`},
		"empty file":                        {formOf(sendQuery, sendMap, file("0", "")), 400, "The file for variables.f is empty"},
		"one file at two paths":             {formOf(sendQuery, `{"0":["variables.f","variables.g"]}`, file("0", "c")), 400, "one file to 2 paths"},
		"two files at one path":             {formOf(sendQuery, `{"0":["variables.f"],"1":["variables.f"]}`, file("0", "c")), 400, "two files to the same path"},
		"file mapped twice":                 {formOf(sendQuery, `{"0":["variables.f"],"0":["variables.f"]}`, file("0", "c")), 400, "a duplicate file name"},
		"a file without a path":             {formOf(sendQuery, `{"0":[]}`, file("0", "c")), 400, "a file without a path"},
		"path that is not a string":         {formOf(sendQuery, `{"0":[7]}`, file("0", "c")), 400, "must be a JSON object that maps each file to a list of one path"},
		"null path":                         {formOf(sendQuery, `{"0":null}`, file("0", "c")), 400, "a file without a path"},
		"path not in a list":                {formOf(sendQuery, `{"0":"variables.f"}`, file("0", "c")), 400, "must be a JSON object"},
		"map that is a list":                {formOf(sendQuery, `[]`), 400, "must be a JSON object"},
		"map that is null":                  {formOf(sendQuery, `null`), 400, "must be a JSON object"},
		"malformed map":                     {formOf(sendQuery, `{"0"`), 400, "must be a JSON object"},
		"empty map part":                    {formOf(sendQuery, ``), 400, "must be a JSON object"},
		"data after the map":                {formOf(sendQuery, `{}{}`), 400, "more than one JSON value"},
		"file named like a part":            {formOf(sendQuery, `{"map":["variables.f"]}`), 400, "an invalid file name"},
		"file without a name":               {formOf(sendQuery, `{"":["variables.f"]}`), 400, "an invalid file name"},
		"too many files":                    {formOf(listQuery, threePlaces, threeFiles...), 413, "more than 2 files"},
		"huge map":                          {formOf(sendQuery, `{"`+strings.Repeat("x", 16<<10)+`":[]}`), 413, `\"map\" has more than 16384 bytes`},
		"huge header":                       {"--b\r\nContent-Disposition: form-data; name=operations\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n" + sendQuery, 400, "headers that are too long or malformed"},
		"huge header of a file":             {formOf(sendQuery, sendMap, part(`name="0"; filename="`+strings.Repeat("x", 64<<10)+`"`, "c")), 400, "headers that are too long or malformed"},
		"part without headers":              {"--b\r\n\r\n" + sendQuery + "\r\n--b--", 400, "headers that are too long or malformed"},
		"part without a name":               {part(`filename="x"`, sendQuery) + "--b--", 400, "another part"},
		"line without colon":                {"--b\r\nnonsense\r\n\r\n--b--", 400, "headers that are too long or malformed"},
		"another charset of operations":     {part("name=operations\r\nContent-Type: application/json; charset=latin1", sendQuery), 400, "must be JSON in UTF-8"},
		"encoded file":                      {formOf(sendQuery, sendMap, part("name=0; filename=x\r\nContent-Transfer-Encoding: base64", "Yw==")), 400, "Content-Transfer-Encoding"},
		"no boundary in the body":           {strings.Repeat("x", 200<<10), 400, "does not begin with the boundary"},
		"cut off in a file":                 {formOf(sendQuery, sendMap) + "x", 400, `without the file`},
		"cut off in operations":             {"--b\r\nContent-Disposition: form-data; name=operations\r\n\r\n" + sendQuery, 400, "is incomplete"},
		"cut off before a file":             {strings.TrimSuffix(formOf(sendQuery, sendMap), "--b--\r\n"), 400, "is incomplete"},
		"cut off within a file":             {strings.TrimSuffix(formOf(sendQuery, sendMap, file("0", "content")), "\r\n--b--\r\n"), 400, "is incomplete"},
		"cut off at the end":                {strings.TrimSuffix(formOf(sendQuery, sendMap, file("0", "content")), "--\r\n"), 400, "is incomplete"},
		"huge epilogue":                     {formOf(sendQuery, sendMap, file("0", "c")) + strings.Repeat("x", 400<<10), 400, "continues after its closing boundary"},
		"no files":                          {formOf(sendQuery, `{}`), 200, `"send":"no files"`},
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
		}{formOf(`{"variables":{"f":null,"l":[null,null,7],"i":{"s":"x"}}}`, string(text), file("0", "c")), 400, `has the path`}
	}
	for name, tt := range tests {
		for way, wrap := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "in chunkedReader": iotest.OneByteReader} {
			if way != "whole" && len(tt.body) > 64<<10 {
				continue
			}
			t.Run(name+"/"+way, func(t *testing.T) {
				t.Parallel()
				check(t, serve(endpoint{}, request(t, wrap(strings.NewReader(tt.body)), formType, preflight)), tt.status, tt.want)
			})
		}
	}
}

// TestCheckHeader covers protection against CSRF, and the Content-Type.
func TestCheckHeader(t *testing.T) {
	t.Parallel()
	body := formOf(sendQuery, sendMap, file("0", "c"))
	tests := map[string]struct {
		headers []string
		status  int
		want    string
	}{
		"preflight by GraphQL":       {[]string{formType, "GraphQL-Require-Preflight: 1"}, 200, `"send"`},
		"preflight by Apollo":        {[]string{formType, "Apollo-Require-Preflight: true"}, 200, `"send"`},
		"X-Requested-With":           {[]string{formType, "X-Requested-With: XMLHttpRequest"}, 200, `"send"`},
		"preflight by Apollo's name": {[]string{formType, "X-Apollo-Operation-Name: Send"}, 200, `"send"`},
		"bearer token":               {[]string{formType, "Authorization: Bearer x"}, 200, `"send"`},
		"upper-case bearer token":    {[]string{formType, "Authorization: BEARER x"}, 200, `"send"`},
		"no preflight":               {[]string{formType}, 400, "GraphQL-Require-Preflight, Apollo-Require-Preflight, X-Requested-With, X-Apollo-Operation-Name"},
		"cookie alone":               {[]string{formType, "Cookie: __Host-mixcloud-graphql=x"}, 400, "to prevent CSRF"},
		"Basic credentials":          {[]string{formType, "Authorization: Basic eDp5"}, 400, "to prevent CSRF"},
		"bearer without a space":     {[]string{formType, "Authorization: Bearerx"}, 400, "to prevent CSRF"},
		"empty preflight":            {[]string{formType, "X-Requested-With: "}, 400, "Apollo-Require-Preflight"},
		"no boundary":                {[]string{"Content-Type: multipart/form-data", preflight}, 400, "has no boundary"},
		"empty boundary":             {[]string{`Content-Type: multipart/form-data; boundary=""`, preflight}, 400, "has no boundary"},
		"long boundary":              {[]string{"Content-Type: multipart/form-data; boundary=" + strings.Repeat("b", 71), preflight}, 400, "more than 70 characters"},
		"malformed type":             {[]string{`Content-Type: multipart/form-data; boundary="b`, preflight}, 400, "not a valid multipart/form-data"},
		"another charset":            {[]string{"Content-Type: multipart/form-data; charset=utf-16; boundary=b", preflight}, 400, "a charset other than"},
		"UTF-8":                      {[]string{`Content-Type: Multipart/Form-Data; charset="UTF-8"; boundary="b"`, preflight}, 200, `"send"`},
		"another boundary":           {[]string{"Content-Type: multipart/form-data; boundary=c", preflight}, 400, "is incomplete"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := serve(endpoint{}, request(t, strings.NewReader(body), tt.headers...))
			check(t, rec, tt.status, tt.want)
		})
	}
}

// The response to an invalid form is short, even if the error quotes the request.
func TestForm_shortErrors(t *testing.T) {
	t.Parallel()
	rec := serve(endpoint{}, request(t, strings.NewReader(formOf(sendQuery, `{"0":["`+strings.Repeat("x", 5000)+`"]}`, file("0", "c"))), formType, preflight))
	check(t, rec, 400, "has the path")
	if rec.Body.Len() > 1000 {
		t.Errorf("response has %d bytes, want at most 1000: %s", rec.Body.Len(), rec.Body)
	}
}

// An error of the connection is a fault of the form. The response does not contain its text.
func TestForm_brokenConnection(t *testing.T) {
	t.Parallel()
	whole := formOf(sendQuery, sendMap, file("0", "content"))
	for n := range len(whole) - len("--\r\n") {
		body := io.MultiReader(strings.NewReader(whole[:n]), iotest.ErrReader(errors.New("s3cret-canary")))
		rec := serve(endpoint{}, request(t, body, formType, preflight))
		if rec.Code != 400 || strings.Contains(rec.Body.String(), "canary") || strings.Contains(rec.Body.String(), `"data"`) {
			t.Errorf("form cut after %d bytes: status %d, want 400 without data: %s", n, rec.Code, rec.Body)
		}
	}
}
