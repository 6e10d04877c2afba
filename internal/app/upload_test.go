package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud/emulator"
)

const uploadNightBus = `mutation ($mp3: Upload!, $picture: Upload) {
	uploadCloudcast(input: {mp3: $mp3, picture: $picture, name: "Night Bus", uploadId: "night-bus"}) {
		changed cloudcast { key } userErrors { field code }
	}
}`

// An uploadResult is the data of [uploadNightBus].
type uploadResult struct {
	UploadCloudcast *struct {
		Changed    *bool
		Cloudcast  *struct{ Key string }
		UserErrors []struct {
			Field []string
			Code  string
		}
	}
}

// If Mixcloud does not return an upload yet, its fields are null without an error for ten minutes. After that they have NOT_FOUND errors.
func TestUpload_NotVisibleYet(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		l := newLagServer(t, time.Hour)
		file := uploadFile{Path: "variables.mp3", Name: "a.mp3", Head: "ID3", Size: 5000}
		var result uploadResult
		if errs := l.upload(t, "demo-token", uploadNightBus, map[string]any{"mp3": nil}, file).decode(t, &result); len(errs) > 0 || result.UploadCloudcast.Cloudcast.Key != "/demo/night-bus/" {
			t.Fatalf("data = %+v, errors = %+v, want the key /demo/night-bus/", show.Value(result), errs)
		}
		edit := `mutation { editCloudcast(input: {key: "/demo/night-bus/", description: "New."}) {
			changed userErrors { code } cloudcast { description comments { nodes { id } } } } }`
		read := `{ cloudcast(key: "/demo/night-bus/") { name } node(id: "MWMKL2RlbW8vbmlnaHQtYnVzLw") { id } }`
		want := map[string]any{"editCloudcast": map[string]any{"changed": true, "userErrors": []any{}, "cloudcast": nil}}
		for _, wait := range []time.Duration{0, 10*time.Minute - 1} {
			time.Sleep(wait)
			var data any
			if errs := l.execute(t, "demo-token", edit, nil).decode(t, &data); len(errs) > 0 {
				t.Errorf("after %v: errors = %+v, want none", wait, errs)
			}
			if diff := cmp.Diff(any(want), data); diff != "" {
				t.Errorf("after %v: data differs (-want +got): %s", wait, diff)
			}
			for _, token := range []string{"demo-token", "spartacus-token", ""} {
				if errs := l.execute(t, token, read, nil).decode(t, &data); len(errs) > 0 {
					t.Errorf("lookup with token %q: errors = %+v, want none", token, errs)
				}
			}
		}
		time.Sleep(time.Nanosecond)
		if errs := l.execute(t, "demo-token", edit, nil).decode(t, nil); len(errs) != 1 || errs[0].code() != "NOT_FOUND" {
			t.Errorf("after ten minutes: errors = %+v, want NOT_FOUND", errs)
		}
	})
}

// slowUpload returns a multipart request whose file arrives in pieces of size bytes, one every interval. Then the body ends, with the
// error end if it is not nil. A negative length means a chunked body, any other one is added to the real length.
func slowUpload(t *testing.T, length int64, pieces, size int, interval time.Duration, end error) *http.Request {
	t.Helper()
	complete := multipartRequest(t, uploadNightBus, map[string]any{"mp3": nil}, uploadFile{Path: "variables.mp3", Name: "a.mp3", Head: "ID3"})
	text, err := io.ReadAll(complete.Body)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(text, []byte("ID3")) + len("ID3")
	r, w := io.Pipe()
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = r.Close()
		<-done
	})
	go func() {
		defer close(done)
		_, _ = w.Write(text[:at])
		for range pieces {
			time.Sleep(interval)
			if _, err := w.Write(make([]byte, size)); err != nil {
				return
			}
		}
		if end == nil {
			_, _ = w.Write(text[at:])
		}
		_ = w.CloseWithError(end)
	}()
	slow := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", r)
	slow.Header = complete.Header
	slow.ContentLength = -1
	if length >= 0 {
		slow.ContentLength = int64(len(text)) + int64(pieces*size) + length
	}
	return slow
}

// A progressEvent is an event of the subscription uploadProgress.
type progressEvent struct {
	Phase      string
	BytesSent  int64
	BytesTotal *int64
}

// watchUpload returns the events of an upload until the subscription or ctx ends.
func (s *testServer) watchUpload(ctx context.Context, t *testing.T, token, id string) (all []progressEvent, code string, complete bool) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": `subscription ($id: String!) { uploadProgress(uploadId: $id) { uploadId phase bytesSent bytesTotal } }`, "variables": map[string]any{"id": id}})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	s.app.ServeHTTP(w, r)
	for frame := range strings.SplitSeq(w.Body.String(), "\n\n") {
		name, data, _ := strings.Cut(frame, "\n")
		switch name {
		case "event: next":
			var response struct {
				Data   struct{ UploadProgress progressEvent }
				Errors []responseError
			}
			if err := json.Unmarshal([]byte(strings.TrimPrefix(data, "data: ")), &response); err != nil {
				t.Fatal(err)
			}
			if len(response.Errors) > 0 {
				code = response.Errors[0].code()
				continue
			}
			all = append(all, response.Data.UploadProgress)
		case "event: complete":
			complete = true
		}
	}
	return all, code, complete
}

