// Package playground serves the page at /, on which users explore the API: GraphiQL with plugins
// of this project. The page's sources are in web/playground. The folder bundle contains the built
// and compressed files, so that the server can be built without Node. The page loads nothing from
// other origins, except for Mixcloud's pictures and players on the live API, once a user opens
// them.
//
// The URL /?plain is a small page for browsers without support for JavaScript modules. Its files,
// in the folder plain, are written by hand.
package playground

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"mixcloud-graphql/internal/static"
)

//go:embed bundle plain examples
var files embed.FS

// plainPolicy lets the small page load its own files and call this server. Nothing inline runs, and no
// page may frame it.
const plainPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pagePolicy is the policy of GraphiQL, which needs workers, a font and inline styles. The
// operands of its format are the additional origins of pictures and of players.
const pagePolicy = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"font-src 'self'; connect-src 'self'; img-src 'self' data: blob:%s; frame-src 'self'%s; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

var mediaTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json; charset=utf-8",
	".svg":  "image/svg+xml",
	".ttf":  "font/ttf",
}

// The values of Cache-Control. Names of built files contain a hash of their content.
const (
	noCache   = "no-cache"
	immutable = "public, max-age=31536000, immutable"
)

// Options describe the server to the page. The page contains them as JSON.
type Options struct {
	SignIn bool `json:"signIn"` // users can sign in at /oauth/login
	Demo   bool `json:"demo"`   // the server runs over the emulator
	Trace  bool `json:"trace"`  // the server returns traces
	// Budget is the maximum number of calls for one operation.
	Budget int `json:"budget"`
	// Player is the URL of Mixcloud's player page, which takes a key in its parameter "feed".
	Player string `json:"player"`
	// Pictures and Players are origins, such as https://thumbnailer.mixcloud.com, from which
	// the page may load pictures and players in addition to its own.
	Pictures []string `json:"-"`
	Players  []string `json:"-"`
}

// placeholder is the element of both pages that is replaced by the options.
const placeholder = `<meta name="options" content="{}"`

type handler struct {
	files       map[string]*static.File // by path
	page, plain *static.File
	policy      string
}

// Handler serves the page at /, the small page at /?plain, and their files under /playground/.
// Other paths are not found. The files are read at the first request, because reading them would
// take more than half of the server's start time, and most servers get no request for the page.
func Handler(o Options) http.Handler {
	loaded := sync.OnceValue(func() *handler {
		h, err := load(files, o)
		if err != nil {
			panic(err) // the files are in the binary, and tests load them
		}
		return h
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { loaded().ServeHTTP(w, r) })
}

func load(from fs.FS, o Options) (*handler, error) {
	h := &handler{files: map[string]*static.File{}, policy: fmt.Sprintf(pagePolicy, sources(o.Pictures), sources(o.Players))}
	options, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	withOptions := func(page []byte) (*static.File, error) {
		filled := strings.Replace(placeholder, "{}", html.EscapeString(string(options)), 1)
		if bytes.Count(page, []byte(placeholder)) != 1 {
			return nil, fmt.Errorf("the page does not have one %s", placeholder)
		}
		return static.New(bytes.Replace(page, []byte(placeholder), []byte(filled), 1), mediaTypes[".html"], noCache), nil
	}
	for _, pattern := range []string{"bundle/*.gz", "plain/*"} {
		names, err := fs.Glob(from, pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			body, err := fs.ReadFile(from, name)
			if err != nil {
				return nil, err
			}
			switch name {
			case "bundle/index.html.gz":
				h.page, err = withOptions(static.NewGzipped(body, "", "").Body())
			case "plain/index.html":
				h.plain, err = withOptions(body)
			default:
				h.add(name, body)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if h.page == nil || h.plain == nil {
		return nil, errors.New("a page is missing")
	}
	examples, err := Examples()
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(examples)
	if err != nil {
		return nil, err
	}
	h.add("examples.json", body)
	return h, nil
}

func (h *handler) add(name string, body []byte) {
	base, compressed := strings.CutSuffix(path.Base(name), ".gz")
	media := mediaTypes[path.Ext(base)]
	switch {
	case !compressed:
		h.files["/playground/"+base] = static.New(body, media, noCache)
	case strings.Contains(base, "-"):
		h.files["/playground/"+base] = static.NewGzipped(body, media, immutable)
	default:
		h.files["/playground/"+base] = static.NewGzipped(body, media, noCache)
	}
}

// sources returns the non-empty origins, each after a space, to append them to a source list of
// the Content-Security-Policy.
func sources(origins []string) string {
	var list strings.Builder
	for _, origin := range origins {
		if origin != "" {
			list.WriteString(" " + origin)
		}
	}
	return list.String()
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, policy := h.files[r.URL.Path], h.policy
	if r.URL.Path == "/" {
		f = h.page
		if r.URL.Query().Has("plain") {
			f, policy = h.plain, plainPolicy
		}
	}
	if f == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", policy)
	f.ServeHTTP(w, r)
}
