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
					t.Fatalf("%d %s", status, response)
				}
				all := h.emulator.Uploads()
				last := all[len(all)-1]
				if last.Bytes != int64(len(mp3)) || last.SHA256 != sha256Hex(mp3) {
					t.Errorf("%d bytes arrived, of %d", last.Bytes, len(mp3))
				}
			})
		}
	}
}

// A refusal is sent with its reason, and Mixcloud has received nothing.
func TestStream_refused(t *testing.T) {
	t.Parallel()
	audio := formFile("mp3", "x.mp3", "audio/mpeg")
	sound := mp3Head + strings.Repeat("x", 100_000)
	tests := map[string]struct {
		input  map[string]any
		files  []string
		body   string
		length int64 // above that of the body; chunked if negative
		status int
		want   string
		asked  int64 // upload requests that Mixcloud saw begin
	}{
		"a bad field, no file sent":     {map[string]any{"name": " "}, []string{"mp3"}, audio, 1 << 30, 200, `"field":["name"]`, 0},
		"too long, as declared":         {nil, []string{"mp3"}, audio + sound, 5 << 30, 200, `"code":"TOO_LARGE"`, 0},
		"text for a sound":              {nil, []string{"mp3"}, audio + "<!DOCTYPE html>" + sound, 1 << 30, 200, `text/html`, 1},
		"a picture for a sound":         {nil, []string{"mp3"}, audio + jpegHead + sound, 1 << 30, 200, `image/jpeg`, 1},
		"a picture above 10 MiB":        {nil, []string{"mp3", "picture"}, audio + sound + "\r\n" + formFile("picture", "p.jpg", "image/jpeg") + jpegHead + strings.Repeat("x", 10<<20+1000), 1 << 30, 200, `"field":["picture"],"code":"TOO_LARGE"`, 1},
		"an empty file":                 {nil, []string{"mp3"}, audio + formEnd, 0, 400, "is empty", 1},
		"the picture is missing":        {nil, []string{"mp3", "picture"}, audio + sound + formEnd, -1, 400, `without the file \"picture\" of its \"map\"`, 1},
		"a file not in the map":         {nil, []string{"mp3"}, audio + sound + "\r\n" + formFile("more", "p", "image/jpeg") + "x" + formEnd, 0, 400, `not in its \"map\": \"more\"`, 1},
		"a file twice":                  {nil, []string{"mp3"}, audio + sound + "\r\n" + audio + sound + formEnd, -1, 400, `duplicate part`, 1},
		"an end without its boundary":   {nil, []string{"mp3"}, audio + sound, 0, 400, "is incomplete", 1},
		"a chunked one without its end": {nil, []string{"mp3"}, audio + sound, -1, 400, "is incomplete", 1},
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
				t.Log(err) // the response may have arrived already
			}
			response := c.readResponse
			if tt.length < 0 {
				response = c.finish
			}
			status, text := response(t)
			if status != tt.status || !strings.Contains(text, tt.want) {
				t.Errorf("%d %s, want %d %s", status, text, tt.status, tt.want)
			}
			if asked := h.uploads.count.Load(); asked > tt.asked {
				t.Errorf("Mixcloud was asked %d times", asked)
			}
			if taken := h.emulator.Uploads(); len(taken) != 0 {
				t.Errorf("Mixcloud has taken %v", show.Value(taken))
			}
		})
	}
}

// received is an upload as Mixcloud gets it: what has come so far, and how it
// ended.
type received struct {
	bytes atomic.Int64
	some  chan struct{} // closed when some of a file is there
	ended chan error
}

