package resolvers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"

	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/mixcloud"
)

// Mixcloud's limits of files, in bytes (documented).
const (
	maxAudio   = 4 << 30
	maxPicture = 10 << 20
)

// wanted says which part of the request is which file of Mixcloud's.
type wanted map[string]rule

// A rule is what a file must obey.
type rule struct {
	field string // Mixcloud's name, and the input's
	limit int64
	other func(contentType string) bool // whether a recognised type is a wrong one
}

func (r rule) tooLarge() error {
	return &breachError{model.UserErrorCodeTooLarge, r.field, "The file is larger than Mixcloud takes."}
}

func filesOf(mp3 upload.File, picture *upload.File) wanted {
	w := wanted{}
	if mp3.Part != "" {
		w[mp3.Part] = rule{"mp3", maxAudio, notAudio}
	}
	if picture != nil && picture.Part != mp3.Part { // one file is read once, and audio no picture
		w[picture.Part] = rule{"picture", maxPicture, notPicture}
	}
	return w
}

// largest is the rule of the file that may be the largest.
func (w wanted) largest() rule {
	var largest rule
	for _, r := range w {
		if r.limit > largest.limit {
			largest = r
		}
	}
	return largest
}

// A breachError is a file that broke a rule while it was on its way.
type breachError struct {
	code    model.UserErrorCode
	field   string
	message string
}

func (e *breachError) Error() string { return e.field + ": " + e.message }

// A courier hands the files of a request to the client in the order in which
// they arrive, and checks them on the way.
type courier struct {
	source upload.Source // nil when the request has no files
	want   wanted
	track  *upload.Track
	whole  atomic.Bool // all files were handed over; the transport reads in a goroutine of its own

	first *mixcloud.FilePart // awaited, and not yet given out
}

// slack is by how much the length that a request declares may be above that of
// its files: their headers and the form's epilogue are in it.
const slack = 256 << 10

// newCourier refuses, before anything was sent, a request whose declared length
// no files within the limits can have.
func newCourier(ctx context.Context, want wanted, track *upload.Track) (*courier, error) {
	source, ok := upload.From(ctx)
	if !ok {
		return &courier{track: track}, nil
	}
	var most int64 = slack
	for _, r := range want {
		most += r.limit
	}
	if total, known := source.Total(); known && len(want) > 0 && total > most {
		return nil, want.largest().tooLarge()
	}
	return &courier{source: source, want: want, track: track}, nil
}

// await waits for the header of the first file. There may be none.
func (c *courier) await(ctx context.Context) error {
	if c.source == nil {
		return nil
	}
	first, err := c.next(ctx)
	if err == io.EOF {
		return nil
	}
	c.first = first
	return err
}

// Next gives the next file; io.EOF after the last.
func (c *courier) Next(ctx context.Context) (*mixcloud.FilePart, error) {
	if first := c.first; first != nil {
		c.first = nil
		return first, nil
	}
	return c.next(ctx)
}

// Bound implements [mixcloud.BoundedFiles].
func (c *courier) Bound() (bytes int64, more int, known bool) {
	if c.source == nil {
		return 0, 0, false
	}
	return c.source.Bound()
}

func (c *courier) next(ctx context.Context) (*mixcloud.FilePart, error) {
	if c.source == nil {
		c.track.SetPhase(upload.Processing)
		return nil, io.EOF
	}
	part, err := c.source.Next(ctx)
	if errors.Is(err, io.EOF) {
		c.whole.Store(true)
		c.track.SetPhase(upload.Processing)
	}
	if err != nil {
		return nil, err
	}
	if total, known := c.source.Total(); known {
		c.track.Expect(total) // the nearer the end, the closer: exact at the last file
	}
	r, ok := c.want[part.File.Part]
	if !ok {
		return nil, gqlerr.Invalid(part.File.Path, "has a file that no field takes")
	}
	return &mixcloud.FilePart{
		Field: r.field, Filename: part.Filename, ContentType: part.ContentType,
		Body: &checked{body: part.Body, rule: r, track: c.track},
	}, nil
}

// peek reads as much of a file as tells what it is, or all of it if it is
// shorter. Unlike io.ReadFull it does not take a file that breaks off for a
// short one.
func peek(body io.Reader) ([]byte, error) {
	head := make([]byte, 0, sniffed)
	for len(head) < sniffed {
		n, err := body.Read(head[len(head):sniffed])
		head = head[:len(head)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return head, nil
}

// sniffed is how much of a file tells what it is.
const sniffed = 512

// checked looks at the beginning of a file, counts its bytes on their way and
// breaks it off above its limit.
type checked struct {
	body  io.Reader
	rule  rule
	begun bool
	sent  int64
	track *upload.Track
}

// begin waits for as much of the file as tells what it is.
func (c *checked) begin() error {
	if c.begun {
		return nil
	}
	head, err := peek(c.body)
	switch {
	case err != nil:
		return err
	case len(head) == 0:
		return &breachError{model.UserErrorCodeRequired, c.rule.field, "The file is empty."}
	}
	if kind := sniff(head); c.rule.other(kind) {
		return &breachError{model.UserErrorCodeInvalid, c.rule.field, "The file is " + kind + "."}
	}
	c.begun, c.body = true, io.MultiReader(bytes.NewReader(head), c.body)
	return nil
}

func (c *checked) Read(p []byte) (int, error) {
	if err := c.begin(); err != nil {
		return 0, err
	}
	n, err := c.body.Read(p)
	if c.sent += int64(n); c.sent > c.rule.limit {
		return 0, c.rule.tooLarge()
	}
	c.track.Add(int64(n))
	return n, err
}

// WriteTo hands the file on in the pieces in which it comes.
func (c *checked) WriteTo(w io.Writer) (int64, error) {
	if err := c.begin(); err != nil {
		return 0, err
	}
	return io.Copy(&gauge{w, c}, c.body)
}

// A gauge counts what a writer has taken of a checked file.
type gauge struct {
	w    io.Writer
	file *checked
}

// Write implements [io.Writer].
func (g *gauge) Write(p []byte) (int, error) {
	if g.file.sent+int64(len(p)) > g.file.rule.limit {
		return 0, g.file.rule.tooLarge()
	}
	n, err := g.w.Write(p)
	g.file.sent += int64(n)
	g.file.track.Add(int64(n))
	return n, err
}
