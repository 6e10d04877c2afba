package mixcloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A fileList returns its files in order.
type fileList []*FilePart

func (l *fileList) Next(context.Context) (*FilePart, error) {
	if len(*l) == 0 {
		return nil, io.EOF
	}
	next := (*l)[0]
	*l = (*l)[1:]
	return next, nil
}

// A boundedList is a fileList with an upper bound.
type boundedList struct {
	fileList
	most      int64
	remaining int
}

func (l *boundedList) Bound() (int64, int, bool) { return l.most, l.remaining, true }

// A filesFunc is a function that implements [Files].
type filesFunc func(context.Context) (*FilePart, error)

func (f filesFunc) Next(ctx context.Context) (*FilePart, error) { return f(ctx) }

// parseForm returns the parts of a form in order: field, file name, type, content.
func parseForm(t testing.TB, contentType string, body io.Reader) (all [][]string) {
	t.Helper()
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	r := multipart.NewReader(body, params["boundary"])
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, []string{p.FormName(), p.FileName(), p.Header.Get("Content-Type"), string(text)})
	}
}

// socketClient returns a client of a server that listens on a socket.
func socketClient(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := New(WithAPIURL(srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	return c.As(canary)
}

const uploaded = `{"result":{"success":true,"message":"Uploaded","key":"/demo/x/"}}`

func TestUpload_form(t *testing.T) {
	t.Parallel()
	yes, no, at := true, false, time.Date(2026, 11, 24, 9, 0, 0, 5, time.FixedZone("", 3600))
	name, about, start, none := `A "name"`, "ä\r\nb", 61, []string{}
	tests := map[string]struct {
		fields UploadFields
		files  fileList
		want   [][]string
	}{
		"everything": {
			UploadFields{
				Name: &name, Description: &about, Tags: []string{"Funk", "a b"},
				Sections: []SectionFields{{Artist: "A", Song: "S"}, {Chapter: "C", StartTime: &start}},
				Hosts:    []string{"bob"}, PublishDate: &at, DisableComments: &yes, HideStats: &no, Unlisted: &yes,
			},
			fileList{
				{Field: "picture", Filename: "p\"\r\n.jpg", ContentType: "image/jpeg", Body: strings.NewReader("picture")},
				{Field: "mp3", Body: strings.NewReader("")},
				{Field: "mp3", ContentType: "audio/x\r\nX-Evil: 1", Body: iotest.OneByteReader(strings.NewReader("sound"))},
			},
			[][]string{
				{"name", "", "", `A "name"`},
				{"description", "", "", "ä\r\nb"},
				{"tags-0-tag", "", "", "Funk"},
				{"tags-1-tag", "", "", "a b"},
				{"sections-0-artist", "", "", "A"},
				{"sections-0-song", "", "", "S"},
				{"sections-1-chapter", "", "", "C"},
				{"sections-1-start_time", "", "", "61"},
				{"hosts-0-username", "", "", "bob"},
				{"publish_date", "", "", "2026-11-24T08:00:00Z"},
				{"disable_comments", "", "", "1"},
				{"hide_stats", "", "", "0"},
				{"unlisted", "", "", "1"},
				{"picture", `p".jpg`, "image/jpeg", "picture"},
				{"mp3", "mp3", "application/octet-stream", ""},
				{"mp3", "mp3", "application/octet-stream", "sound"},
			},
		},
		"clearing": {
			UploadFields{Name: &name, Tags: none, Sections: []SectionFields{}, Hosts: none},
			nil,
			[][]string{{"name", "", "", name}, {"tags-0-tag", "", "", ""}, {"sections-0-chapter", "", "", ""}, {"hosts-0-username", "", "", ""}},
		},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var got [][]string
			c := socketClient(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost || r.URL.Path != "/upload/" || r.URL.Query().Get("access_token") != canary {
					t.Errorf("%s %s, want POST /upload/ with the token", r.Method, r.URL.Path)
				}
				got = parseForm(t, r.Header.Get("Content-Type"), r.Body)
				_, _ = io.WriteString(w, uploaded)
			})
			result, err := c.Upload(t.Context(), tt.fields, &tt.files)
			if err != nil || !result.Success || result.Key.String() != "/demo/x/" {
				t.Fatalf("Upload = %v, %v; want success with the key /demo/x/", result, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("the form (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEdit(t *testing.T) {
	t.Parallel()
	var got [][]string
	c := socketClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/upload/demo/x/edit/" {
			t.Errorf("path = %s, want /upload/demo/x/edit/", r.URL.Path)
		}
		got = parseForm(t, r.Header.Get("Content-Type"), r.Body)
		_, _ = io.WriteString(w, uploaded)
	})
	if _, err := c.Edit(t.Context(), "/demo/x/", UploadFields{Publish: true, Unpublish: true}, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"publish", "", "", "1"}, {"unpublish", "", "", "1"}}, got); diff != "" {
		t.Errorf("the form (-want +got):\n%s", diff)
	}
	for _, key := range []string{"", "/demo/", "/genres/funk/", "/demo/playlists/x/"} {
		if _, err := c.Edit(t.Context(), key, UploadFields{Publish: true}, nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("Edit of the key %q: error %v, want ErrInvalid", key, err)
		}
	}
	if _, err := c.Upload(t.Context(), UploadFields{}, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("Upload without a name: error %v, want ErrInvalid", err)
	}
	name := "x"
	if _, err := c.As("").Upload(t.Context(), UploadFields{Name: &name}, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("Upload without a token: error %v, want ErrInvalid", err)
	}
}

