package graphhttp

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"mixcloud-graphql/internal/accept"
	"mixcloud-graphql/internal/admission"
)

// Admission returns the outermost middleware of the endpoint at a path. It reads the body of a
// JSON request and waits for a slot before any other work, so that an overloaded server spends
// little more on a refusal than net/http does. Refused requests have no line in the access log;
// their number is logged once a second. Other requests, such as forms, and bodies of more than
// maxBody bytes (0 is the default) wait in the endpoint itself. bodies counts the memory of the
// request bodies that Admission has read.
func Admission(controller *admission.Controller, bodies *BodyMemory, path string, maxBody int64, log *slog.Logger) func(http.Handler) http.Handler {
	maxBody = cmp.Or(maxBody, DefaultMaxBody)
	refused := &refusals{log: log}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != path {
				next.ServeHTTP(w, r)
				return
			}
			state, r := newState(r)
			state.body.of = bodies
			defer state.body.release()
			whole, err := state.bufferBody(w, r, maxBody)
			defer state.buffered.free()
			if err == nil && !whole {
				next.ServeHTTP(w, r)
				return
			}
			if err == nil {
				state.slot, err = controller.Admit(r.Context())
			}
			if err != nil {
				refused.add(err)
				if errors.Is(err, admission.ErrRefused) {
					writeOverload(w, accept.Of(r).Media)
				} else {
					w.WriteHeader(statusClientClosed)
				}
				return
			}
			defer state.slot.Close()
			state.releasing = releasingWriter{w, state.slot}
			next.ServeHTTP(&state.releasing, r)
		})
	}
}

// A bufferedBody is a body that was read before admission.
type bufferedBody struct {
	bytes.Reader
	text []byte
}

// Close implements [io.Closer].
func (*bufferedBody) Close() error { return nil }

// free releases the memory of the text, after the request.
func (b *bufferedBody) free() {
	freeBuffer(b.text)
	b.text = nil
}

// bufferBody reads the body, and reports whether the request can wait for its slot now. A body
// that is too large or incomplete is left to the transport. The error is [admission.ErrRefused]
// if there is no memory for the body.
func (s *requestState) bufferBody(w http.ResponseWriter, r *http.Request, maxBody int64) (whole bool, err error) {
	if isGet(r) {
		return true, nil
	}
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), mediaJSON) || r.ContentLength > maxBody {
		return false, nil
	}
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(bodyTimeout))
	text, err := readAll(s.body.reader(r.Body), maxBody+1)
	s.buffered.text = text
	if errors.Is(err, errBodyMemory) {
		return false, admission.ErrRefused
	}
	if err != nil || int64(len(text)) > maxBody {
		rest := io.Reader(r.Body)
		if err != nil {
			rest = failedReader{err}
		}
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(text), rest), r.Body}
		return false, nil
	}
	_ = conn.SetReadDeadline(time.Time{})
	s.buffered.Reset(text)
	r.Body = &s.buffered
	return true, nil
}

// failedReader is a reader that returns an error.
type failedReader struct{ err error }

func (f failedReader) Read([]byte) (int, error) { return 0, f.err }

// A releasingWriter releases the slot when a response begins. A stream of events has released its
// slot earlier, and its operation continues.
type releasingWriter struct {
	http.ResponseWriter
	slot *admission.Slot
}

func (l *releasingWriter) WriteHeader(status int) {
	if status >= http.StatusOK {
		l.slot.CloseIfHeld()
	}
	l.ResponseWriter.WriteHeader(status)
}

func (l *releasingWriter) Write(b []byte) (int, error) {
	l.slot.CloseIfHeld()
	return l.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (l *releasingWriter) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// refusals logs the number of refused operations once a second.
type refusals struct {
	log *slog.Logger

	mu            sync.Mutex
	refused, left int
}

func (s *refusals) add(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused+s.left == 0 {
		time.AfterFunc(time.Second, s.flush)
	}
	if errors.Is(err, admission.ErrRefused) {
		s.refused++
	} else {
		s.left++
	}
}

func (s *refusals) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.Warn("operations refused: server overloaded", "refused", s.refused, "clients_left", s.left)
	s.refused, s.left = 0, 0
}
