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

// An uploaded is the result of [uploadNightBus].
type uploaded struct {
	UploadCloudcast *struct {
		Changed    *bool
		Cloudcast  *struct{ Key string }
		UserErrors []struct {
			Field []string
			Code  string
		}
	}
}

// TestUploadedIsNotFoundYet looks for an upload that Mixcloud cannot show yet:
// for ten minutes what its uploader asks of it is null without an error.
func TestUploadedIsNotFoundYet(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		l := newLagServer(t, time.Hour)
		file := uploadFile{Path: "variables.mp3", Name: "a.mp3", Head: "ID3", Size: 5000}
		var made uploaded
		if errs := l.upload(t, "demo-token", uploadNightBus, map[string]any{"mp3": nil}, file).decode(t, &made); len(errs) > 0 || made.UploadCloudcast.Cloudcast.Key != "/demo/night-bus/" {
			t.Fatalf("%+v %+v", show.Value(made), errs)
		}
		edit := `mutation { editCloudcast(input: {key: "/demo/night-bus/", description: "New."}) {
			changed userErrors { code } cloudcast { description comments { nodes { id } } } } }`
		read := `{ cloudcast(key: "/demo/night-bus/") { name } node(id: "MWMKL2RlbW8vbmlnaHQtYnVzLw") { id } }`
		want := map[string]any{"editCloudcast": map[string]any{"changed": true, "userErrors": []any{}, "cloudcast": nil}}
		for _, wait := range []time.Duration{0, 10*time.Minute - 1} {
			time.Sleep(wait)
			var data any
			if errs := l.execute(t, "demo-token", edit, nil).decode(t, &data); len(errs) > 0 {
				t.Errorf("after %v: %+v", wait, errs)
			}
			if diff := cmp.Diff(any(want), data); diff != "" {
				t.Errorf("after %v: %s", wait, diff)
			}
			for _, token := range []string{"demo-token", "spartacus-token", ""} {
				if errs := l.execute(t, token, read, nil).decode(t, &data); len(errs) > 0 {
					t.Errorf("a look-up that finds nothing: %+v", errs)
				}
			}
		}
		time.Sleep(time.Nanosecond)
		if errs := l.execute(t, "demo-token", edit, nil).decode(t, nil); len(errs) != 1 || errs[0].code() != "NOT_FOUND" {
			t.Errorf("after ten minutes: %+v", errs)
		}
	})
}

// drip is a multipart request whose last file comes piece by piece: size bytes,
// one piece every interval, and then what end says.
func drip(t *testing.T, length int64, pieces, size int, interval time.Duration, end error) *http.Request {
	t.Helper()
	whole := multipartRequest(t, uploadNightBus, map[string]any{"mp3": nil}, uploadFile{Path: "variables.mp3", Name: "a.mp3", Head: "ID3"})
	text, err := io.ReadAll(whole.Body)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(text, []byte("ID3")) + len("ID3")
	r, w := io.Pipe()
	over := make(chan struct{})
	t.Cleanup(func() {
		_ = r.Close()
		<-over
	})
	go func() {
		defer close(over)
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
	dripping := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", r)
	dripping.Header = whole.Header
	dripping.ContentLength = -1
	if length >= 0 {
		dripping.ContentLength = int64(len(text)) + int64(pieces*size) + length
	}
	return dripping
}

// An event is a response of a subscription.
type event struct {
	Phase      string
	BytesSent  int64
	BytesTotal *int64
}

// watch follows an upload until it ends or ctx does.
func (s *testServer) watch(ctx context.Context, t *testing.T, token, id string) (all []event, code string, complete bool) {
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
				Data   struct{ UploadProgress event }
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

// TestUploadProgress watches an upload from before its beginning to its end, as
// its uploader, as another viewer and anonymously.
func TestUploadProgress(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, serverOptions{writable: true, emulator: []emulator.Option{emulator.WithLatency(time.Second)}})
		const pieces, size = 10, 10_000
		type seen struct {
			events   []event
			code     string
			complete bool
		}
		sights := map[string]chan seen{}
		strangers, leave := context.WithCancel(t.Context())
		for _, token := range []string{"demo-token", "spartacus-token"} {
			sights[token] = make(chan seen, 1)
			go func() {
				ctx := t.Context()
				if token != "demo-token" {
					ctx = strangers
				}
				all, code, complete := s.watch(ctx, t, token, "night-bus")
				sights[token] <- seen{all, code, complete}
			}()
		}
		synctest.Wait()
		resp := s.do(drip(t, 0, pieces, size, time.Second, nil), "demo-token")
		var made uploaded
		if errs := resp.decode(t, &made); len(errs) > 0 || made.UploadCloudcast.Cloudcast == nil {
			t.Fatalf("%s", resp.body)
		}
		leave()

		mine := <-sights["demo-token"]
		var phases []string
		last := event{}
		for _, e := range mine.events {
			if n := len(phases); n == 0 || phases[n-1] != e.Phase {
				phases = append(phases, e.Phase)
			}
			if e.BytesSent < last.BytesSent && e.Phase != "CHECKING" {
				t.Errorf("after %d bytes there are %d", last.BytesSent, e.BytesSent)
			}
			if e.BytesTotal != nil && *e.BytesTotal < e.BytesSent {
				t.Errorf("%d of %d bytes", e.BytesSent, *e.BytesTotal)
			}
			last = e
		}
		total := int64(pieces*size + len("ID3"))
		if diff := cmp.Diff([]string{"CHECKING", "SENDING", "PROCESSING", "DONE"}, phases); diff != "" {
			t.Errorf("phases: %s", diff)
		}
		if !mine.complete || mine.code != "" || len(mine.events) < pieces || last.BytesSent != total || last.BytesTotal == nil || *last.BytesTotal < total {
			t.Errorf("the uploader sees %d events, at last %+v; complete: %v", len(mine.events), show.Value(last), mine.complete)
		}
		if stranger := <-sights["spartacus-token"]; stranger.complete || stranger.code != "" || len(stranger.events) != 1 || stranger.events[0] != (event{Phase: "CHECKING"}) {
			t.Errorf("another viewer sees %+v", show.Value(stranger))
		}
		if _, code, _ := s.watch(t.Context(), t, "", "night-bus"); code != "UNAUTHENTICATED" {
			t.Errorf("an anonymous client gets %q", code)
		}
		if _, code, _ := s.watch(t.Context(), t, "demo-token", "night/bus"); code != "BAD_USER_INPUT" {
			t.Errorf("a name that cannot be: %q", code)
		}
		time.Sleep(9 * time.Minute) // who comes late is reported the end
		if late, _, complete := s.watch(t.Context(), t, "demo-token", "night-bus"); len(late) != 1 || late[0].Phase != "DONE" || !complete {
			t.Errorf("late: %+v", show.Value(late))
		}
	})
}

