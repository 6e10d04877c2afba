// Package multipartstream reads a multipart/form-data body while it arrives.
//
// It differs from mime/multipart, whose results it is tested against, in what
// a body of gigabytes needs: it reads in pieces of a quarter of a mebibyte
// instead of four kibibytes and hands them on without copying them, it bounds
// the headers of a part and what follows the last part by their bytes, it takes
// the file names that clients write without escaping them, and it never decodes
// a part. With these bounds the length of a body tells that of its files to within
// 145 KiB, and mostly to within 1 KiB, before they are read.
package multipartstream

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

const (
	bufferSize  = 256 << 10
	maxHeaders  = 16 << 10  // bytes of one part's headers
	maxPreamble = 64 << 10  // bytes before the first part
	maxEpilogue = 128 << 10 // bytes after the closing boundary, which readers ignore (RFC 2046)
	maxBoundary = 70        // characters (RFC 2046)
	maxPadding  = 70        // white space after a boundary on its line
)

// What is wrong with a body. A source's own error comes as it is.
var (
	// ErrCutShort: the body ended before its closing boundary.
	ErrCutShort = errors.New("the body ends before its closing boundary")
	// ErrHeaders: the headers of a part are too long or no headers.
	ErrHeaders = errors.New("a part has headers that are too long or malformed")
	// ErrPreamble: there is too much before the first part.
	ErrPreamble = errors.New("the body does not begin with its boundary")
	// ErrEpilogue: there is too much after the closing boundary.
	ErrEpilogue = errors.New("the body goes on after its closing boundary")
)

// A Reader reads the parts of one body in their order. It is not safe for
// concurrent use. Its memory is one buffer, whatever the body.
type Reader struct {
	src   io.Reader
	delim []byte // CRLF, two hyphens and the boundary
	buf   []byte
	r, w  int   // what is read and not yet consumed is buf[r:w]
	end   int   // buf[r:end] was searched: it is content
	next  kind  // of the boundary at end; none when more must be searched
	err   error // of src, sticky
	part  *Part // the present one; nil before the first
	ended bool  // the closing boundary was met
	read  int64 // from src, in all
}

// Boundary gives the boundary that a Content-Type header names. The error says
// what is wrong with the header, in words for who sent it.
func Boundary(contentType string) (string, error) {
	media, params, err := mime.ParseMediaType(contentType)
	charset := params["charset"]
	switch {
	case err != nil || media != "multipart/form-data":
		return "", errors.New("the Content-Type is not a well-formed multipart/form-data")
	case charset != "" && !strings.EqualFold(charset, "utf-8"):
		return "", errors.New("the Content-Type names another charset than UTF-8")
	case params["boundary"] == "":
		return "", errors.New("the Content-Type names no boundary")
	case len(params["boundary"]) > maxBoundary:
		return "", fmt.Errorf("the boundary has more than %d characters", maxBoundary)
	}
	return params["boundary"], nil
}

// NewReader reads the body src, whose parts the boundary separates.
func NewReader(src io.Reader, boundary string) *Reader {
	r := &Reader{src: src, delim: []byte("\r\n--" + boundary), buf: make([]byte, bufferSize)}
	r.w = copy(r.buf, "\r\n") // the first boundary has no line before it
	return r
}

// Consumed is how many bytes of the body were used up: everything before the
// next byte that a part or the next headers will give.
func (r *Reader) Consumed() int64 { return max(r.read-int64(r.w-r.r), 0) }

// Finish reads the body to its end, after [Reader.Next] gave io.EOF: a body
// whose end did not arrive was broken off, be its closing boundary there or
// not. It returns nil at the end, and [ErrEpilogue] if there are more than 128 KiB
// in between.
func (r *Reader) Finish() error {
	for skipped := 0; ; {
		skipped += r.w - r.r
		r.r, r.end = r.w, r.w
		if skipped > maxEpilogue {
			return ErrEpilogue
		}
		switch err := r.fill(); {
		case errors.Is(err, ErrCutShort):
			return nil
		case err != nil:
			return err
		}
	}
}

