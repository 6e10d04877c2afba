package graphhttp

import (
	"net/http"
	"time"
)

const (
	// writeTimeout is the maximum time without progress while a response is sent, so that a
	// client that does not read cannot occupy memory.
	writeTimeout = 30 * time.Second
	// sendStep is the number of bytes written at once, and sendRate the minimum rate of the
	// client in bytes per second: each step extends the deadline by the time that it takes at
	// sendRate.
	sendStep = 64 << 10
	sendRate = 32 << 10
)

// send writes a response, or an event of a stream, under a deadline that moves with its
// progress. It returns the error of the connection. The deadline stays set, because net/http
// still has to write its buffer.
func send(w http.ResponseWriter, body []byte) error {
	conn := http.NewResponseController(w)
	deadline := time.Now().Add(writeTimeout)
	for {
		step := body[:min(len(body), sendStep)]
		_ = conn.SetWriteDeadline(deadline)
		if _, err := w.Write(step); err != nil {
			return err
		}
		if body = body[len(step):]; len(body) == 0 {
			return nil
		}
		deadline = earlier(deadline.Add(sendStep/sendRate*time.Second), time.Now().Add(writeTimeout))
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
