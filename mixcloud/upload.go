package mixcloud

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"time"
)

// UploadFields are the fields of an upload or an edit, without its files. A nil
// field is not sent: an edit leaves it unchanged. The built-in function new
// makes the pointers, from Go 1.26 on:
//
//	mixcloud.UploadFields{Name: new("Night Bus"), Tags: []string{"dub"}, Unlisted: new(true)}
//
// A list that is not nil replaces the whole list. An empty list, such as []string{},
// clears it: the client sends an empty first element, which is documented for hosts and
// inferred for tags and sections.
//
// Fields marked Pro are refused by Mixcloud unless the user has a Pro account.
type UploadFields struct {
	Name        *string         // required for an upload
	Description *string         // at most 1,000 characters (documented)
	Tags        []string        // names, at most 5 (documented)
	Sections    []SectionFields // the tracklist
	Hosts       []string        // user names, at most 2; Pro

	PublishDate     *time.Time // to the whole second; Pro
	DisableComments *bool      // Pro
	HideStats       *bool      // Pro
	Unlisted        *bool
	Publish         bool // edits only
	Unpublish       bool // edits only
}

// IsZero reports whether no field is set.
func (f UploadFields) IsZero() bool { return reflect.ValueOf(f).IsZero() }

// SectionFields are one entry of a tracklist: either a track, with Artist and
// Song, or a Chapter.
type SectionFields struct {
	Artist, Song, Chapter string
	StartTime             *int // seconds from the beginning; nil is not sent
}

// A FilePart is one file of an upload or an edit.
type FilePart struct {
	Field       string    // "mp3" or "picture"
	Filename    string    // "" sends Field
	ContentType string    // "" sends application/octet-stream
	Body        io.Reader // never closed by this package
}

// Files returns the files of one upload or edit, in the order in which they are
// sent. [OSFiles] makes it from open files. Other sources implement it, and
// [BoundedFiles] if they know their size.
type Files interface {
	// Next returns the next file, or io.EOF after the last one. The body of the
	// previous file is not read after that. Upload makes the first call before it
	// sends anything; the others come from another goroutine, one at a time.
	Next(ctx context.Context) (*FilePart, error)
}

// BoundedFiles are [Files] with an upper bound of their size that is known
// before they are read. The request then has a Content-Length.
type BoundedFiles interface {
	Files
	// Bound is called once, after Next has returned the first file. It returns the
	// maximum size of all files together, and the maximum number of files that remain
	// after the first one; known is false if there is no bound. The upload fails if the
	// files are larger than the bound, or smaller by 150 KiB or more. The
	// difference is sent as line breaks after the end of the form, which servers
	// ignore.
	Bound() (bytes int64, remaining int, known bool)
}

// Upload publishes a new cloudcast of the user who owns the client's token. It
// reads the files while it sends them, and holds none of them in memory. See
// [OSFiles] for files on disk. There is no timeout: ctx limits the time.
//
// The call begins when files has returned the first file. The fields are sent first,
// then the files. An error of files, or of a file's body, aborts the request, so that
// Mixcloud receives an incomplete one, and Upload returns that error unchanged. If
// Mixcloud responds before the request is complete, Upload stops sending and returns
// the response.
//
// The request has a Content-Length if files is nil or implements [BoundedFiles]
// with a known bound. Otherwise it is chunked, and some servers read a chunked
// form as an empty one.
//
// A Read of a body may still be in progress when Upload returns. No further Read
// is started.
func (c *Client) Upload(ctx context.Context, fields UploadFields, files Files) (*Result, error) {
	if fields.Name == nil {
		return nil, &InvalidError{Arg: "name", Reason: "is missing"}
	}
	return c.send(ctx, "Upload", "/upload/", fields, files)
}

// Edit changes a cloudcast of the user who owns the client's token. Fields that are not
// set stay as they are. files has at most a picture, as in OSFiles(nil, picture), and
// may be nil. Otherwise Edit is like [Client.Upload].
func (c *Client) Edit(ctx context.Context, key string, fields UploadFields, files Files) (*Result, error) {
	ref, err := ParseRef(key)
	if err != nil || ref.Kind != KindCloudcast {
		return nil, &InvalidError{Arg: "key", Reason: "is not the key of a cloudcast"}
	}
	return c.send(ctx, "Edit", "/upload"+ref.Key.text+"edit/", fields, files)
}

func (c *Client) send(ctx context.Context, op, path string, fields UploadFields, files Files) (*Result, error) {
	if c.token == nil {
		return nil, &InvalidError{Arg: "token", Reason: "is required for a write"}
	}
	body, err := newUploadBody(ctx, fields, files)
	if err != nil {
		return nil, err
	}
	result, err := c.write(ctx, request{
		op: op, method: http.MethodPost, base: c.api, path: path, token: c.token,
		body: body, contentType: body.contentType(), length: body.length, stream: true,
	})
	if broken := body.stop(); broken != nil {
		return nil, broken // the cause of err, if there is one
	}
	return result, err
}

// list returns the names and values of the form's fields (documented).
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

func texts(add func(name, v string), list, member string, values []string) {
	if values == nil {
		return
	}
	for i, v := range values {
		add(list+"-"+strconv.Itoa(i)+"-"+member, v)
	}
	if len(values) == 0 {
		add(list+"-0-"+member, "")
	}
}

func (f UploadFields) sections(add func(name, v string)) {
	if f.Sections == nil {
		return
	}
	for i, s := range f.Sections {
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
	if len(f.Sections) == 0 {
		add("sections-0-chapter", "")
	}
}