// TestUploadBody_readAndWritten checks that Read and WriteTo produce the same bytes.
func TestUploadBody_readAndWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		contents := rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), 0, 3).Draw(t, "files")
		bound := -1
		if rapid.Bool().Draw(t, "bounded") {
			bound = len(slices.Concat(contents...)) + rapid.IntRange(0, 3000).Draw(t, "more")
		}
		body := func(plain bool) *uploadBody {
			var files fileList
			for _, c := range contents {
				var r io.Reader = bytes.NewReader(c)
				if plain {
					r = struct{ io.Reader }{r} // hides WriteTo
				}
				files = append(files, &FilePart{Field: "mp3", Body: r})
			}
			var ordered Files = &files
			if bound >= 0 {
				ordered = &boundedList{files, int64(bound), len(contents) - 1}
			}
			b, err := newUploadBody(context.Background(), UploadFields{Name: &name}, ordered)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		read := body(false)
		text, err := io.ReadAll(iotest.OneByteReader(read))
		if err != nil {
			t.Fatal(err)
		}
		if known := bound >= 0 || len(contents) == 0; known != (read.length == int64(len(text))) || !known && read.length != -1 {
			t.Fatalf("declared length = %d for a form of %d bytes; want the exact length if all sizes are known (%t), else -1", read.length, len(text), known)
		}
		if _, after, _ := strings.Cut(string(text), read.form.Boundary()+"--"); strings.Trim(after, "\r\n") != "" || len(after) > maxPadding {
			t.Fatalf("epilogue = %q, want at most %d bytes of line breaks", after, maxPadding)
		}
		for _, plain := range []bool{false, true} {
			written := body(plain)
			var out bytes.Buffer
			n, err := written.WriteTo(&out)
			if err != nil || n != int64(out.Len()) {
				t.Fatalf("WriteTo = %d, %v; want %d, nil", n, err, out.Len())
			}
			got := strings.ReplaceAll(out.String(), written.form.Boundary(), read.form.Boundary())
			if got != string(text) {
				t.Fatalf("Read returned %q, WriteTo wrote %q, want the same", text, got)
			}
			if n, err := written.WriteTo(&out); n != 0 || err != nil {
				t.Fatalf("WriteTo after the end = %d, %v; want 0, nil", n, err)
			}
		}
	})
}

