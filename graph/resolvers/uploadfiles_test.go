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

// parts is an [upload.Source] of parts that have all arrived.
type parts struct {
	all   []*upload.Part
	total int64 // -1 if unknown
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

func newPart(name string, body io.Reader) *upload.Part {
	return &upload.Part{File: upload.File{Part: name, Path: "variables." + name}, Filename: name + ".x", ContentType: "a/b", Body: body}
}

var (
	mp3     = upload.File{Part: "0"}
	picture = &upload.File{Part: "1"}
)

// mustFileError returns the fileError in err.
func mustFileError(t *testing.T, err error) fileError {
	t.Helper()
	found, ok := errors.AsType[*fileError](err)
	if !ok {
		t.Fatalf("got error %v, want a fileError", err)
	}
	return *found
}

// Files are refused if their first bytes show another type, with any declared
// content type. Files of an unknown type are sent.
func TestUploadFiles_Type(t *testing.T) {
	t.Parallel()
	const audio, image = "mp3", "picture"
	for name, test := range map[string]struct {
		start   string
		refused string // the fields that refuse the file
	}{
		"MP3 with tags":        {"ID3\x03\x00", image},
		"MP3 frames":           {"\xff\xfb\x90\x64\x00", ""},
		"Ogg":                  {"OggS\x00\x02", image},
		"WAVE":                 {"RIFF\x00\x00\x00\x00WAVEfmt ", image},
		"AAC in MP4":           {"\x00\x00\x00\x1cftypM4A \x00\x00\x00\x00mp42isom\x00\x00\x00\x00", image},
		"WebM":                 {"\x1a\x45\xdf\xa3\x42\x82\x84webm", image},
		"AVI":                  {"RIFF\x00\x00\x00\x00AVI LIST", audio + image},
		"PNG":                  {"\x89PNG\r\n\x1a\n", audio},
		"JPEG":                 {"\xff\xd8\xff\xe0", audio},
		"GIF":                  {"GIF89a", audio},
		"WebP":                 {"RIFF\x00\x00\x00\x00WEBPVP8 ", audio},
		"HTML":                 {"<!DOCTYPE html><title>", audio + image},
		"PDF":                  {"%PDF-1.7", audio + image},
		"ZIP":                  {"PK\x03\x04", audio + image},
		"gzip":                 {"\x1f\x8b\x08\x00" + strings.Repeat("\x01", 50), audio + image},
		"plain text":           {"just some words", ""},
		"zeros":                {"\x00\x00\x00\x00", ""},
		"a bitmap":             {"BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00" + strings.Repeat("\x01", 52), audio},
		"BM alone":             {"BM", ""},
		"BM and sound":         {"BM" + strings.Repeat("\xaa\x55", 300), ""},
		"an icon":              {"\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00\x01\x00\x20\x00" + strings.Repeat("\x01", 50), audio},
		"MP4 with a long box":  {"\x00\x00\x01\x00ftypM4A " + strings.Repeat("\x00", 50), ""},
		"a TrueType font":      {"\x00\x01\x00\x00\x00\x0c\x00\x80\x00\x03\x00\x40" + strings.Repeat("\x01", 50), audio + image},
		"TrueType signature":   {"\x00\x01\x00\x00" + strings.Repeat("\x33", 50), ""},
		"an embedded font":     {"\x01\x01\x01\x01\x01\x01\x01\x01\x02\x00\x02\x00" + strings.Repeat("\x00", 22) + "LP", audio + image},
		"MP3 with LP at 34":    {"\xff\xfb\x90\x64" + strings.Repeat("\x00", 30) + "LP" + strings.Repeat("\x00", 50), ""},
		"gzip, reserved flags": {"\x1f\x8b\x08\xff" + strings.Repeat("\x00", 50), ""},
		"a byte":               {"x", ""},
	} {
		for _, field := range []string{audio, image} {
			part := "0"
			if field == image {
				part = "1"
			}
			files := &uploadFiles{source: &parts{all: []*upload.Part{newPart(part, strings.NewReader(test.start))}}, rules: newFileRules(mp3, picture)}
			got, err := files.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(test.refused, field) {
				_, err := got.Body.Read(make([]byte, 1))
				if e := mustFileError(t, err); e.code != model.UserErrorCodeInvalid || e.field != field || !strings.HasPrefix(e.message, "The file is ") {
					t.Errorf("%s as %s: got %+v, want INVALID for %[2]s", name, field, e)
				}
				continue
			}
			if body, err := io.ReadAll(got.Body); string(body) != test.start || err != nil || got.Field != field || got.Filename != part+".x" || got.ContentType != "a/b" {
				t.Errorf("%s as %s: got body %q of %+v, error %v, want %q of %s.x", name, field, body, got, err, test.start, part)
			}
		}
	}
}

// A file of up to its size limit is sent, by Read and by WriteTo and in chunks of all
// sizes. A larger file is refused before a byte above the limit is sent.
func TestUploadFiles_Limit(t *testing.T) {
	t.Parallel()
	const limit = 2000
	methods := map[string]func(io.Reader) (int64, error){
		"Read":    func(r io.Reader) (int64, error) { b, err := io.ReadAll(r); return int64(len(b)), err },
		"WriteTo": func(r io.Reader) (int64, error) { return r.(io.WriterTo).WriteTo(io.Discard) },
	}
	chunkings := map[string]func(io.Reader) io.Reader{
		"one chunk": func(r io.Reader) io.Reader { return r }, "single bytes": iotest.OneByteReader,
		"half of each read": iotest.HalfReader, "data with io.EOF": iotest.DataErrReader,
	}
	for size, fits := range map[int]bool{1: true, 511: true, 512: true, 513: true, limit: true, limit + 1: false, 10 * limit: false} {
		for method, read := range methods {
			for chunking, chunked := range chunkings {
				var hub upload.Hub
				track := hub.Begin(t.Context(), upload.Name{ID: "x"})
				files := &uploadFiles{
					source: &parts{all: []*upload.Part{newPart("1", chunked(bytes.NewReader(make([]byte, size))))}, total: int64(size)},
					rules:  fileRules{"1": {"picture", limit, notPicture}}, track: track,
				}
				file, err := files.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				n, err := read(file.Body)
				progress := <-hub.Watch(t.Context(), upload.Name{ID: "x"})
				if fits {
					if err != nil || n != int64(size) || progress.Sent != int64(size) || progress.Total != int64(size) {
						t.Errorf("%d bytes, %s, %s: read %d bytes, error %v, progress %+v, want all bytes sent", size, method, chunking, n, err, progress)
					}
					continue
				}
				if e := mustFileError(t, err); e.code != model.UserErrorCodeTooLarge || e.field != "picture" {
					t.Errorf("%d bytes, %s, %s: got %+v, want TOO_LARGE for picture", size, method, chunking, e)
				}
				if n > limit || progress.Sent > limit {
					t.Errorf("%d bytes, %s, %s: sent %d bytes, progress %+v, want at most %d", size, method, chunking, n, progress, limit)
				}
			}
		}
	}
}

// A request whose declared length exceeds all limits is refused before its files are
// read. The error names the file with the highest limit.
func TestUploadFiles_DeclaredLength(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		total int64
		rules fileRules
		field string // the field in the error, "" if the request is accepted
	}{
		"unknown length":         {-1, newFileRules(mp3, nil), ""},
		"mp3, at the limit":      {4<<30 + 256<<10, newFileRules(mp3, nil), ""},
		"mp3, above the limit":   {4<<30 + 256<<10 + 1, newFileRules(mp3, nil), "mp3"},
		"both, below the limits": {4<<30 + 10<<20, newFileRules(mp3, picture), ""},
		"both, above the limits": {4<<30 + 11<<20, newFileRules(mp3, picture), "mp3"},
		"picture":                {10 << 20, newFileRules(upload.File{}, picture), ""},
		"picture, too large":     {11 << 20, newFileRules(upload.File{}, picture), "picture"},
		"no rules":               {11 << 20, newFileRules(upload.File{}, nil), ""},
	} {
		_, err := newUploadFiles(upload.NewContext(t.Context(), &parts{total: test.total}), test.rules, nil)
		switch {
		case test.field == "" && err != nil:
			t.Errorf("%s: got error %v, want none", name, err)
		case test.field != "":
			if e := mustFileError(t, err); e.field != test.field || e.code != model.UserErrorCodeTooLarge {
				t.Errorf("%s: got %+v, want TOO_LARGE for %s", name, e, test.field)
			}
		}
	}
}

