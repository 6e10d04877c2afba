package uploadhttp

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"strings"
	"testing"
	"testing/iotest"
)

type content struct {
	name, filename, body string
}

func readParts(r *MultipartReader) (all []content, err error) {
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		body, err := io.ReadAll(p)
		if err != nil {
			return all, err
		}
		all = append(all, content{p.Name, p.Filename, string(body)})
	}
}

// FuzzMultipartReader compares the reader with mime/multipart: it reads every complete body
// that mime/multipart reads, with the same result, in chunks of any size.
func FuzzMultipartReader(f *testing.F) {
	f.Add([]byte("hello"), []byte("\r\n--b\r\n"), uint8(1))
	f.Add([]byte("\r\n--bx"), []byte("\r\n--b "), uint8(3))
	f.Add([]byte("\r\n--b\t"), []byte("\r\n-"), uint8(0))
	f.Add(bytes.Repeat([]byte("\r\n--"), 40), []byte{}, uint8(7))
	f.Fuzz(func(t *testing.T, first, second []byte, step uint8) {
		const boundary = "b0undary"
		for _, body := range [][]byte{first, second} {
			if bytes.Contains(body, []byte("\r\n--"+boundary)) || bytes.HasPrefix(body, []byte("--"+boundary)) {
				t.Skip("the content contains the boundary")
			}
		}
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		if err := w.SetBoundary(boundary); err != nil {
			t.Fatal(err)
		}
		for i, body := range [][]byte{first, second} {
			part, err := w.CreateFormFile([]string{"a", "b"}[i], "x.mp3")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = part.Write(body)
		}
		_ = w.Close()
		var src io.Reader = bytes.NewReader(form.Bytes())
		switch step % 3 {
		case 1:
			src = iotest.OneByteReader(src)
		case 2:
			src = iotest.DataErrReader(iotest.HalfReader(src))
		}
		got, err := readParts(NewMultipartReader(src, boundary))
		want := []content{{"a", "x.mp3", string(first)}, {"b", "x.mp3", string(second)}}
		if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("parts = %q, %v, want %q", got, err, want)
		}
	})
}

// FuzzMultipartReader_small reads the same contents in chunks of every size, with Read and with
// WriteTo in turns.
func FuzzMultipartReader_small(f *testing.F) {
	f.Add([]byte("hello\r\n--b"), uint16(1), uint16(3))
	f.Add(bytes.Repeat([]byte("\r\n--"), 100), uint16(7), uint16(2))
	f.Add(bytes.Repeat([]byte("\r\n--boundar"), 60_000), uint16(4096), uint16(65_000))
	f.Fuzz(func(t *testing.T, want []byte, in, out uint16) {
		if bytes.Contains(want, []byte("\r\n--boundary")) || bytes.HasPrefix(want, []byte("--boundary")) {
			t.Skip("the content contains the boundary")
		}
		form := append([]byte("--boundary\r\nContent-Disposition: form-data; name=a\r\n\r\n"), want...)
		form = append(form, "\r\n--boundary--\r\nepilogue"...)
		r := NewMultipartReader(&chunkedReader{form, int(in)%5000 + 1}, "boundary")
		p, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if empty, err := p.Empty(); err != nil || empty != (len(want) == 0) {
			t.Fatalf("Empty() = %v, %v, want %v", empty, err, len(want) == 0)
		}
		var got bytes.Buffer
		buf := make([]byte, int(out)%5000+1)
		for range 3 {
			n, err := p.Read(buf)
			got.Write(buf[:n])
			if err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
		}
		if _, err := p.WriteTo(&got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Fatalf("content = %q, want %q", got.Bytes(), want)
		}
		if used := r.Consumed(); used != int64(len(form)-len("\r\nepilogue")) {
			t.Fatalf("Consumed() = %d, want %d without the epilogue", used, len(form)-len("\r\nepilogue"))
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("Next after the last part = %v, want EOF", err)
		}
		if err := r.Finish(); err != nil {
			t.Fatalf("Finish() = %v, want nil", err)
		}
	})
}

// A chunkedReader returns at most a number of bytes at a time.
type chunkedReader struct {
	text []byte
	most int
}

func (p *chunkedReader) Read(b []byte) (int, error) {
	if len(p.text) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.most)], p.text)
	p.text = p.text[n:]
	return n, nil
}

func TestParseBoundary(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"multipart/form-data; boundary=b":                          "b",
		`Multipart/Form-Data; charset="UTF-8"; boundary="a b"`:     "a b",
		"multipart/form-data; boundary=" + strings.Repeat("x", 70): strings.Repeat("x", 70),
		"multipart/form-data; boundary=" + strings.Repeat("x", 71): "",
		"multipart/form-data":                                      "",
		`multipart/form-data; boundary=""`:                         "",
		`multipart/form-data; boundary="b`:                         "",
		"multipart/mixed; boundary=b":                              "",
		"multipart/form-data; boundary=b; charset=utf-16":          "",
		"multipart/form-data; boundary=b; boundary=c":              "",
		"": "",
	} {
		if got, err := parseBoundary(header); got != want || (err == nil) != (want != "") {
			t.Errorf("parseBoundary(%q) = %q, %v, want %q", header, got, err, want)
		}
	}
}

