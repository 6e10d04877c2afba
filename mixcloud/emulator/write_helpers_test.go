package emulator_test

import (
	"bytes"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/mixcloud/emulator"
)

// newWritableEmulator returns an emulator with its own data, to which the test may
// write. A test that calls Reset needs [emulator.WithSeed].
func newWritableEmulator(t testing.TB, options ...emulator.Option) *emulator.Emulator {
	t.Helper()
	e, err := emulator.New(append([]emulator.Option{emulator.WithWorld(sharedWorld().Clone())}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// send sends a request with a token and an optional body.
func send(h http.Handler, method, path, token, contentType string, body io.Reader) *httptest.ResponseRecorder {
	if token != "" {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		path += separator + "access_token=" + token
	}
	r := httptest.NewRequest(method, host+path, body)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return do(h, r)
}

// A form is the body of an upload.
type form struct {
	fields []string // name=value
	files  []formFile
}

type formFile struct{ field, name, contentType, body string }

var (
	audio = formFile{"mp3", "set.mp3", "audio/mpeg", "ID3 and a little sound"}
	cover = formFile{"picture", "cover.png", "image/png", "\x89PNG\r\n\x1a\n and a picture"}
)

// withAudio returns a form with an audio file.
func withAudio(fields ...string) form { return form{fields, []formFile{audio}} }

// fieldsOnly returns a form without files.
func fieldsOnly(fields ...string) form { return form{fields: fields} }

func (f form) and(files ...formFile) form {
	f.files = append(slices.Clone(f.files), files...)
	return f
}

// encode encodes the form, fields first.
func (f form) encode(t testing.TB) (contentType, body string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for _, field := range f.fields {
		name, value, _ := strings.Cut(field, "=")
		if err := m.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range f.files {
		w, err := m.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {`form-data; name="` + file.field + `"; filename="` + file.name + `"`}, "Content-Type": {file.contentType},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, file.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return m.FormDataContentType(), b.String()
}

// postForm posts a form.
func postForm(t testing.TB, h http.Handler, path, token string, f form) *httptest.ResponseRecorder {
	t.Helper()
	contentType, body := f.encode(t)
	return send(h, http.MethodPost, path, token, contentType, strings.NewReader(body))
}

// mustUpload uploads a form that must be accepted, and returns the new key.
func mustUpload(t testing.TB, h http.Handler, token string, f form) string {
	t.Helper()
	w := postForm(t, h, "/upload/", token, f)
	key, _ := at(object(t, w.Body.Bytes()), "result.key").(string)
	if w.Code != http.StatusOK || key == "" {
		t.Fatalf("POST /upload/: status %d, want 200 with a key: %s", w.Code, w.Body)
	}
	return key
}

// mustEdit sends an edit that must be accepted.
func mustEdit(t testing.TB, h http.Handler, key, token string, f form) {
	t.Helper()
	w := postForm(t, h, "/upload"+key+"edit/", token, f)
	if got := at(object(t, w.Body.Bytes()), "result.key"); w.Code != http.StatusOK || got != key {
		t.Fatalf("edit of %s: status %d, key %v; want 200, the same key: %s", key, w.Code, got, w.Body)
	}
}

// refusedFields returns the fields with errors in a response.
func refusedFields(t testing.TB, w *httptest.ResponseRecorder) []string {
	t.Helper()
	details, _ := object(t, w.Body.Bytes())["details"].(map[string]any)
	for field, texts := range details {
		if list, ok := texts.([]any); !ok || len(list) == 0 || list[0] == "" {
			t.Errorf("details.%s = %v, want a list of error messages", field, texts)
		}
	}
	return slices.Sorted(maps.Keys(details))
}

// onList reports whether a list contains a key.
func onList(t testing.TB, h http.Handler, path, key string) bool {
	t.Helper()
	return slices.Contains(keys(getJSON(t, h, path)), key)
}

// A manualClock is a clock that the test sets.
type manualClock struct{ now time.Time }

func (d *manualClock) read() time.Time { return d.now }
