package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mixcloud-graphql/internal/show"
)

// An upload with a picture reaches Mixcloud unchanged, with either file first, chunked and with a length.
func TestStream(t *testing.T) {
	t.Parallel()
	h := newTestServer(t, serverOptions{listen: true, writable: true})
	mp3 := mp3Head + strings.Repeat("sound\r\n--", 200_000)
	picture := jpegHead + strings.Repeat("picture", 10_000)
	audio := formFile("mp3", `wave \"x\".mp3`, "audio/mpeg") + mp3
	cover := formFile("picture", "cover.jpg", "image/jpeg") + picture
	for name, files := range map[string]string{"picture last": audio + "\r\n" + cover, "picture first": cover + "\r\n" + audio} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, chunked %v", name, chunked), func(t *testing.T) {
				body := uploadHead(t, map[string]any{"tags": []string{"funk"}}, "mp3", "picture") + files + formEnd
				length := int64(len(body))
				if chunked {
					length = -1
				}
				c := h.startUpload(t, length)
				if err := c.send(body[:70_000], body[70_000:]); err != nil {
					t.Fatal(err)
				}
				status, response := c.finish(t)
				if status != 200 || !strings.Contains(response, `"changed":true`) || !strings.Contains(response, `"name":"On the water"`) {
					t.Fatalf("status = %d, want 200 with changed and the name: %s", status, response)
				}
				all := h.emulator.Uploads()
				last := all[len(all)-1]
				if last.Bytes != int64(len(mp3)) || last.SHA256 != sha256Hex(mp3) {
					t.Errorf("Mixcloud received %d bytes with hash %s, want %d with hash %s", last.Bytes, last.SHA256, len(mp3), sha256Hex(mp3))
				}
			})
		}
	}
}

// An invalid upload is refused with the reason, and Mixcloud stores nothing.
func TestStream_Refused(t *testing.T) {
	t.Parallel()
	audio := formFile("mp3", "x.mp3", "audio/mpeg")
	sound := mp3Head + strings.Repeat("x", 100_000)
	tests := map[string]struct {
		input  map[string]any
		files  []string
		body   string
		length int64 // added to the length of the body; chunked if negative
		status int
		want   string
		begun  int64 // the maximum number of upload requests that Mixcloud receives
	}{
		"an invalid name, no file":      {map[string]any{"name": " "}, []string{"mp3"}, audio, 1 << 30, 200, `"field":["name"]`, 0},
		"declared as too large":         {nil, []string{"mp3"}, audio + sound, 5 << 30, 200, `"code":"TOO_LARGE"`, 0},
		"text instead of audio":         {nil, []string{"mp3"}, audio + "<!DOCTYPE html>" + sound, 1 << 30, 200, `text/html`, 1},
		"an image instead of audio":     {nil, []string{"mp3"}, audio + jpegHead + sound, 1 << 30, 200, `image/jpeg`, 1},
		"a picture above 10 MiB":        {nil, []string{"mp3", "picture"}, audio + sound + "\r\n" + formFile("picture", "p.jpg", "image/jpeg") + jpegHead + strings.Repeat("x", 10<<20+1000), 1 << 30, 200, `"field":["picture"],"code":"TOO_LARGE"`, 1},
		"an empty file":                 {nil, []string{"mp3"}, audio + formEnd, 0, 400, "is empty", 1},
		"without the picture":           {nil, []string{"mp3", "picture"}, audio + sound + formEnd, -1, 400, `without the file \"picture\" of its \"map\"`, 1},
		"a file not in the map":         {nil, []string{"mp3"}, audio + sound + "\r\n" + formFile("more", "p", "image/jpeg") + "x" + formEnd, 0, 400, `not in its \"map\": \"more\"`, 1},
		"a file twice":                  {nil, []string{"mp3"}, audio + sound + "\r\n" + audio + sound + formEnd, -1, 400, `duplicate part`, 1},
		"without the closing boundary":  {nil, []string{"mp3"}, audio + sound, 0, 400, "is incomplete", 1},
		"chunked, without the boundary": {nil, []string{"mp3"}, audio + sound, -1, 400, "is incomplete", 1},
		"nothing after the map":         {nil, []string{"mp3"}, "", -1, 400, "is incomplete", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newTestServer(t, serverOptions{listen: true})
			body := uploadHead(t, tt.input, tt.files...) + tt.body
			length := int64(len(body)) + tt.length
			if tt.length < 0 {
				length = -1
			}
			c := h.startUpload(t, length)
			if err := c.send(body); err != nil {
				t.Log(err) // the server may have responded and closed the connection
			}
			response := c.readResponse
			if tt.length < 0 {
				response = c.finish
			}
			status, text := response(t)
			if status != tt.status || !strings.Contains(text, tt.want) {
				t.Errorf("status = %d, want %d and %s: %s", status, tt.status, tt.want, text)
			}
			if got := h.uploads.count.Load(); got > tt.begun {
				t.Errorf("Mixcloud received %d upload requests, want at most %d", got, tt.begun)
			}
			if stored := h.emulator.Uploads(); len(stored) != 0 {
				t.Errorf("Mixcloud stored %v, want nothing", show.Value(stored))
			}
		})
	}
}

