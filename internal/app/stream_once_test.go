package app

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// An upload that is sent again under its key gets the response of the first
// time, and is made once.
func TestStream_once(t *testing.T) {
	t.Parallel()
	h := newTestServer(t, serverOptions{listen: true, writable: true})
	head := uploadHead(t, nil, "mp3")
	sound := mp3Head + strings.Repeat("x", 100_000)
	send := func(key, filename, rest string, length int64) (int, string) {
		body := head + formFile("mp3", filename, "audio/mpeg") + rest
		c := h.startUpload(t, int64(len(body))+length, "Idempotency-Key: "+key)
		if err := c.send(body); err != nil {
			t.Log(err) // the response may have arrived already
		}
		return c.readResponse(t)
	}
	status, first := send("a", "x.mp3", sound+formEnd, 0)
	if status != 200 || !strings.Contains(first, `"changed":true`) {
		t.Fatalf("%d %s", status, first)
	}
	if status, again := send("a", "x.mp3", "", 1<<30); status != 200 || again != first { // and no byte of the file
		t.Errorf("again: %d %s", status, again)
	}
	if status, text := send("a", "y.mp3", "", 1<<30); status != 422 || !strings.Contains(text, "BAD_USER_INPUT") {
		t.Errorf("another file: %d %s", status, text)
	}
	if taken := len(h.emulator.Uploads()); taken != 1 {
		t.Errorf("Mixcloud has taken %d", taken)
	}
	if status, other := send("b", "x.mp3", sound+formEnd, 0); status != 200 || other == first {
		t.Errorf("under another key: %d %s", status, other)
	}

	// Nothing was sent of this one: the key is free again.
	c := h.startUpload(t, int64(len(head)), "Idempotency-Key: c")
	if err := c.send(head); err != nil {
		t.Fatal(err)
	}
	if status, text := c.readResponse(t); status != 400 || !strings.Contains(text, "is incomplete") {
		t.Errorf("without its file: %d %s", status, text)
	}
	in := h.swallow()
	c = h.startUpload(t, int64(len(head)+10_000), "Idempotency-Key: c")
	if err := c.send(head, formFile("mp3", "x.mp3", "audio/mpeg"), mp3Head+strings.Repeat("x", 2000)); err != nil {
		t.Fatal(err)
	}
	<-in.some
	if status, text := send("c", "x.mp3", "", 1<<30); status != http.StatusConflict || !strings.Contains(text, "in progress") {
		t.Errorf("while it is in progress: %d %s", status, text)
	}
	_ = c.conn.Close()
	<-in.ended
}

// Actions have keys too.
func TestOnce_action(t *testing.T) {
	t.Parallel()
	h := newTestServer(t, serverOptions{listen: true, writable: true})
	follow := func(key, who, id string) (int, string, bool) {
		body := fmt.Sprintf(`{"query":"mutation($u: String) { followUser(input: {username: $u, clientMutationId: \"%s\"}) { message } }","variables":{"u":%q}}`, id, who)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/graphql", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer demo-token")
		req.Header.Set("Idempotency-Key", key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text), resp.Header.Get("Idempotent-Replayed") == "true"
	}
	_, first, _ := follow("k", "spartacus", "1")
	writes := func() (n int) {
		for _, r := range h.emulator.Requests() {
			if r.Method == http.MethodPost {
				n++
			}
		}
		return n
	}
	before := writes()
	if status, again, replayed := follow("k", "spartacus", "1"); status != 200 || again != first || !replayed || !strings.Contains(first, "message") {
		t.Errorf("%d %s after %s, replayed: %v", status, again, first, replayed)
	}
	if status, _, _ := follow("k", "spartacus", "2"); status != http.StatusUnprocessableEntity {
		t.Errorf("another content: %d", status)
	}
	if before != 1 || writes() != before {
		t.Errorf("%d writes, then %d", before, writes())
	}
}

// A dry run of an upload reports its cost before the file arrives, sends nothing
// on, and leaves the key to the upload itself.
func TestStream_dryRun(t *testing.T) {
	t.Parallel()
	h := newTestServer(t, serverOptions{listen: true, writable: true})
	head := uploadHead(t, nil, "mp3") + formFile("mp3", "x.mp3", "audio/mpeg")
	for _, length := range []int64{1 << 30, -1} { // -1 is chunked
		c := h.startUpload(t, length, "Idempotency-Key: a", "X-GraphQL-Dry-Run: true")
		if err := c.send(head + mp3Head); err != nil {
			t.Log(err) // the response may have arrived already
		}
		if status, text := c.readResponse(t); status != 200 || !strings.Contains(text, `"estimated":`) || !strings.Contains(text, `"data":null`) {
			t.Errorf("length %d: %d %s", length, status, text)
		}
	}
	if requests := h.emulator.Requests(); len(requests) > 0 {
		t.Errorf("Mixcloud was asked: %v", requests)
	}
	sound := mp3Head + strings.Repeat("x", 10_000) + formEnd
	c := h.startUpload(t, int64(len(head)+len(sound)), "Idempotency-Key: a")
	if err := c.send(head, sound); err != nil {
		t.Fatal(err)
	}
	if status, text := c.readResponse(t); status != 200 || !strings.Contains(text, `"changed":true`) {
		t.Errorf("the upload: %d %s", status, text)
	}
}