// The uploader gets all events of an upload, with growing numbers, also afterwards. Another viewer gets only the initial event. An
// anonymous client gets an error.
func TestUploadProgress(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, serverOptions{writable: true, emulator: []emulator.Option{emulator.WithLatency(time.Second)}})
		const pieces, size = 10, 10_000
		type subscription struct {
			events   []progressEvent
			code     string
			complete bool
		}
		results := map[string]chan subscription{}
		otherCtx, cancelOther := context.WithCancel(t.Context())
		for _, token := range []string{"demo-token", "spartacus-token"} {
			results[token] = make(chan subscription, 1)
			go func() {
				ctx := t.Context()
				if token != "demo-token" {
					ctx = otherCtx
				}
				all, code, complete := s.watchUpload(ctx, t, token, "night-bus")
				results[token] <- subscription{all, code, complete}
			}()
		}
		synctest.Wait()
		resp := s.do(slowUpload(t, 0, pieces, size, time.Second, nil), "demo-token")
		var result uploadResult
		if errs := resp.decode(t, &result); len(errs) > 0 || result.UploadCloudcast.Cloudcast == nil {
			t.Fatalf("response = %s, want a cloudcast", resp.body)
		}
		cancelOther()

		mine := <-results["demo-token"]
		var phases []string
		last := progressEvent{}
		for _, e := range mine.events {
			if n := len(phases); n == 0 || phases[n-1] != e.Phase {
				phases = append(phases, e.Phase)
			}
			if e.BytesSent < last.BytesSent && e.Phase != "CHECKING" {
				t.Errorf("bytesSent = %d after %d, want it to grow", e.BytesSent, last.BytesSent)
			}
			if e.BytesTotal != nil && *e.BytesTotal < e.BytesSent {
				t.Errorf("bytesSent = %d, want at most bytesTotal %d", e.BytesSent, *e.BytesTotal)
			}
			last = e
		}
		total := int64(pieces*size + len("ID3"))
		if diff := cmp.Diff([]string{"CHECKING", "SENDING", "PROCESSING", "DONE"}, phases); diff != "" {
			t.Errorf("phases differ (-want +got): %s", diff)
		}
		if !mine.complete || mine.code != "" || len(mine.events) < pieces || last.BytesSent != total || last.BytesTotal == nil || *last.BytesTotal < total {
			t.Errorf("uploader got %d events, the last one %+v, complete = %t, want at least %d events and %d bytes", len(mine.events), show.Value(last), mine.complete, pieces, total)
		}
		if other := <-results["spartacus-token"]; other.complete || other.code != "" || len(other.events) != 1 || other.events[0] != (progressEvent{Phase: "CHECKING"}) {
			t.Errorf("events of another viewer = %+v, want only CHECKING", show.Value(other))
		}
		if _, code, _ := s.watchUpload(t.Context(), t, "", "night-bus"); code != "UNAUTHENTICATED" {
			t.Errorf("anonymous: code = %q, want UNAUTHENTICATED", code)
		}
		if _, code, _ := s.watchUpload(t.Context(), t, "demo-token", "night/bus"); code != "BAD_USER_INPUT" {
			t.Errorf("invalid id: code = %q, want BAD_USER_INPUT", code)
		}
		time.Sleep(9 * time.Minute) // the last event is stored for a while
		if late, _, complete := s.watchUpload(t.Context(), t, "demo-token", "night-bus"); len(late) != 1 || late[0].Phase != "DONE" || !complete {
			t.Errorf("events 9 minutes later = %+v, complete = %t, want only DONE", show.Value(late), complete)
		}
	})
}

