package graphhttp

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// entityTag returns a strong entity tag for a response. Every replica computes the same tag for
// the same response. [Compress] adds the content coding.
func entityTag(media string, body []byte) string {
	hash := sha256.New()
	hash.Write([]byte(media))
	hash.Write([]byte{0})
	hash.Write(body)
	return `"` + base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:12]) + `"`
}

// notModified is middleware that responds to a conditional GET or HEAD with 304 if the tag that a
// handler has set is in If-None-Match. It wraps [Compress], because the content codings of a
// response have different tags: a cached copy in one coding must not be confirmed for another.
func notModified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tags := r.Header["If-None-Match"]; len(tags) > 0 && isGet(r) {
			w = &conditional{ResponseWriter: w, tags: strings.Join(tags, ",")}
		}
		next.ServeHTTP(w, r)
	})
}

// A conditional is a writer that omits a body that the client already has.
type conditional struct {
	http.ResponseWriter
	tags    string // from If-None-Match
	decided bool
	empty   bool // the response has no body
}

// WriteHeader implements [http.ResponseWriter].
func (c *conditional) WriteHeader(status int) {
	if !c.decided && status >= http.StatusOK { // a 1xx is not the final status
		c.decided = true
		h := c.Header()
		if c.empty = status == http.StatusOK && matches(c.tags, h.Get("ETag")); c.empty {
			status = http.StatusNotModified
			for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding"} {
				h.Del(name)
			}
		}
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (c *conditional) Write(b []byte) (int, error) {
	if !c.decided {
		c.WriteHeader(http.StatusOK)
	}
	if c.empty {
		return len(b), nil
	}
	return c.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (c *conditional) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// matches reports whether If-None-Match contains an entity tag, or "*". It uses the weak
// comparison (RFC 9110, section 13.1.2), since proxies may have weakened the tag.
func matches(tags, tag string) bool {
	if tag == "" {
		return false
	}
	for one := range strings.SplitSeq(tags, ",") {
		one = strings.TrimSpace(one)
		if one == "*" || strings.TrimPrefix(one, "W/") == tag {
			return true
		}
	}
	return false
}
