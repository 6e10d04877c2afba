package resolvers

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"mixcloud-graphql/graph/model"
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

func filesOf(mp3 upload.File, picture *upload.File) wanted {
	w := wanted{}
	if mp3.Part != "" {
		w[mp3.Part] = rule{"mp3", maxAudio, notAudio}
	}
	if picture != nil {
		w[picture.Part] = rule{"picture", maxPicture, notPicture}
	}
	return w
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
}

func newCourier(ctx context.Context, want wanted, track *upload.Track) *courier {
	source, ok := upload.From(ctx)
	if !ok || len(want) == 0 {
		return &courier{track: track}
	}
	if total, known := source.Total(); known {
		track.Expect(total)
	}
	return &courier{source, want, track}
}

// Next gives the next file; io.EOF after the last.
func (c *courier) Next(ctx context.Context) (*mixcloud.FilePart, error) {
	if c.source == nil {
		return nil, io.EOF
	}
	part, err := c.source.Next(ctx)
	if errors.Is(err, io.EOF) {
		c.track.Enter(upload.Processing)
	}
	if err != nil {
		return nil, err
	}
	r := c.want[part.File.Part]
	body := bufio.NewReaderSize(part.Body, sniffed)
	head, err := body.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(head) == 0 {
		return nil, &breachError{model.UserErrorCodeRequired, r.field, "The file is empty."}
	}
	if kind, _, _ := strings.Cut(http.DetectContentType(head), ";"); r.other(kind) {
		return nil, &breachError{model.UserErrorCodeInvalid, r.field, "The file is " + kind + "."}
	}
	return &mixcloud.FilePart{
		Field: r.field, Filename: part.Filename, ContentType: part.ContentType,
		Body: &checked{body: body, rule: r, track: c.track},
	}, nil
}

// sniffed is how much of a file tells what it is.
const sniffed = 512

// checked counts a file on its way and breaks it off above its limit.
type checked struct {
	body  io.Reader
	rule  rule
	sent  int64
	track *upload.Track
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	c.sent += int64(n)
	c.track.Add(int64(n))
	if c.sent > c.rule.limit {
		return n, &breachError{model.UserErrorCodeTooLarge, c.rule.field, "The file is larger than Mixcloud takes."}
	}
	return n, err
}

// notAudio recognises what is certainly no audio. Anything else, other audio
// than MP3 included, is Mixcloud's to judge.
func notAudio(kind string) bool {
	return foreign(kind) || strings.HasPrefix(kind, "image/")
}

// notPicture recognises what is certainly no picture.
func notPicture(kind string) bool {
	return foreign(kind) || strings.HasPrefix(kind, "audio/")
}

// foreign recognises by their signature things that are neither.
func foreign(kind string) bool {
	switch kind {
	case "text/html", "text/xml", "application/pdf", "application/postscript", "application/zip",
		"application/x-gzip", "application/x-rar-compressed", "application/wasm", "application/vnd.ms-fontobject":
		return true
	}
	return strings.HasPrefix(kind, "video/") || strings.HasPrefix(kind, "font/")
}
