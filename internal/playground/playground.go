// Package playground serves the page at / on which people explore the graph:
// one page, a style sheet and a few scripts written by hand, all in the
// binary. The page loads nothing from anywhere else and sends what is typed
// into it nowhere but to this server.
package playground

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"mixcloud-graphql/internal/static"
)

//go:embed assets examples
var files embed.FS

// policy lets the page load its own files and talk to this server. Nothing
// inline runs, and nobody frames it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

var mediaTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json; charset=utf-8",
	".svg":  "image/svg+xml",
}

// noCache makes browsers ask each time: the answer is short when nothing changed.
const noCache = "no-cache"

func newAsset(name string, body []byte) *static.File {
	return static.New(body, mediaTypes[path.Ext(name)], noCache)
}

// Handler serves the page at / and its files under /playground/. Other paths
// are not found. With signIn the page offers to sign in, at /oauth/login.
func Handler(signIn bool) http.Handler {
	if signIn {
		return withSignIn()
	}
	return withoutSignIn()
}

// The two pages are the same for all servers of a process.
var (
	withSignIn    = sync.OnceValue(func() handler { return mustLoad(true) })
	withoutSignIn = sync.OnceValue(func() handler { return mustLoad(false) })
)

func mustLoad(signIn bool) handler {
	served, err := load(files, signIn)
	if err != nil {
		panic(err) // the files are in the binary, and tests read them
	}
	return served
}

type handler map[string]*static.File

func load(from fs.FS, signIn bool) (handler, error) {
	served := handler{}
	names, err := fs.Glob(from, "assets/*")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		body, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, err
		}
		if signIn {
			body = bytes.Replace(body, []byte(`data-sign-in="no"`), []byte(`data-sign-in="yes"`), 1)
		}
		served["/playground/"+path.Base(name)] = newAsset(name, body)
	}
	served["/"] = served["/playground/index.html"]
	delete(served, "/playground/index.html")

	examples, err := Examples()
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(examples)
	if err != nil {
		return nil, err
	}
	served["/playground/examples.json"] = newAsset("examples.json", body)
	return served, nil
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := h[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", policy)
	f.ServeHTTP(w, r)
}

// An Example is a query that the page offers.
type Example struct {
	Title     string          `json:"title"`
	Query     string          `json:"query"`
	Variables json.RawMessage `json:"variables,omitempty"`
	Token     bool            `json:"token,omitempty"` // needs a viewer
}

// Examples returns the queries that the page offers, in order. They are the
// files of the folder examples, whose first comment line is the title; a line
// "# variables: {…}" has the variables, and a line "# token" says that a
// viewer is needed. These two are no part of the query.
func Examples() ([]Example, error) {
	names, err := fs.Glob(files, "examples/*.graphql")
	if err != nil {
		return nil, err
	}
	all := make([]Example, 0, len(names))
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		e, err := parseExample(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, e)
	}
	return all, nil
}

func parseExample(text string) (Example, error) {
	var e Example
	var query strings.Builder
	for line := range strings.Lines(text) {
		comment, isComment := strings.CutPrefix(strings.TrimSpace(line), "# ")
		variables, hasVariables := strings.CutPrefix(comment, "variables: ")
		switch {
		case isComment && hasVariables:
			if !json.Valid([]byte(variables)) {
				return Example{}, fmt.Errorf("the variables are no JSON: %s", variables)
			}
			e.Variables = json.RawMessage(variables)
			continue
		case isComment && comment == "token":
			e.Token = true
			continue
		case isComment && e.Title == "":
			e.Title = comment
		}
		query.WriteString(line)
	}
	if e.Title == "" {
		return Example{}, errors.New("there is no title")
	}
	e.Query = query.String()
	return e, nil
}
