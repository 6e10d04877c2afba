package mixcloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"path"
	"strings"
	"sync"
	"time"
	"unicode"
)

// An uploadBody is the multipart form of an upload, which is generated while it is
// read. A transport calls either Read or WriteTo. WriteTo sends each piece of a
// file without copying it.
//
// If an upper bound of the files is known, the length of the body is known before
// it is sent. If the files are smaller, the body is padded with line breaks after
// the closing boundary: an epilogue, which parsers of forms ignore (RFC 2046). The
// closing boundary is sent only after the last file, and the body does not reach
// its length without it. So a server cannot mistake a failed upload for a complete
// one.
type uploadBody struct {
	ctx    context.Context //nolint:containedctx // Read has no parameter for it
	files  Files
	form   *multipart.Writer // writes into head
	head   bytes.Buffer      // the part of the form that precedes the current file
	length int64             // of the whole body; -1 if it is not known
	taken  int64             // bytes that the transport has read; used by its goroutine only
	done   chan struct{}     // closed when the call has ended

	mu      sync.Mutex
	current io.Reader // nil if files.Next must be called
	ended   bool      // the closing boundary is in current or was read
	stopped bool
	err     error // of files or of a body
}

const (
	// maxPartHeader is the maximum length of the header of a file, with the
	// boundary before it. The length of a bounded body includes it for each file
	// after the first one.
	maxPartHeader = 512
	// maxFilename and maxMedia are the maximum lengths of a file name and a media
	// type in a header, in bytes.
	maxFilename = 255
	maxMedia    = 100
	// maxPadding is the upper limit of the padding, exclusive. It is usually below
	// 4 KiB; more is needed if the bound includes headers and an epilogue of a form
	// that the caller received.
	maxPadding = 160 << 10
)

var (
	// errStopped is the error of reads after the end of the call.
	errStopped = errors.New("the call has ended")
	// errBound is the error of files that do not match their bound.
	errBound = errors.New("the files are larger than their bound, or smaller by 150 KiB or more")
)

// newUploadBody waits for the first file and begins a form with the fields and the
// header of that file.
func newUploadBody(ctx context.Context, fields UploadFields, files Files) (*uploadBody, error) {
	b := &uploadBody{ctx: ctx, files: files, length: -1, done: make(chan struct{})}
	b.form = multipart.NewWriter(&b.head)
	tail := int64(len("\r\n--" + b.form.Boundary() + "--\r\n"))
	for _, f := range fields.list() {
		_ = b.form.WriteField(f[0], f[1]) // a bytes.Buffer never fails
	}
	first, err := b.next()
	if err == io.EOF {
		b.length = int64(b.head.Len()) + tail
		return b, b.close()
	}
	if err != nil {
		return nil, err
	}
	head, err := b.begin(first)
	if err != nil {
		return nil, err
	}
	if bounded, ok := files.(BoundedFiles); ok {
		if most, remaining, known := bounded.Bound(); known {
			b.length = int64(head) + most + int64(remaining)*maxPartHeader + tail
		}
	}
	return b, nil
}

func (b *uploadBody) contentType() string { return b.form.FormDataContentType() }

// next waits for the next file.
func (b *uploadBody) next() (*FilePart, error) {
	if b.files == nil {
		return nil, io.EOF
	}
	return b.files.Next(b.ctx)
}

// begin makes file the current one, and returns the number of bytes before its
// content.
func (b *uploadBody) begin(file *FilePart) (head int, err error) {
	if _, err := b.form.CreatePart(file.header()); err != nil {
		return 0, err
	}
	head = b.head.Len()
	b.setCurrent(io.MultiReader(b.takeHead(), file.Body))
	return head, nil
}

