// Package static serves files whose bytes are fixed when the program starts: with an
// entity tag, so that a client that has the file already gets 304.
package static

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

// A File is a file as it is sent.
type File struct {
	Body      []byte
	MediaType string

	cache, etag string
}

// New returns a file of a media type. Cache is the value of Cache-Control.
func New(body []byte, mediaType, cache string) *File {
	sum := sha256.Sum256(body)
	return &File{body, mediaType, cache, `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// ServeHTTP answers GET and HEAD.
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	h.Set("Content-Type", f.MediaType)
	h.Set("Cache-Control", f.cache)
	h.Set("ETag", f.etag)
	if tag := match(r.Header.Get("If-None-Match"), f.etag); tag != "" {
		h.Set("ETag", tag)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(f.Body) // the client may be gone
}

// match returns the entity tag of an If-None-Match header that stands for etag, or
// "". Proxies may have weakened it, and compression has added its coding to it.
func match(header, etag string) string {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		plain := strings.NewReplacer(`-gzip"`, `"`, `-zstd"`, `"`).Replace(tag)
		switch {
		case tag == "*":
			return etag
		case plain == etag:
			return tag
		}
	}
	return ""
}