// TestUpload_brokenFiles checks that an error of the files aborts the request, so
// that it is not complete, and that Upload returns that error.
func TestUpload_brokenFiles(t *testing.T) {
	t.Parallel()
	bad := errors.New("the source has failed")
	name := "x"
	failing := map[string]Files{
		"in a file":              &fileList{{Field: "mp3", Body: io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), iotest.ErrReader(bad))}},
		"in a file that is read": &fileList{{Field: "mp3", Body: struct{ io.Reader }{io.MultiReader(strings.NewReader("x"), iotest.ErrReader(bad))}}},
		"the second file": func() Files {
			n := 0
			return filesFunc(func(context.Context) (*FilePart, error) {
				if n++; n > 1 {
					return nil, fmt.Errorf("next: %w", bad)
				}
				return &FilePart{Field: "mp3", Body: strings.NewReader("sound")}, nil
			})
		}(),
	}
	uncalled := testClient(t, func(*http.Request) (*http.Response, error) { panic("a call was made") })
	first := filesFunc(func(context.Context) (*FilePart, error) { return nil, bad })
	if _, err := uncalled.As(canary).Upload(t.Context(), UploadFields{Name: &name}, first); !errors.Is(err, bad) {
		t.Errorf("Upload whose first file fails: error %v, want %v", err, bad)
	}
	for what, files := range failing {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			ended := make(chan error, 1)
			c := socketClient(t, func(_ http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				ended <- err
			})
			if _, err := c.Upload(t.Context(), UploadFields{Name: &name}, files); !errors.Is(err, bad) {
				t.Errorf("Upload: error %v, want %v", err, bad)
			}
			select {
			case err := <-ended:
				if err == nil {
					t.Error("the server received a complete request, want an aborted one")
				}
			case <-time.After(10 * time.Second):
				t.Error("the request was not aborted within 10s")
			}
		})
	}
}

// An endlessBody is a body without an end.
type endlessBody struct{}

func (endlessBody) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// TestUpload_earlyResponse checks that Upload stops sending and returns an early
// response, even if the server then closes the connection.
func TestUpload_earlyResponse(t *testing.T) {
	t.Parallel()
	name := "x"
	for range 20 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = io.CopyN(io.Discard, conn, 100_000)
			text := `{"error":{"type":"RateLimitException","message":"Wait.","retry_after":5}}`
			fmt.Fprintf(conn, "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
			_ = conn.Close() // on unread bytes: the client is reset
		}()
		c, err := New(WithAPIURL("http://" + ln.Addr().String()))
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.As("token").Upload(t.Context(), UploadFields{Name: &name}, &fileList{{Field: "mp3", Body: endlessBody{}}})
		if !errors.Is(err, ErrRateLimited) && !errors.Is(err, ErrUnavailable) {
			t.Errorf("Upload: error %v, want ErrRateLimited or ErrUnavailable", err)
		}
		if errors.Is(err, ErrUnavailable) {
			t.Log("the reset arrived before the response") // the response is lost
		}
		_ = ln.Close()
	}
}

// TestUpload_earlyResponseOpenConnection checks that Upload returns an early
// response of a server that keeps the connection open.
func TestUpload_earlyResponseOpenConnection(t *testing.T) {
	t.Parallel()
	name := "x"
	c := socketClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"error":{"type":"RateLimitException","message":"Wait.","retry_after":5}}`)
	})
	for range 20 {
		_, err := c.Upload(t.Context(), UploadFields{Name: &name}, &fileList{{Field: "mp3", Body: endlessBody{}}})
		if !errors.Is(err, ErrRateLimited) {
			t.Fatalf("Upload: error %v, want ErrRateLimited", err)
		}
	}
}

// TestUpload_context checks that the context ends an upload that waits for a file
// or for the response.
func TestUpload_context(t *testing.T) {
	t.Parallel()
	name := "x"
	gone := make(chan struct{}, 2)
	c := socketClient(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		gone <- struct{}{}
	})
	for what, body := range map[string]io.Reader{"sending": endlessBody{}, "waiting": strings.NewReader("sound")} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := c.Upload(ctx, UploadFields{Name: &name}, &fileList{{Field: "mp3", Body: body}})
		cancel()
		if !errors.Is(err, ErrTimeout) {
			t.Errorf("timeout while %s: error %v, want ErrTimeout", what, err)
		}
		<-gone
	}
}

// TestUpload_noTimeout checks that uploads ignore the client's timeouts.
func TestUpload_noTimeout(t *testing.T) {
	t.Parallel()
	name := "x"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, uploaded)
	}))
	defer srv.Close()
	c, err := New(WithAPIURL(srv.URL), WithHTTPClient(&http.Client{Timeout: 50 * time.Millisecond}))
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	time.AfterFunc(150*time.Millisecond, func() { _ = w.Close() })
	if _, err := c.As("token").Upload(t.Context(), UploadFields{Name: &name}, &fileList{{Field: "mp3", Body: r}}); err != nil {
		t.Error(err)
	}
}
