package mixcloud

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pythonParser reads a form from its standard input with the parser of Python's
// standard library, and prints the parts.
const pythonParser = `
import email, email.policy, json, sys
raw = sys.stdin.buffer.read()
form = email.message_from_bytes(raw, policy=email.policy.HTTP)
assert not form.defects, form.defects
json.dump([[p.get_param('name', header='content-disposition'), p.get_filename() or '', p.get_payload(decode=True).decode('latin-1')]
           for p in form.get_payload()], sys.stdout)
`

// TestUpload_readers parses a form with a Content-Length and an epilogue with the
// parsers of Go and of Python.
func TestUpload_readers(t *testing.T) {
	t.Parallel()
	interpreter, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("python3 is not installed, and is required in CI")
		}
		t.Skip("python3 is not installed")
	}
	name := "Ünter"
	for what, files := range map[string][][]string{ // field, file name, content
		"one file":      {{"mp3", "a.mp3", "ID3 \r\n--\r\n\x00\xff"}},
		"two files":     {{"picture", `a "b".jpg`, "jpeg"}, {"mp3", "a.mp3", "\r\n"}},
		"an empty file": {{"mp3", "a.mp3", ""}},
		"line breaks":   {{"mp3", "a.mp3", "\r\n\r\n--\r\n"}},
	} {
		for _, slack := range []int{0, 1, 2, 3001, 150_001} {
			t.Run(fmt.Sprint(what, slack), func(t *testing.T) {
				t.Parallel()
				want := [][]string{{"name", "", name}, {"tags-0-tag", "", "a"}}
				var sent fileList
				size := 0
				for _, f := range files {
					sent = append(sent, &FilePart{Field: f[0], Filename: f[1], Body: strings.NewReader(f[2])})
					want = append(want, f)
					size += len(f[2])
				}
				var form []byte
				var kind string
				var length int64
				c := socketClient(t, func(w http.ResponseWriter, r *http.Request) {
					var err error
					if form, err = io.ReadAll(r.Body); err != nil {
						t.Error(err)
					}
					kind, length = r.Header.Get("Content-Type"), r.ContentLength
					_, _ = io.WriteString(w, uploaded)
				})
				bounded := &boundedList{sent, int64(size + slack), len(sent) - 1}
				if _, err := c.Upload(t.Context(), UploadFields{Name: &name, Tags: []string{"a"}}, bounded); err != nil {
					t.Fatal(err)
				}
				if length != int64(len(form)) {
					t.Errorf("declared length = %d, want %d, the length of the form", length, len(form))
				}
				var byGo, byPython [][]string
				for _, p := range parseForm(t, kind, bytes.NewReader(form)) {
					byGo = append(byGo, []string{p[0], p[1], p[3]})
				}
				if diff := cmp.Diff(want, byGo); diff != "" {
					t.Errorf("Go reads (-want +got):\n%s", diff)
				}
				cmd := exec.CommandContext(t.Context(), interpreter, "-c", pythonParser)
				cmd.Stdin = io.MultiReader(strings.NewReader("Content-Type: "+kind+"\r\n\r\n"), bytes.NewReader(form))
				text, err := cmd.Output()
				if err != nil {
					t.Fatalf("the Python parser failed: %v: %s", err, err.(*exec.ExitError).Stderr)
				}
				if err := json.Unmarshal(text, &byPython); err != nil {
					t.Fatal(err)
				}
				for _, part := range byPython { // each character of its texts is one byte
					part[2] = fromLatin1(part[2])
				}
				if diff := cmp.Diff(want, byPython); diff != "" {
					t.Errorf("Python reads (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func fromLatin1(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// TestUpload_length checks that every request with a known length has a
// Content-Length.
func TestUpload_length(t *testing.T) {
	t.Parallel()
	c := socketClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength < 0 {
			w.WriteHeader(http.StatusLengthRequired)
			return
		}
		if n, err := io.Copy(io.Discard, r.Body); err != nil || n != r.ContentLength {
			t.Errorf("read %d bytes, %v; want %d, the Content-Length", n, err, r.ContentLength)
		}
		_, _ = io.WriteString(w, uploaded)
	})
	name := "x"
	sound := func() fileList { return fileList{{Field: "mp3", Body: strings.NewReader("sound")}} }
	cover := func() fileList { return fileList{{Field: "picture", Body: strings.NewReader("cover")}} }
	for what, call := range map[string]func() (*Result, error){
		"an upload": func() (*Result, error) {
			return c.Upload(t.Context(), UploadFields{Name: &name}, &boundedList{sound(), 5, 0})
		},
		"an edit": func() (*Result, error) {
			return c.Edit(t.Context(), "/demo/x/", UploadFields{Name: &name}, &boundedList{cover(), 100, 0})
		},
		"an edit without files":   func() (*Result, error) { return c.Edit(t.Context(), "/demo/x/", UploadFields{Publish: true}, nil) },
		"an upload without files": func() (*Result, error) { return c.Upload(t.Context(), UploadFields{Name: &name}, new(fileList)) },
	} {
		if _, err := call(); err != nil {
			t.Errorf("%s: %v, want a request with a Content-Length", what, err)
		}
	}
	if _, err := c.Upload(t.Context(), UploadFields{Name: &name}, new(sound())); err == nil {
		t.Error("an upload of unknown length has a Content-Length, want a chunked request")
	}
}

// TestUpload_bound checks that a request is aborted if the files do not match their
// bound.
func TestUpload_bound(t *testing.T) {
	t.Parallel()
	name := "x"
	for what, test := range map[string]struct {
		bound int64
		size  int
		fits  bool
	}{
		"equal to the bound": {1 << 20, 1 << 20, true},
		"shorter":            {1 << 20, 1<<20 - 150<<10, true},
		"much smaller":       {1 << 20, 1<<20 - 160<<10, false},
		"one byte more":      {1 << 20, 1<<20 + 1, false},
		"twice the size":     {1 << 20, 2 << 20, false},
		"more than 0":        {0, 1, false},
	} {
		for reader, wrap := range map[string]func(io.Reader) io.Reader{
			"read": func(r io.Reader) io.Reader { return struct{ io.Reader }{r} }, "written": func(r io.Reader) io.Reader { return r },
		} {
			whole := make(chan error, 1)
			c := socketClient(t, func(w http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				whole <- err
				_, _ = io.WriteString(w, uploaded)
			})
			files := fileList{{Field: "mp3", Body: wrap(bytes.NewReader(make([]byte, test.size)))}}
			_, err := c.Upload(t.Context(), UploadFields{Name: &name}, &boundedList{files, test.bound, 0})
			if (err == nil) != test.fits || !test.fits && !errors.Is(err, errBound) {
				t.Errorf("%s, %s: Upload: error %v, want %v only if the file exceeds its bound", what, reader, err, errBound)
			}
			if arrived := <-whole; (arrived == nil) != test.fits {
				t.Errorf("%s, %s: reading the body on the server: error %v, want one only if the file exceeds its bound", what, reader, arrived)
			}
		}
	}
}

// TestUpload_closedWhileWaiting checks that Upload returns at once when the server
// closes the connection, even while a file is being read.
func TestUpload_closedWhileWaiting(t *testing.T) {
	t.Parallel()
	name := "x"
	for _, bound := range []int64{-1, 1 << 20} {
		begun := make(chan struct{})
		c := socketClient(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadFull(r.Body, make([]byte, 100))
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
			}
			_ = conn.Close()
			close(begun)
		})
		r, w := io.Pipe()
		var files Files = &fileList{{Field: "mp3", Body: r}}
		if bound >= 0 {
			files = &boundedList{*files.(*fileList), bound, 0}
		}
		go func() { _, _ = w.Write([]byte("the first bytes")) }()
		failed := make(chan error, 1)
		go func() {
			_, err := c.Upload(t.Context(), UploadFields{Name: &name}, files)
			failed <- err
		}()
		<-begun
		select {
		case err := <-failed:
			if !errors.Is(err, ErrUnavailable) {
				t.Errorf("bound %d: error %v, want ErrUnavailable", bound, err)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("bound %d: Upload did not return within 20s", bound)
		}
		_ = w.Close() // ends the read in progress
	}
}

// TestUpload_pieces checks that a body of known length is written in the pieces of
// its files, without the buffer of net/http.
func TestUpload_pieces(t *testing.T) {
	t.Parallel()
	name := "x"
	c := socketClient(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, uploaded)
	})
	pieces := &writerTo{pieces: 4, size: 256 << 10}
	files := &boundedList{fileList{{Field: "mp3", Body: pieces}}, 1 << 20, 0}
	if _, err := c.Upload(t.Context(), UploadFields{Name: &name}, files); err != nil {
		t.Fatal(err)
	}
	if !pieces.written {
		t.Error("Read was called, want WriteTo only")
	}
}

// A writerTo is a file that implements [io.WriterTo].
type writerTo struct {
	pieces, size int
	written      bool
}

func (w *writerTo) Read(p []byte) (int, error) {
	n := min(len(p), w.pieces*w.size)
	w.pieces = 0
	return n, io.EOF
}

func (w *writerTo) WriteTo(to io.Writer) (total int64, err error) {
	w.written = true
	for range w.pieces {
		n, err := to.Write(make([]byte, w.size))
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// TestFilePart_header checks that the header of a part is not longer than
// maxPartHeader for any name and type.
func TestFilePart_header(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"":                                   "picture",
		"a.jpg":                              "a.jpg",
		"a\r\n\x00\x7fb\t.jpg":               "ab.jpg",
		`a"\.jpg`:                            `a\"\\.jpg`,
		strings.Repeat("a", 255):             strings.Repeat("a", 255),
		strings.Repeat("a", 256):             strings.Repeat("a", 255),
		strings.Repeat("a", 300) + ".mp3":    strings.Repeat("a", 251) + ".mp3",
		strings.Repeat("é", 300) + ".mp3":    strings.Repeat("é", 125) + ".mp3",
		strings.Repeat(`"`, 300) + ".mp3":    strings.Repeat(`\"`, 125) + ".mp3",
		"a." + strings.Repeat("x", 300):      "a." + strings.Repeat("x", 253),
		strings.Repeat("\u202e", 2) + ".mp3": strings.Repeat("\u202e", 2) + ".mp3",
	} {
		part := FilePart{Field: "picture", Filename: name, ContentType: strings.Repeat("x", maxMedia)}
		header := part.header()
		if got := header.Get("Content-Disposition"); got != `form-data; name="picture"; filename="`+want+`"` {
			t.Errorf("Content-Disposition of %q = %s, want the filename %q", name, got, want)
		}
	}
	files := fileList{{Field: "mp3", Body: strings.NewReader("")}, {
		Field: "picture", Filename: strings.Repeat("x", 1000), ContentType: strings.Repeat("x", maxMedia), Body: iotest.ErrReader(io.EOF),
	}}
	name := "x"
	body, err := newUploadBody(t.Context(), UploadFields{Name: &name}, &files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, body.current); err != nil {
		t.Fatal(err)
	}
	if head, err := body.begin(files[0]); err != nil || head > maxPartHeader || head < maxPartHeader-20 {
		t.Errorf("the longest part header has %d bytes, %v; want %d to %d", head, err, maxPartHeader-20, maxPartHeader)
	}
	for _, kind := range []string{"", "a/b\r\nX: y", "a/\x00", strings.Repeat("x", maxMedia+1)} {
		if got := (&FilePart{ContentType: kind}).header().Get("Content-Type"); got != "application/octet-stream" {
			t.Errorf("Content-Type of the type %q = %q, want application/octet-stream", kind, got)
		}
	}
}
