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

// own is an emulator with a world of the test's own, which it may write to. One that
// is to be reset needs [emulator.WithSeed].
func own(t testing.TB, options ...emulator.Option) *emulator.Emulator {
	t.Helper()
	e, err := emulator.New(append([]emulator.Option{emulator.WithWorld(population().Clone())}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// send makes a request with a token and, perhaps, a body.
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

// A form is a body of an upload.
type form struct {
	fields []string // name=value
	files  []upfile
}

type upfile struct{ field, name, contentType, body string }

var (
	audio = upfile{"mp3", "set.mp3", "audio/mpeg", "ID3 and a little sound"}
	cover = upfile{"picture", "cover.png", "image/png", "\x89PNG\r\n\x1a\n and a picture"}
)

// with is a form with an audio file.
func with(fields ...string) form { return form{fields, []upfile{audio}} }

// only is a form without files.
func only(fields ...string) form { return form{fields: fields} }

func (f form) and(files ...upfile) form {
	f.files = append(slices.Clone(f.files), files...)
	return f
}

// encode writes the form, the fields first.
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

// submit posts a form.
func submit(t testing.TB, h http.Handler, path, token string, f form) *httptest.ResponseRecorder {
	t.Helper()
	contentType, body := f.encode(t)
	return send(h, http.MethodPost, path, token, contentType, strings.NewReader(body))
}

// uploaded submits a form that must be taken, and gives the new key.
func uploaded(t testing.TB, h http.Handler, token string, f form) string {
	t.Helper()
	w := submit(t, h, "/upload/", token, f)
	key, _ := at(object(t, w.Body.Bytes()), "result.key").(string)
	if w.Code != http.StatusOK || key == "" {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return key
}

// edited submits an edit that must be taken.
func edited(t testing.TB, h http.Handler, key, token string, f form) {
	t.Helper()
	w := submit(t, h, "/upload"+key+"edit/", token, f)
	if got := at(object(t, w.Body.Bytes()), "result.key"); w.Code != http.StatusOK || got != key {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
}

// refusedFields are the fields that an answer refuses.
func refusedFields(t testing.TB, w *httptest.ResponseRecorder) []string {
	t.Helper()
	details, _ := object(t, w.Body.Bytes())["details"].(map[string]any)
	for field, texts := range details {
		if list, ok := texts.([]any); !ok || len(list) == 0 || list[0] == "" {
			t.Errorf("%s is refused with %v", field, texts)
		}
	}
	return slices.Sorted(maps.Keys(details))
}

// listed says whether a key is on a list.
func listed(t testing.TB, h http.Handler, path, key string) bool {
	t.Helper()
	return slices.Contains(keys(getJSON(t, h, path)), key)
}

// A dial is a clock that a test turns.
type dial struct{ now time.Time }

func (d *dial) read() time.Time { return d.now }