// TestUploadProgress_Failed watches uploads that come to nothing, each in its
// own way.
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
		"a refused token":     {token: "nobodys"},
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
				if test.fault == emulator.FaultReset { // it is done all the same
					s = newTestServer(t, serverOptions{mixcloud: roundTripFunc(func(r *http.Request) (*http.Response, error) {
						if r.Method == http.MethodPost {
							_, _ = io.Copy(io.Discard, r.Body)
							return nil, io.ErrUnexpectedEOF
						}
						return s.emulator.Transport().RoundTrip(r)
					})})
				}
				s.do(drip(t, test.size, 2, 1000, time.Second, nil), test.token)
				all, _, complete := s.watch(t.Context(), t, test.token, "night-bus")
				if len(all) != 1 || all[0].Phase != "FAILED" || !complete {
					t.Errorf("%+v, complete: %v", show.Value(all), complete)
				}
			})
		})
	}
}

// TestUploadBreaksOff lets a request end before its file does, or have a file
// that is too large: Mixcloud has nothing of it.
func TestUploadBreaksOff(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for name, length := range map[string]int64{"chunked": -1, "with a length": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, serverOptions{})
				resp := s.do(drip(t, length, 3, 1000, time.Second, io.ErrUnexpectedEOF), "demo-token")
				if resp.status < 400 && !bytes.Contains(resp.body, []byte(`"errors"`)) {
					t.Errorf("%d %s", resp.status, resp.body)
				}
				synctest.Wait()
				if all, active := s.emulator.Uploads(), s.emulator.ActiveUploads(); len(all) > 0 || len(active) > 0 {
					t.Errorf("Mixcloud has %+v, and is reading %+v", show.Value(all), active)
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
				var made uploaded
				if errs := s.do(r, "demo-token").decode(t, &made); len(errs) > 0 {
					t.Fatalf("%+v", errs)
				}
				refused := made.UploadCloudcast.UserErrors
				grown := len(s.emulator.Uploads()) - before
				switch {
				case code == "" && (len(refused) > 0 || grown != 1):
					t.Errorf("%+v, %d uploads", refused, grown)
				case code != "" && (len(refused) != 1 || refused[0].Code != code || refused[0].Field[0] != "picture" || grown != 0):
					t.Errorf("%+v, %d uploads", refused, grown)
				}
			}
		})
	}
}

// TestUploadOfStrayFiles maps files to where nothing takes them.
func TestUploadOfStrayFiles(t *testing.T) {
	t.Parallel()
	audio := uploadFile{Path: "variables.mp3", Name: "a.mp3", Head: "ID3", Size: 100}
	stray := uploadFile{Path: "variables.other", Name: "a.mp3", Head: "ID3", Size: 100}
	s := newTestServer(t, serverOptions{})
	for _, sent := range [][]uploadFile{{audio, stray}, {stray, audio}} {
		resp := s.upload(t, "demo-token", uploadNightBus, map[string]any{"mp3": nil, "other": nil}, sent...)
		errs := resp.decode(t, nil)
		if len(errs) != 1 || errs[0].code() != "BAD_USER_INPUT" || !strings.Contains(errs[0].Message, "variables.other") {
			t.Errorf("%d %s", resp.status, resp.body)
		}
	}
	resp := s.upload(t, "demo-token", `mutation ($mp3: Upload!) { editCloudcast(input: {key: "/demo/lunch-break-29082026/", name: "x"}) { changed } uploadCloudcast(input: {mp3: $mp3, name: "x"}) @skip(if: true) { changed } }`,
		map[string]any{"mp3": nil}, audio)
	if errs := resp.decode(t, nil); len(errs) != 1 || errs[0].code() != "BAD_USER_INPUT" {
		t.Errorf("for an edit that takes none: %d %s", resp.status, resp.body)
	}
	if all := append(s.emulator.Uploads(), s.emulator.Edits()...); len(all) > 0 {
		t.Errorf("Mixcloud has %+v", show.Value(all))
	}
}
