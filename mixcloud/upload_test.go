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

// fileList gives files in order.
type fileList []*FilePart

func (l *fileList) Next(context.Context) (*FilePart, error) {
	if len(*l) == 0 {
		return nil, io.EOF
	}
	next := (*l)[0]
	*l = (*l)[1:]
	return next, nil
}

// boundedList is a fileList with an upper bound.
type boundedList struct {
	fileList
	most int64
	more int
}

func (l *boundedList) Bound() (int64, int, bool) { return l.most, l.more, true }

// filesFunc are files that a function gives.
type filesFunc func(context.Context) (*FilePart, error)

func (f filesFunc) Next(ctx context.Context) (*FilePart, error) { return f(ctx) }

// parsed is what a form has, in its order.
func parsed(t testing.TB, contentType string, body io.Reader) (all [][]string) {
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

// socketClient is a client of a real server.
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
					t.Errorf("%s %s", r.Method, r.URL.Path)
				}
				got = parsed(t, r.Header.Get("Content-Type"), r.Body)
				_, _ = io.WriteString(w, uploaded)
			})
			result, err := c.Upload(t.Context(), tt.fields, &tt.files)
			if err != nil || !result.Success || result.Key.String() != "/demo/x/" {
				t.Fatalf("%v, %v", result, err)
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
			t.Errorf("asked for %s", r.URL.Path)
		}
		got = parsed(t, r.Header.Get("Content-Type"), r.Body)
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
			t.Errorf("key %q: %v", key, err)
		}
	}
	if _, err := c.Upload(t.Context(), UploadFields{}, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("an upload without a name: %v", err)
	}
	name := "x"
	if _, err := c.As("").Upload(t.Context(), UploadFields{Name: &name}, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("an upload for nobody: %v", err)
	}
}

// The form has the same bytes, whether it is read or written.
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
					r = struct{ io.Reader }{r} // without a WriteTo
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
			t.Fatalf("%d bytes are declared of %d", read.length, len(text))
		}
		if _, after, _ := strings.Cut(string(text), read.form.Boundary()+"--"); strings.Trim(after, "\r\n") != "" || len(after) > maxFiller {
			t.Fatalf("the epilogue is %q", after)
		}
		for _, plain := range []bool{false, true} {
			written := body(plain)
			var out bytes.Buffer
			n, err := written.WriteTo(&out)
			if err != nil || n != int64(out.Len()) {
				t.Fatalf("%d bytes of %d: %v", n, out.Len(), err)
			}
			got := strings.ReplaceAll(out.String(), written.form.Boundary(), read.form.Boundary())
			if got != string(text) {
				t.Fatalf("read %q, written %q", text, got)
			}
			if n, err := written.WriteTo(&out); n != 0 || err != nil {
				t.Fatalf("after the end: %d, %v", n, err)
			}
		}
	})
}

// An error of the files breaks the request off, so that nobody takes it for
// whole, and is what the caller gets.
func TestUpload_brokenFiles(t *testing.T) {
	t.Parallel()
	bad := errors.New("the source has failed")
	name := "x"
	ways := map[string]Files{
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
		t.Errorf("the first file: %v", err)
	}
	for what, files := range ways {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			ended := make(chan error, 1)
			c := socketClient(t, func(_ http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				ended <- err
			})
			if _, err := c.Upload(t.Context(), UploadFields{Name: &name}, files); !errors.Is(err, bad) {
				t.Errorf("got %v", err)
			}
			select {
			case err := <-ended:
				if err == nil {
					t.Error("the request came whole")
				}
			case <-time.After(10 * time.Second):
				t.Error("the request stays open")
			}
		})
	}
}

// noise is a body without end.
type noise struct{}

func (noise) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// An answer that comes early ends the sending, also when the server closes its
// connection behind it.
func TestUpload_earlyAnswer(t *testing.T) {
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
		_, err = c.As("token").Upload(t.Context(), UploadFields{Name: &name}, &fileList{{Field: "mp3", Body: noise{}}})
		if !errors.Is(err, ErrRateLimited) && !errors.Is(err, ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		if errors.Is(err, ErrUnavailable) {
			t.Log("the reset came first") // and took the answer with it: nothing can be done
		}
		_ = ln.Close()
	}
}

// A server that answers early and stays gets its answer through, always.
func TestUpload_earlyAnswerStays(t *testing.T) {
	t.Parallel()
	name := "x"
	c := socketClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"error":{"type":"RateLimitException","message":"Wait.","retry_after":5}}`)
	})
	for range 20 {
		_, err := c.Upload(t.Context(), UploadFields{Name: &name}, &fileList{{Field: "mp3", Body: noise{}}})
		if !errors.Is(err, ErrRateLimited) {
			t.Fatalf("got %v", err)
		}
	}
}

// The context ends an upload that waits for its file or for its answer.
func TestUpload_context(t *testing.T) {
	t.Parallel()
	name := "x"
	gone := make(chan struct{}, 2)
	c := socketClient(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		gone <- struct{}{}
	})
	for what, body := range map[string]io.Reader{"sending": noise{}, "waiting": strings.NewReader("sound")} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := c.Upload(ctx, UploadFields{Name: &name}, &fileList{{Field: "mp3", Body: body}})
		cancel()
		if !errors.Is(err, ErrTimeout) {
			t.Errorf("%s: %v", what, err)
		}
		<-gone
	}
}

// Neither the client's timeout nor that of its headers is an upload's.
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
