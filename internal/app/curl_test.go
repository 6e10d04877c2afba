package app

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// A curl is a parsed curl command of a document.
type curl struct {
	text     string
	method   string // "" for curl's default
	url      *url.URL
	headers  [][2]string
	data     string
	form     [][2]string
	query    bool // -G: the data is the URL's query
	showHead bool // -i: any status is expected
}

// newCurl parses a command's words. An unknown option fails the test, so that
// every part of a command is tested.
func newCurl(t *testing.T, words []string) *curl {
	t.Helper()
	c := &curl{text: "curl " + strings.Join(words, " ")}
	for ; len(words) > 0; words = words[1:] {
		switch words[0] {
		case "-s", "-sN":
			continue
		case "-sG":
			c.query = true
			continue
		case "-siG":
			c.query, c.showHead = true, true
			continue
		case "-si":
			c.showHead = true
			continue
		case "-H", "-d", "-F", "-X", "--data-urlencode":
			if len(words) < 2 {
				t.Fatalf("%s: the option %s has no value", c.text, words[0])
			}
		default:
			address, err := url.Parse(words[0])
			if c.url != nil || err != nil || address.Scheme != "http" {
				t.Fatalf("%s: the test does not know the argument %q", c.text, words[0])
			}
			c.url = address
			continue
		}
		option, value := words[0], words[1]
		words = words[1:]
		switch name, rest, _ := strings.Cut(value, map[string]string{"-H": ": ", "-F": "="}[option]); option {
		case "-H":
			c.headers = append(c.headers, [2]string{name, rest})
		case "-F":
			c.form = append(c.form, [2]string{name, rest})
		case "-d":
			c.data = value
		case "-X":
			c.method = value
		case "--data-urlencode":
			name, text, _ := strings.Cut(value, "=")
			c.data = strings.TrimPrefix(c.data+"&"+name+"="+url.QueryEscape(text), "&")
		}
	}
	return c
}

// send sends the request to a server and ignores the host of the URL. Files maps names
// of files to their sizes; their content is zeros.
func (c *curl) send(t *testing.T, server http.Handler, files map[string]int) *httptest.ResponseRecorder {
	t.Helper()
	if c.url == nil {
		t.Fatalf("%s: the command has no URL", c.text)
	}
	target, data := *c.url, c.data
	if c.query {
		target.RawQuery, data = data, ""
	}
	body, kind := bytes.NewBufferString(data), "application/x-www-form-urlencoded"
	if len(c.form) > 0 {
		form := multipart.NewWriter(body)
		for _, field := range c.form {
			name, isFile := strings.CutPrefix(field[1], "@")
			if !isFile {
				if err := form.WriteField(field[0], field[1]); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if files[name] == 0 {
				t.Fatalf("%s: no earlier command creates the file %s", c.text, name)
			}
			part, err := form.CreateFormFile(field[0], name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := part.Write(make([]byte, files[name])); err != nil {
				t.Fatal(err)
			}
		}
		if err := form.Close(); err != nil {
			t.Fatal(err)
		}
		kind = form.FormDataContentType()
	}
	method := c.method
	if method == "" && body.Len() > 0 {
		method = http.MethodPost
	}
	r := httptest.NewRequestWithContext(t.Context(), method, target.RequestURI(), body)
	r.Host, r.RemoteAddr = c.url.Host, "127.0.0.1:1"
	r.Header.Set("Accept", "*/*")
	r.Header.Set("Content-Type", kind)
	for _, h := range c.headers {
		r.Header.Set(h[0], h[1])
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	if w.Code != http.StatusOK && !c.showHead {
		t.Fatalf("%s\nstatus %d, want 200: %s", c.text, w.Code, w.Body)
	}
	return w
}
