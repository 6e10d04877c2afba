// Package upload carries the files of a multipart request from the HTTP layer
// to the resolver that sends them on, while they arrive.
//
// A file is never stored: it is read from the request's body when the resolver
// asks for it, in the order in which the parts arrive, and whoever reads slowly
// makes the client wait.
package upload

import (
	"context"
	"errors"
	"io"

	"github.com/99designs/gqlgen/graphql"
)

// A File is the value of a variable that the request's map fills with a file.
// It promises a part that may still be on its way. The zero File is none.
type File struct {
	// Part names the part of the request's body that holds the file.
	Part string
	// Path is where the map puts it, such as "variables.input.mp3".
	Path string
}

// UnmarshalGQL accepts what the multipart transport put into the variables,
// and nothing that a client can write.
func (f *File) UnmarshalGQL(v any) error {
	file, ok := v.(File)
	if !ok {
		return errors.New("must be a file of a multipart request")
	}
	*f = file
	return nil
}

// MarshalGQL writes null: a file is input only.
func (f File) MarshalGQL(w io.Writer) { graphql.Null.MarshalGQL(w) }

// A Part is a file that has begun to arrive.
type Part struct {
	File        File
	Filename    string // as the client names it; "" when it does not. Not to be trusted
	ContentType string // as the client declares it; "" when it does not. Not to be trusted
	Body        io.Reader
}

// A Source gives the files of a request in the order in which they arrive.
type Source interface {
	// Next waits for the next file that the map names. Its body must be read,
	// or given up, before Next is called again. After the last file it gives
	// io.EOF. An error of the request's form is a bad-user-input error; when
	// the client went away, io.ErrUnexpectedEOF or the context's error.
	Next(ctx context.Context) (*Part, error)
	// Total is the length of all files together; false when the client has not
	// said how long its request is.
	Total() (int64, bool)
	// Bound is, once Next has returned a file of which nothing was read, the most
	// bytes that this file and those after it can have, and how many may follow
	// it; false when the client has not said how long its request is. The bound is
	// less than 3.5 KiB above what they have.
	Bound() (bytes int64, more int, known bool)
}

type sourceKey struct{}

// Into gives a context whose operation can read the files of src.
func Into(ctx context.Context, src Source) context.Context {
	return context.WithValue(ctx, sourceKey{}, src)
}

// From gives the files of the operation that ctx belongs to; false when its
// request has none.
func From(ctx context.Context) (Source, bool) {
	src, ok := ctx.Value(sourceKey{}).(Source)
	return src, ok
}
