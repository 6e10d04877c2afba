package resolvers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/upload"
)

// parts is a source of files that are all there.
type parts struct {
	all   []*upload.Part
	total int64 // -1 when it is not known
}

func (p *parts) Next(context.Context) (*upload.Part, error) {
	if len(p.all) == 0 {
		return nil, io.EOF
	}
	next := p.all[0]
	p.all = p.all[1:]
	return next, nil
}

func (p *parts) Total() (int64, bool) { return p.total, p.total >= 0 }

func (p *parts) Bound() (int64, int, bool) { return p.total, len(p.all), p.total >= 0 }

func part(name string, body io.Reader) *upload.Part {
	return &upload.Part{File: upload.File{Part: name, Path: "variables." + name}, Filename: name + ".x", ContentType: "a/b", Body: body}
}

var (
	mp3     = upload.File{Part: "0"}
	picture = &upload.File{Part: "1"}
)

// breach is what a file is refused for.
func breach(t *testing.T, err error) breachError {
	t.Helper()
	found, ok := errors.AsType[*breachError](err)
	if !ok {
		t.Fatalf("no breach: %v", err)
	}
	return *found
}

// TestCourier_Sniffs refuses what is certainly something else, by its first
// bytes and whatever it says it is, and lets through what cannot be told.
func TestCourier_Sniffs(t *testing.T) {
	t.Parallel()
	const audio, image = "mp3", "picture"
	for name, test := range map[string]struct {
		head    string
		refused string // the fields it cannot be
	}{
		"MP3 with tags":         {"ID3\x03\x00", image},
		"MP3 frames":            {"\xff\xfb\x90\x64\x00", ""},
		"Ogg":                   {"OggS\x00\x02", image},
		"WAVE":                  {"RIFF\x00\x00\x00\x00WAVEfmt ", image},
		"AAC in MP4":            {"\x00\x00\x00\x1cftypM4A \x00\x00\x00\x00mp42isom\x00\x00\x00\x00", image},
		"WebM":                  {"\x1a\x45\xdf\xa3\x42\x82\x84webm", image},
		"AVI":                   {"RIFF\x00\x00\x00\x00AVI LIST", audio + image},
		"PNG":                   {"\x89PNG\r\n\x1a\n", audio},
		"JPEG":                  {"\xff\xd8\xff\xe0", audio},
		"GIF":                   {"GIF89a", audio},
		"WebP":                  {"RIFF\x00\x00\x00\x00WEBPVP8 ", audio},
		"HTML":                  {"<!DOCTYPE html><title>", audio + image},
		"PDF":                   {"%PDF-1.7", audio + image},
		"ZIP":                   {"PK\x03\x04", audio + image},
		"gzip":                  {"\x1f\x8b\x08\x00" + strings.Repeat("\x01", 50), audio + image},
		"text, for all we know": {"just some words", ""},
		"zeros":                 {"\x00\x00\x00\x00", ""},
		"a bitmap":              {"BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00" + strings.Repeat("\x01", 52), audio},
		"BM alone":              {"BM", ""},
		"BM and sound":          {"BM" + strings.Repeat("\xaa\x55", 300), ""},
		"an icon":               {"\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00\x01\x00\x20\x00" + strings.Repeat("\x01", 50), audio},
		"MP4 with a long head":  {"\x00\x00\x01\x00ftypM4A " + strings.Repeat("\x00", 50), ""},
		"a TrueType font":       {"\x00\x01\x00\x00\x00\x0c\x00\x80\x00\x03\x00\x40" + strings.Repeat("\x01", 50), audio + image},
		"its first bytes":       {"\x00\x01\x00\x00" + strings.Repeat("\x33", 50), ""},
		"an embedded font":      {"\x01\x01\x01\x01\x01\x01\x01\x01\x02\x00\x02\x00" + strings.Repeat("\x00", 22) + "LP", audio + image},
		"LP by chance":          {"\xff\xfb\x90\x64" + strings.Repeat("\x00", 30) + "LP" + strings.Repeat("\x00", 50), ""},
		"gzip of another kind":  {"\x1f\x8b\x08\xff" + strings.Repeat("\x00", 50), ""},
		"a byte":                {"x", ""},
	} {
		for _, field := range []string{audio, image} {
			file, want := "0", filesOf(mp3, picture)
			if field == image {
				file = "1"
			}
			c := &courier{source: &parts{all: []*upload.Part{part(file, strings.NewReader(test.head))}}, want: want}
			got, err := c.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(test.refused, field) {
				_, err := got.Body.Read(make([]byte, 1))
				if b := breach(t, err); b.code != model.UserErrorCodeInvalid || b.field != field || !strings.HasPrefix(b.message, "The file is ") {
					t.Errorf("%s as %s: %+v", name, field, b)
				}
				continue
			}
			if body, err := io.ReadAll(got.Body); string(body) != test.head || err != nil || got.Field != field || got.Filename != file+".x" || got.ContentType != "a/b" {
				t.Errorf("%s as %s arrives as %q of %+v, %v", name, field, body, got, err)
			}
		}
	}
}

