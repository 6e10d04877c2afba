package idempotency

import (
	"container/list"
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// Limits of a [Memory]. Above a limit it removes the writes that finished first, even before
// their TTL. It never removes a write in progress.
const (
	maxWrites   = 10_000
	maxBytes    = 64 << 20 // of all responses
	maxResponse = 4 << 20
)

// A Memory is a [Store] in the memory of one process. Its zero value is ready to use.
type Memory struct {
	mu       sync.Mutex
	writes   map[Name]*write
	finished list.List // of *write, ordered by the time of the end
	bytes    int
}

// A write is a claim or, after Finish, a stored response.
type write struct {
	memory   *Memory
	name     Name
	content  Fingerprint
	response *Response // nil while the write is in progress
	expiry   time.Time
}

// Begin implements [Store].
func (m *Memory) Begin(_ context.Context, name Name, content Fingerprint) (Claim, *Response, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.prune(time.Now())
	if w := m.writes[name]; w != nil {
		switch {
		case w.content != content:
			return nil, nil, ErrOtherContent
		case w.response == nil:
			return nil, nil, ErrInFlight
		}
		return nil, w.response, nil
	}
	if m.writes == nil {
		m.writes = map[Name]*write{}
	}
	w := &write{memory: m, name: name, content: content}
	m.writes[name] = w
	return w, nil, nil
}

// prune removes expired writes, and more while a limit is exceeded.
func (m *Memory) prune(now time.Time) {
	for e := m.finished.Front(); e != nil; e = m.finished.Front() {
		w := e.Value.(*write)
		if now.Before(w.expiry) && m.finished.Len() <= maxWrites && m.bytes <= maxBytes {
			return
		}
		m.finished.Remove(e)
		m.bytes -= len(w.response.Body)
		delete(m.writes, w.name)
	}
}

// tooLarge is stored instead of a response that is too large.
var tooLarge = func() []byte {
	text, err := json.Marshal(map[string]any{"errors": []any{map[string]any{
		"message":    "The first request was executed, but its response was too large to store. Query the result.",
		"extensions": map[string]any{"code": "LIMIT_EXCEEDED"},
	}}})
	if err != nil {
		panic(err)
	}
	return text
}()

// Finish implements [Claim].
func (w *write) Finish(_ context.Context, response Response) error {
	if len(response.Body) > maxResponse {
		response = Response{Status: http.StatusConflict, Body: tooLarge}
	}
	w.memory.mu.Lock()
	defer w.memory.mu.Unlock()
	now := time.Now()
	w.response, w.expiry = &response, now.Add(TTL)
	w.memory.finished.PushBack(w)
	w.memory.bytes += len(response.Body)
	w.memory.prune(now)
	return nil
}

// Release implements [Claim].
func (w *write) Release(context.Context) error {
	w.memory.mu.Lock()
	defer w.memory.mu.Unlock()
	delete(w.memory.writes, w.name)
	return nil
}