// close adds the closing boundary and the padding, after the last file.
func (b *uploadBody) close() error {
	if err := b.form.Close(); err != nil {
		return err
	}
	var left int64
	if b.length >= 0 {
		left = b.length - b.taken - int64(b.head.Len())
		if left < 0 || left >= maxPadding {
			return errBound
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current, b.ended = io.MultiReader(b.takeHead(), padding(left)), true
	return nil
}

// padding returns n bytes of line breaks.
func padding(n int64) io.Reader {
	return io.MultiReader(io.LimitReader(new(lineBreaks), n-n%2), strings.NewReader("\n"[:n%2]))
}

// lineBreaks is an endless reader of CR LF.
type lineBreaks struct{ read int }

// Read implements [io.Reader].
func (l *lineBreaks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "\r\n"[l.read%2]
		l.read++
	}
	return len(p), nil
}

func (b *uploadBody) takeHead() io.Reader {
	r := strings.NewReader(b.head.String())
	b.head.Reset()
	return r
}

func (b *uploadBody) setCurrent(to io.Reader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = to
}

// nextReader returns the current reader, or that of the next file if there is no
// current one. It returns io.EOF at the end of the form.
func (b *uploadBody) nextReader() (io.Reader, error) {
	for {
		b.mu.Lock()
		current, ended, stopped := b.current, b.ended, b.stopped
		b.mu.Unlock()
		switch {
		case stopped:
			return nil, errStopped
		case current != nil:
			return current, nil
		case ended:
			return nil, io.EOF
		}
		if err := b.advance(); err != nil {
			return nil, b.fail(err)
		}
	}
}

// advance begins the next file, or closes the form after the last one.
func (b *uploadBody) advance() error {
	file, err := b.next()
	switch {
	case err == io.EOF:
		return b.close()
	case err != nil:
		return err
	}
	_, err = b.begin(file)
	return err
}

// withinLength reports whether n more bytes keep the body shorter than its length.
// It returns true at the end of the form, where close has checked the length.
func (b *uploadBody) withinLength(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.length < 0 || b.ended || b.taken+int64(n) < b.length
}

// Read reads the next bytes of the form. Only the transport calls it.
func (b *uploadBody) Read(p []byte) (int, error) {
	for {
		current, err := b.nextReader()
		if err != nil {
			return 0, err
		}
		n, err := current.Read(p)
		if !b.withinLength(n) {
			return 0, b.fail(errBound)
		}
		b.taken += int64(n)
		if err == io.EOF {
			b.setCurrent(nil)
			err = nil
		}
		if err != nil {
			return n, b.fail(err)
		}
		if n > 0 {
			return n, nil
		}
	}
}

// Close does nothing. net/http would wrap a body without it, which would hide
// WriteTo from the connection.
func (b *uploadBody) Close() error { return nil }

// WriteTo writes the rest of the form to w. Only the transport calls it.
func (b *uploadBody) WriteTo(w io.Writer) (int64, error) {
	out := &uploadWriter{body: b, w: w}
	for {
		current, err := b.nextReader()
		if err == io.EOF {
			return out.sent, nil
		}
		if err != nil {
			return out.sent, err
		}
		_, err = io.Copy(out, current)
		switch {
		case out.err != nil:
			b.waitForEnd()
			return out.sent, out.err
		case err != nil:
			return out.sent, b.fail(err)
		}
		b.setCurrent(nil)
	}
}

// An uploadWriter counts the bytes that the transport sends, stops when the call
// has ended, and records the errors of the transport, as opposed to those of the
// files.
type uploadWriter struct {
	body *uploadBody
	w    io.Writer
	sent int64
	err  error
}

// Write implements [io.Writer]. It fails if the call has ended.
func (o *uploadWriter) Write(p []byte) (int, error) {
	select {
	case <-o.body.done:
		o.err = errStopped
		return 0, o.err
	default:
	}
	if !o.body.withinLength(len(p)) {
		return 0, errBound
	}
	n, err := o.w.Write(p)
	o.sent += int64(n)
	o.body.taken += int64(n)
	o.err = err
	return n, err
}

// responseGrace is the time to wait for a response after the connection failed.
const responseGrace = 250 * time.Millisecond

// waitForEnd waits for the end of the call, for up to responseGrace. A server that
// refuses an upload early responds and closes the connection. If WriteTo returned
// its error at once, net/http would return that instead of the response.
func (b *uploadBody) waitForEnd() {
	grace := time.NewTimer(responseGrace)
	defer grace.Stop()
	select {
	case <-b.done:
	case <-grace.C:
	}
}

func (b *uploadBody) fail(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil && !b.stopped {
		b.err = err
	}
	return err
}

// stop makes further reads fail. It returns the error of the body, if there was
// one.
func (b *uploadBody) stop() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = true
	close(b.done)
	return b.err
}

// header returns the header of a file's part. It has at most maxPartHeader bytes
// together with the boundary.
func (f *FilePart) header() textproto.MIMEHeader {
	name, kind := headerFilename(f.Filename), f.ContentType
	if name == "" {
		name = f.Field
	}
	if kind == "" || len(kind) > maxMedia || strings.ContainsFunc(kind, unicode.IsControl) {
		kind = "application/octet-stream"
	}
	return textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name="%s"; filename="%s"`, f.Field, name)},
		"Content-Type":        {kind},
	}
}

var quoteEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// headerFilename returns a file name escaped for a quoted string in a header,
// without control characters. A name of more than maxFilename bytes is cut before
// its extension.
func headerFilename(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, name)
	whole := quoteEscaper.Replace(name)
	if len(whole) <= maxFilename {
		return whole
	}
	extension := path.Ext(name)
	if len(extension) > 16 {
		extension = ""
	}
	stem, extension := strings.TrimSuffix(name, extension), quoteEscaper.Replace(extension)
	var cut strings.Builder
	for _, r := range stem {
		escaped := quoteEscaper.Replace(string(r))
		if cut.Len()+len(escaped)+len(extension) > maxFilename {
			break
		}
		cut.WriteString(escaped)
	}
	return cut.String() + extension
}
