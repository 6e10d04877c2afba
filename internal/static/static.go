// Package static serves files that are in memory, compressed in advance, with a strong entity
// tag for each content coding.
package static

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"mixcloud-graphql/internal/accept"
)

// A File is a file with its response headers. It is an [http.Handler].
type File struct {
	MediaType string

	cache, etag string
	body        func() []byte
	gzip        func() []byte // nil for a file that is too small to compress
}

// compressFrom is the minimum size of a file that is compressed, in bytes.
const compressFrom = 1 << 10

// New returns a file of a media type. cache is the value of Cache-Control.
func New(body []byte, mediaType, cache string) *File {
	f := &File{MediaType: mediaType, cache: cache, etag: tag(body), body: func() []byte { return body }}
	if len(body) >= compressFrom {
		f.gzip = sync.OnceValue(func() []byte { return gzipped(body) })
	}
	return f
}

// NewGzipped returns a file whose content is already compressed with gzip. Only the compressed
// form is in memory; it is decompressed for each client that does not accept gzip. Reading
// the file panics if the content is not valid gzip.
func NewGzipped(compressed []byte, mediaType, cache string) *File {
	return &File{
		MediaType: mediaType, cache: cache, etag: tag(compressed),
		body: func() []byte { return gunzipped(compressed) },
		gzip: func() []byte { return compressed },
	}
}

// Body returns the uncompressed content. The caller must not modify it.
func (f *File) Body() []byte { return f.body() }

func tag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// gzipped compresses with gzip's highest level, whose result is smaller than zstd's for files of
// this size.
func gzipped(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	_, _ = w.Write(body) // to memory, which cannot fail
	_ = w.Close()
	return b.Bytes()
}

func gunzipped(compressed []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err == nil {
		var body []byte
		if body, err = io.ReadAll(r); err == nil {
			return body
		}
	}
	panic(fmt.Sprintf("static: invalid gzip data: %v", err)) // the files are part of the binary, and tests read them
}

// ServeHTTP responds to GET and HEAD. The middleware graphhttp.Compress handles conditional
// requests, because it knows the content coding, on which the entity tag depends.
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		accept.Vary(h, "Accept-Encoding")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	h.Set("Content-Type", f.MediaType)
	h.Set("Cache-Control", f.cache)
	accept.Vary(h, "Accept-Encoding")
	var body []byte
	if f.gzip != nil && accept.Gzip(r) {
		body = f.gzip()
		h.Set("Content-Encoding", "gzip")
		h.Set("ETag", strings.TrimSuffix(f.etag, `"`)+`-gzip"`)
	} else {
		body = f.body()
		h.Set("ETag", f.etag)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // an error means that the client has disconnected
}
