package uploadhttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/upload"
)

const (
	// stallTimeout is the maximum time without progress of an upload, either because the
	// client sends nothing or because Mixcloud accepts nothing. The client's idle timeout is
	// shorter, and detected first.
	stallTimeout = 2 * time.Minute
	// responseTimeout is the time that Mixcloud has to respond after the last byte of a file,
	// including the other calls of the operation.
	responseTimeout = 5 * time.Minute
)

// Files are the files of a request, an [upload.Source]. Only one goroutine at a time may use
// Next and the bodies that it returns. Fault may be called by another one.
type Files struct {
	parts         *MultipartReader
	body          *body
	expected      map[string]upload.File // by part name; not yet arrived
	arrived       map[string]bool
	contentLength int64 // of the request's body; -1 if unknown
	closingLength int64 // of the closing boundary
	deadline      *movableDeadline
	moved         time.Time // time of the last move of the deadline
	peeked        *Part     // header read, but not yet returned by Next
	started       bool      // Next was called
	sent          int64     // bytes of files read

	mu    sync.Mutex
	fault *Error
}

func newFiles(parts *MultipartReader, b *body, contentLength int64, boundary string) *Files {
	return &Files{
		parts: parts, body: b, contentLength: contentLength, closingLength: int64(len("\r\n--" + boundary + "--\r\n")),
		expected: map[string]upload.File{}, arrived: map[string]bool{},
	}
}

// WithTimeout returns the context of the operation, in which [upload.FromContext] finds the
// files. The context ends after the timeout unless Next was called before. After a call of Next
// it ends when no byte of a file has been transferred for two minutes, or five minutes after the
// last byte. WithTimeout must be called before anything is read. The caller must call the
// returned function.
func (f *Files) WithTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	f.deadline = withMovableDeadline(ctx, timeout)
	return upload.NewContext(f.deadline, f), f.deadline.cancel
}

// Fault returns the first error of the form found while files were read, or nil. A request with
// a fault must be refused, regardless of the operation's response.
func (f *Files) Fault() *Error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fault
}

// fail records a fault of the form.
func (f *Files) fail(err error) error {
	if errors.Is(err, errStopped) {
		return err // not a fault of the form: the response has started
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault == nil {
		f.fault = readError(err)
	}
	return f.fault
}

// releaseSlot releases the operation's slot while it waits for the client. resume acquires a
// slot again.
func (f *Files) releaseSlot() (resume func()) {
	if f.deadline == nil {
		return func() {}
	}
	return admission.Wait(f.deadline)
}

// peek waits for the header of the next file. It returns nil after the last file.
func (f *Files) peek() (*Part, error) {
	if f.peeked != nil {
		return f.peeked, nil
	}
	part, err := f.parts.Next()
	if errors.Is(err, io.EOF) {
		return nil, f.finish()
	}
	if err != nil {
		return nil, f.fail(err)
	}
	if err := f.check(part); err != nil {
		return nil, f.fail(err)
	}
	f.peeked = part
	return part, nil
}

// check refuses a part that is not in the map, or that is repeated.
func (f *Files) check(part *Part) error {
	_, ok := f.expected[part.Name]
	switch {
	case part.Name == "operations" || part.Name == "map" || f.arrived[part.Name]:
		return malformed("The form has a duplicate part: %q.", gqlerr.Excerpt(part.Name))
	case !ok:
		return malformed(`The form has a part that is not in its "map": %q.`, gqlerr.Excerpt(part.Name))
	}
	return checkPart(part)
}

// finish checks after the last part that no file is missing and that the request has ended.
// Only then is an upload complete.
func (f *Files) finish() error {
	for name := range f.expected {
		return f.fail(malformed(`The form ends without the file %q of its "map".`, gqlerr.Excerpt(name)))
	}
	if err := f.parts.Finish(); err != nil {
		return f.fail(err)
	}
	return nil
}

// Next implements [upload.Source].
func (f *Files) Next(ctx context.Context) (*upload.Part, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	defer f.releaseSlot()()
	f.progress()
	if !f.started {
		f.started = true
		f.body.endHead()
	}
	part, err := f.peek()
	if err != nil {
		return nil, err
	}
	if part == nil {
		if f.deadline != nil {
			f.deadline.move(responseTimeout)
		}
		return nil, io.EOF
	}
	f.peeked = nil
	file := f.expected[part.Name]
	delete(f.expected, part.Name)
	f.arrived[part.Name] = true
	return &upload.Part{
		File: file, Filename: part.Filename, ContentType: part.Header.Get("Content-Type"),
		Body: &fileBody{files: f, part: part, path: file.Path},
	}, nil
}

// Bound implements [upload.Source]. It returns the number of remaining bytes of the body, minus
// the shortest possible end of the form.
func (f *Files) Bound() (bytes int64, remaining int, known bool) {
	if f.contentLength < 0 {
		return 0, 0, false
	}
	shortest := f.closingLength - int64(len("\r\n"))
	return max(f.contentLength-f.parts.Consumed()-shortest, 0), len(f.expected), true
}

// Total implements [upload.Source].
func (f *Files) Total() (int64, bool) {
	if f.contentLength < 0 {
		return -1, false
	}
	return max(f.sent+f.contentLength-f.parts.Consumed()-f.closingLength, 0), true
}

// progress moves the deadline, at most once a second.
func (f *Files) progress() {
	if now := time.Now(); f.deadline != nil && now.Sub(f.moved) > time.Second {
		f.moved = now
		f.deadline.move(stallTimeout)
	}
}

// fileBody is the content of one file, which must not be empty.
type fileBody struct {
	files *Files
	part  *Part
	path  string
	begun bool
}

// begin waits for the first byte of the file.
func (b *fileBody) begin() error {
	if b.begun {
		return nil
	}
	empty, err := b.part.Empty()
	if err != nil {
		return b.files.fail(err)
	}
	if empty {
		return b.files.fail(malformed("The file for %s is empty.", gqlerr.Excerpt(b.path)))
	}
	b.begun = true
	return nil
}

// Read implements [io.Reader].
func (b *fileBody) Read(p []byte) (int, error) {
	defer b.files.releaseSlot()()
	if err := b.begin(); err != nil {
		return 0, err
	}
	n, err := b.part.Read(p)
	b.files.progress()
	b.files.sent += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.files.fail(err)
	}
	return n, err
}

// WriteTo writes the file in the chunks in which it arrives, without copying them.
func (b *fileBody) WriteTo(w io.Writer) (int64, error) {
	defer b.files.releaseSlot()()
	if err := b.begin(); err != nil {
		return 0, err
	}
	out := &countingWriter{w: w, files: b.files}
	n, err := b.part.WriteTo(out)
	if err != nil && out.err == nil {
		err = b.files.fail(err)
	}
	return n, err
}

// A countingWriter counts the bytes that a writer accepts, and records the writer's error, to
// distinguish it from errors of the file.
type countingWriter struct {
	w     io.Writer
	files *Files
	err   error
}

// Write implements [io.Writer].
func (o *countingWriter) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	o.files.progress()
	o.files.sent += int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		o.err = fmt.Errorf("pass on a file: %w", err)
		return n, o.err
	}
	return n, nil
}
