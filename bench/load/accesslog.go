package main

import (
	"bytes"
	"encoding/json"
	"sync"
	"time"
)

// An accessLog is what a server writes that logs in JSON.
type accessLog struct {
	mu   sync.Mutex
	text []byte
}

func (l *accessLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, b...)
	return len(b), nil
}

// with are the answers of a status between two moments, as the server sees them.
func (l *accessLog) results(status int, from, to time.Time) (all results) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(l.text) {
		var said struct {
			Time   time.Time
			Msg    string
			Status int
			Took   time.Duration
		}
		if json.Unmarshal(line, &said) == nil && said.Msg == "request" && said.Status == status && said.Time.After(from) && said.Time.Before(to) {
			all = append(all, result{took: said.Took, status: status})
		}
	}
	return all
}
