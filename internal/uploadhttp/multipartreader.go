package uploadhttp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/textproto"
	"strings"
)

// BufferSize is the memory of a [MultipartReader] in bytes.
const BufferSize = 256 << 10

const (
	maxHeaders  = 16 << 10  // bytes of one part's headers
	maxPreamble = 64 << 10  // bytes before the first part
	maxEpilogue = 128 << 10 // bytes after the closing boundary, which readers ignore (RFC 2046)
	maxBoundary = 70        // characters (RFC 2046)
	maxPadding  = 70        // white space after a boundary on its line
)

// The errors of a malformed body. Errors of the source are returned unchanged.
var (
	errTruncated = errors.New("the body ends before its closing boundary")
	errHeaders   = errors.New("a part has headers that are too long or malformed")
	errPreamble  = errors.New("the body does not begin with its boundary")
	errEpilogue  = errors.New("the body continues after its closing boundary")
)

// A MultipartReader reads the parts of a multipart/form-data body in order, while it arrives. It
// differs from mime/multipart, against whose results it is tested, in features for bodies of
// gigabytes: it reads chunks of 256 KiB instead of 4 KiB and passes them on without copying, it
// limits the bytes of a part's headers and after the last part, it accepts file names that
// clients do not escape, and it never decodes a part. Because of these limits, the sizes of the
// files are known before they are read, to within 145 KiB from the length of the body, and mostly
// to within 1 KiB. It needs one buffer of [BufferSize]. It is not safe for concurrent use.
type MultipartReader struct {
	src   io.Reader
	delim []byte // CRLF, two hyphens and the boundary
	buf   []byte
	r, w  int   // buf[r:w] was read and is not consumed
	end   int   // buf[r:end] was searched, and is content
	next  kind  // kind of the boundary at end; none if find must search further
	err   error // of src, sticky
	part  *Part // the current part; nil before the first
	ended bool  // the closing boundary was found
	read  int64 // bytes read from src
}

// parseBoundary returns the boundary of a Content-Type header. The error is meant for the
// client.
func parseBoundary(contentType string) (string, error) {
	media, params, err := mime.ParseMediaType(contentType)
	charset := params["charset"]
	switch {
	case err != nil || media != "multipart/form-data":
		return "", errors.New("the Content-Type is not a valid multipart/form-data")
	case charset != "" && !strings.EqualFold(charset, "utf-8"):
		return "", errors.New("the Content-Type has a charset other than UTF-8")
	case params["boundary"] == "":
		return "", errors.New("the Content-Type has no boundary")
	case len(params["boundary"]) > maxBoundary:
		return "", fmt.Errorf("the boundary has more than %d characters", maxBoundary)
	}
	return params["boundary"], nil
}

// NewMultipartReader returns a reader of the body src, whose parts are separated by the
// boundary.
func NewMultipartReader(src io.Reader, boundary string) *MultipartReader {
	r := &MultipartReader{src: src, delim: []byte("\r\n--" + boundary), buf: make([]byte, BufferSize)}
	r.w = copy(r.buf, "\r\n") // no line precedes the first boundary
	return r
}

// Consumed returns the number of consumed bytes of the body: all before the next byte of a
// part's content or of the next headers.
func (r *MultipartReader) Consumed() int64 { return max(r.read-int64(r.w-r.r), 0) }

// Finish reads the body to its end, after [MultipartReader.Next] has returned io.EOF. A body
// without an end was interrupted, even if its closing boundary arrived. The error is
// errEpilogue if more than 128 KiB follow the closing boundary.
func (r *MultipartReader) Finish() error {
	for skipped := 0; ; {
		skipped += r.w - r.r
		r.r, r.end = r.w, r.w
		if skipped > maxEpilogue {
			return errEpilogue
		}
		switch err := r.fill(); {
		case errors.Is(err, errTruncated):
			return nil
		case err != nil:
			return err
		}
	}
}

// A Part is one part of a body.
type Part struct {
	Header   textproto.MIMEHeader
	Name     string // name of the form field
	Filename string // as sent, including any path, without control characters; "" if absent
	IsFile   bool   // the client sent a file name, which may be empty

	reader *MultipartReader
	ended  bool
}

// Next skips the rest of the current part and returns the next one. After the closing boundary
// it returns io.EOF, and does not read further.
func (r *MultipartReader) Next() (*Part, error) {
	if r.part != nil {
		if _, err := io.Copy(io.Discard, r.part); err != nil {
			return nil, err
		}
	} else if err := r.preamble(); err != nil {
		return nil, err
	}
	if r.ended {
		return nil, io.EOF
	}
	header, err := r.headers()
	if err != nil {
		return nil, err
	}
	r.part = &Part{Header: header, reader: r}
	if !r.part.setDisposition(header.Get("Content-Disposition")) {
		return nil, errHeaders
	}
	return r.part, nil
}