// An uploadSink receives an upload instead of the emulator.
type uploadSink struct {
	bytes       atomic.Int64
	fileStarted chan struct{} // closed when the first bytes of a file have arrived
	ended       chan error    // receives nil for a complete body, or the error
}

// acceptUploads replaces the upload endpoint of the emulator. The new one reads and accepts uploads
// without storing them.
func (h *testServer) acceptUploads() *uploadSink {
	in := &uploadSink{fileStarted: make(chan struct{}), ended: make(chan error, 1)}
	h.handleUploads(func(w http.ResponseWriter, r *http.Request) {
		buf := make([]byte, 256<<10)
		var start []byte
		for {
			n, err := r.Body.Read(buf)
			before := in.bytes.Add(int64(n)) - int64(n)
			if before < 8<<10 {
				if start = append(start, buf[:min(n, 8<<10)]...); bytes.Contains(start, []byte("ID3")) {
					select {
					case <-in.fileStarted:
					default:
						close(in.fileStarted)
					}
				}
			}
			if err != nil {
				if errors.Is(err, io.EOF) {
					err = nil
				}
				in.ended <- err
				_, _ = io.WriteString(w, `{"result":{"success":true,"message":"Taken","key":"/demo/on-the-water/"}}`)
				return
			}
		}
	})
	return in
}

// The server forwards the first bytes of a file as soon as the client has sent them.
func TestStream_ForwardsAtOnce(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{1 << 30, -1} {
		h := newTestServer(t, serverOptions{listen: true})
		in := h.acceptUploads()
		c := h.startUpload(t, length)
		if err := c.send(uploadHead(t, nil, "mp3"), formFile("mp3", "x.mp3", "audio/mpeg"), mp3Head+strings.Repeat("x", 1000)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-in.fileStarted:
		case <-time.After(2 * time.Minute):
			t.Fatal("Mixcloud received no bytes of the file within 2 minutes")
		}
		_ = c.conn.Close()
		if err := <-in.ended; err == nil {
			t.Error("Mixcloud received a complete body, want an aborted one")
		}
	}
}

// If the client disconnects during the file, the upload to Mixcloud is aborted.
func TestStream_ClientDisconnects(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{1 << 30, -1} {
		h := newTestServer(t, serverOptions{listen: true})
		in := h.acceptUploads()
		c := h.startUpload(t, length)
		if err := c.send(uploadHead(t, nil, "mp3"), formFile("mp3", "x.mp3", "audio/mpeg"), mp3Head+strings.Repeat("x", 3<<20)); err != nil {
			t.Fatal(err)
		}
		<-in.fileStarted
		_ = c.conn.Close()
		select {
		case err := <-in.ended:
			if err == nil {
				t.Error("Mixcloud received a complete body, want an aborted one")
			}
		case <-time.After(2 * time.Minute):
			t.Fatal("upload was not aborted within 2 minutes")
		}
	}
}

