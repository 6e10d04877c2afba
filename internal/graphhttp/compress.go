package graphhttp

import (
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/klauspost/compress/gzhttp"
	"github.com/vektah/gqlparser/v2/ast"
)

const (
	// compressFrom is the minimum size of compressed responses in bytes: below it the saving
	// is less than a packet.
	compressFrom = 1 << 10
	// gzipLevel is the fastest level. Level 5 takes twice as long, and saves a tenth of the size.
	gzipLevel = 1
)

// Compress returns middleware that compresses responses with zstd or gzip, as the client
// prefers. Streams of events are compressed and flushed event by event. [Uncompressed] exempts
// a response. It also responds to conditional requests, because the entity tag depends on the
// content coding.
func Compress() func(http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(
		gzhttp.MinSize(compressFrom),
		gzhttp.CompressionLevel(gzipLevel),
		gzhttp.ContentTypeFilter(compressible),
		gzhttp.SuffixETag("-gzip"), // or -zstd: a strong tag identifies one content coding
	)
	if err != nil {
		panic(err) // the options are constants
	}
	return func(next http.Handler) http.Handler {
		guarded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/oauth/") {
				Uncompressed(w.Header())
			}
			next.ServeHTTP(&cookieGuard{ResponseWriter: w}, r)
		})
		compressed := wrap(guarded)
		return notModified(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodHead {
				compressed.ServeHTTP(w, r)
				return
			}
			// gzhttp does not compress HEAD, whose headers must be those of a GET.
			asGet := *r
			asGet.Method = http.MethodGet
			wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { guarded.ServeHTTP(w, r) })).ServeHTTP(w, &asGet)
		}))
	}
}

// Uncompressed exempts a response from compression. A response that contains a secret must be
// exempt if an attacker can choose a part of it: its compressed length would reveal how much
// the two have in common (BREACH).
func Uncompressed(h http.Header) { h.Set(gzhttp.HeaderNoCompression, "1") }

// cookieGuard disables the compression of responses that set a cookie.
type cookieGuard struct{ http.ResponseWriter }

// WriteHeader is part of [http.ResponseWriter].
func (g *cookieGuard) WriteHeader(status int) {
	g.check()
	g.ResponseWriter.WriteHeader(status)
}

// Write is part of [http.ResponseWriter].
func (g *cookieGuard) Write(b []byte) (int, error) {
	g.check()
	return g.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (g *cookieGuard) Unwrap() http.ResponseWriter { return g.ResponseWriter }

func (g *cookieGuard) check() {
	if h := g.Header(); len(h["Set-Cookie"]) > 0 {
		Uncompressed(h)
	}
}

// compressible reports whether content of a type is worth compressing: text, JSON, scripts.
func compressible(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	switch {
	case strings.HasPrefix(media, "text/"), strings.HasSuffix(media, "+json"), strings.HasSuffix(media, "+xml"):
		return true
	}
	return media == "application/json" || media == "application/javascript"
}

// returnsSecret reports whether an operation selects the field that returns an access token.
func returnsSecret(oc *graphql.OperationContext) bool {
	if oc.Operation.Operation != ast.Mutation {
		return false
	}
	for _, f := range graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{"Mutation"}) {
		if f.Name == "exchangeOAuthCode" {
			return true
		}
	}
	return false
}