// The last event of an upload that fails is FAILED, however it fails.
func TestUploadProgress_Failed(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for name, test := range map[string]struct {
		fault emulator.FaultKind
		token string
		size  int64
	}{
		"refused by Mixcloud": {fault: emulator.FaultSuccessFalse, token: "demo-token"},
		"a lost response":     {fault: emulator.FaultReset, token: "demo-token"},
		"refused early":       {fault: emulator.FaultEarly503, token: "demo-token"},
		"a refused token":     {token: "unknown-token"},
		"declared too large":  {token: "demo-token", size: 5 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, serverOptions{})
				if test.fault != "" {
					if err := s.emulator.Fail(emulator.Fault{Match: "POST /upload/", Kind: test.fault}); err != nil {
						t.Fatal(err)
					}
				}
				if test.fault == emulator.FaultReset { // Mixcloud receives the upload, but the response is lost
					s = newTestServer(t, serverOptions{mixcloud: roundTripFunc(func(r *http.Request) (*http.Response, error) {
						if r.Method == http.MethodPost {
							_, _ = io.Copy(io.Discard, r.Body)
							return nil, io.ErrUnexpectedEOF
						}
						return s.emulator.Transport().RoundTrip(r)
					})})
				}
				s.do(slowUpload(t, test.size, 2, 1000, time.Second, nil), test.token)
				all, _, complete := s.watchUpload(t.Context(), t, test.token, "night-bus")
				if len(all) != 1 || all[0].Phase != "FAILED" || !complete {
					t.Errorf("events = %+v, complete = %t, want only FAILED", show.Value(all), complete)
				}
			})
		})
	}
}

// If the client's request breaks off, or the picture is too large, Mixcloud stores nothing.
func TestUpload_Aborted(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for name, length := range map[string]int64{"chunked": -1, "with a length": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, serverOptions{})
				resp := s.do(slowUpload(t, length, 3, 1000, time.Second, io.ErrUnexpectedEOF), "demo-token")
				if resp.status < 400 && !bytes.Contains(resp.body, []byte(`"errors"`)) {
					t.Errorf("status = %d, want an error: %s", resp.status, resp.body)
				}
				synctest.Wait()
				if all, active := s.emulator.Uploads(), s.emulator.ActiveUploads(); len(all) > 0 || len(active) > 0 {
					t.Errorf("Mixcloud stored %+v and is reading %+v, want nothing", show.Value(all), active)
				}
			})
		})
	}
	for size, code := range map[int]string{10 << 20: "", 10<<20 + 1: "TOO_LARGE"} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, serverOptions{writable: true})
			audio := uploadFile{Path: "variables.mp3", Name: "a.mp3", Head: "ID3", Size: 100}
			cover := uploadFile{Path: "variables.picture", Name: "a.gif", Head: "GIF89a", Size: size}
			for _, sent := range [][]uploadFile{{cover, audio}, {audio, cover}} {
				r := multipartRequest(t, uploadNightBus, map[string]any{"mp3": nil, "picture": nil}, sent...)
				r.ContentLength = -1
				before := len(s.emulator.Uploads())
				var result uploadResult
				if errs := s.do(r, "demo-token").decode(t, &result); len(errs) > 0 {
					t.Fatalf("errors = %+v, want none", errs)
				}
				refused := result.UploadCloudcast.UserErrors
				stored := len(s.emulator.Uploads()) - before
				switch {
				case code == "" && (len(refused) > 0 || stored != 1):
					t.Errorf("user errors = %+v, %d uploads stored, want none and 1", refused, stored)
				case code != "" && (len(refused) != 1 || refused[0].Code != code || refused[0].Field[0] != "picture" || stored != 0):
					t.Errorf("user errors = %+v, %d uploads stored, want %s at picture and 0", refused, stored, code)
				}
			}
		})
	}
}

// A file whose variable no mutation uses is refused.
func TestUpload_UnusedFile(t *testing.T) {
	t.Parallel()
	audio := uploadFile{Path: "variables.mp3", Name: "a.mp3", Head: "ID3", Size: 100}
	unused := uploadFile{Path: "variables.other", Name: "a.mp3", Head: "ID3", Size: 100}
	s := newTestServer(t, serverOptions{})
	for _, sent := range [][]uploadFile{{audio, unused}, {unused, audio}} {
		resp := s.upload(t, "demo-token", uploadNightBus, map[string]any{"mp3": nil, "other": nil}, sent...)
		errs := resp.decode(t, nil)
		if len(errs) != 1 || errs[0].code() != "BAD_USER_INPUT" || !strings.Contains(errs[0].Message, "variables.other") {
			t.Errorf("status = %d, want one BAD_USER_INPUT about variables.other: %s", resp.status, resp.body)
		}
	}
	resp := s.upload(t, "demo-token", `mutation ($mp3: Upload!) { editCloudcast(input: {key: "/demo/lunch-break-29082026/", name: "x"}) { changed } uploadCloudcast(input: {mp3: $mp3, name: "x"}) @skip(if: true) { changed } }`,
		map[string]any{"mp3": nil}, audio)
	if errs := resp.decode(t, nil); len(errs) != 1 || errs[0].code() != "BAD_USER_INPUT" {
		t.Errorf("edit without files: status = %d, want one BAD_USER_INPUT: %s", resp.status, resp.body)
	}
	if all := append(s.emulator.Uploads(), s.emulator.Edits()...); len(all) > 0 {
		t.Errorf("Mixcloud stored %+v, want nothing", show.Value(all))
	}
}
