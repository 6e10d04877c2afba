// Package upload passes the files of a multipart request from the HTTP layer to the resolver
// that sends them to Mixcloud, and reports the progress.
//
// Files are streamed and never stored: the resolver reads them from the request's body, in the
// order in which the parts arrive. If it reads slowly, the client has to wait.
package upload

import (
	"context"
	"errors"
	"io"

	"github.com/99designs/gqlgen/graphql"
)

// A File is the value of a variable of type Upload. It refers to a part of the request that may
// not have arrived yet. The zero File refers to no part.
type File struct {
	Part string // name of the part of the request's body
	Path string // path in the request's map, such as "variables.input.mp3"
}

// UnmarshalGQL accepts only a File, which the multipart transport inserts into the variables.
// Clients cannot send one as JSON.
func (f *File) UnmarshalGQL(v any) error {
	file, ok := v.(File)
	if !ok {
		return errors.New("must be a file of a multipart request")
	}
	*f = file
	return nil
}

// MarshalGQL writes null, because files are used only as input.
func (f File) MarshalGQL(w io.Writer) { graphql.Null.MarshalGQL(w) }

// A Part is a file whose first bytes have arrived.
type Part struct {
	File        File
	Filename    string // from the client, "" if absent; untrusted
	ContentType string // from the client, "" if absent; untrusted
	Body        io.Reader
}

// A Source returns the files of a request in the order in which they arrive.
type Source interface {
	// Next waits for the next file of the request's map. The caller must not use the previous
	// file afterwards. After the last file the error is io.EOF; for an invalid form it has the
	// code BAD_USER_INPUT; if the client has disconnected it is io.ErrUnexpectedEOF or the
	// context's error.
	Next(ctx context.Context) (*Part, error)
	// Total returns the size of all files, or false if the request has no Content-Length.
	Total() (int64, bool)
	// Bound must be called after Next and before the file is read. It returns an upper bound
	// for the size of this file and all later ones, and the maximum number of files that
	// remain after it, or false if the request has no Content-Length. The bound exceeds the actual size by less
	// than 3.5 KiB.
	Bound() (bytes int64, remaining int, known bool)
}

type sourceKey struct{}

// NewContext returns a context whose operation can read the files of src.
func NewContext(ctx context.Context, src Source) context.Context {
	return context.WithValue(ctx, sourceKey{}, src)
}

// FromContext returns the files of the operation, or false if its request has no files.
func FromContext(ctx context.Context) (Source, bool) {
	src, ok := ctx.Value(sourceKey{}).(Source)
	return src, ok
}
