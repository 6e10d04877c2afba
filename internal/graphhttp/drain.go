package graphhttp

import (
	"io"
	"net/http"
	"time"
)

// Drain is middleware that reads what is left of an HTTP/2 request's body once its
// response is written, for at most a second. Without it the server resets the stream
// as soon as a refusal is sent, and some clients (curl) that are still sending then
// report the reset instead of the response. HTTP/1.1 connections are net/http's to drain.
func Drain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, length := r.Body, r.ContentLength
		next.ServeHTTP(w, r)
		// Who expects 100 Continue has sent nothing yet, and reading would ask for it.
		if r.ProtoMajor != 2 || length == 0 || r.Header.Get("Expect") != "" {
			return
		}
		conn := http.NewResponseController(w)
		if conn.Flush() == nil && conn.SetReadDeadline(time.Now().Add(lingerTimeout)) == nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(body, lingerBytes))
		}
	})
}
