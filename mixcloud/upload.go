package mixcloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
)

// UploadFields are the fields of an upload or an edit beside its files. What is
// nil is not sent: an edit keeps it as it is. A list that is not nil replaces
// the whole list; one without elements clears it, by an empty first element,
// as is documented for hosts and inferred for the others.
type UploadFields struct {
	Name        *string // an upload needs it
	Description *string // at most 1,000 characters (documented)
	Tags        *[]string
	Sections    *[]SectionFields
	Hosts       *[]string // user names, at most 2; Pro

	PublishDate     *time.Time // to the whole second; Pro
	DisableComments *bool      // Pro
	HideStats       *bool      // Pro
	Unlisted        *bool
	Publish         bool // edits only
	Unpublish       bool // edits only
}

// IsZero reports that there is nothing to send.
func (f UploadFields) IsZero() bool { return reflect.ValueOf(f).IsZero() }

// SectionFields are one line of a tracklist: a Chapter, or an Artist and a Song.
type SectionFields struct {
	Artist, Song, Chapter string
	StartTime             *int // seconds; nil is not sent
}

// A FilePart is a file on its way to Mixcloud.
type FilePart struct {
	Field       string // "mp3" or "picture"
	Filename    string // "" sends the field's name
	ContentType string // "" sends application/octet-stream
	Body        io.Reader
}

// Files gives the files of an upload in the order in which they are to be sent.
type Files interface {
	// Next gives the next file, io.EOF after the last. The body of the one
	// before is not read any more. It is called from another goroutine than
	// Upload was, one call at a time.
	Next(ctx context.Context) (*FilePart, error)
}

// Upload sends a cloudcast while its files are read: nothing is stored, and
// Mixcloud reads as fast as the files come. The fields go first, then the
// files. An error of files, or of a body, breaks the request off so that
// Mixcloud cannot take it for whole, and is returned as it is. An answer that
// comes before everything was sent ends the sending. Only ctx bounds the time.
//
// When Upload returns, a Read of a body may still be under way; none begins
// later.
func (c *Client) Upload(ctx context.Context, fields UploadFields, files Files) (*Result, error) {
	if fields.Name == nil {
		return nil, &InvalidError{Arg: "name", Reason: "is missing"}
	}
	return c.send(ctx, "Upload", "/upload/", fields, files)
}

// Edit changes a cloudcast of the token's owner, as Upload sends one: files
// gives at most a picture and may be nil.
func (c *Client) Edit(ctx context.Context, key string, fields UploadFields, files Files) (*Result, error) {
	ref, err := ParseRef(key)
	if err != nil || ref.Kind != KindCloudcast {
		return nil, &InvalidError{Arg: "key", Reason: "is no cloudcast's key"}
	}
	return c.send(ctx, "Edit", "/upload"+ref.Key+"edit/", fields, files)
}

func (c *Client) send(ctx context.Context, op, path string, fields UploadFields, files Files) (*Result, error) {
	if c.token == nil {
		return nil, &InvalidError{Arg: "token", Reason: "is needed to change anything"}
	}
	body := newUploadBody(ctx, fields, files)
	result, err := c.write(ctx, request{
		op: op, method: http.MethodPost, root: c.api, path: path, token: c.token,
		body: body, kind: body.contentType(), stream: true,
	})
	if broken := body.stop(); broken != nil {
		return nil, broken // whatever came of it, it began here
	}
	return result, err
}

// OwnerKey is the canonical key of the user under whom something stands.
func OwnerKey(key string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(Canonical(key), "/"), "/")
	return "/" + first + "/"
}

// An uploadBody is the multipart form of an upload, made while it is read. A
// transport either reads it or, which is what that of net/http does, has it
// written: then each piece of a file is sent as it comes, however large, and
// is copied nowhere.
type uploadBody struct {
	ctx   context.Context //nolint:containedctx // an io.Reader has no other way to it
	files Files
	form  *multipart.Writer // writes into head
	head  strings.Builder   // what is to be read before the present file
	over  chan struct{}     // closed when the call is over

	mu      sync.Mutex
	present io.Reader // nil when the next file must be asked for
	ended   bool      // the closing boundary is in head or was read
	stopped bool
	err     error // of files or of a body
}

