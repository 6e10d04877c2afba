package playground

import (
	"encoding/json"
	"html"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func get(t *testing.T, name, accepted string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, name, nil)
	if accepted != "" {
		r.Header.Set("Accept-Encoding", accepted)
	}
	rec := httptest.NewRecorder()
	Handler(Options{SignIn: true}).ServeHTTP(rec, r)
	return rec
}

// A compressed file has a strong entity tag of its own.
func TestHandler_Precompressed(t *testing.T) {
	t.Parallel()
	plain := get(t, "/playground/main.js", "")
	zipped := get(t, "/playground/main.js", "gzip, br, zstd")
	if got := zipped.Header().Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("Content-Encoding = %q, want gzip", got)
	}
	if want := strings.TrimSuffix(plain.Header().Get("ETag"), `"`) + `-gzip"`; zipped.Header().Get("ETag") != want {
		t.Errorf("ETag %s, want %s", zipped.Header().Get("ETag"), want)
	}
	if zipped.Body.Len() > plain.Body.Len()/2 {
		t.Errorf("%d compressed bytes of %d, want at most half", zipped.Body.Len(), plain.Body.Len())
	}
	from, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(from); err != nil || string(text) != plain.Body.String() {
		t.Errorf("decompressed text differs from the uncompressed one (error %v)", err)
	}
	for name, accepted := range map[string]string{"/playground/main.js": "br", "/playground/icon.svg": "gzip"} {
		if got := get(t, name, accepted); got.Header().Get("Content-Encoding") != "" || len(got.Header()["Vary"]) != 1 {
			t.Errorf("%s with Accept-Encoding %s: headers %v, want no Content-Encoding and one Vary", name, accepted, got.Header())
		}
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	for name, media := range map[string]string{
		"/":                         "text/html; charset=utf-8",
		"/?plain":                   "text/html; charset=utf-8",
		"/playground/page.css":      "text/css; charset=utf-8",
		"/playground/main.js":       "text/javascript; charset=utf-8",
		"/playground/icon.svg":      "image/svg+xml",
		"/playground/examples.json": "application/json; charset=utf-8",
	} {
		rec := get(t, name, "")
		if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != media || rec.Body.Len() == 0 {
			t.Errorf("GET %s: status %d, Content-Type %q, %d bytes, want 200 and %q", name, rec.Code, rec.Header().Get("Content-Type"), rec.Body.Len(), media)
		}
		if etag := rec.Header().Get("ETag"); !strings.HasPrefix(etag, `"`) {
			t.Errorf("GET %s: ETag = %s, want a quoted tag", name, etag)
		}
	}
	for _, name := range []string{"/playground/", "/playground/index.html", "/playground/../examples/01-popular.graphql", "/playground/examples", "/x"} {
		if rec := get(t, name, ""); rec.Code != http.StatusNotFound {
			t.Errorf("GET %s: status %d, want 404", name, rec.Code)
		}
	}
}

// The policy forbids scripts that are inline or of other origins, on both pages. It allows
// pictures and players only from the page's own origin and the given ones.
func TestHandler_Policy(t *testing.T) {
	t.Parallel()
	h := Handler(Options{Pictures: []string{"https://pictures.example.com"}, Players: []string{"https://players.example.com"}})
	for name, want := range map[string]string{
		"/":       "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; connect-src 'self'; img-src 'self' data: blob: https://pictures.example.com; frame-src 'self' https://players.example.com; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"/?plain": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, name, nil))
		if got := rec.Header().Get("Content-Security-Policy"); got != want {
			t.Errorf("%s: policy\n%s, want\n%s", name, got, want)
		}
	}
}

// Both pages contain the options.
func TestPage_Options(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{SignIn: true, Budget: 200}, {Demo: true, Trace: true, Budget: 7}} {
		for _, name := range []string{"/", "/?plain"} {
			rec := httptest.NewRecorder()
			Handler(o).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, name, nil))
			m := regexp.MustCompile(`<meta name="options" content="([^"]*)"`).FindStringSubmatch(rec.Body.String())
			if m == nil {
				t.Fatalf("%s has no options", name)
			}
			var got Options
			if err := json.Unmarshal([]byte(html.UnescapeString(m[1])), &got); err != nil || !reflect.DeepEqual(got, o) {
				t.Errorf("%s: options %+v, %v; want %+v", name, got, err, o)
			}
		}
	}
}

