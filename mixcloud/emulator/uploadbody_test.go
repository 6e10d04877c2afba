package emulator_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud/emulator"
)

// formAround returns the parts of a form before and after an audio file.
func formAround(t testing.TB, fields ...string) (contentType, head, tail string) {
	t.Helper()
	const body = "HERE"
	contentType, whole := form{fields, []formFile{{"mp3", "zeros.mp3", "audio/mpeg", body}}}.encode(t)
	head, tail, _ = strings.Cut(whole, body)
	return contentType, head, tail
}

// zeros is an endless reader of zeros.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestUpload_streams checks that an upload of 64 MiB is not stored in memory: chunked
// and with a length, over a socket and over the transport.
func TestUpload_streams(t *testing.T) { // not parallel: it measures allocations
	e := newWritableEmulator(t)
	srv := httptest.NewServer(e)
	defer srv.Close()
	const size = 64 << 20
	sum := sha256.New()
	if _, err := io.CopyN(sum, zeros{}, size); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		client *http.Client
		length bool
	}{
		{"socket, chunked", srv.Client(), false},
		{"socket, with its length", srv.Client(), true},
		{"transport, chunked", &http.Client{Transport: e.Transport()}, false},
		{"transport, with its length", &http.Client{Transport: e.Transport()}, true},
	} {
		contentType, head, tail := formAround(t, "name=Zeros")
		body := io.MultiReader(strings.NewReader(head), io.LimitReader(zeros{}, size), strings.NewReader(tail))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/upload/?access_token="+pro, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", contentType)
		if tt.length {
			req.ContentLength = int64(len(head) + size + len(tail))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		res, err := tt.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; res.StatusCode != 200 || grown > 2<<20 {
			t.Errorf("%s: status %d, %d bytes allocated; want 200, at most %d", tt.name, res.StatusCode, grown, 2<<20)
		}
		last := e.Uploads()[len(e.Uploads())-1]
		if last.Bytes != size || last.SHA256 != hex.EncodeToString(sum.Sum(nil)) {
			t.Errorf("%s: received %d bytes with the SHA-256 %s, want %d with %x", tt.name, last.Bytes, last.SHA256, size, sum.Sum(nil))
		}
	}
}

// TestUpload_order checks that the order of the parts has no effect.
func TestUpload_order(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	parts := func(order ...string) string {
		all := map[string]string{
			"name":    "Content-Disposition: form-data; name=\"name\"\r\n\r\nOrder",
			"tag":     "Content-Disposition: form-data; name=\"tags-0-tag\"\r\n\r\nFunk",
			"mp3":     "Content-Disposition: form-data; name=\"mp3\"; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n" + audio.body,
			"picture": "Content-Disposition: form-data; name=\"picture\"; filename=\"a.png\"\r\n\r\n" + cover.body,
		}
		var b strings.Builder
		for _, name := range order {
			b.WriteString("--b\r\n" + all[name] + "\r\n")
		}
		return b.String() + "--b--\r\n"
	}
	var want *emulator.Upload
	for _, order := range [][]string{
		{"name", "tag", "mp3", "picture"}, {"mp3", "picture", "name", "tag"}, {"picture", "name", "mp3", "tag"}, {"tag", "picture", "mp3", "name"},
	} {
		w := send(e, http.MethodPost, "/upload/", pro, "multipart/form-data; boundary=b", strings.NewReader(parts(order...)))
		if w.Code != 200 {
			t.Fatalf("parts in the order %v: status %d, want 200: %s", order, w.Code, w.Body)
		}
		got := e.Uploads()[len(e.Uploads())-1]
		got.Key = ""
		if want == nil {
			want = &got
		}
		if diff := cmp.Diff(*want, got); diff != "" {
			t.Errorf("parts in the order %v: the upload differs from the first one (-first +this):\n%s", order, diff)
		}
	}
}

