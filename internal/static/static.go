// Package static serves files whose bytes are fixed when the program starts: compressed
// in advance, with a strong entity tag for each content coding.
package static

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"mixcloud-graphql/internal/accept"
)

// A File is a file as it is sent.
type File struct {
	Body      []byte
	MediaType string

	cache, etag string
	gzip        func() []byte // compressed once, when it is first needed; nil for a file that is too small
}

// compressFrom is the smallest file that is compressed, in bytes.
const compressFrom = 1 << 10

// New returns a file of a media type. Cache is the value of Cache-Control.
func New(body []byte, mediaType, cache string) *File {
	sum := sha256.Sum256(body)
	f := &File{Body: body, MediaType: mediaType, cache: cache, etag: `"` + hex.EncodeToString(sum[:12]) + `"`}
	if len(body) >= compressFrom {
		f.gzip = sync.OnceValue(func() []byte { return gzipped(body) })
	}
	return f
}

// gzipped compresses as well as gzip can, which for files of this size is better than zstd.
func gzipped(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	_, _ = w.Write(body) // to memory
	_ = w.Close()
	return b.Bytes()
}

// ServeHTTP answers GET and HEAD. Conditional requests are left to the middleware that
// compresses responses: it knows the content coding, which the entity tag depends on.
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		accept.Vary(h, "Accept-Encoding")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	body := f.Body
	h.Set("Content-Type", f.MediaType)
	h.Set("Cache-Control", f.cache)
	h.Set("ETag", f.etag)
	accept.Vary(h, "Accept-Encoding")
	if f.gzip != nil && accept.Gzip(r) {
		body = f.gzip()
		h.Set("Content-Encoding", "gzip")
		h.Set("ETag", strings.TrimSuffix(f.etag, `"`)+`-gzip"`)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client may be gone
}
