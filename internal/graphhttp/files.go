package graphhttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/multipartstream"
	"mixcloud-graphql/internal/upload"
)

const (
	// stallTimeout is for how long an upload may stand still at all, be it the
	// client that sends nothing or Mixcloud that takes nothing. The client's
	// own idleness is found out first, by idleTimeout.
	stallTimeout = 2 * time.Minute
	// answerTimeout is how long Mixcloud may take to answer after the last byte
	// of a file, and what else the operation asks for with it.
	answerTimeout = 5 * time.Minute
)

// files are the files of a request, an [upload.Source]. Next and the bodies it
// gives are used by one goroutine at a time; fault may be asked by another.
type files struct {
	parts    *multipartstream.Reader
	expected map[string]upload.File // by part; what has not arrived yet
	arrived  map[string]bool
	length   int64  // of the request's body, -1 when the client has not said
	tail     int64  // of the closing boundary
	clock    *clock // of the operation; nil until it runs
	moved    time.Time
	ahead    *multipartstream.Part // begun, and not yet given out
	flowing  func()                // called once, before the first file
	sent     int64                 // bytes of files that were given out

	mu     sync.Mutex
	broken *formError // what is wrong with the request's form
}

// fault gives the first thing that was wrong with the request's form; nil if
// nothing was found yet.
func (f *files) fault() *formError {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.broken
}

// fail remembers what is wrong with the form.
func (f *files) fail(err error) error {
	if errors.Is(err, errShut) {
		return err // nothing is: the answer was there first
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken == nil {
		f.broken = unreadable(err)
	}
	return f.broken
}

// wait gives the operation's slot back until resume is called, while the client is
// waited for.
func (f *files) wait() (resume func()) {
	if f.clock == nil {
		return func() {}
	}
	return admission.Wait(f.clock)
}

// peek waits for the headers of the next file; nil after the last.
func (f *files) peek() (*multipartstream.Part, error) {
	if f.ahead != nil {
		return f.ahead, nil
	}
	part, err := f.parts.Next()
	if errors.Is(err, io.EOF) {
		return nil, f.finish()
	}
	if err != nil {
		return nil, f.fail(err)
	}
	if err := f.admit(part); err != nil {
		return nil, f.fail(err)
	}
	f.ahead = part
	return part, nil
}

// admit refuses a part that has no place in the form.
func (f *files) admit(part *multipartstream.Part) error {
	_, ok := f.expected[part.Name]
	switch {
	case part.Name == "operations" || part.Name == "map" || f.arrived[part.Name]:
		return malformed("The form has a part twice: %q.", short(part.Name))
	case !ok:
		return malformed(`The form has a part that its "map" does not name: %q.`, short(part.Name))
	}
	return plain(part)
}

// finish is reached behind the last part: nothing may be missing, and the
// request must have ended. Only then is an upload whole.
func (f *files) finish() error {
	for name := range f.expected {
		return f.fail(malformed(`The form ends without the file that its "map" names %q.`, short(name)))
	}
	if err := f.parts.Finish(); err != nil {
		return f.fail(err)
	}
	return nil
}

// Next implements [upload.Source].
func (f *files) Next(ctx context.Context) (*upload.Part, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	defer f.wait()()
	f.progress()
	if f.flowing != nil {
		f.flowing()
		f.flowing = nil
	}
	part, err := f.peek()
	if err != nil {
		return nil, err
	}
	if part == nil {
		if f.clock != nil {
			f.clock.allow(answerTimeout)
		}
		return nil, io.EOF
	}
	f.ahead = nil
	file := f.expected[part.Name]
	delete(f.expected, part.Name)
	f.arrived[part.Name] = true
	return &upload.Part{
		File: file, Filename: part.Filename, ContentType: part.Header.Get("Content-Type"),
		Body: &fileBody{files: f, part: part, path: file.Path},
	}, nil
}

// Bound implements [upload.Source]: what is left of the body, without the
// shortest form of its end.
func (f *files) Bound() (bytes int64, more int, known bool) {
	if f.length < 0 {
		return 0, 0, false
	}
	shortest := f.tail - int64(len("\r\n"))
	return max(f.length-f.parts.Consumed()-shortest, 0), len(f.expected), true
}

// Total implements [upload.Source].
func (f *files) Total() (int64, bool) {
	if f.length < 0 {
		return -1, false
	}
	return max(f.sent+f.length-f.parts.Consumed()-f.tail, 0), true
}

// progress puts the deadline off, once in a while.
func (f *files) progress() {
	if now := time.Now(); f.clock != nil && now.Sub(f.moved) > time.Second {
		f.moved = now
		f.clock.allow(stallTimeout)
	}
}

// fileBody is the content of one file, which is not empty.
type fileBody struct {
	files *files
	part  *multipartstream.Part
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
		return b.files.fail(malformed("The file for %s is empty.", short(b.path)))
	}
	b.begun = true
	return nil
}

// Read gives the file's next bytes.
func (b *fileBody) Read(p []byte) (int, error) {
	defer b.files.wait()()
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

// WriteTo hands the file on in the pieces in which it arrives, without copying
// them.
func (b *fileBody) WriteTo(w io.Writer) (int64, error) {
	defer b.files.wait()()
	if err := b.begin(); err != nil {
		return 0, err
	}
	out := &outlet{w: w, files: b.files}
	n, err := b.part.WriteTo(out)
	if err != nil && out.err == nil {
		err = b.files.fail(err)
	}
	return n, err
}

// outlet counts what a writer takes, and tells its errors from those of the
// file.
type outlet struct {
	w     io.Writer
	files *files
	err   error
}

// Write implements [io.Writer].
func (o *outlet) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	o.files.progress()
	o.files.sent += int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		o.err = fmt.Errorf("hand on a file: %w", err)
		return n, o.err
	}
	return n, nil
}
