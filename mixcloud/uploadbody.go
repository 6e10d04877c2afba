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

// An uploadBody is the multipart form of an upload, made while it is read. A
// transport either reads it or has it written: then each piece of a file is sent
// as it comes, however large, and is copied nowhere.
//
// If an upper bound of the files is known, so is the length of the body before
// it is sent. What the files leave of it is filled with line breaks behind the
// closing boundary: an epilogue, which readers of forms ignore (RFC 2046). The
// closing boundary is sent only after the last file, and without it the body never
// reaches its length: nobody can take one that failed for whole.
type uploadBody struct {
	ctx    context.Context //nolint:containedctx // an io.Reader has no other way to it
	files  Files
	form   *multipart.Writer // writes into head
	head   bytes.Buffer      // what is to be read before the present file
	length int64             // of the whole body; -1 when it is not known
	passed int64             // bytes that the transport has taken; of its goroutine alone
	over   chan struct{}     // closed when the call is over

	mu      sync.Mutex
	present io.Reader // nil when the next file must be asked for
	ended   bool      // the closing boundary is in present or was read
	stopped bool
	err     error // of files or of a body
}

const (
	// maxPartHeader is what is reserved for the header of each file but the
	// first, with the boundary before it. No header is longer.
	maxPartHeader = 512
	// maxFilename and maxType bound what a header takes from the caller, in bytes.
	maxFilename = 255
	maxMedia    = 100
	// maxFiller is more than the length of any epilogue. It is mostly below 4 KiB;
	// what is longer is the epilogue of a caller's own form, or its long headers.
	maxFiller = 160 << 10
)

var (
	// errStopped is what a transport reads that goes on after the answer.
	errStopped = errors.New("the call is over")
	// errBound is the error of files that do not fit their bound.
	errBound = errors.New("the files are longer than their bound, or far shorter")
)

// newUploadBody begins a form with the fields and the header of the first file,
// for which it waits.
func newUploadBody(ctx context.Context, fields UploadFields, files Files) (*uploadBody, error) {
	b := &uploadBody{ctx: ctx, files: files, length: -1, over: make(chan struct{})}
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
		if most, more, known := bounded.Bound(); known {
			b.length = int64(head) + most + int64(more)*maxPartHeader + tail
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

// begin makes a file the present one, and returns how many bytes precede its
// content.
func (b *uploadBody) begin(file *FilePart) (head int, err error) {
	if _, err := b.form.CreatePart(file.header()); err != nil {
		return 0, err
	}
	head = b.head.Len()
	b.turn(io.MultiReader(b.takeHead(), file.Body))
	return head, nil
}

// close ends the form, after the last file.
func (b *uploadBody) close() error {
	if err := b.form.Close(); err != nil {
		return err
	}
	var left int64
	if b.length >= 0 {
		left = b.length - b.passed - int64(b.head.Len())
		if left < 0 || left >= maxFiller {
			return errBound
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.present, b.ended = io.MultiReader(b.takeHead(), filler(left)), true
	return nil
}

// filler returns n bytes of line breaks.
func filler(n int64) io.Reader {
	return io.MultiReader(io.LimitReader(new(lineBreaks), n-n%2), strings.NewReader("\n"[:n%2]))
}

// lineBreaks are CR LF without end.
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

func (b *uploadBody) turn(to io.Reader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.present = to
}

// turnTo gives what is to be sent next, asking for the next file when the one
// before has ended; io.EOF when there is nothing more.
func (b *uploadBody) turnTo() (io.Reader, error) {
	for {
		b.mu.Lock()
		present, ended, stopped := b.present, b.ended, b.stopped
		b.mu.Unlock()
		switch {
		case stopped:
			return nil, errStopped
		case present != nil:
			return present, nil
		case ended:
			return nil, io.EOF
		}
		if err := b.advance(); err != nil {
			return nil, b.fail(err)
		}
	}
}

// advance begins the next file, or closes the form after the last.
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

// fits reports whether the body stays shorter than its length with n more bytes,
// unless they are its end.
func (b *uploadBody) fits(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.length < 0 || b.ended || b.passed+int64(n) < b.length
}

// Read reads the next bytes of the form. It is called by the transport alone.
func (b *uploadBody) Read(p []byte) (int, error) {
	for {
		present, err := b.turnTo()
		if err != nil {
			return 0, err
		}
		n, err := present.Read(p)
		if !b.fits(n) {
			return 0, b.fail(errBound)
		}
		b.passed += int64(n)
		if err == io.EOF {
			b.turn(nil)
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

// Close does nothing. It keeps net/http from wrapping the body, which would hide
// WriteTo from the connection.
func (b *uploadBody) Close() error { return nil }

// WriteTo writes the rest of the form to w. It is called by the transport
// alone.
func (b *uploadBody) WriteTo(w io.Writer) (int64, error) {
	out := &uploadOutlet{body: b, w: w}
	for {
		present, err := b.turnTo()
		if err == io.EOF {
			return out.sent, nil
		}
		if err != nil {
			return out.sent, err
		}
		_, err = io.Copy(out, present)
		switch {
		case out.err != nil:
			b.await()
			return out.sent, out.err
		case err != nil:
			return out.sent, b.fail(err)
		}
		b.turn(nil)
	}
}

// An uploadOutlet counts what a transport takes, stops when the call is over,
// and tells the transport's errors from those of the files.
type uploadOutlet struct {
	body *uploadBody
	w    io.Writer
	sent int64
	err  error
}

// Write hands p on, unless the call is over.
func (o *uploadOutlet) Write(p []byte) (int, error) {
	select {
	case <-o.body.over:
		o.err = errStopped
		return 0, o.err
	default:
	}
	if !o.body.fits(len(p)) {
		return 0, errBound
	}
	n, err := o.w.Write(p)
	o.sent += int64(n)
	o.body.passed += int64(n)
	o.err = err
	return n, err
}

// answerGrace is how long an answer may take that was under way when the
// connection failed.
const answerGrace = 250 * time.Millisecond

// await waits a moment for the call to end: a server that refuses an upload
// early answers and closes, and if the failure to send it more were told first,
// net/http would give that instead of the answer.
func (b *uploadBody) await() {
	grace := time.NewTimer(answerGrace)
	defer grace.Stop()
	select {
	case <-b.over:
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

// stop makes further reads fail and gives the error that broke the body, if
// one did.
func (b *uploadBody) stop() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = true
	close(b.over)
	return b.err
}

// header is the header of a file's part: at most maxPartHeader bytes, with the
// boundary.
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

// headerFilename returns a file name as a quoted string of a header, without
// control characters. One of more than maxFilename bytes is cut before its
// extension.
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