// TestCourier_Limits lets a file through up to its limit, and not a byte more,
// however it is read and in whatever pieces it comes.
func TestCourier_Limits(t *testing.T) {
	t.Parallel()
	const limit = 2000
	readers := map[string]func(io.Reader) (int64, error){
		"read":    func(r io.Reader) (int64, error) { b, err := io.ReadAll(r); return int64(len(b)), err },
		"written": func(r io.Reader) (int64, error) { return r.(io.WriterTo).WriteTo(io.Discard) },
	}
	pieces := map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "by the byte": iotest.OneByteReader,
		"halves": iotest.HalfReader, "with its end": iotest.DataErrReader,
	}
	for size, fits := range map[int]bool{1: true, 511: true, 512: true, 513: true, limit: true, limit + 1: false, 10 * limit: false} {
		for how, read := range readers {
			for piece, cut := range pieces {
				var hub upload.Hub
				track := hub.Begin(t.Context(), upload.Name{ID: "x"})
				c := &courier{
					source: &parts{all: []*upload.Part{part("1", cut(bytes.NewReader(make([]byte, size))))}, total: int64(size)},
					want:   wanted{"1": {"picture", limit, notPicture}}, track: track,
				}
				file, err := c.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				n, err := read(file.Body)
				progress := <-hub.Watch(t.Context(), upload.Name{ID: "x"})
				if fits {
					if err != nil || n != int64(size) || progress.Sent != int64(size) || progress.Total != int64(size) {
						t.Errorf("%d bytes, %s, %s: %d arrive, %v, %+v", size, how, piece, n, err, progress)
					}
					continue
				}
				if b := breach(t, err); b.code != model.UserErrorCodeTooLarge || b.field != "picture" {
					t.Errorf("%d bytes, %s, %s: %+v", size, how, piece, b)
				}
				if n > limit || progress.Sent > limit {
					t.Errorf("%d bytes, %s, %s: %d were sent on, %+v", size, how, piece, n, progress)
				}
			}
		}
	}
}

// TestCourier_Declared refuses a request before its files are asked for when it
// says itself that it is too long, and the file that may be longest is named.
func TestCourier_Declared(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		total int64
		want  wanted
		field string // that is refused; "" for none
	}{
		"not known":          {-1, filesOf(mp3, nil), ""},
		"just fits":          {4<<30 + 256<<10, filesOf(mp3, nil), ""},
		"too long":           {4<<30 + 256<<10 + 1, filesOf(mp3, nil), "mp3"},
		"fits both":          {4<<30 + 10<<20, filesOf(mp3, picture), ""},
		"too long for both":  {4<<30 + 11<<20, filesOf(mp3, picture), "mp3"},
		"a picture":          {10 << 20, filesOf(upload.File{}, picture), ""},
		"too long a picture": {11 << 20, filesOf(upload.File{}, picture), "picture"},
		"files for nothing":  {11 << 20, filesOf(upload.File{}, nil), ""},
	} {
		_, err := newCourier(upload.Into(t.Context(), &parts{total: test.total}), test.want, nil)
		switch {
		case test.field == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.field != "":
			if b := breach(t, err); b.field != test.field || b.code != model.UserErrorCodeTooLarge {
				t.Errorf("%s: %+v", name, b)
			}
		}
	}
}

// TestCourier_Ends passes on what ends a request early, also within the bytes
// that tell what a file is: half a file is never taken for a short one.
func TestCourier_Ends(t *testing.T) {
	t.Parallel()
	left := errors.New("the client left")
	for name, body := range map[string]io.Reader{
		"at once":              iotest.ErrReader(left),
		"after some":           io.MultiReader(strings.NewReader("ID3"), iotest.ErrReader(left)),
		"as an unexpected end": io.MultiReader(strings.NewReader("ID3"), iotest.ErrReader(io.ErrUnexpectedEOF)),
		"with the first bytes": iotest.DataErrReader(io.MultiReader(strings.NewReader("ID3"), iotest.ErrReader(left))),
	} {
		c := &courier{source: &parts{all: []*upload.Part{part("0", body)}}, want: filesOf(mp3, nil)}
		file, err := c.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, file.Body); !errors.Is(err, left) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
	late := io.MultiReader(bytes.NewReader(make([]byte, 5000)), iotest.ErrReader(left))
	c := &courier{source: &parts{all: []*upload.Part{part("0", late)}}, want: filesOf(mp3, nil)}
	file, err := c.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, file.Body); n != 5000 || !errors.Is(err, left) {
		t.Errorf("late: %d, %v", n, err)
	}
	empty := &courier{source: &parts{all: []*upload.Part{part("0", strings.NewReader(""))}}, want: filesOf(mp3, nil)}
	if file, err = empty.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, file.Body); breach(t, err).code != model.UserErrorCodeRequired {
		t.Errorf("an empty file: %v", err)
	}
	stray := &courier{source: &parts{all: []*upload.Part{part("7", strings.NewReader("x"))}}, want: filesOf(mp3, nil)}
	if _, err := stray.Next(t.Context()); gqlerr.CodeOf(err) != gqlerr.CodeBadUserInput || !strings.Contains(err.Error(), "variables.7") {
		t.Errorf("a file that nothing takes: %v", err)
	}
	var none courier
	if _, err := none.Next(t.Context()); err != io.EOF {
		t.Errorf("a request without files: %v", err)
	}
}
