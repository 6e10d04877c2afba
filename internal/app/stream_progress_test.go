package app

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"mixcloud-graphql/internal/show"

	"github.com/google/go-cmp/cmp"
)

// The uploader gets the progress of an upload as server-sent events. Other viewers do not.
func TestStream_Progress(t *testing.T) {
	t.Parallel()
	h := newTestServer(t, serverOptions{listen: true})
	in := h.acceptUploads()
	watch := func(token string) *bufio.Scanner {
		ctx, stop := context.WithCancel(context.Background())
		t.Cleanup(stop)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/graphql",
			strings.NewReader(`{"query":"subscription { uploadProgress(uploadId: \"my_upload-1\") { uploadId phase bytesSent bytesTotal } }"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "text/event-stream")
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return bufio.NewScanner(resp.Body)
	}
	type progress struct {
		UploadID   string
		Phase      string
		BytesSent  int64
		BytesTotal *int64
	}
	next := func(events *bufio.Scanner) (p progress, more bool) {
		for events.Scan() {
			data, ok := strings.CutPrefix(events.Text(), "data: ")
			if ok && data != "" {
				var event struct {
					Data struct{ UploadProgress progress }
				}
				if err := json.Unmarshal([]byte(data), &event); err != nil {
					t.Fatalf("event is not JSON: %v: %s", err, data)
				}
				return event.Data.UploadProgress, true
			}
			if ok {
				return p, false // the last event
			}
		}
		t.Fatal("the stream ended before its last event")
		return p, false
	}
	mine, theirs := watch("demo-token"), watch("spartacus-token")
	initial := progress{UploadID: "my_upload-1", Phase: "CHECKING"}
	for _, events := range []*bufio.Scanner{mine, theirs} { // before the upload starts
		if p, _ := next(events); cmp.Diff(initial, p) != "" {
			t.Errorf("first event differs (-want +got): %s", cmp.Diff(initial, p))
		}
	}

	total := int64(len(mp3Head)) + 4<<20
	head := uploadHead(t, map[string]any{"uploadId": "my_upload-1"}, "mp3") + formFile("mp3", "x.mp3", "audio/mpeg")
	c := h.startUpload(t, int64(len(head))+total+int64(len(formEnd)))
	half := strings.Repeat("x", 2<<20)
	if err := c.send(head, mp3Head, half); err != nil {
		t.Fatal(err)
	}
	<-in.fileStarted
	var p progress
	for p.BytesSent < 1<<20 {
		var more bool
		if p, more = next(mine); !more || p.Phase != "CHECKING" && p.Phase != "SENDING" || p.BytesTotal != nil && (*p.BytesTotal != total || p.BytesSent > total) {
			t.Fatalf("event during the upload = %+v, want CHECKING or SENDING of %d bytes", show.Value(p), total)
		}
	}
	if err := c.send(half, formEnd); err != nil {
		t.Fatal(err)
	}
	if status, text := c.finish(t); status != 200 {
		t.Fatalf("status = %d, want 200: %s", status, text)
	}
	for p.Phase != "DONE" {
		sent := p.BytesSent
		var more bool
		if p, more = next(mine); !more || p.BytesSent < sent || p.BytesTotal == nil || *p.BytesTotal != total {
			t.Fatalf("event after the file = %+v, want at least %d of %d bytes", show.Value(p), sent, total)
		}
	}
	if p.BytesSent != total {
		t.Errorf("bytesSent of the last event = %d, want %d", p.BytesSent, total)
	}
	if p, more := next(mine); more {
		t.Errorf("event after DONE = %+v, want none", show.Value(p))
	}

	// For another viewer, the same id names an upload that has not started.
	again := watch("spartacus-token")
	if p, _ := next(again); cmp.Diff(initial, p) != "" {
		t.Errorf("first event for another viewer differs (-want +got): %s", cmp.Diff(initial, p))
	}
}
