package app

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// An upload that is repeated with its idempotency key gets the first response, before its file is read, and is executed once.
func TestStream_IdempotencyKey(t *testing.T) {
	t.Parallel()
	h := newTestServer(t, serverOptions{listen: true, writable: true})
	head := uploadHead(t, nil, "mp3")
	sound := mp3Head + strings.Repeat("x", 100_000)
	send := func(key, filename, rest string, length int64) (int, string) {
		body := head + formFile("mp3", filename, "audio/mpeg") + rest
		c := h.startUpload(t, int64(len(body))+length, "Idempotency-Key: "+key)
		if err := c.send(body); err != nil {
			t.Log(err) // the server may have responded and closed the connection
		}
		return c.readResponse(t)
	}
	status, first := send("a", "x.mp3", sound+formEnd, 0)
	if status != 200 || !strings.Contains(first, `"changed":true`) {
		t.Fatalf("status = %d, want 200 with changed: %s", status, first)
	}
	if status, again := send("a", "x.mp3", "", 1<<30); status != 200 || again != first { // without a byte of the file
		t.Errorf("repeated: status = %d, want the first response: %s", status, again)
	}
	if status, text := send("a", "y.mp3", "", 1<<30); status != 422 || !strings.Contains(text, "BAD_USER_INPUT") {
		t.Errorf("same key, another file: status = %d, want 422: %s", status, text)
	}
	if stored := len(h.emulator.Uploads()); stored != 1 {
		t.Errorf("Mixcloud stored %d uploads, want 1", stored)
	}
	if status, other := send("b", "x.mp3", sound+formEnd, 0); status != 200 || other == first {
		t.Errorf("another key: status = %d, want 200 with another response: %s", status, other)
	}

	// Nothing of this upload is sent to Mixcloud, so the key can be used again.
	c := h.startUpload(t, int64(len(head)), "Idempotency-Key: c")
	if err := c.send(head); err != nil {
		t.Fatal(err)
	}
	if status, text := c.readResponse(t); status != 400 || !strings.Contains(text, "is incomplete") {
		t.Errorf("without the file: status = %d, want 400: %s", status, text)
	}
	in := h.acceptUploads()
	c = h.startUpload(t, int64(len(head)+10_000), "Idempotency-Key: c")
	if err := c.send(head, formFile("mp3", "x.mp3", "audio/mpeg"), mp3Head+strings.Repeat("x", 2000)); err != nil {
		t.Fatal(err)
	}
	<-in.fileStarted
	if status, text := send("c", "x.mp3", "", 1<<30); status != http.StatusConflict || !strings.Contains(text, "in progress") {
		t.Errorf("same key while the upload is in progress: status = %d, want 409: %s", status, text)
	}
	_ = c.conn.Close()
	<-in.ended
}

// A mutation without files that is repeated with its idempotency key gets the first response and is executed once.
func TestIdempotencyKey_Action(t *testing.T) {
	t.Parallel()
	h := newTestServer(t, serverOptions{listen: true, writable: true})
	follow := func(key, username, id string) (int, string, bool) {
		body := fmt.Sprintf(`{"query":"mutation($u: String) { followUser(input: {username: $u, clientMutationId: \"%s\"}) { message } }","variables":{"u":%q}}`, id, username)
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
		t.Errorf("repeated: status = %d, replayed = %t, response = %s, want %s replayed", status, replayed, again, first)
	}
	if status, _, _ := follow("k", "spartacus", "2"); status != http.StatusUnprocessableEntity {
		t.Errorf("same key, other content: status = %d, want 422", status)
	}
	if before != 1 || writes() != before {
		t.Errorf("%d writes, then %d, want 1 and 1", before, writes())
	}
}

// A dry run of an upload returns its estimate before the file arrives, makes no call and does not use up the idempotency key.
func TestStream_DryRun(t *testing.T) {
	t.Parallel()
	h := newTestServer(t, serverOptions{listen: true, writable: true})
	head := uploadHead(t, nil, "mp3") + formFile("mp3", "x.mp3", "audio/mpeg")
	for _, length := range []int64{1 << 30, -1} {
		c := h.startUpload(t, length, "Idempotency-Key: a", "X-GraphQL-Dry-Run: true")
		if err := c.send(head + mp3Head); err != nil {
			t.Log(err) // the server may have responded and closed the connection
		}
		if status, text := c.readResponse(t); status != 200 || !strings.Contains(text, `"estimated":`) || !strings.Contains(text, `"data":null`) {
			t.Errorf("length %d: status = %d, want 200 with an estimate and no data: %s", length, status, text)
		}
	}
	if requests := h.emulator.Requests(); len(requests) > 0 {
		t.Errorf("calls = %v, want none", requests)
	}
	sound := mp3Head + strings.Repeat("x", 10_000) + formEnd
	c := h.startUpload(t, int64(len(head)+len(sound)), "Idempotency-Key: a")
	if err := c.send(head, sound); err != nil {
		t.Fatal(err)
	}
	if status, text := c.readResponse(t); status != 200 || !strings.Contains(text, `"changed":true`) {
		t.Errorf("upload with the same key: status = %d, want 200 with changed: %s", status, text)
	}
}
