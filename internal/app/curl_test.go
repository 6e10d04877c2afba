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

// A curl is a command of the README, as far as it uses that program.
type curl struct {
	text    string
	url     *url.URL
	headers [][2]string
	data    string
	form    [][2]string
}

// newCurl reads a command's words. Any that it does not know is an error, so
// that nothing of the README goes untested.
func newCurl(t *testing.T, words []string) *curl {
	t.Helper()
	c := &curl{text: "curl " + strings.Join(words, " ")}
	for ; len(words) > 0; words = words[1:] {
		switch words[0] {
		case "-s", "-sN":
			continue
		case "-H", "-d", "-F":
			if len(words) < 2 {
				t.Fatalf("%s: nothing follows %s", c.text, words[0])
			}
		default:
			address, err := url.Parse(words[0])
			if c.url != nil || err != nil || address.Scheme != "http" {
				t.Fatalf("%s: nobody knows what %q does", c.text, words[0])
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
		}
	}
	return c
}

// send does what the command does, to a server at whatever address. Files gives
// the sizes of files, whose content is nothing.
func (c *curl) send(t *testing.T, server http.Handler, files map[string]int) []byte {
	t.Helper()
	body, kind := bytes.NewBufferString(c.data), "application/x-www-form-urlencoded"
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
				t.Fatalf("%s: no command makes %s", c.text, name)
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
	method := http.MethodGet
	if body.Len() > 0 {
		method = http.MethodPost
	}
	r := httptest.NewRequestWithContext(t.Context(), method, c.url.RequestURI(), body)
	r.Host, r.RemoteAddr = c.url.Host, "127.0.0.1:1"
	r.Header.Set("Accept", "*/*")
	r.Header.Set("Content-Type", kind)
	for _, h := range c.headers {
		r.Header.Set(h[0], h[1])
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s\nstatus %d: %s", c.text, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

// shellWords splits a command as a shell does: blanks separate words, and
// nothing counts within single quotes.
func shellWords(t *testing.T, line string) []string {
	t.Helper()
	var words []string
	var word strings.Builder
	begun, quoted := false, false
	for _, r := range line {
		switch {
		case r == '\'':
			quoted, begun = !quoted, true
		case quoted:
			word.WriteRune(r)
		case r == ' ', r == '\n':
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quoted {
		t.Fatalf("an open quote: %s", line)
	}
	return words
}