// oneFile returns the files of a request with one part.
func oneFile(name string, body io.Reader) *uploadFiles {
	return &uploadFiles{source: &parts{all: []*upload.Part{newPart(name, body)}}, rules: newFileRules(mp3, nil)}
}

// The error of a request that ends early is returned, also if it ends within the first
// bytes: a truncated file must not look like a short one.
func TestUploadFiles_Truncated(t *testing.T) {
	t.Parallel()
	closed := errors.New("connection closed")
	for name, test := range map[string]struct {
		body io.Reader
		size int64 // bytes that must be read before the error
	}{
		"before the first byte":  {iotest.ErrReader(closed), 0},
		"after 3 bytes":          {io.MultiReader(strings.NewReader("ID3"), iotest.ErrReader(closed)), 0},
		"io.ErrUnexpectedEOF":    {io.MultiReader(strings.NewReader("ID3"), iotest.ErrReader(io.ErrUnexpectedEOF)), 0},
		"error in the same Read": {iotest.DataErrReader(io.MultiReader(strings.NewReader("ID3"), iotest.ErrReader(closed))), 0},
		"after 5000 bytes":       {io.MultiReader(bytes.NewReader(make([]byte, 5000)), iotest.ErrReader(closed)), 5000},
	} {
		file, err := oneFile("0", test.body).Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, file.Body); n != test.size || !errors.Is(err, closed) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: got %d bytes and error %v, want %d and the request's error", name, n, err, test.size)
		}
	}
}

func TestUploadFiles_NoContent(t *testing.T) {
	t.Parallel()
	file, err := oneFile("0", strings.NewReader("")).Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, file.Body); mustFileError(t, err).code != model.UserErrorCodeRequired {
		t.Errorf("empty file: got error %v, want REQUIRED", err)
	}
	if _, err := oneFile("7", strings.NewReader("x")).Next(t.Context()); gqlerr.CodeOf(err) != gqlerr.CodeBadUserInput || !strings.Contains(err.Error(), "variables.7") {
		t.Errorf("part without a rule: got error %v, want BAD_USER_INPUT for variables.7", err)
	}
	var none uploadFiles
	if _, err := none.Next(t.Context()); err != io.EOF {
		t.Errorf("request without files: got error %v, want io.EOF", err)
	}
}
