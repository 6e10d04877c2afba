package mixcloud

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
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
	// before is not read any more. The first call comes from the goroutine of
	// Upload, the others from another one, one call at a time.
	Next(ctx context.Context) (*FilePart, error)
}

// BoundedFiles are files whose size has an upper bound that is known in advance.
type BoundedFiles interface {
	Files
	// Bound is asked once, after Next has returned the first file. It returns the
	// most bytes that all files have together and how many files can follow the
	// first one; false if that is not known. The bound must be less than 150 KiB
	// above what the files turn out to have.
	Bound() (bytes int64, more int, known bool)
}

// Upload sends a cloudcast while its files are read: nothing is stored, and
// Mixcloud reads as fast as the files come. The call begins when Next has
// returned the first file. The fields go first, then the files. An error of
// files, or of a body, breaks the request off so that Mixcloud cannot take it for
// whole, and is returned as it is. An answer that comes before everything was
// sent ends the sending, as does a connection that is closed. Only ctx bounds the
// time.
//
// The request has a Content-Length if files are [BoundedFiles] that know their
// bound, or none. Otherwise it is chunked, which some readers of forms take for
// an empty form.
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
	body, err := newUploadBody(ctx, fields, files)
	if err != nil {
		return nil, err
	}
	result, err := c.write(ctx, request{
		op: op, method: http.MethodPost, root: c.api, path: path, token: c.token,
		body: body, kind: body.contentType(), length: body.length, stream: true,
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