// swallow reads an upload as fast as it arrives and reports that it was accepted.
func (h *testServer) swallow() *received {
	in := &received{some: make(chan struct{}), ended: make(chan error, 1)}
	h.handleUploads(func(w http.ResponseWriter, r *http.Request) {
		buf := make([]byte, 256<<10)
		var seen []byte
		for {
			n, err := r.Body.Read(buf)
			before := in.bytes.Add(int64(n)) - int64(n)
			if before < 8<<10 {
				if seen = append(seen, buf[:min(n, 8<<10)]...); bytes.Contains(seen, []byte("ID3")) {
					select {
					case <-in.some:
					default:
						close(in.some)
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

// The first bytes of a file are on Mixcloud's side while the client has sent
// hardly more than them.
func TestStream_firstByte(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{1 << 30, -1} {
		h := newTestServer(t, serverOptions{listen: true})
		in := h.swallow()
		c := h.startUpload(t, length)
		if err := c.send(uploadHead(t, nil, "mp3"), formFile("mp3", "x.mp3", "audio/mpeg"), mp3Head+strings.Repeat("x", 1000)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-in.some:
		case <-time.After(2 * time.Minute):
			t.Fatal("nothing has arrived")
		}
		_ = c.conn.Close()
		if err := <-in.ended; err == nil {
			t.Error("Mixcloud takes the upload for whole")
		}
	}
}

// A client that goes away in the middle takes the upload with it.
func TestStream_clientLeaves(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{1 << 30, -1} {
		h := newTestServer(t, serverOptions{listen: true})
		in := h.swallow()
		c := h.startUpload(t, length)
		if err := c.send(uploadHead(t, nil, "mp3"), formFile("mp3", "x.mp3", "audio/mpeg"), mp3Head+strings.Repeat("x", 3<<20)); err != nil {
			t.Fatal(err)
		}
		<-in.some
		_ = c.conn.Close()
		select {
		case err := <-in.ended:
			if err == nil {
				t.Error("Mixcloud takes the upload for whole")
			}
		case <-time.After(2 * time.Minute):
			t.Fatal("the upload goes on without its client")
		}
	}
}

// A client that goes away while Mixcloud thinks ends the waiting.
func TestStream_clientLeavesAtTheEnd(t *testing.T) {
	t.Parallel()
	h := newTestServer(t, serverOptions{listen: true})
	whole, gone := make(chan struct{}), make(chan struct{})
	h.handleUploads(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(whole)
		<-r.Context().Done()
		close(gone)
	})
	c := h.startUpload(t, -1)
	if err := c.send(uploadHead(t, nil, "mp3"), formFile("mp3", "x.mp3", "audio/mpeg"), mp3Head, formEnd); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c.conn, "0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-whole
	_ = c.conn.Close()
	select {
	case <-gone:
	case <-time.After(2 * time.Minute):
		t.Fatal("the upload waits on without its client")
	}
}

// A refusal that Mixcloud sends before it has read the files is passed on at
// once, be the client still sending or not.
func TestStream_refusedEarly(t *testing.T) {
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
			t.Errorf("%d %s", status, text)
		}
		_ = c.conn.Close()
		if n := <-sent; n > 100 {
			t.Errorf("%d MiB were taken of an upload that was refused", n)
		}
	}
}

// With a Mixcloud that has stopped reading, the client cannot send on and on.
func TestStream_backPressure(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{1 << 30, -1} {
		h := newTestServer(t, serverOptions{listen: true})
		begun, end := make(chan struct{}), make(chan struct{})
		h.handleUploads(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, 1000)
			close(begun)
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
		<-begun
		if sent > 8<<20 {
			t.Errorf("%d bytes are on their way", sent)
		}
		close(end)
		_ = c.conn.Close()
	}
}

// A large upload takes the memory of a small one, and no file.
func TestStream_memory(t *testing.T) { // not parallel: it counts what the process allocates
	t.Setenv("TMPDIR", "/dev/null/tmp")               // no file can be created there
	if f, err := os.CreateTemp("", "x"); err == nil { //nolint:usetesting // where the server would make one
		_ = f.Close()
		t.Fatal("a temporary file can be made")
	}
	h := newTestServer(t, serverOptions{listen: true})
	in := h.swallow()
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
			t.Fatalf("%d %s", status, text)
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
		t.Errorf("%d MiB were allocated for 256", grown>>20)
	}
}
