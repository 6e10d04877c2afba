package mixcloud

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// openFile returns an open file with the given name and content.
func openFile(t *testing.T, name, content string) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

const (
	taggedSound = "ID3\x03\x00\x00\x00\x00\x00\x00 sound"
	pngPicture  = "\x89PNG\x0d\x0a\x1a\x0a picture"
)

// TestOSFiles checks that files are sent whole, with a Content-Length, more than
// once and independently of their offset.
func TestOSFiles(t *testing.T) {
	t.Parallel()
	audio, picture := openFile(t, "a show.mp3", taggedSound), openFile(t, "cover", pngPicture)
	if _, err := audio.Seek(5, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	var got [][]string
	c := socketClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength < 0 {
			t.Error("the request is chunked, want a Content-Length")
		}
		got = parseForm(t, r.Header.Get("Content-Type"), r.Body)
		_, _ = io.WriteString(w, uploaded)
	})
	want := [][]string{
		{"name", "", "", "x"},
		{"mp3", "a show.mp3", "audio/mpeg", taggedSound},
		{"picture", "cover", "image/png", pngPicture},
	}
	for range 2 {
		if _, err := c.Upload(t.Context(), UploadFields{Name: new("x")}, OSFiles(audio, picture)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
	}
	if at, err := audio.Seek(0, io.SeekCurrent); at != 5 || err != nil {
		t.Errorf("Seek after the upload = %d, %v; want the unchanged offset 5 of an open file", at, err)
	}
	if _, err := c.Edit(t.Context(), "/demo/x/", UploadFields{}, OSFiles(nil, picture)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[2:], got); diff != "" {
		t.Errorf("an edit sent (-want +got):\n%s", diff)
	}
}

// TestOSFiles_refused checks that an invalid file is found before the call.
func TestOSFiles_refused(t *testing.T) {
	t.Parallel()
	c := socketClient(t, func(http.ResponseWriter, *http.Request) { t.Error("an invalid file was sent, want no call") })
	good := openFile(t, "good", taggedSound)
	folder, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	closed := openFile(t, "closed", "x")
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		files Files
		want  error
	}{
		"a directory":      {OSFiles(folder, nil), &InvalidError{"audio", "is a directory"}},
		"an empty file":    {OSFiles(openFile(t, "empty", ""), nil), &InvalidError{"audio", "is empty"}},
		"an empty picture": {OSFiles(good, openFile(t, "empty", "")), &InvalidError{"picture", "is empty"}},
		"a closed file":    {OSFiles(good, closed), fs.ErrClosed},
	} {
		_, err := c.Upload(t.Context(), UploadFields{Name: new("x")}, test.files)
		if got, invalid := errors.AsType[*InvalidError](err); invalid && cmp.Equal(test.want, error(got)) {
			continue
		}
		if !errors.Is(err, test.want) {
			t.Errorf("%s: Upload: error %v, want %v", what, err, test.want)
		}
	}
}

// TestOSFiles_changed checks that an upload fails if the size of a file changes.
func TestOSFiles_changed(t *testing.T) {
	t.Parallel()
	for what, size := range map[string]int64{"grows": 1000, "shrinks": 12, "is emptied": 0} {
		audio := openFile(t, "audio", taggedSound)
		files := OSFiles(audio, nil)
		part, err := files.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(part.Body, make([]byte, 4)); err != nil {
			t.Fatal(err)
		}
		if err := audio.Truncate(size); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, part.Body); !errors.Is(err, errFileChanged) {
			t.Errorf("a file that %s: error %v, want %v", what, err, errFileChanged)
		}
	}
}

// TestOSFiles_pipe checks that a pipe is sent chunked.
func TestOSFiles_pipe(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if _, err := io.WriteString(write, "sound"); err != nil {
		t.Fatal(err)
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	c := socketClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength >= 0 {
			t.Errorf("Content-Length = %d, want a chunked request", r.ContentLength)
		}
		form := parseForm(t, r.Header.Get("Content-Type"), r.Body)
		if last := form[len(form)-1]; last[0] != "mp3" || last[3] != "sound" {
			t.Errorf("last part = %q, want mp3 with the body sound", last)
		}
		_, _ = io.WriteString(w, uploaded)
	})
	if _, err := c.Upload(t.Context(), UploadFields{Name: new("x")}, OSFiles(read, nil)); err != nil {
		t.Fatal(err)
	}
}
