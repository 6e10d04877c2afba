package uploadhttp_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/internal/uploadhttp"
)

// open returns a form after CheckHeader.
func open(t *testing.T, body string) *uploadhttp.Request {
	t.Helper()
	form := uploadhttp.Open(httptest.NewRecorder(), request(t, strings.NewReader(body), formType, preflight), uploadhttp.Options{})
	t.Cleanup(form.Close)
	if err := form.CheckHeader(); err != nil {
		t.Fatal(err)
	}
	return form
}

func unaccounted(r io.Reader) io.Reader { return r }

// A file replaces any placeholder. Missing containers on its path are created.
func TestFiles_variables(t *testing.T) {
	t.Parallel()
	const path = "variables."
	f := func(path string) upload.File { return upload.File{Part: "0", Path: path} }
	for _, test := range []struct {
		variables, path string
		want            map[string]any
	}{
		{`{"f":null,"g":1}`, path + "f", map[string]any{"f": f(path + "f"), "g": 1.0}},
		{`{"f":{"name":"x"}}`, path + "f", map[string]any{"f": f(path + "f")}},
		{`{"f":"x.mp3"}`, path + "f", map[string]any{"f": f(path + "f")}},
		{`null`, path + "f", map[string]any{"f": f(path + "f")}},
		{`{}`, path + "i.deep.file", map[string]any{"i": map[string]any{"deep": map[string]any{"file": f(path + "i.deep.file")}}}},
		{`{"l":[null,null,7]}`, path + "l.2", map[string]any{"l": []any{nil, nil, f(path + "l.2")}}},
		{`{"l":[]}`, path + "l.1", map[string]any{"l": []any{nil, f(path + "l.1")}}},
		{`{}`, path + "l.0.file", map[string]any{"l": []any{map[string]any{"file": f(path + "l.0.file")}}}},
	} {
		form := open(t, formOf("{}", `{"0":["`+test.path+`"]}`, file("0", "c")))
		if _, err := form.Operations(10, unaccounted); err != nil {
			t.Fatal(err)
		}
		var variables map[string]any
		if err := json.Unmarshal([]byte(test.variables), &variables); err != nil {
			t.Fatal(err)
		}
		files, err := form.Files(&variables)
		if err != nil || files == nil {
			t.Errorf("%s at %s: Files = %v, %v, want files", test.variables, test.path, files, err)
		}
		if diff := cmp.Diff(test.want, variables); diff != "" {
			t.Errorf("%s at %s: variables differ (-want +got):\n%s", test.variables, test.path, diff)
		}
	}
}

// "operations" has a maximum size, and the account counts its bytes.
func TestOperations(t *testing.T) {
	t.Parallel()
	full := errors.New("no memory")
	for name, test := range map[string]struct {
		limit   int64
		account func(io.Reader) io.Reader
		want    error
	}{
		"within the limit":       {int64(len(sendQuery)), unaccounted, nil},
		"over the limit":         {int64(len(sendQuery)) - 1, unaccounted, uploadhttp.ErrTooLong},
		"refused by the account": {1 << 20, func(io.Reader) io.Reader { return iotest.ErrReader(full) }, full},
		"refused after 10 bytes": {1 << 20, func(r io.Reader) io.Reader { return io.MultiReader(io.LimitReader(r, 10), iotest.ErrReader(full)) }, full},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := open(t, formOf(sendQuery, sendMap, file("0", "c"))).Operations(test.limit, test.account)
			if !errors.Is(err, test.want) || err == nil && string(text) != sendQuery {
				t.Errorf("operations = %q, %v, want the error %v", text, err, test.want)
			}
		})
	}
}

// The fingerprint needs only the header of the first file.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	whole := formOf(sendQuery, sendMap, file("0", "content"))
	head, _, _ := strings.Cut(whole, "content\r\n")
	for body, want := range map[string][]string{
		whole:                   {sendMap, "0", "x.mp3", "audio/mpeg"},
		head:                    {sendMap, "0", "x.mp3", "audio/mpeg"},
		formOf(sendQuery, "{}"): {"{}"},
	} {
		form := open(t, body)
		if _, err := form.Operations(1<<20, unaccounted); err != nil {
			t.Fatal(err)
		}
		if _, err := form.Files(new(map[string]any)); err != nil {
			t.Fatal(err)
		}
		got, err := form.Fingerprint()
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: Fingerprint failed (%v) or differs (-want +got):\n%s", body, err, diff)
		}
	}
}

// A response before the body was read closes the connection, even if the handler does not call
// WriteHeader.
func TestResponseWriter(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(http.ResponseWriter){
		"WriteHeader": func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) },
		"Write":       func(w http.ResponseWriter) { _, _ = io.WriteString(w, "x") },
	} {
		rec := httptest.NewRecorder()
		form := uploadhttp.Open(rec, request(t, strings.NewReader("--b--"), formType, preflight), uploadhttp.Options{})
		write(form.ResponseWriter())
		form.Close()
		if rec.Header().Get("Connection") != "close" {
			t.Errorf("%s: Connection = %q, want close", name, rec.Header().Get("Connection"))
		}
	}
}
