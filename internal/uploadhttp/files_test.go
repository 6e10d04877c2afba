package uploadhttp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/internal/uploadhttp"
)

// filesOf opens a form up to its files. A length of -1 is unknown.
func filesOf(t *testing.T, body string, length int64) *uploadhttp.Files {
	t.Helper()
	r := request(t, strings.NewReader(body), formType, preflight)
	r.ContentLength = length
	form := uploadhttp.Open(httptest.NewRecorder(), r, uploadhttp.Options{})
	t.Cleanup(form.Close)
	if err := form.CheckHeader(); err != nil {
		t.Fatal(err)
	}
	if _, err := form.Operations(1<<20, unaccounted); err != nil {
		t.Fatal(err)
	}
	files, err := form.Files(new(map[string]any))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// After a file's header the lengths are those of the files, whether they are read with Read or
// with WriteTo.
func TestFiles_lengths(t *testing.T) {
	t.Parallel()
	body := formOf(sendQuery, `{"0":["variables.f"],"1":["variables.g"]}`, file("0", "content"), file("1", "second"))
	second := int64(len(file("1", "second")))
	for name, read := range map[string]func(io.Reader) ([]byte, error){
		"Read": func(r io.Reader) ([]byte, error) { return io.ReadAll(struct{ io.Reader }{r}) },
		"WriteTo": func(r io.Reader) ([]byte, error) {
			var out bytes.Buffer
			_, err := r.(io.WriterTo).WriteTo(&out)
			return out.Bytes(), err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := filesOf(t, body, int64(len(body)))
			want := []struct {
				text         string
				bound, total int64
				remaining    int
			}{
				// The headers of the next file count as content.
				{"content", int64(len("content")) + second + 2, int64(len("content")) + second, 1},
				{"second", int64(len("second")) + 2, int64(len("contentsecond")), 0},
			}
			for _, want := range want {
				part, err := files.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				bound, remaining, known := files.Bound()
				total, totalKnown := files.Total()
				if bound != want.bound || remaining != want.remaining || total != want.total || !known || !totalKnown {
					t.Errorf("%s: Bound() = %d, %d, %v and Total() = %d, %v, want %+v", want.text, bound, remaining, known, total, totalKnown, want)
				}
				if text, err := read(part.Body); err != nil || string(text) != want.text {
					t.Errorf("file = %q, %v, want %q", text, err, want.text)
				}
			}
			if _, err := files.Next(t.Context()); !errors.Is(err, io.EOF) || files.Fault() != nil {
				t.Errorf("Next after the last file = %v with fault %v, want EOF without a fault", err, files.Fault())
			}
		})
	}

	files := filesOf(t, body, -1)
	if _, err := files.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, _, known := files.Bound()
	if _, totalKnown := files.Total(); known || totalKnown {
		t.Error("length of a chunked body is reported as known")
	}
}

// An interrupted file is a fault of the form; an error of the writer is not.
func TestFiles_fault(t *testing.T) {
	t.Parallel()
	whole := formOf(sendQuery, sendMap, file("0", "content"))
	cut := strings.TrimSuffix(whole, "tent\r\n--b--\r\n")
	broken := errors.New("the other side has closed")
	for name, test := range map[string]struct {
		body  string
		out   io.Writer
		fault bool
	}{
		"whole":          {whole, io.Discard, false},
		"broken writer":  {whole, failingWriter{broken}, false},
		"short writer":   {whole, failingWriter{nil}, false},
		"truncated file": {cut, io.Discard, true},
	} {
		files := filesOf(t, test.body, -1)
		part, err := files.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = part.Body.(io.WriterTo).WriteTo(test.out)
		if (err == nil) != (name == "whole") {
			t.Errorf("%s: WriteTo = %v, want an error unless the file is whole", name, err)
		}
		if name == "broken writer" && !errors.Is(err, broken) || name == "short writer" && !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s: WriteTo = %v, want the writer's error", name, err)
		}
		if fault := files.Fault(); (fault != nil) != test.fault || fault != nil && fault.Status != http.StatusBadRequest {
			t.Errorf("%s: Fault() = %v, want a fault with status 400: %v", name, fault, test.fault)
		}
	}
}

// failingWriter accepts nothing.
type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// Nothing is read for an operation that has ended.
func TestFiles_endedOperation(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	files := filesOf(t, formOf(sendQuery, sendMap, file("0", "content")), -1)
	if _, err := files.Next(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Next after the operation ended = %v, want context.Canceled", err)
	}
}

// After the response has started, reads of a file fail without a fault of the form.
func TestFiles_afterResponse(t *testing.T) {
	t.Parallel()
	var files *uploadhttp.Files
	var part *upload.Part
	send := func(ctx context.Context) (_ string, err error) {
		src, _ := upload.FromContext(ctx)
		files = src.(*uploadhttp.Files)
		part, err = src.Next(ctx)
		return "enough", err
	}
	body := formOf(sendQuery, sendMap, file("0", strings.Repeat("content", 100_000)))
	check(t, serve(endpoint{send: send}, request(t, strings.NewReader(body), formType, preflight)), http.StatusOK, "enough")
	if _, err := io.Copy(io.Discard, part.Body); err == nil || files.Fault() != nil {
		t.Errorf("read after the response = %v with fault %v, want an error without a fault", err, files.Fault())
	}
}

func TestIsForm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		method, contentType string
		want                bool
	}{
		{"POST", "multipart/form-data; boundary=b", true},
		{"POST", "Multipart/Form-Data", true},
		{"POST", `multipart/form-data; boundary="b`, true}, // malformed, and refused as a form
		{"POST", "multipart/form-data2; boundary=b", false},
		{"POST", "multipart/mixed; boundary=b", false},
		{"POST", "application/json", false},
		{"POST", "", false},
		{"GET", "multipart/form-data; boundary=b", false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), test.method, "/graphql", nil)
		r.Header.Set("Content-Type", test.contentType)
		if got := uploadhttp.IsForm(r); got != test.want {
			t.Errorf("IsForm(%s %q) = %t, want %t", test.method, test.contentType, got, test.want)
		}
	}
}
