package main

import (
	"bytes"
	"encoding/json"
	"sync"
	"time"
)

// An accessLog is a server's log in JSON.
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

// results returns the results with a status between two times, as the server has logged them.
func (l *accessLog) results(status int, from, to time.Time) (all results) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(l.text) {
		var entry struct {
			Time   time.Time
			Msg    string
			Status int
			Took   time.Duration
		}
		if json.Unmarshal(line, &entry) == nil && entry.Msg == "request" && entry.Status == status && entry.Time.After(from) && entry.Time.Before(to) {
			all = append(all, result{took: entry.Took, status: status})
		}
	}
	return all
}