// If the client disconnects while Mixcloud processes the upload, the call is canceled.
func TestStream_ClientDisconnectsAfterTheFile(t *testing.T) {
	t.Parallel()
	h := newTestServer(t, serverOptions{listen: true})
	complete, canceled := make(chan struct{}), make(chan struct{})
	h.handleUploads(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(complete)
		<-r.Context().Done()
		close(canceled)
	})
	c := h.startUpload(t, -1)
	if err := c.send(uploadHead(t, nil, "mp3"), formFile("mp3", "x.mp3", "audio/mpeg"), mp3Head, formEnd); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c.conn, "0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-complete
	_ = c.conn.Close()
	select {
	case <-canceled:
	case <-time.After(2 * time.Minute):
		t.Fatal("call was not canceled within 2 minutes")
	}
}

// If Mixcloud refuses an upload before it has read the file, the client gets the refusal at once, while it is still sending.
func TestStream_RefusedEarly(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{1 << 30, -1} {
		h := newTestServer(t, serverOptions{listen: true})
		h.handleUploads(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"error":{"type":"RateLimitException","message":"You have hit your rate limit."}}`)
		})
		c := h.startUpload(t, length)
		sent := make(chan int, 1)
		go func() {
			n := 0
			if c.send(uploadHead(t, nil, "mp3"), formFile("mp3", "x.mp3", "audio/mpeg"), mp3Head) == nil {
				for n < 1<<10 && c.send(strings.Repeat("x", 1<<20)) == nil {
					n++
				}
			}
			sent <- n
		}()
		status, text := c.readResponse(t)
		if status != 200 || !strings.Contains(text, "RATE_LIMITED") || !strings.Contains(text, `"retryAfterMs":7000`) {
			t.Errorf("status = %d, want 200 with RATE_LIMITED and the wait: %s", status, text)
		}
		_ = c.conn.Close()
		if n := <-sent; n > 100 {
			t.Errorf("server read %d MiB of a refused upload, want at most 100", n)
		}
	}
}

// If Mixcloud stops reading, the server stops reading from the client.
func TestStream_BackPressure(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{1 << 30, -1} {
		h := newTestServer(t, serverOptions{listen: true})
		started, end := make(chan struct{}), make(chan struct{})
		h.handleUploads(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, 1000)
			close(started)
			<-end
		})
		c := h.startUpload(t, length)
		if err := c.send(uploadHead(t, nil, "mp3"), formFile("mp3", "x.mp3", "audio/mpeg"), mp3Head); err != nil {
			t.Fatal(err)
		}
		piece := strings.Repeat("x", 64<<10)
		sent := 0
		for sent < 64<<20 {
			if err := c.conn.SetWriteDeadline(time.Now().Add(700 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			if c.send(piece) != nil {
				break
			}
			sent += len(piece)
		}
		<-started
		if sent > 8<<20 {
			t.Errorf("server read %d bytes, want at most 8 MiB", sent)
		}
		close(end)
		_ = c.conn.Close()
	}
}

// A large upload needs no more memory than a small one, and no temporary file.
func TestStream_Memory(t *testing.T) { // not parallel: it measures the allocations of the process
	t.Setenv("TMPDIR", "/dev/null/tmp")               // makes it impossible to create temporary files
	if f, err := os.CreateTemp("", "x"); err == nil { //nolint:usetesting // the directory that the server would use
		_ = f.Close()
		t.Fatal("created a temporary file, want an error")
	}
	h := newTestServer(t, serverOptions{listen: true})
	in := h.acceptUploads()
	piece := bytes.Repeat([]byte("x"), 256<<10)
	send := func(pieces int) {
		head := uploadHead(t, nil, "mp3") + formFile("mp3", "x.mp3", "audio/mpeg") + mp3Head
		c := h.startUpload(t, int64(len(head)+pieces*len(piece)+len(formEnd)))
		if err := c.send(head); err != nil {
			t.Fatal(err)
		}
		for range pieces {
			if _, err := c.conn.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.send(formEnd); err != nil {
			t.Fatal(err)
		}
		if status, text := c.finish(t); status != 200 || !strings.Contains(text, "Taken") {
			t.Fatalf("status = %d, want 200: %s", status, text)
		}
		if err := <-in.ended; err != nil {
			t.Fatal(err)
		}
	}
	send(4)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	send(1024)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
		t.Errorf("allocated %d MiB for an upload of 256 MiB, want at most 16", grown>>20)
	}
}
