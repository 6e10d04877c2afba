package emulator_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/mixcloud/emulator"
)

// TestUpload_active checks that an upload in progress is listed from its first byte on.
func TestUpload_active(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	srv := httptest.NewServer(e)
	defer srv.Close()
	contentType, head, tail := formAround(t, "name=Watched")
	body, w := io.Pipe()
	done := make(chan int)
	go func() {
		res, err := srv.Client().Post(srv.URL+"/upload/?access_token="+pro, contentType, body)
		if err != nil {
			done <- 0
			return
		}
		res.Body.Close()
		done <- res.StatusCode
	}()
	sent := 0
	for _, piece := range []string{head, "a", strings.Repeat("b", 1000), tail[:3]} {
		if _, err := io.WriteString(w, piece); err != nil {
			t.Fatal(err)
		}
		sent += len(piece)
		eventually(t, func() bool {
			return slices.Equal(e.ActiveUploads(), []emulator.ActiveUpload{{Path: "/upload/", Received: int64(sent)}})
		})
	}
	want := fmt.Sprintf("[\n  {\n    \"path\": \"/upload/\",\n    \"received\": %d\n  }\n]\n", sent)
	if got := writeControl(e, http.MethodGet, "uploads?active=1", "").Body.String(); got != want {
		t.Errorf("GET uploads?active=1 = %s, want %s", got, want)
	}
	if _, err := io.WriteString(w, tail[3:]); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if status := <-done; status != 200 || len(e.ActiveUploads()) != 0 {
		t.Errorf("upload: status %d, active uploads %v; want 200, none", status, e.ActiveUploads())
	}
	if got := writeControl(e, http.MethodGet, "uploads?active=1", "").Body.String(); got != "[]\n" {
		t.Errorf("GET uploads?active=1 = %s, want []", got)
	}
}

// TestUpload_readRate checks that ReadRate limits the bytes read per second, and can be
// changed during an upload.
func TestUpload_readRate(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	synctest.Test(t, func(t *testing.T) {
		contentType, head, tail := formAround(t, "name=Slow")
		const size = 1 << 20
		upload := func() (time.Duration, int) {
			began := time.Now()
			body := io.MultiReader(strings.NewReader(head), io.LimitReader(zeros{}, size), strings.NewReader(tail))
			return time.Since(began), send(e, http.MethodPost, "/upload/", pro, contentType, body).Code
		}
		timed := func() time.Duration {
			began := time.Now()
			if _, status := upload(); status != 200 {
				t.Errorf("POST /upload/: status %d, want 200", status)
			}
			return time.Since(began)
		}
		if err := e.Set(emulator.Settings{ReadRate: size / 8}); err != nil {
			t.Fatal(err)
		}
		if took := timed(); took < 7800*time.Millisecond || took > 8200*time.Millisecond {
			t.Errorf("an upload of 8 times the read rate took %v, want about 8s", took)
		}
		time.AfterFunc(3*time.Second, func() {
			if r := e.ActiveUploads()[0].Received; r < size/4 || r > size/2 {
				t.Errorf("%d of %d bytes were received after 3 of 8 seconds, want 1/4 to 1/2", r, size)
			}
			_ = e.Set(emulator.Settings{ReadRate: size})
		})
		if took := timed(); took < 3500*time.Millisecond || took > 3800*time.Millisecond {
			t.Errorf("an upload whose read rate was raised after 3s took %v, want 3.5s to 3.8s", took)
		}
		_ = e.Set(emulator.Settings{})
		if took := timed(); took != 0 {
			t.Errorf("an upload without a read rate took %v, want 0s", took)
		}
		_ = e.Set(emulator.Settings{ReadRate: 1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, host+"/upload/?access_token="+pro, strings.NewReader(head))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", contentType)
		if _, err := e.Transport().RoundTrip(req); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an upload with a timeout of 1s returned %v, want %v", err, context.DeadlineExceeded)
		}
		synctest.Wait()
		if n := len(e.ActiveUploads()); n != 0 {
			t.Errorf("%d uploads are active after the timeout, want 0", n)
		}
	})
}