func newUploadBody(ctx context.Context, fields UploadFields, files Files) *uploadBody {
	b := &uploadBody{ctx: ctx, files: files, over: make(chan struct{})}
	b.form = multipart.NewWriter(&b.head)
	for _, f := range fields.list() {
		_ = b.form.WriteField(f[0], f[1]) // a strings.Builder never fails
	}
	b.present = b.takeHead()
	return b
}

func (b *uploadBody) contentType() string { return b.form.FormDataContentType() }

func (b *uploadBody) takeHead() io.Reader {
	r := strings.NewReader(b.head.String())
	b.head.Reset()
	return r
}

// errStopped is what a transport reads that goes on after the answer.
var errStopped = errors.New("the call is over")

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

// Read gives the next bytes of the form. It is called by the transport alone.
func (b *uploadBody) Read(p []byte) (int, error) {
	for {
		present, err := b.turnTo()
		if err != nil {
			return 0, err
		}
		n, err := present.Read(p)
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

// Write implements [io.Writer].
func (o *uploadOutlet) Write(p []byte) (int, error) {
	select {
	case <-o.body.over:
		o.err = errStopped
		return 0, o.err
	default:
	}
	n, err := o.w.Write(p)
	o.sent += int64(n)
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

func (b *uploadBody) turn(to io.Reader) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.present = to
}

// advance begins the next file, or closes the form after the last.
func (b *uploadBody) advance() error {
	file, err := (*FilePart)(nil), io.EOF
	if b.files != nil {
		file, err = b.files.Next(b.ctx)
	}
	switch {
	case err == io.EOF:
		if err := b.form.Close(); err != nil {
			return err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.present, b.ended = b.takeHead(), true
		return nil
	case err != nil:
		return err
	}
	if _, err := b.form.CreatePart(file.header()); err != nil {
		return err
	}
	b.turn(io.MultiReader(b.takeHead(), file.Body))
	return nil
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

var quoteEscaper = strings.NewReplacer("\\", "\\\\", `"`, "\\\"", "\r", "", "\n", "")

func (f *FilePart) header() textproto.MIMEHeader {
	name, kind := f.Filename, f.ContentType
	if name == "" {
		name = f.Field
	}
	if kind == "" || strings.ContainsAny(kind, "\r\n") {
		kind = "application/octet-stream"
	}
	return textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name="%s"; filename="%s"`, f.Field, quoteEscaper.Replace(name))},
		"Content-Type":        {kind},
	}
}

// list gives the fields in the names and forms that Mixcloud documents.
func (f UploadFields) list() [][2]string {
	var all [][2]string
	add := func(name, v string) { all = append(all, [2]string{name, v}) }
	text := func(name string, v *string) {
		if v != nil {
			add(name, *v)
		}
	}
	flag := func(name string, v *bool) {
		if v != nil {
			add(name, map[bool]string{true: "1", false: "0"}[*v])
		}
	}
	text("name", f.Name)
	text("description", f.Description)
	texts(add, "tags", "tag", f.Tags)
	f.sections(add)
	texts(add, "hosts", "username", f.Hosts)
	if f.PublishDate != nil {
		add("publish_date", f.PublishDate.UTC().Format("2006-01-02T15:04:05Z"))
	}
	flag("disable_comments", f.DisableComments)
	flag("hide_stats", f.HideStats)
	flag("unlisted", f.Unlisted)
	if f.Publish {
		add("publish", "1")
	}
	if f.Unpublish {
		add("unpublish", "1")
	}
	return all
}

func texts(add func(name, v string), list, member string, values *[]string) {
	if values == nil {
		return
	}
	for i, v := range *values {
		add(list+"-"+strconv.Itoa(i)+"-"+member, v)
	}
	if len(*values) == 0 {
		add(list+"-0-"+member, "")
	}
}

func (f UploadFields) sections(add func(name, v string)) {
	if f.Sections == nil {
		return
	}
	for i, s := range *f.Sections {
		prefix := "sections-" + strconv.Itoa(i) + "-"
		if s.Chapter != "" {
			add(prefix+"chapter", s.Chapter)
		} else {
			add(prefix+"artist", s.Artist)
			add(prefix+"song", s.Song)
		}
		if s.StartTime != nil {
			add(prefix+"start_time", strconv.Itoa(*s.StartTime))
		}
	}
	if len(*f.Sections) == 0 {
		add("sections-0-chapter", "")
	}
}
