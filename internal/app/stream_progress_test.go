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

// Only the uploader can watch the progress of an upload.
func TestStream_progress(t *testing.T) {
	t.Parallel()
	h := newTestServer(t, serverOptions{listen: true})
	in := h.swallow()
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
					t.Fatalf("%v: %s", err, data)
				}
				return event.Data.UploadProgress, true
			}
			if ok {
				return p, false // the end
			}
		}
		t.Fatal("the stream broke off")
		return p, false
	}
	mine, theirs := watch("demo-token"), watch("spartacus-token")
	untold := progress{UploadID: "my_upload-1", Phase: "CHECKING"}
	for _, events := range []*bufio.Scanner{mine, theirs} { // before there is anything to watch
		if p, _ := next(events); cmp.Diff(untold, p) != "" {
			t.Errorf("before: %s", cmp.Diff(untold, p))
		}
	}

	total := int64(len(mp3Head)) + 4<<20
	head := uploadHead(t, map[string]any{"uploadId": "my_upload-1"}, "mp3") + formFile("mp3", "x.mp3", "audio/mpeg")
	c := h.startUpload(t, int64(len(head))+total+int64(len(formEnd)))
	half := strings.Repeat("x", 2<<20)
	if err := c.send(head, mp3Head, half); err != nil {
		t.Fatal(err)
	}
	<-in.some
	var p progress
	for p.BytesSent < 1<<20 {
		var more bool
		if p, more = next(mine); !more || p.Phase != "CHECKING" && p.Phase != "SENDING" || p.BytesTotal != nil && (*p.BytesTotal != total || p.BytesSent > total) {
			t.Fatalf("on its way: %+v", show.Value(p))
		}
	}
	if err := c.send(half, formEnd); err != nil {
		t.Fatal(err)
	}
	if status, text := c.finish(t); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	for p.Phase != "DONE" {
		sent := p.BytesSent
		var more bool
		if p, more = next(mine); !more || p.BytesSent < sent || p.BytesTotal == nil || *p.BytesTotal != total {
			t.Fatalf("towards its end: %+v", show.Value(p))
		}
	}
	if p.BytesSent != total {
		t.Errorf("%d bytes of %d were sent", p.BytesSent, total)
	}
	if p, more := next(mine); more {
		t.Errorf("after the end: %+v", show.Value(p))
	}

	// The other one's, of the same name, is an upload that never began.
	again := watch("spartacus-token")
	if p, _ := next(again); cmp.Diff(untold, p) != "" {
		t.Errorf("to others: %s", cmp.Diff(untold, p))
	}
}
