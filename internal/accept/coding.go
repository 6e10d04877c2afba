package accept

import (
	"net/http"
	"strings"
)

// Gzip reports whether a client accepts a response that is compressed with gzip, and does not
// prefer zstd. It is for content that is already compressed with gzip.
func Gzip(r *http.Request) bool {
	gzip, zstd := 0.0, 0.0
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, params, _ := strings.Cut(part, ";")
		q := 1.0
		if value, found := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q="); found {
			q = quality(value)
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip":
			gzip = q
		case "zstd":
			zstd = q
		}
	}
	return gzip > 0 && gzip >= zstd
}