// A Part is one part of a body.
type Part struct {
	Header   textproto.MIMEHeader
	Name     string // of the form's field
	Filename string // as the client gives it, path and all, without control characters; "" when it does not
	IsFile   bool   // the client gives a file name, be it empty

	reader *Reader
	ended  bool
}

// Next gives the next part; what is left of the one before is skipped. After
// the closing boundary it gives io.EOF. Whatever follows the boundary is not
// read.
func (r *Reader) Next() (*Part, error) {
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
		return nil, ErrHeaders
	}
	return r.part, nil
}

// preamble skips what stands before the first boundary.
func (r *Reader) preamble() error {
	for {
		if err := r.search(); err != nil {
			return err
		}
		r.r = r.end
		if r.next != none {
			r.pass()
			return nil
		}
		if r.Consumed() > maxPreamble {
			return ErrPreamble
		}
	}
}

// headers reads the headers of a part, the empty line included.
func (r *Reader) headers() (textproto.MIMEHeader, error) {
	for {
		window := r.buf[r.r:r.w]
		end := bytes.Index(window, []byte("\r\n\r\n"))
		if bytes.HasPrefix(window, []byte("\r\n")) {
			end = -2 // none at all
		}
		switch {
		case end == -2:
			r.r, r.end = r.r+2, r.r+2
			return textproto.MIMEHeader{}, nil
		case end > maxHeaders || end < 0 && len(window) > maxHeaders:
			return nil, ErrHeaders
		case end >= 0:
			header, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(sanitize(window[:end+4])))).ReadMIMEHeader()
			if err != nil {
				return nil, ErrHeaders
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

// fill reads more into the buffer, moving what is left to its front.
func (r *Reader) fill() error {
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
			err = ErrCutShort
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

// search makes sure that there is content in buf[r:end] or a boundary at r,
// reading more when neither is in sight. What was searched is not searched
// again, however small the pieces that are consumed.
func (r *Reader) search() error {
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

// find looks for the next boundary in what is buffered and sets end and next.
// It reports false when more must be read to tell anything.
func (r *Reader) find() bool {
	from := r.r
	for {
		at := bytes.Index(r.buf[from:r.w], r.delim)
		if at < 0 {
			r.end = max(r.w-len(r.delim)+1, from) // a boundary may begin in the rest
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

// kindAt judges the line of a delimiter: only white space may follow, or two
// hyphens. It is not whole when more must be read to tell.
func (r *Reader) kindAt(at int) (k kind, whole bool) {
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

// pass consumes the line of the boundary that stands at r.
func (r *Reader) pass() {
	r.r += len(r.delim)
	if r.next == closing {
		r.r += len("--")
		r.ended = true
	} else {
		r.r += bytes.Index(r.buf[r.r:r.w], []byte("\r\n")) + 2
	}
	r.end, r.next = r.r, none
}

// chunk gives the next piece of the part's content, a part of the buffer that
// is good until the next call; io.EOF at its end.
func (p *Part) chunk() ([]byte, error) {
	if p.ended || p.reader.part != p {
		return nil, io.EOF
	}
	r := p.reader
	if err := r.search(); err != nil {
		return nil, err
	}
	if r.end == r.r {
		r.pass()
		p.ended = true
		return nil, io.EOF
	}
	return r.buf[r.r:r.end], nil
}

// Read gives the part's content, io.EOF at its end, and ErrCutShort if the body
// ends before.
func (p *Part) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	piece, err := p.chunk()
	n := copy(b, piece)
	p.reader.r += n
	return n, err
}

// WriteTo writes the rest of the part's content to w as it arrives, without
// copying it in between.
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

// Empty waits for the part's first byte or its end, and reports which it is.
// It is asked before anything is read.
func (p *Part) Empty() (bool, error) {
	_, err := p.chunk()
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	return false, err
}