// preamble skips the bytes before the first boundary.
func (r *MultipartReader) preamble() error {
	for {
		if err := r.search(); err != nil {
			return err
		}
		r.r = r.end
		if r.next != none {
			r.consumeBoundary()
			return nil
		}
		if r.Consumed() > maxPreamble {
			return errPreamble
		}
	}
}

// headers reads the headers of a part and the empty line after them.
func (r *MultipartReader) headers() (textproto.MIMEHeader, error) {
	for {
		window := r.buf[r.r:r.w]
		end := bytes.Index(window, []byte("\r\n\r\n"))
		if bytes.HasPrefix(window, []byte("\r\n")) {
			end = -2 // no headers
		}
		switch {
		case end == -2:
			r.r, r.end = r.r+2, r.r+2
			return textproto.MIMEHeader{}, nil
		case end > maxHeaders || end < 0 && len(window) > maxHeaders:
			return nil, errHeaders
		case end >= 0:
			header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(sanitize(window[:end+4])))).ReadMIMEHeader()
			if err != nil {
				return nil, errHeaders
			}
			r.r += end + 4
			r.end = r.r
			return header, nil
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

// fill moves the rest of the buffer to its front and reads more.
func (r *MultipartReader) fill() error {
	if r.r > 0 {
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.end -= r.r
		r.r = 0
	}
	if r.err != nil {
		return r.err
	}
	for range 100 {
		n, err := r.src.Read(r.buf[r.w:])
		r.w += n
		r.read += int64(n)
		if err == io.EOF {
			err = errTruncated
		}
		if r.err = err; n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	r.err = io.ErrNoProgress
	return r.err
}

// A kind of boundary.
type kind int

const (
	none kind = iota
	separating
	closing
)

// search reads until there is content in buf[r:end] or a boundary at r. It searches every byte
// only once, even if callers consume small chunks.
func (r *MultipartReader) search() error {
	for r.next == none && r.end <= r.r {
		if r.find() {
			return nil
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
	return nil
}

// find looks for the next boundary in the buffer and sets end and next. It returns false if the
// source must be read further.
func (r *MultipartReader) find() bool {
	from := r.r
	for {
		at := bytes.Index(r.buf[from:r.w], r.delim)
		if at < 0 {
			r.end = max(r.w-len(r.delim)+1, from) // the remaining bytes may be the beginning of a boundary
			return r.end > r.r
		}
		at += from
		k, whole := r.kindAt(at)
		switch {
		case !whole:
			r.end = at // the rest of the line must be read
			return at > r.r
		case k != none:
			r.end, r.next = at, k
			return true
		}
		from = at + 1
	}
}

// kindAt returns the kind of the boundary whose delimiter begins at buf[at]. Only white space or
// two hyphens may follow the delimiter on its line. whole is false if the line is not in the
// buffer yet.
func (r *MultipartReader) kindAt(at int) (k kind, whole bool) {
	rest := r.buf[at+len(r.delim) : r.w]
	if bytes.HasPrefix(rest, []byte("--")) {
		return closing, true
	}
	if len(rest) == 0 || len(rest) == 1 && rest[0] == '-' {
		return none, false
	}
	line := bytes.TrimLeft(rest, " \t")
	switch {
	case len(rest)-len(line) > maxPadding:
		return none, true
	case bytes.HasPrefix(line, []byte("\r\n")):
		return separating, true
	case len(line) == 0 || len(line) == 1 && line[0] == '\r':
		return none, false
	}
	return none, true
}

// consumeBoundary consumes the line of the boundary at r.
func (r *MultipartReader) consumeBoundary() {
	r.r += len(r.delim)
	if r.next == closing {
		r.r += len("--")
		r.ended = true
	} else {
		r.r += bytes.Index(r.buf[r.r:r.w], []byte("\r\n")) + 2
	}
	r.end, r.next = r.r, none
}

// chunk returns the next chunk of the part's content, a slice of the buffer that is valid until
// the next call, or io.EOF at its end.
func (p *Part) chunk() ([]byte, error) {
	if p.ended || p.reader.part != p {
		return nil, io.EOF
	}
	r := p.reader
	if err := r.search(); err != nil {
		return nil, err
	}
	if r.end == r.r {
		r.consumeBoundary()
		p.ended = true
		return nil, io.EOF
	}
	return r.buf[r.r:r.end], nil
}

// Read reads the part's content.
func (p *Part) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	piece, err := p.chunk()
	n := copy(b, piece)
	p.reader.r += n
	return n, err
}

// WriteTo writes the rest of the part's content to w as it arrives, without copying
// it.
func (p *Part) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		piece, err := p.chunk()
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		n, err := w.Write(piece)
		total += int64(n)
		p.reader.r += n
		if err == nil && n < len(piece) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return total, err
		}
	}
}

// Empty waits for the part's first byte or its end, and reports whether the part is empty. It
// must be called before anything is read.
func (p *Part) Empty() (bool, error) {
	_, err := p.chunk()
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	return false, err
}
