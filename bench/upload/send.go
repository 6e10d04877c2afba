package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const boundary = "----------------------------bench5f3a9c2e71d8"

// A form is a multipart upload, to the server or directly to Mixcloud.
type form struct {
	address string // host and port
	head    string // of the request, without the header of its length
	before  string // the body before the file's content
}

// toServer returns an upload according to the GraphQL multipart request specification.
func toServer(base, name string) (form, error) {
	operations, err := json.Marshal(map[string]any{
		"query":     `mutation($input: UploadCloudcastInput!) { uploadCloudcast(input: $input) { changed userErrors { message } } }`,
		"variables": map[string]any{"input": map[string]any{"name": name, "mp3": nil}},
	})
	if err != nil {
		return form{}, err
	}
	return newForm(base, "/graphql", []string{"Authorization: Bearer demo-token", "GraphQL-Require-Preflight: 1"},
		field("operations", string(operations))+field("map", `{"0":["variables.input.mp3"]}`)+fileHead("0"))
}

// toMixcloud returns an upload in Mixcloud's form.
func toMixcloud(base, name string) (form, error) {
	return newForm(base, "/upload/?access_token=demo-token", nil, field("name", name)+fileHead("mp3"))
}

func newForm(base, path string, headers []string, before string) (form, error) {
	u, err := url.Parse(base)
	if err != nil {
		return form{}, err
	}
	headers = append([]string{
		"POST " + path + " HTTP/1.1", "Host: " + u.Host, "Content-Type: multipart/form-data; boundary=" + boundary,
		"Accept: application/json",
	}, headers...)
	return form{u.Host, strings.Join(headers, "\r\n") + "\r\n", before}, nil
}

func field(name, value string) string {
	return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
}

func fileHead(name string) string {
	return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"bench.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n"
}

const closing = "\r\n--" + boundary + "--\r\n"

// content is the content of the files, repeated.
var content = func() []byte {
	b := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b) // never fails
	copy(b, "ID3")
	return b
}()

const (
	writeSize = 256 << 10 // of a request with a Content-Length
	chunkSize = 64 << 10  // of a chunked request
)

// An uploadStream is an upload in flight.
type uploadStream struct {
	conn    net.Conn
	chunked bool
	sent    atomic.Int64 // bytes of the file
}

// open starts an upload of a file with a number of bytes, and sends everything before the file.
func (f form) open(ctx context.Context, bytes int64, chunked bool) (*uploadStream, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", f.address)
	if err != nil {
		return nil, err
	}
	s := &uploadStream{conn: conn, chunked: chunked}
	head := f.head
	if chunked {
		head += "Transfer-Encoding: chunked\r\n\r\n"
	} else {
		head += fmt.Sprintf("Content-Length: %d\r\n\r\n", int64(len(f.before)+len(closing))+bytes)
	}
	if _, err = io.WriteString(conn, head); err == nil {
		err = s.write([]byte(f.before))
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

// write writes a part of the body.
func (s *uploadStream) write(p []byte) error {
	if !s.chunked {
		_, err := s.conn.Write(p)
		return err
	}
	pieces := net.Buffers{fmt.Appendf(nil, "%x\r\n", len(p)), p, []byte("\r\n")}
	_, err := pieces.WriteTo(s.conn)
	return err
}

// push sends a number of bytes of the file.
func (s *uploadStream) push(bytes int64) error {
	piece := int64(writeSize)
	if s.chunked {
		piece = chunkSize
	}
	for bytes > 0 {
		at := s.sent.Load() % int64(len(content))
		n := min(bytes, piece, int64(len(content))-at)
		if err := s.write(content[at : at+n]); err != nil {
			return err
		}
		s.sent.Add(n)
		bytes -= n
	}
	return nil
}

// finish sends the end of the body and reads the response, which must report success.
func (s *uploadStream) finish() error {
	defer s.conn.Close()
	err := s.write([]byte(closing))
	if s.chunked && err == nil {
		_, err = io.WriteString(s.conn, "0\r\n\r\n")
	}
	if err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(s.conn), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return err
	}
	var response struct {
		Data   struct{ UploadCloudcast struct{ Changed bool } } // of the server
		Result struct{ Success bool }                           // of Mixcloud
	}
	if err := json.Unmarshal(text, &response); err != nil || !response.Data.UploadCloudcast.Changed && !response.Result.Success {
		return fmt.Errorf("the upload failed with status %s: %s", resp.Status, text)
	}
	return nil
}

// send makes a whole upload, and returns its duration.
func (f form) send(ctx context.Context, bytes int64, chunked bool) (time.Duration, error) {
	began := time.Now()
	s, err := f.open(ctx, bytes, chunked)
	if err != nil {
		return 0, err
	}
	stop := context.AfterFunc(ctx, func() { _ = s.conn.Close() })
	defer stop()
	if err := s.push(bytes); err != nil {
		_ = s.conn.Close()
		return 0, err
	}
	err = s.finish()
	return time.Since(began), err
}
