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

// Mixcloud's maximum file sizes, in bytes (documented).
const (
	maxAudio   = 4 << 30
	maxPicture = 10 << 20
)

const tooLargeMessage = "The file is larger than Mixcloud accepts: at most 4 GiB for an mp3, 10 MiB for a picture."

// fileRules are the rules for the files of a request, by the name of the form part
// that contains the file.
type fileRules map[string]fileRule

// A fileRule limits the size and the type of one file.
type fileRule struct {
	field   string // the name of the form field that Mixcloud expects, and of the input field
	limit   int64
	rejects func(mediaType string) bool // reports whether a recognized media type is not allowed
}

func (r fileRule) tooLarge() error {
	return &fileError{model.UserErrorCodeTooLarge, r.field, tooLargeMessage}
}

// newFileRules returns the rules for the files of an upload or an edit.
func newFileRules(mp3 upload.File, picture *upload.File) fileRules {
	rules := fileRules{}
	if mp3.Part != "" {
		rules[mp3.Part] = fileRule{"mp3", maxAudio, notAudio}
	}
	if picture != nil && picture.Part != mp3.Part { // a part can be read only once, and audio is not a picture
		rules[picture.Part] = fileRule{"picture", maxPicture, notPicture}
	}
	return rules
}

// largest returns the rule with the highest size limit.
func (rules fileRules) largest() fileRule {
	var largest fileRule
	for _, r := range rules {
		if r.limit > largest.limit {
			largest = r
		}
	}
	return largest
}

// A fileError reports that a file broke a rule while it was being read.
type fileError struct {
	code    model.UserErrorCode
	field   string
	message string
}

func (e *fileError) Error() string { return e.field + ": " + e.message }

// uploadFiles passes the files of a request on to the Mixcloud client, in the order in which
// they arrive, and checks them while they are read. It implements [mixcloud.BoundedFiles].
type uploadFiles struct {
	source  upload.Source // nil if the request has no files
	rules   fileRules
	track   *upload.Reporter
	allRead atomic.Bool // set after the last file; the transport reads in its own goroutine

	first *mixcloud.FilePart // received by waitForFirst and not yet returned by Next
}

// formOverhead is the maximum number of bytes that a form adds to its files: the headers of the
// parts and the epilogue.
const formOverhead = 256 << 10

// newUploadFiles returns the files of the request that ctx belongs to. It returns an error,
// before anything is sent, if the declared length of the request exceeds all limits together.
func newUploadFiles(ctx context.Context, rules fileRules, track *upload.Reporter) (*uploadFiles, error) {
	source, ok := upload.FromContext(ctx)
	if !ok {
		return &uploadFiles{track: track}, nil
	}
	var limit int64 = formOverhead
	for _, r := range rules {
		limit += r.limit
	}
	if total, known := source.Total(); known && len(rules) > 0 && total > limit {
		return nil, rules.largest().tooLarge()
	}
	return &uploadFiles{source: source, rules: rules, track: track}, nil
}

// waitForFirst waits for the header of the first file. It returns nil if there are no files.
func (f *uploadFiles) waitForFirst(ctx context.Context) error {
	if f.source == nil {
		return nil
	}
	first, err := f.next(ctx)
	if err == io.EOF {
		return nil
	}
	f.first = first
	return err
}

// Next returns the next file, or io.EOF after the last one.
func (f *uploadFiles) Next(ctx context.Context) (*mixcloud.FilePart, error) {
	if first := f.first; first != nil {
		f.first = nil
		return first, nil
	}
	return f.next(ctx)
}

// Bound implements [mixcloud.BoundedFiles].
func (f *uploadFiles) Bound() (bytes int64, remaining int, known bool) {
	if f.source == nil {
		return 0, 0, false
	}
	return f.source.Bound()
}

func (f *uploadFiles) next(ctx context.Context) (*mixcloud.FilePart, error) {
	if f.source == nil {
		f.track.SetPhase(upload.Processing)
		return nil, io.EOF
	}
	part, err := f.source.Next(ctx)
	if errors.Is(err, io.EOF) {
		f.allRead.Store(true)
		f.track.SetPhase(upload.Processing)
	}
	if err != nil {
		return nil, err
	}
	if total, known := f.source.Total(); known {
		f.track.SetTotal(total) // an estimate that becomes exact at the last file
	}
	r, ok := f.rules[part.File.Part]
	if !ok {
		return nil, gqlerr.Invalid(part.File.Path, "has a file that no input field accepts")
	}
	return &mixcloud.FilePart{
		Field: r.field, Filename: part.Filename, ContentType: part.ContentType,
		Body: &checkedFile{body: part.Body, rule: r, track: f.track},
	}, nil
}

// sniffLength is the number of bytes that [sniff] needs to identify a file.
const sniffLength = 512

// readStart reads the first sniffLength bytes of a file, or all of a shorter one. io.ReadFull
// would return io.ErrUnexpectedEOF both for a short file and for a truncated request.
func readStart(body io.Reader) ([]byte, error) {
	start := make([]byte, 0, sniffLength)
	for len(start) < sniffLength {
		n, err := body.Read(start[len(start):sniffLength])
		start = start[:len(start)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return start, nil
}

// A checkedFile reads a file and checks it: its type when reading starts, and its size while
// it is read. It returns a [fileError] if the file breaks its rule.
type checkedFile struct {
	body    io.Reader
	rule    fileRule
	started bool
	sent    int64
	track   *upload.Reporter
}

// start checks the type of the file, once.
func (f *checkedFile) start() error {
	if f.started {
		return nil
	}
	start, err := readStart(f.body)
	switch {
	case err != nil:
		return err
	case len(start) == 0:
		return &fileError{model.UserErrorCodeRequired, f.rule.field, "The file is empty."}
	}
	if mediaType := sniff(start); f.rule.rejects(mediaType) {
		return &fileError{model.UserErrorCodeInvalid, f.rule.field, "The file is " + mediaType + ", which is not accepted here."}
	}
	f.started, f.body = true, io.MultiReader(bytes.NewReader(start), f.body)
	return nil
}

func (f *checkedFile) Read(p []byte) (int, error) {
	if err := f.start(); err != nil {
		return 0, err
	}
	n, err := f.body.Read(p)
	if f.sent += int64(n); f.sent > f.rule.limit {
		return 0, f.rule.tooLarge()
	}
	f.track.Add(int64(n))
	return n, err
}

// WriteTo implements [io.WriterTo]. It writes each chunk as soon as it arrives.
func (f *checkedFile) WriteTo(w io.Writer) (int64, error) {
	if err := f.start(); err != nil {
		return 0, err
	}
	return io.Copy(&countingWriter{w, f}, f.body)
}

// A countingWriter counts the bytes of a file that w has accepted, and returns an error at the
// file's size limit.
type countingWriter struct {
	w    io.Writer
	file *checkedFile
}

// Write implements [io.Writer].
func (c *countingWriter) Write(p []byte) (int, error) {
	if c.file.sent+int64(len(p)) > c.file.rule.limit {
		return 0, c.file.rule.tooLarge()
	}
	n, err := c.w.Write(p)
	c.file.sent += int64(n)
	c.file.track.Add(int64(n))
	return n, err
}
