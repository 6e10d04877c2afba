package mixcloud

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// errFileChanged is the error of an open file whose size changed during the
// upload.
var errFileChanged = errors.New("mixcloud: the size of the file changed while it was sent")

// OSFiles returns the files of one upload or edit, read from open files. A nil
// file is omitted: an upload needs the audio, and an edit accepts only a picture.
//
//	f, err := os.Open("night-bus.mp3")
//	if err != nil {
//		return err
//	}
//	defer f.Close()
//	result, err := client.Upload(ctx, mixcloud.UploadFields{Name: new("Night Bus")}, mixcloud.OSFiles(f, nil))
//
// A file is sent completely, from its beginning. Its name is the last element of
// its path. It is read while it is sent and never held in memory. Its size is read
// before the call, so that the request has a Content-Length. A file that is a
// directory or empty is an [*InvalidError] and no call is made. If the size of a
// file changes while it is sent, the upload fails. A pipe has no size: it is read
// to its end, and the request is chunked, which Mixcloud may not accept.
//
// OSFiles does not close the files and does not move their offsets. Close them
// after Upload or Edit has returned. To try again, call OSFiles again with the
// same files.
func OSFiles(audio, picture *os.File) Files {
	files := &osFiles{known: true}
	for _, f := range []osFile{{"mp3", "audio", audio}, {"picture", "picture", picture}} {
		if f.file != nil {
			files.opened = append(files.opened, f)
		}
	}
	return files
}

// osFiles implements [BoundedFiles]. The first Next checks all files, so that an
// invalid file is found before the call.
type osFiles struct {
	opened []osFile
	parts  []*FilePart // not yet returned by Next; nil before the first Next
	size   int64       // of all files
	known  bool        // false if a file has no size
}

// Next implements [Files].
func (f *osFiles) Next(context.Context) (*FilePart, error) {
	if f.parts == nil {
		f.parts = []*FilePart{}
		for _, file := range f.opened {
			part, size, err := file.part()
			if err != nil {
				return nil, err
			}
			f.parts = append(f.parts, part)
			f.size, f.known = f.size+size, f.known && size > 0
		}
	}
	if len(f.parts) == 0 {
		return nil, io.EOF
	}
	next := f.parts[0]
	f.parts = f.parts[1:]
	return next, nil
}

// Bound implements [BoundedFiles].
func (f *osFiles) Bound() (bytes int64, remaining int, known bool) {
	return f.size, len(f.parts), f.known
}

// An osFile is an open file, with its field of the form and the name of its
// argument of OSFiles.
type osFile struct {
	field, arg string
	file       *os.File
}

// part returns the file as a part of a form, and its size, or 0 if the size is
// not known.
func (f osFile) part() (*FilePart, int64, error) {
	info, err := f.file.Stat()
	if err != nil {
		return nil, 0, err
	}
	part := &FilePart{Field: f.field, Filename: filepath.Base(f.file.Name()), Body: f.file}
	switch {
	case info.IsDir():
		return nil, 0, &InvalidError{Arg: f.arg, Reason: "is a directory"}
	case !info.Mode().IsRegular():
		return part, 0, nil
	case info.Size() == 0:
		return nil, 0, &InvalidError{Arg: f.arg, Reason: "is empty"}
	}
	part.ContentType = mediaType(f.file)
	part.Body = &wholeFile{content: io.NewSectionReader(f.file, 0, info.Size()), file: f.file}
	return part, info.Size(), nil
}

// mediaType detects the type of audio, video or a picture by the first bytes. It
// returns "" for anything else, such as an MP3 file without tags.
func mediaType(r io.ReaderAt) string {
	head := make([]byte, 512)
	n, _ := r.ReadAt(head, 0) // an error occurs again when the file is sent
	kind := http.DetectContentType(head[:n])
	class, _, _ := strings.Cut(kind, "/")
	if class == "audio" || class == "video" || class == "image" {
		return kind
	}
	return ""
}

// A wholeFile reads a file up to the size that it had before the call. It fails at
// the end if the size of the file has changed.
type wholeFile struct {
	content *io.SectionReader
	file    *os.File
}

// Read implements [io.Reader].
func (f *wholeFile) Read(p []byte) (int, error) {
	n, err := f.content.Read(p)
	if err != io.EOF {
		return n, err
	}
	info, failed := f.file.Stat()
	switch {
	case failed != nil:
		return n, failed
	case info.Size() != f.content.Size():
		return n, errFileChanged
	}
	return n, io.EOF
}
