package emulator

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The size limits. The limit of the proxy is inferred: slightly above that of a file.
const (
	maxAudio   = 4294967296 // bytes (documented)
	maxPicture = 10485760   // bytes (documented)
	maxUpload  = maxAudio + 100<<20

	maxFields     = 2000
	maxFieldBytes = 64 << 10
)

var (
	errTooLarge = errors.New("the body is too large for the proxy")
	errReset    = errors.New("a fault resets the connection")
)

// malformedForm returns the error for a body that is not a complete form (client
// code).
func malformedForm() error {
	return &apiError{status: http.StatusBadRequest, kind: postValidationError, message: "The request body could not be read as a form."}
}

// A submission is the form of an upload or an edit, as sent.
type submission struct {
	fields map[string]string // the last value of each
	files  map[string]*file  // by field; only mp3 and picture are used
}

// A file is the metadata of an uploaded file. Its bytes are not stored.
type file struct {
	name, contentType string
	bytes             int64
	sha256            string
	head              []byte // its first bytes, to detect the type
}

// A formReader reads the body of an upload, counts its bytes and limits the rate.
type formReader struct {
	c      *call
	upload *incomingUpload
	rate   readLimiter
	err    error // the error of the connection; nil for none
}

// Read implements [io.Reader].
func (in *formReader) Read(p []byte) (int, error) {
	if f := in.c.fault; f.is(FaultUploadReset) {
		left := f.After - in.upload.received.Load()
		if left <= 0 {
			return 0, errReset
		}
		p = p[:min(int64(len(p)), left)]
	}
	p, ok := in.rate.wait(in.c, p)
	if !ok || in.c.request.Context().Err() != nil {
		in.err = errClientGone
		return 0, errClientGone
	}
	n, err := in.c.request.Body.Read(p)
	in.rate.read += int64(n)
	if in.upload.received.Add(int64(n)) > maxUpload {
		return n, errTooLarge
	}
	if err != nil && err != io.EOF {
		in.err = errClientGone
	}
	return n, err
}

// A readLimiter limits the bytes per second.
type readLimiter struct {
	rate  int64
	start time.Time
	read  int64 // bytes since start
}

// wait waits until a read is allowed, and returns the part of buf that may be read. It
// returns false if the client disconnected. It loads the setting on every call, so
// that the rate can be changed during an upload.
func (p *readLimiter) wait(c *call, buf []byte) ([]byte, bool) {
	const slices = 20 // per second
	for {
		rate := c.Emulator.Settings().ReadRate
		if rate == 0 {
			return buf, true
		}
		now := time.Now()
		if rate != p.rate {
			*p = readLimiter{rate: rate, start: now}
		}
		due := p.start.Add(time.Duration(float64(p.read) / float64(rate) * float64(time.Second)))
		ahead := due.Sub(now)
		if ahead <= 0 {
			return buf[:min(int64(len(buf)), max(rate/slices, 1))], true
		}
		if !sleep(c.request.Context(), min(ahead, time.Second/slices)) {
			return nil, false
		}
	}
}

// readBody reads the whole body. It returns errors only after that (documented),
// except if the body exceeds the proxy's size limit.
func (c *call) readBody() error {
	c.incoming = c.uploads.begin(c.path)
	defer c.uploads.end(c.incoming)
	if c.request.ContentLength > maxUpload {
		return errTooLarge
	}
	in := &formReader{c: c, upload: c.incoming}
	body := bodies.Get().(*bufio.Reader)
	body.Reset(in)
	defer func() {
		body.Reset(nil)
		bodies.Put(body)
	}()
	s, err := c.parse(body)
	if err == nil || !in.fatal(err) {
		_, rest := io.Copy(io.Discard, body) // data after the form or the error
		if in.fatal(rest) {
			err = rest
		}
	}
	c.submission = s
	switch {
	case in.err != nil:
		return errClientGone
	case errors.Is(err, errReset), errors.Is(err, errTooLarge):
		return err
	case err != nil:
		return malformedForm()
	}
	return nil
}

// fatal reports whether the rest of the body cannot be read after an error.
func (in *formReader) fatal(err error) bool {
	return in.err != nil || errors.Is(err, errReset) || errors.Is(err, errTooLarge)
}

// bodies is a pool of large buffers: multipart reads only a few kilobytes at a time.
var bodies = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 256<<10) }}

// parse reads a form with or without files. It counts and hashes the files and does not
// store them.
func (c *call) parse(body io.Reader) (submission, error) {
	s := submission{fields: make(map[string]string), files: make(map[string]*file)}
	kind, params, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return s, err
	case urlencoded(c.request):
		s.fields, err = parseURLEncoded(body)
		return s, err
	case kind != "multipart/form-data" || params["boundary"] == "":
		return s, errors.New("not a form")
	}
	// multipart accepts a body that ends after an inner boundary. The appended empty
	// lines turn that into a part without a name, which is an error.
	form := multipart.NewReader(io.MultiReader(body, strings.NewReader("\r\n\r\n")), params["boundary"])
	for range maxFields {
		part, err := form.NextRawPart()
		if err == io.EOF {
			return s, nil
		}
		if err != nil {
			return s, err
		}
		if err := s.readPart(part); err != nil {
			return s, err
		}
	}
	return s, errors.New("too many fields")
}

func parseURLEncoded(body io.Reader) (map[string]string, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxForm+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxForm {
		return nil, errors.New("a field is too long")
	}
	values, err := url.ParseQuery(string(text))
	return lastValues(values), err
}

// readPart reads one part.
func (s *submission) readPart(part *multipart.Part) error {
	name := part.FormName()
	if name == "" {
		return errors.New("a part without a name")
	}
	if !isFile(part) {
		text, err := io.ReadAll(io.LimitReader(part, maxFieldBytes+1))
		if len(text) > maxFieldBytes {
			return errors.New("a field is too long")
		}
		s.fields[name] = string(text)
		return err
	}
	f, err := hashFile(part)
	s.files[name] = f
	return err
}

// isFile reports whether a part has a file name, even an empty one.
func isFile(part *multipart.Part) bool {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	_, named := params["filename"]
	return err == nil && named
}

func hashFile(part *multipart.Part) (*file, error) {
	f := &file{name: part.FileName(), contentType: part.Header.Get("Content-Type")}
	hash := sha256.New()
	head := &prefixWriter{max: 512}
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	var err error
	f.bytes, err = io.CopyBuffer(io.MultiWriter(head, hash), part, *buf)
	f.sha256, f.head = hex.EncodeToString(hash.Sum(nil)), head.prefix
	return f, err
}

var copyBuffers = sync.Pool{New: func() any { return new(make([]byte, 128<<10)) }}

// A prefixWriter stores the first bytes that are written to it.
type prefixWriter struct {
	prefix []byte
	max    int
}

// Write implements [io.Writer].
func (h *prefixWriter) Write(p []byte) (int, error) {
	if left := h.max - len(h.prefix); left > 0 {
		h.prefix = append(h.prefix, p[:min(left, len(p))]...)
	}
	return len(p), nil
}

// isPicture reports whether a file has one of the types that clients accept.
func (f *file) isPicture() bool {
	switch kind := http.DetectContentType(f.head); kind {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		return true
	default:
		return false
	}
}

// fieldName splits the name of a field, such as tags-0-tag, into the list, the index
// and the member.
func fieldName(name string) (list, index, member string) {
	list, rest, _ := strings.Cut(name, "-")
	index, member, _ = strings.Cut(rest, "-")
	return list, index, member
}