func TestFinish(t *testing.T) {
	t.Parallel()
	failure := errors.New("reset")
	tests := map[string]struct {
		rest io.Reader
		want error
	}{
		"nothing":        {strings.NewReader(""), nil},
		"64 KiB":         {strings.NewReader(strings.Repeat("x", 64<<10)), nil},
		"at the limit":   {strings.NewReader(strings.Repeat("x", maxEpilogue)), nil},
		"over the limit": {strings.NewReader(strings.Repeat("x", BufferSize+maxEpilogue+1)), errEpilogue},
		"broken end":     {iotest.ErrReader(failure), failure},
		"no progress":    {idle{}, io.ErrNoProgress},
		"without an end": {endless{}, errEpilogue},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := NewMultipartReader(io.MultiReader(strings.NewReader("--b--"), tt.rest), "b")
			if _, err := r.Next(); !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			if err := r.Finish(); !errors.Is(err, tt.want) {
				t.Errorf("Finish() = %v, want %v", err, tt.want)
			}
		})
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// WriteTo returns the writer's error, and the next read continues after the bytes that the writer
// accepted.
func TestPart_WriteTo_fails(t *testing.T) {
	t.Parallel()
	r := NewMultipartReader(strings.NewReader("--b\r\nContent-Disposition: form-data; name=a\r\n\r\ncontent\r\n--b--"), "b")
	p, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	failure := errors.New("full")
	if n, err := p.WriteTo(&limitedWriter{3, failure}); n != 3 || !errors.Is(err, failure) {
		t.Errorf("WriteTo = %d, %v, want 3, %v", n, err, failure)
	}
	if n, err := p.WriteTo(&limitedWriter{1, nil}); n != 1 || !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("WriteTo = %d, %v, want 1, %v", n, err, io.ErrShortWrite)
	}
	if rest, err := io.ReadAll(p); string(rest) != "ent" || err != nil {
		t.Errorf("rest = %q, %v, want ent", rest, err)
	}
}

// A limitedWriter accepts a number of bytes and then fails.
type limitedWriter struct {
	n   int
	err error
}

func (u *limitedWriter) Write(p []byte) (int, error) { return min(u.n, len(p)), u.err }

// FuzzMultipartReader_anyBytes reads arbitrary bytes: the reader may refuse them, but must not
// panic or return more bytes than it has read.
func FuzzMultipartReader_anyBytes(f *testing.F) {
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=x\r\n\r\nbody\r\n--b--"))
	f.Add([]byte("--b--"))
	f.Add([]byte("--b\r\n\r\n\r\n--b \t \r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		all, _ := readParts(NewMultipartReader(iotest.HalfReader(bytes.NewReader(body)), "b"))
		total := 0
		for _, c := range all {
			total += len(c.body)
		}
		if total > len(body) {
			t.Errorf("the parts have %d bytes, want at most the %d of the body", total, len(body))
		}
	})
}

func TestMultipartReader_refuses(t *testing.T) {
	t.Parallel()
	const head = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n"
	tests := map[string]struct {
		body string
		want error
	}{
		"empty body":          {"", errTruncated},
		"no boundary at all":  {strings.Repeat("x", 100<<10), errPreamble},
		"part without end":    {head + "body", errTruncated},
		"truncated boundary":  {head + "body\r\n--", errTruncated},
		"headers without end": {"--b\r\n" + strings.Repeat("X: y\r\n", 10_000), errHeaders},
		"one huge header":     {"--b\r\nX: " + strings.Repeat("y", 100<<10), errHeaders},
		"invalid header line": {"--b\r\nnonsense\r\n\r\nbody\r\n--b--", errHeaders},
		"no disposition":      {"--b\r\n\r\nbody\r\n--b--", errHeaders},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := readParts(NewMultipartReader(strings.NewReader(tt.body), "b")); !errors.Is(err, tt.want) {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestMultipartReader_skipsUnread(t *testing.T) {
	t.Parallel()
	body := "preamble\r\n--b \r\nContent-Disposition: form-data; name=a\r\n\r\n" + strings.Repeat("\r\n--bx", 100_000) +
		"\r\n--b\r\nContent-Disposition: form-data; name=b; filename=\"\"\r\n\r\nlast\r\n--b--epilogue"
	r := NewMultipartReader(strings.NewReader(body), "b")
	if p, err := r.Next(); err != nil || p.Name != "a" || p.IsFile {
		t.Fatalf("first part = %+v, %v, want field a", p, err)
	}
	p, err := r.Next()
	if err != nil || p.Name != "b" || !p.IsFile {
		t.Fatalf("second part = %+v, %v, want file b", p, err)
	}
	var out bytes.Buffer
	if _, err := p.WriteTo(&out); err != nil || out.String() != "last" {
		t.Errorf("WriteTo wrote %q, %v, want last", out.String(), err)
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last part: %v, want io.EOF", err)
	}
}

// BenchmarkPart reads a large part in both ways, and with mime/multipart for comparison.
func BenchmarkPart(b *testing.B) {
	const size = 64 << 20
	noise := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	body := func() io.Reader {
		return io.MultiReader(strings.NewReader("--boundary\r\nContent-Disposition: form-data; name=a\r\n\r\n"), bytes.NewReader(noise), strings.NewReader("\r\n--boundary--"))
	}
	ways := map[string]func() (int64, error){
		"WriteTo": func() (int64, error) {
			p, err := NewMultipartReader(body(), "boundary").Next()
			if err != nil {
				return 0, err
			}
			return p.WriteTo(io.Discard)
		},
		"Read": func() (int64, error) {
			p, err := NewMultipartReader(body(), "boundary").Next()
			if err != nil {
				return 0, err
			}
			return io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{p}, make([]byte, 32<<10))
		},
		"mime": func() (int64, error) {
			p, err := multipart.NewReader(body(), "boundary").NextPart()
			if err != nil {
				return 0, err
			}
			return io.CopyBuffer(struct{ io.Writer }{io.Discard}, p, make([]byte, 32<<10))
		},
	}
	for _, name := range []string{"WriteTo", "Read", "mime"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if n, err := ways[name](); err != nil || n != size {
					b.Fatalf("part has %d bytes, want %d (error %v)", n, size, err)
				}
			}
		})
	}
}
