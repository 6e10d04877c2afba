package graphhttp

import (
	"net/http"
	"time"
)

const (
	// writeTimeout is how long the connection may accept nothing of a response, so that a client that does not read
	// cannot keep a response in memory.
	writeTimeout = 30 * time.Second
	// sendStep is how much of a response is handed to the connection at once, and sendRate the rate, in bytes a
	// second, at which the client must take it: each step moves the deadline by the time that it takes at that rate.
	sendStep = 64 << 10
	sendRate = 32 << 10
)

// send writes a response, or an event of a stream, under a deadline that moves with its progress. It returns the error
// of the connection. The deadline stays set: what net/http has buffered is still to be written.
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
