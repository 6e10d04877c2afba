package idempotency

import (
	"container/list"
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// Bounds of a [Memory]. Above them the writes that were finished first are
// forgotten before their time; those under way never are.
const (
	maxWrites = 10_000
	maxBytes  = 64 << 20 // of answers
	maxAnswer = 4 << 20
)

// A Memory is a [Store] of this process alone. The zero Memory is ready.
type Memory struct {
	mu       sync.Mutex
	writes   map[Name]*write
	finished list.List // of *write, the one finished first in front
	bytes    int
}

// A write is one that was begun.
type write struct {
	memory  *Memory
	name    Name
	content Fingerprint
	answer  *Response // nil while it is under way
	until   time.Time // when it is forgotten
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
		case w.answer == nil:
			return nil, nil, ErrInFlight
		}
		return nil, w.answer, nil
	}
	if m.writes == nil {
		m.writes = map[Name]*write{}
	}
	w := &write{memory: m, name: name, content: content}
	m.writes[name] = w
	return w, nil, nil
}

// prune forgets finished writes whose time has passed, and more while there is
// too much.
func (m *Memory) prune(now time.Time) {
	for e := m.finished.Front(); e != nil; e = m.finished.Front() {
		w := e.Value.(*write)
		if now.Before(w.until) && m.finished.Len() <= maxWrites && m.bytes <= maxBytes {
			return
		}
		m.finished.Remove(e)
		m.bytes -= len(w.answer.Body)
		delete(m.writes, w.name)
	}
}

// tooLarge stands in for an answer that is too large to be kept.
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
func (w *write) Finish(_ context.Context, answer Response) error {
	if len(answer.Body) > maxAnswer {
		answer = Response{Status: http.StatusConflict, Body: tooLarge}
	}
	w.memory.mu.Lock()
	defer w.memory.mu.Unlock()
	now := time.Now()
	w.answer, w.until = &answer, now.Add(Life)
	w.memory.finished.PushBack(w)
	w.memory.bytes += len(answer.Body)
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
