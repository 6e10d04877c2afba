package multipartstream

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"strings"
	"testing"
	"testing/iotest"
)

type content struct {
	name, filename, body string
}

func readAll(r *Reader) (all []content, err error) {
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

// FuzzReader holds the reader against mime/multipart: whatever bodies of whole
// parts that reads, this reads alike, in pieces of any size.
func FuzzReader(f *testing.F) {
	f.Add([]byte("hello"), []byte("\r\n--b\r\n"), uint8(1))
	f.Add([]byte("\r\n--bx"), []byte("\r\n--b "), uint8(3))
	f.Add([]byte("\r\n--b\t"), []byte("\r\n-"), uint8(0))
	f.Add(bytes.Repeat([]byte("\r\n--"), 40), []byte{}, uint8(7))
	f.Fuzz(func(t *testing.T, first, second []byte, step uint8) {
		const boundary = "b0undary"
		for _, body := range [][]byte{first, second} {
			if bytes.Contains(body, []byte("\r\n--"+boundary)) || bytes.HasPrefix(body, []byte("--"+boundary)) {
				t.Skip("the content holds the boundary itself")
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
		got, err := readAll(NewReader(src, boundary))
		want := []content{{"a", "x.mp3", string(first)}, {"b", "x.mp3", string(second)}}
		if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

// FuzzReader_strangers reads any bytes at all: it may refuse them, but never
// panic, and never give out more than there is.
func FuzzReader_strangers(f *testing.F) {
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=x\r\n\r\nbody\r\n--b--"))
	f.Add([]byte("--b--"))
	f.Add([]byte("--b\r\n\r\n\r\n--b \t \r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		all, _ := readAll(NewReader(iotest.HalfReader(bytes.NewReader(body)), "b"))
		total := 0
		for _, c := range all {
			total += len(c.body)
		}
		if total > len(body) {
			t.Errorf("%d bytes came out of %d", total, len(body))
		}
	})
}

func TestReader_refuses(t *testing.T) {
	t.Parallel()
	const head = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n"
	tests := map[string]struct {
		body string
		want error
	}{
		"an empty body":            {"", ErrCutShort},
		"no boundary at all":       {strings.Repeat("x", 100<<10), ErrPreamble},
		"a part without end":       {head + "body", ErrCutShort},
		"a cut boundary":           {head + "body\r\n--", ErrCutShort},
		"headers without end":      {"--b\r\n" + strings.Repeat("X: y\r\n", 10_000), ErrHeaders},
		"one endless header":       {"--b\r\nX: " + strings.Repeat("y", 100<<10), ErrHeaders},
		"a line that is no header": {"--b\r\nnonsense\r\n\r\nbody\r\n--b--", ErrHeaders},
		"no disposition":           {"--b\r\n\r\nbody\r\n--b--", ErrHeaders},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := readAll(NewReader(strings.NewReader(tt.body), "b")); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestReader_skipsWhatIsNotRead(t *testing.T) {
	t.Parallel()
	body := "preamble\r\n--b \r\nContent-Disposition: form-data; name=a\r\n\r\n" + strings.Repeat("\r\n--bx", 100_000) +
		"\r\n--b\r\nContent-Disposition: form-data; name=b; filename=\"\"\r\n\r\nlast\r\n--b--epilogue"
	r := NewReader(strings.NewReader(body), "b")
	if p, err := r.Next(); err != nil || p.Name != "a" || p.IsFile {
		t.Fatalf("got %+v, %v", p, err)
	}
	p, err := r.Next()
	if err != nil || p.Name != "b" || !p.IsFile {
		t.Fatalf("got %+v, %v", p, err)
	}
	var out bytes.Buffer
	if _, err := p.WriteTo(&out); err != nil || out.String() != "last" {
		t.Errorf("got %q, %v", out.String(), err)
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last part: %v, want io.EOF", err)
	}
}

func BenchmarkPart_WriteTo(b *testing.B) {
	const size = 64 << 20
	head := "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n"
	body := io.MultiReader(strings.NewReader(head), bytes.NewReader(make([]byte, size)), strings.NewReader("\r\n--b--"))
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		body = io.MultiReader(strings.NewReader(head), bytes.NewReader(make([]byte, size)), strings.NewReader("\r\n--b--"))
		p, err := NewReader(body, "b").Next()
		if err != nil {
			b.Fatal(err)
		}
		if n, err := p.WriteTo(io.Discard); err != nil || n != size {
			b.Fatal(n, err)
		}
	}
}
