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

// The sizes that are refused. What the proxy lets through is inferred: a little
// more than the largest file.
const (
	maxAudio   = 4294967296 // bytes (documented)
	maxPicture = 10485760   // bytes (documented)
	maxUpload  = maxAudio + 100<<20

	maxFields     = 2000
	maxFieldBytes = 64 << 10
)

var (
	errTooLarge = errors.New("the body is too large for the proxy")
	errCut      = errors.New("the connection is to be reset") // as a fault has it
)

// malformed is the answer to a body that is no form, or not all of one (client
// code).
func malformed() error {
	return &apiError{status: http.StatusBadRequest, kind: postValidationError, message: "The request body could not be read as a form."}
}

// A submission is the form of an upload or an edit, as it was sent.
type submission struct {
	fields map[string]string // the last value of each
	files  map[string]*file  // by field; only mp3 and picture are looked at
}

// A file is what is kept of a file: not its bytes.
type file struct {
	name, contentType string
	bytes             int64
	sha256            string
	head              []byte // its beginning, enough to tell what it is
}

// An intake reads the body of an upload: counted, and as slowly as the settings
// have it.
type intake struct {
	c    *call
	up   *flight
	rate pace
	err  error // how the connection failed; nil while it did not
}

// Read is part of [io.Reader].
func (in *intake) Read(p []byte) (int, error) {
	if f := in.c.fault; f.is(FaultUploadReset) {
		left := f.After - in.up.received.Load()
		if left <= 0 {
			return 0, errCut
		}
		p = p[:min(int64(len(p)), left)]
	}
	p, ok := in.rate.wait(in.c, p)
	if !ok || in.c.request.Context().Err() != nil {
		in.err = errGone
		return 0, errGone
	}
	n, err := in.c.request.Body.Read(p)
	in.rate.spent += int64(n)
	if in.up.received.Add(int64(n)) > maxUpload {
		return n, errTooLarge
	}
	if err != nil && err != io.EOF {
		in.err = errGone
	}
	return n, err
}

// A pace bounds the bytes a second.
type pace struct {
	rate  int64
	began time.Time
	spent int64 // since began
}

// wait waits until something may be read, and says how much; it is false when
// the caller is gone. The rate is looked up every time, so that it can be
// changed in the middle of an upload.
func (p *pace) wait(c *call, buf []byte) ([]byte, bool) {
	const slices = 20 // a second
	for {
		rate := c.Emulator.Settings().ReadRate
		if rate == 0 {
			return buf, true
		}
		now := time.Now()
		if rate != p.rate {
			*p = pace{rate: rate, began: now}
		}
		due := p.began.Add(time.Duration(float64(p.spent) / float64(rate) * float64(time.Second)))
		ahead := due.Sub(now)
		if ahead <= 0 {
			return buf[:min(int64(len(buf)), max(rate/slices, 1))], true
		}
		if !sleep(c.request.Context(), min(ahead, time.Second/slices)) {
			return nil, false
		}
	}
}

// receive reads the whole body: whatever is wrong with an upload is said when
// all of it has arrived (documented), except by the proxy.
func (c *call) receive() error {
	c.flight = c.uploads.begin(c.path)
	defer c.uploads.land(c.flight)
	if c.request.ContentLength > maxUpload {
		return errTooLarge
	}
	in := &intake{c: c, up: c.flight}
	body := bodies.Get().(*bufio.Reader)
	body.Reset(in)
	defer func() {
		body.Reset(nil)
		bodies.Put(body)
	}()
	s, err := c.parse(body)
	if err == nil || !in.broken(err) {
		_, rest := io.Copy(io.Discard, body) // what follows the form, or a bad one
		if in.broken(rest) {
			err = rest
		}
	}
	c.submission = s
	switch {
	case in.err != nil:
		return errGone
	case errors.Is(err, errCut), errors.Is(err, errTooLarge):
		return err
	case err != nil:
		return malformed()
	}
	return nil
}

// broken says whether nothing more can be read after an error.
func (in *intake) broken(err error) bool {
	return in.err != nil || errors.Is(err, errCut) || errors.Is(err, errTooLarge)
}

// bodies read ahead: multipart asks for a few kilobytes at a time.
var bodies = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 256<<10) }}

// parse reads a form with or without files. Files are counted and hashed as they
// come by; nothing of them is kept.
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
	// multipart takes a body that ends behind an inner boundary for a whole one;
	// with an empty line behind that it is a part without a name.
	form := multipart.NewReader(io.MultiReader(body, strings.NewReader("\r\n\r\n")), params["boundary"])
	for range maxFields {
		part, err := form.NextRawPart()
		if err == io.EOF {
			return s, nil
		}
		if err != nil {
			return s, err
		}
		if err := s.take(part); err != nil {
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
	return lastOf(values), err
}

// take reads one part.
func (s *submission) take(part *multipart.Part) error {
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
	f, err := measureFile(part)
	s.files[name] = f
	return err
}

// isFile says whether a part came with a file's name, even an empty one.
func isFile(part *multipart.Part) bool {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	_, named := params["filename"]
	return err == nil && named
}

func measureFile(part *multipart.Part) (*file, error) {
	f := &file{name: part.FileName(), contentType: part.Header.Get("Content-Type")}
	hash := sha256.New()
	head := &headKeeper{most: 512}
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	var err error
	f.bytes, err = io.CopyBuffer(io.MultiWriter(head, hash), part, *buf)
	f.sha256, f.head = hex.EncodeToString(hash.Sum(nil)), head.kept
	return f, err
}

var copyBuffers = sync.Pool{New: func() any { return new(make([]byte, 128<<10)) }}

// A headKeeper keeps the beginning of what is written.
type headKeeper struct {
	kept []byte
	most int
}

// Write is part of [io.Writer].
func (h *headKeeper) Write(p []byte) (int, error) {
	if left := h.most - len(h.kept); left > 0 {
		h.kept = append(h.kept, p[:min(left, len(p))]...)
	}
	return len(p), nil
}

// isPicture says whether a file is one of the kinds that clients let through.
func (f *file) isPicture() bool {
	switch kind := http.DetectContentType(f.head); kind {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		return true
	default:
		return false
	}
}

// fieldName is a field's name cut into the list, the place in it and the member:
// tags-0-tag.
func fieldName(name string) (list, index, member string) {
	list, rest, _ := strings.Cut(name, "-")
	index, member, _ = strings.Cut(rest, "-")
	return list, index, member
}