// Each file of the bundle is served compressed, and decompressed to a client that does not accept gzip. A file whose name
// contains a hash is immutable for the browser.
func TestBundle(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(files, "bundle/*.gz")
	if err != nil || len(names) < 10 {
		t.Fatalf("bundle has %d files (error %v), want at least 10", len(names), err)
	}
	compressed := 0
	for _, name := range names {
		name, _ = strings.CutSuffix(path.Base(name), ".gz")
		if name == "index.html" {
			continue
		}
		zipped, plain := get(t, "/playground/"+name, "gzip"), get(t, "/playground/"+name, "")
		compressed += zipped.Body.Len()
		from, err := gzip.NewReader(zipped.Body)
		if err != nil {
			t.Fatalf("%s: gzip header is not valid: %v", name, err)
		}
		if text, err := io.ReadAll(from); err != nil || string(text) != plain.Body.String() {
			t.Errorf("%s: compressed and uncompressed text differ (error %v)", name, err)
		}
		if media := plain.Header().Get("Content-Type"); media == "" {
			t.Errorf("GET %s: no Content-Type", name)
		}
		if strings.Contains(name, "-") && zipped.Header().Get("Cache-Control") != immutable {
			t.Errorf("GET %s: Cache-Control = %q, want %q", name, zipped.Header().Get("Cache-Control"), immutable)
		}
	}
	if compressed > 2_500_000 {
		t.Errorf("the bundle has %d compressed bytes, want at most 2.5 MB", compressed)
	}
}

// The small page works under its own policy: all files that it refers to are served, and
// nothing is inline or from another origin.
func TestPlain_IsComplete(t *testing.T) {
	t.Parallel()
	served, err := load(files, Options{SignIn: true})
	if err != nil {
		t.Fatal(err)
	}
	refs := regexp.MustCompile(`(?:src|href)="([^"]*)"|fetch\("([^"]*)"|url\(([^)]*)\)`)
	inline := regexp.MustCompile(`(?i)<script>|<style|\sstyle=|\son[a-z]+="|javascript:|\beval\(|new Function`)
	ids := regexp.MustCompile(`\$\("([^"]+)"\)`)
	html := string(served.plain.Body())
	texts := map[string]string{"/?plain": html}
	names, err := fs.Glob(files, "plain/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if base := path.Base(name); base != "index.html" {
			texts[base] = string(served.files["/playground/"+base].Body())
		}
	}
	for name, text := range texts {
		if found := inline.FindString(text); found != "" {
			t.Errorf("%s contains %q, which the Content-Security-Policy forbids", name, found)
		}
		for _, m := range refs.FindAllStringSubmatch(text, -1) {
			ref := m[1] + m[2] + m[3]
			if _, ok := served.files[ref]; !ok && ref != "/graphql" && !strings.HasPrefix(ref, "/oauth/log") && !strings.HasPrefix(ref, "${") {
				t.Errorf("%s refers to %q, which the server does not serve", name, ref)
			}
		}
		for _, m := range ids.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(html, `id="`+m[1]+`"`) {
				t.Errorf("%s uses #%s, which is not in the page", name, m[1])
			}
		}
	}
}

// The scripts of the small page run in browsers without support for modules: they are classic scripts without newer syntax.
func TestPlain_Language(t *testing.T) {
	t.Parallel()
	newer := regexp.MustCompile(`type="module"|(?m)^(import|export) |\?\.[^\d]|\?\?|catch \{|\|\|=|&&=|[{,] \.\.\.\w+ [,}]|\.(at|replaceAll|matchAll|replaceChildren|flat|flatMap|fromEntries)\(`)
	names, err := fs.Glob(files, "plain/*")
	if err != nil || len(names) < 8 {
		t.Fatalf("plain/ has %d files (error %v), want at least 8", len(names), err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		if found := newer.FindString(string(text)); found != "" {
			t.Errorf("%s uses %q, which older browsers do not support", name, found)
		}
	}
}

func schema(t *testing.T) *ast.Schema {
	t.Helper()
	names, err := filepath.Glob("../../graph/schema/*.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	var sources []*ast.Source
	for _, name := range append(names, "../../graph/schema.graphqls") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: name, Input: string(text)})
	}
	s, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
