package app

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"
)

// An uploadFile is a file of a multipart request.
type uploadFile struct {
	Path string `json:"path"` // in the operation, such as "variables.mp3"
	Name string `json:"name"`
	Type string `json:"type"`
	Head string `json:"head"` // the first bytes; the rest is zeros
	Size int    `json:"size"`
}

func (f uploadFile) content() []byte {
	return append([]byte(f.Head), make([]byte, max(0, f.Size-len(f.Head)))...)
}

// multipartRequest returns a GraphQL multipart request with files in the given order.
func multipartRequest(t testing.TB, query string, variables map[string]any, files ...uploadFile) *http.Request {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	fileMap := map[string][]string{}
	for i, f := range files {
		fileMap[strconv.Itoa(i)] = []string{f.Path}
	}
	for _, field := range []struct {
		name  string
		value any
	}{{"operations", map[string]any{"query": query, "variables": variables}}, {"map", fileMap}} {
		text, err := json.Marshal(field.value)
		if err != nil {
			t.Fatal(err)
		}
		if err := form.WriteField(field.name, string(text)); err != nil {
			t.Fatal(err)
		}
	}
	for i, f := range files {
		part, err := form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {fmt.Sprintf(`form-data; name="%d"; filename="%s"`, i, f.Name)}, "Content-Type": {f.Type},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(f.content()); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/graphql", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("X-Requested-With", "test")
	return r
}

const uploadBoundary = "----------------------------f1e2d3c4b5a6"

func formField(name, value string) string {
	return "--" + uploadBoundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
}

func formFile(name, filename, kind string) string {
	return "--" + uploadBoundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"" + filename + "\"\r\nContent-Type: " + kind + "\r\n\r\n"
}

const (
	formEnd        = "\r\n--" + uploadBoundary + "--\r\n"
	mp3Head        = "ID3\x03\x00"
	jpegHead       = "\xff\xd8\xff\xe0\x00\x10JFIF"
	uploadMutation = `mutation($input: UploadCloudcastInput!) { uploadCloudcast(input: $input) { changed message cloudcast { key name } userErrors { field code message } } }`
)

// uploadHead returns the form of an upload before its files. Files are the members of the input that are files.
func uploadHead(t testing.TB, input map[string]any, files ...string) string {
	t.Helper()
	full := map[string]any{"name": "On the water"}
	fileMap := map[string][]string{}
	for _, f := range files {
		full[f] = nil
		fileMap[f] = []string{"variables.input." + f}
	}
	maps.Copy(full, input)
	operations, err := json.Marshal(map[string]any{"query": uploadMutation, "variables": map[string]any{"input": full}})
	if err != nil {
		t.Fatal(err)
	}
	mapText, err := json.Marshal(fileMap)
	if err != nil {
		t.Fatal(err)
	}
	return formField("operations", string(operations)) + formField("map", string(mapText))
}

// A rawUpload is an upload request that the test sends byte by byte.
type rawUpload struct {
	conn    net.Conn
	in      *bufio.Reader
	chunked bool
}

// startUpload sends the headers of a request over a new connection. A length of -1 means a chunked body.
func (s *testServer) startUpload(t testing.TB, length int64, headers ...string) *rawUpload {
	t.Helper()
	address := strings.TrimPrefix(s.url, "http://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	u := &rawUpload{conn, bufio.NewReader(conn), length < 0}
	size := "Transfer-Encoding: chunked"
	if length >= 0 {
		size = fmt.Sprintf("Content-Length: %d", length)
	}
	head := append([]string{
		"POST /graphql HTTP/1.1", "Host: " + address, "Content-Type: multipart/form-data; boundary=" + uploadBoundary,
		"Accept: application/graphql-response+json", "Authorization: Bearer demo-token", "X-Requested-With: test", size,
	}, headers...)
	if _, err := io.WriteString(conn, strings.Join(head, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return u
}

// send sends pieces of the body.
func (u *rawUpload) send(pieces ...string) error {
	for _, p := range pieces {
		if u.chunked && p != "" {
			p = fmt.Sprintf("%x\r\n%s\r\n", len(p), p)
		}
		if _, err := io.WriteString(u.conn, p); err != nil {
			return err
		}
	}
	return nil
}

// finish ends the body and returns the response.
func (u *rawUpload) finish(t testing.TB) (status int, body string) {
	t.Helper()
	if u.chunked {
		if _, err := io.WriteString(u.conn, "0\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	return u.readResponse(t)
}

func (u *rawUpload) readResponse(t testing.TB) (status int, body string) {
	t.Helper()
	resp, err := http.ReadResponse(u.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// handleUploads makes f handle the upload requests to Mixcloud instead of the emulator.
func (s *testServer) handleUploads(f http.HandlerFunc) { s.uploads.handler.Store(&f) }

func sha256Hex(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}