// TestUpload_early checks that early faults and limits send the response before the
// body was read.
func TestUpload_early(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	srv := httptest.NewServer(e)
	defer srv.Close()
	contentType, head, _ := formAround(t, "name=Refused")
	for _, tt := range []struct {
		name   string
		fault  emulator.Fault
		limit  int
		length int64 // the Content-Length; 0 for a chunked body
		status int
		kind   string
	}{
		{"400", emulator.Fault{Kind: emulator.FaultEarly400}, 0, 0, 400, "text/javascript; charset=utf-8"},
		{"413", emulator.Fault{Kind: emulator.FaultEarly413}, 0, 1 << 20, 413, "text/html; charset=utf-8"},
		{"503", emulator.Fault{Kind: emulator.FaultEarly503, RetryAfter: 3 * time.Second}, 0, 0, 503, "text/html; charset=utf-8"},
		{"too large", emulator.Fault{}, 0, 4<<30 + 101<<20, 413, "text/html; charset=utf-8"},
		{"over the limit", emulator.Fault{}, 1, 0, 403, "text/javascript; charset=utf-8"},
	} {
		if err := e.Set(emulator.Settings{Limit: tt.limit}); err != nil {
			t.Fatal(err)
		}
		if tt.limit > 0 {
			get(t, e, "/no-such-user/") // the limit is reached
		}
		tt.fault.Times = 1
		if tt.fault.Kind != "" {
			if err := e.Fail(tt.fault); err != nil {
				t.Fatal(err)
			}
		}
		// The request is not sent by net/http, because it has only the start of the body.
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		length := "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n", len(head), head)
		if tt.length > 0 {
			length = fmt.Sprintf("Content-Length: %d\r\n\r\n%s", tt.length, head)
		}
		if _, err := io.WriteString(conn, "POST /upload/?access_token="+pro+" HTTP/1.1\r\nHost: x\r\nContent-Type: "+contentType+"\r\n"+length); err != nil {
			t.Fatal(err)
		}
		response, err := io.ReadAll(conn) // to the end of the connection
		conn.Close()
		if err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
		want := fmt.Sprintf("HTTP/1.1 %d", tt.status)
		if !bytes.HasPrefix(response, []byte(want)) || !bytes.Contains(response, []byte("Content-Type: "+tt.kind)) || !bytes.Contains(response, []byte("Connection: close")) {
			t.Errorf("%s: response %s; want %s, Content-Type: %s, Connection: close", tt.name, response, want, tt.kind)
		}
		if got := bytes.Contains(response, []byte("Retry-After: 3")); got != (tt.status == 503) {
			t.Errorf("%s: response has Retry-After: 3: %t, want %t", tt.name, got, tt.status == 503)
		}
		e.ClearFaults()
	}
	if err := e.Set(emulator.Settings{}); err != nil {
		t.Fatal(err)
	}
	// Other requests are not rejected early.
	if err := e.Fail(emulator.Fault{Kind: emulator.FaultEarly400}); err != nil {
		t.Fatal(err)
	}
	if w := get(t, e, "/demo/"); w.Code != 200 {
		t.Errorf("GET /demo/: status %d, want 200: the fault is for uploads only", w.Code)
	}
	if len(e.Uploads()) != 0 {
		t.Errorf("Uploads returned %d uploads, want 0", len(e.Uploads()))
	}
}

// TestUpload_reset checks that the connection is reset after the configured number of
// bytes.
func TestUpload_reset(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	srv := httptest.NewServer(e)
	defer srv.Close()
	contentType, head, _ := formAround(t, "name=Reset")
	for name, client := range map[string]*http.Client{"socket": srv.Client(), "transport": {Transport: e.Transport()}} {
		e.ClearFaults()
		if err := e.Fail(emulator.Fault{Kind: emulator.FaultUploadReset, Times: 1, After: 300_000}); err != nil {
			t.Fatal(err)
		}
		if w := send(e, http.MethodPost, "/spartacus/follow/", pro, "", nil); w.Code != 200 {
			t.Errorf("%s: POST follow: status %d, want 200: the fault is for uploads only", name, w.Code)
		}
		body := &countingReader{Reader: io.MultiReader(strings.NewReader(head), zeros{})}
		res, err := client.Post(srv.URL+"/upload/?access_token="+pro, contentType, body)
		if err == nil {
			res.Body.Close()
			t.Errorf("%s: upload returned status %d, want a connection reset", name, res.StatusCode)
		}
		if name == "transport" && (!errors.Is(err, syscall.ECONNRESET) || body.n != 300_000) {
			t.Errorf("%s: upload returned %v after %d bytes, want %v after 300000", name, err, body.n, syscall.ECONNRESET)
		}
		eventually(t, func() bool { return len(e.ActiveUploads()) == 0 })
	}
	if len(e.Uploads()) != 0 {
		t.Errorf("Uploads returned %d uploads, want 0", len(e.Uploads()))
	}
	e.ClearFaults()
	if err := e.Fail(emulator.Fault{Kind: emulator.FaultUploadReset, After: 300_000}); err != nil {
		t.Fatal(err)
	}
	mustUpload(t, e, pro, withAudio("name=Shorter than that"))
}

