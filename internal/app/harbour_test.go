package app

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// A harbour is a server on a socket over an emulated Mixcloud on another.
type harbour struct {
	mixcloud *emulator.Emulator
	address  string
	took     atomic.Pointer[http.HandlerFunc] // answers uploads instead of the emulator, unless nil
	uploads  atomic.Int64                     // requests for one
}

// newHarbour makes one over the world that all read, which no upload may enter.
func newHarbour(t testing.TB) *harbour { return newHarbourOver(t, seeded()) }

func newHarbourOver(t testing.TB, w *world.World) *harbour {
	t.Helper()
	h := new(harbour)
	var err error
	if h.mixcloud, err = emulator.New(emulator.WithWorld(w)); err != nil {
		t.Fatal(err)
	}
	mixcloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/upload/") {
			h.uploads.Add(1)
			if own := h.took.Load(); own != nil {
				(*own)(w, r)
				return
			}
		}
		h.mixcloud.ServeHTTP(w, r)
	}))
	t.Cleanup(mixcloud.Close)
	a, err := New(config.Serve{
		APIURL: mixcloud.URL, SiteURL: mixcloud.URL + "/www", OEmbedURL: mixcloud.URL + "/www/oembed/",
		RequestTimeout: 10 * time.Second, DrainTimeout: 10 * time.Second,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	h.address = ln.Addr().String()
	return h
}

// instead has uploads answered by f.
func (h *harbour) instead(f http.HandlerFunc) { h.took.Store(&f) }

const uploadBoundary = "----------------------------f1e2d3c4b5a6"

func formField(name, value string) string {
	return "--" + uploadBoundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
}

func formFile(name, filename, kind string) string {
	return "--" + uploadBoundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"" + filename + "\"\r\nContent-Type: " + kind + "\r\n\r\n"
}

const (
	formEnd   = "\r\n--" + uploadBoundary + "--\r\n"
	mp3Head   = "ID3\x03\x00"
	jpegHead  = "\xff\xd8\xff\xe0\x00\x10JFIF"
	uploading = `mutation($input: UploadCloudcastInput!) { uploadCloudcast(input: $input) { changed message cloudcast { key name } userErrors { field code message } } }`
)

// uploadHead is the form of an upload up to its files: as many as are named.
func uploadHead(t testing.TB, input map[string]any, files ...string) string {
	t.Helper()
	full := map[string]any{"name": "On the water"}
	places := map[string][]string{}
	for _, f := range files {
		full[f] = nil
		places[f] = []string{"variables.input." + f}
	}
	maps.Copy(full, input)
	operations, err := json.Marshal(map[string]any{"query": uploading, "variables": map[string]any{"input": full}})
	if err != nil {
		t.Fatal(err)
	}
	placed, err := json.Marshal(places)
	if err != nil {
		t.Fatal(err)
	}
	return formField("operations", string(operations)) + formField("map", string(placed))
}

// A cargo is an upload that the test sends as it likes.
type cargo struct {
	conn    net.Conn
	in      *bufio.Reader
	chunked bool
}

// board begins a request; length -1 is chunked.
func (h *harbour) board(t testing.TB, length int64, headers ...string) *cargo {
	t.Helper()
	conn, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	c := &cargo{conn, bufio.NewReader(conn), length < 0}
	size := "Transfer-Encoding: chunked"
	if length >= 0 {
		size = fmt.Sprintf("Content-Length: %d", length)
	}
	head := append([]string{
		"POST /graphql HTTP/1.1", "Host: " + h.address, "Content-Type: multipart/form-data; boundary=" + uploadBoundary,
		"Accept: application/graphql-response+json", "Authorization: Bearer demo-token", "X-Requested-With: test", size,
	}, headers...)
	if _, err := io.WriteString(conn, strings.Join(head, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return c
}

// load sends pieces of the body; an error is the caller's to judge.
func (c *cargo) load(pieces ...string) error {
	for _, p := range pieces {
		if c.chunked && p != "" {
			p = fmt.Sprintf("%x\r\n%s\r\n", len(p), p)
		}
		if _, err := io.WriteString(c.conn, p); err != nil {
			return err
		}
	}
	return nil
}

// end ends the body and gives the answer.
func (c *cargo) end(t testing.TB) (status int, body string) {
	t.Helper()
	if c.chunked {
		if _, err := io.WriteString(c.conn, "0\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	return c.answer(t)
}

func (c *cargo) answer(t testing.TB) (status int, body string) {
	t.Helper()
	resp, err := http.ReadResponse(c.in, nil)
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

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}