// TestUpload_malformed checks that a body that is not a complete form is rejected and
// has no effect.
func TestUpload_malformed(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	contentType, whole := withAudio("name=Broken").encode(t)
	boundary := whole[:strings.Index(whole, "\r\n")]
	part := "Content-Disposition: form-data; name=\"name\"\r\n\r\nx"
	for name, tt := range map[string]struct{ contentType, body string }{
		"no closing boundary":    {contentType, strings.TrimSuffix(whole, "--\r\n") + "\r\n"},
		"cut in a file":          {contentType, whole[:len(whole)-len(boundary)-10]},
		"cut in a boundary":      {contentType, whole[:len(whole)-8]},
		"cut in a header":        {contentType, whole[:len(boundary)+20]},
		"cut after the fields":   {contentType, whole[:strings.Index(whole, "Broken")+6]},
		"empty":                  {contentType, ""},
		"another boundary":       {"multipart/form-data; boundary=x", whole},
		"no boundary":            {"multipart/form-data", whole},
		"mixed":                  {strings.Replace(contentType, "form-data", "mixed", 1), whole},
		"JSON":                   {"application/json", `{"name": "x"}`},
		"no type":                {"", whole},
		"bad type":               {"multipart/form-data; boundary=\"", whole},
		"a part without a name":  {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--"},
		"a part without headers": {"multipart/form-data; boundary=b", "--b\r\n\r\nx\r\n--b--"},
		"a bad header":           {"multipart/form-data; boundary=b", "--b\r\nno header\r\n\r\nx\r\n--b--"},
		"a huge header":          {"multipart/form-data; boundary=b", "--b\r\nX: " + strings.Repeat("x", 11<<20) + "\r\n" + part + "\r\n--b--"},
		"a huge field":           {"multipart/form-data; boundary=b", "--b\r\n" + part + strings.Repeat("x", 65<<10) + "\r\n--b--"},
		"too many fields":        {"multipart/form-data; boundary=b", strings.Repeat("--b\r\n"+part+"\r\n", 2001) + "--b--"},
		"a bad form":             {"application/x-www-form-urlencoded", "name=%zz"},
		"a huge form":            {"application/x-www-form-urlencoded", "name=" + strings.Repeat("x", 1<<20)},
	} {
		w := send(e, http.MethodPost, "/upload/", pro, tt.contentType, strings.NewReader(tt.body))
		if kind := at(object(t, w.Body.Bytes()), "error.type"); w.Code != 400 || kind != "PostValidationError" {
			t.Errorf("%s: status %d, want 400 with a PostValidationError: %s", name, w.Code, w.Body)
		}
	}
	if w := get(t, e, "/demo/broken/?access_token="+pro); w.Code != 404 || len(e.Uploads()) != 0 || len(e.ActiveUploads()) != 0 {
		t.Errorf("a rejected upload took effect: status %d, want 404; uploads %s, active %v; want none", w.Code, show.Value(e.Uploads()), e.ActiveUploads())
	}
}

var errBroken = errors.New("the file cannot be read")

// TestUpload_broken checks that an upload of a client that disconnects has no effect,
// and no status in the journal.
func TestUpload_broken(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	srv := httptest.NewServer(e)
	defer srv.Close()
	contentType, head, tail := formAround(t, "name=Broken")
	for name, tt := range map[string]struct {
		client *http.Client
		length int64 // -1 for a chunked body
		body   func(cancel func()) io.Reader
		want   error
	}{
		"the body fails": {srv.Client(), -1, func(func()) io.Reader { return failingBody(head) }, errBroken},
		"with a length":  {srv.Client(), 1 << 30, func(func()) io.Reader { return failingBody(head) }, errBroken},
		"the caller cancels": {srv.Client(), -1, func(cancel func()) io.Reader {
			return io.MultiReader(strings.NewReader(head), io.LimitReader(zeros{}, 1<<20), callWhenReached(cancel), zeros{})
		}, context.Canceled},
		"the transport's body fails": {&http.Client{Transport: e.Transport()}, -1, func(func()) io.Reader { return failingBody(head) }, syscall.ECONNRESET},
		"the transport's caller cancels": {&http.Client{Transport: e.Transport()}, -1, func(cancel func()) io.Reader {
			return io.MultiReader(strings.NewReader(head), callWhenReached(cancel), io.LimitReader(zeros{}, 1<<30), strings.NewReader(tail))
		}, context.Canceled},
	} {
		e.ClearRequests()
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL+"/upload/?access_token="+pro, tt.body(cancel))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", contentType)
		req.ContentLength = tt.length
		res, err := tt.client.Do(req)
		if err == nil {
			res.Body.Close()
		}
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: upload returned %v, want %v", name, err, tt.want)
		}
		cancel()
		eventually(t, func() bool { return len(e.ActiveUploads()) == 0 && len(e.Requests()) == 1 })
		if got := e.Requests()[0]; got.Status != 0 {
			t.Errorf("%s: status in the journal = %d, want 0", name, got.Status)
		}
	}
	if w := get(t, e, "/demo/broken/?access_token="+pro); w.Code != 404 || len(e.Uploads()) != 0 {
		t.Errorf("an incomplete upload took effect: status %d, want 404; uploads %s, want none", w.Code, show.Value(e.Uploads()))
	}
}

// failingBody returns a body that fails in the middle of a file.
func failingBody(head string) io.Reader {
	return io.MultiReader(strings.NewReader(head), io.LimitReader(zeros{}, 1<<20), failingReader{})
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errBroken }

// callWhenReached returns an empty reader that calls do when it is read.
func callWhenReached(do func()) io.Reader { return &trigger{do: do} }

type trigger struct {
	once sync.Once
	do   func()
}

func (t *trigger) Read([]byte) (int, error) {
	t.once.Do(t.do)
	return 0, io.EOF
}

// eventually waits until a condition holds.
func eventually(t testing.TB, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the condition is still false after 10s, want true")
		}
	}
}