type countingReader struct {
	io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

// TestWrite_faults checks that a write has no effect with a fault that rejects it, and
// has one with a fault that loses the response. The whole body is read in both cases.
func TestWrite_faults(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	for kind, done := range map[emulator.FaultKind]bool{
		emulator.FaultRateLimit: false, emulator.FaultRateLimitNoWait: false, emulator.FaultHTML403: false, emulator.FaultHTML413: false,
		emulator.FaultHTML503: false, emulator.FaultSuccessFalse: false, emulator.FaultError200: false,
		emulator.FaultHTML502: true, emulator.FaultError500: true, emulator.FaultTruncatedJSON: true, emulator.FaultNotJSON: true,
		emulator.FaultContentType: true, emulator.FaultSlowHeaders: true, emulator.FaultReset: true, emulator.FaultTruncatedBody: true,
	} {
		for _, path := range []string{"/spartacus/follow/", "/upload/"} {
			e.ClearFaults()
			if err := e.Fail(emulator.Fault{Match: "POST " + path, Kind: kind, Delay: time.Nanosecond}); err != nil {
				t.Fatal(err)
			}
			send(e, http.MethodDelete, "/spartacus/follow/", pro, "", nil)
			before := len(e.Uploads())
			contentType, body := withAudio("name=Fault").encode(t)
			left := strings.NewReader(body)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, host+path+"?access_token="+pro, left)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", contentType)
			if res, err := e.Transport().RoundTrip(req); err == nil {
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
			took := getJSON(t, e, "/spartacus/?access_token="+pro)["following"].(bool)
			if path == "/upload/" {
				took = len(e.Uploads()) > before
			}
			if took != done || left.Len() > 0 {
				t.Errorf("%s, %s: write took effect: %t, want %t; %d bytes of the body are unread, want 0", path, kind, took, done, left.Len())
			}
		}
	}
	e.ClearFaults()
	if err := e.Fail(emulator.Fault{Kind: emulator.FaultRateLimit, RetryAfter: 99 * time.Second}); err != nil {
		t.Fatal(err)
	}
	w := postForm(t, e, "/upload/", pro, withAudio("name=Quota"))
	if w.Code != 403 || w.Header().Get("Retry-After") != "99" || at(object(t, w.Body.Bytes()), "error.type") != "RateLimitException" {
		t.Errorf("POST /upload/ at the rate limit: status %d, Retry-After %q; want 403, 99, with a RateLimitException: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
}

// TestUpload_concurrent checks that concurrent uploads of different users are
// independent.
func TestUpload_concurrent(t *testing.T) {
	t.Parallel()
	e := newWritableEmulator(t)
	users := []string{"demo", "spartacus", "HarbourFM", "MissCrackle"}
	var wg sync.WaitGroup
	for _, user := range users {
		wg.Go(func() {
			for i := range 8 {
				body := formFile{"mp3", user, "", fmt.Sprint(user, i, strings.Repeat("x", 100_000*i))}
				key := mustUpload(t, e, user+"-token", form{[]string{"name=Same name", "tags-0-tag=a tag of everybody's"}, []formFile{body}})
				if !strings.HasPrefix(key, "/"+user+"/same-name") {
					t.Errorf("upload of %s has the key %s, want the prefix /%[1]s/same-name", user, key)
				}
				mustEdit(t, e, key, user+"-token", fieldsOnly("description="+user))
				get(t, e, "/genres/a-tag-of-everybodys/popular/")
				get(t, e, "/new/?access_token="+user+"-token")
			}
		})
	}
	wg.Wait()
	seen := make(map[string]bool)
	for _, u := range e.Uploads() {
		if user := u.Filename; seen[u.Key] || !strings.HasPrefix(u.Key, "/"+user+"/") || getJSON(t, e, u.Key)["description"] != user {
			t.Errorf("upload of %s: key %s, used before: %t; want a unique key below /%[1]s/, with the description %[1]s", user, u.Key, seen[u.Key])
		}
		seen[u.Key] = true
	}
	if n := len(keys(getJSON(t, e, "/genres/a-tag-of-everybodys/latest/?limit=100"))); len(seen) != 32 || n != 32 {
		t.Errorf("Uploads returned %d uploads, the tag's list has %d; want 32 in both", len(seen), n)
	}
}
