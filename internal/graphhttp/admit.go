package graphhttp

import (
	"bytes"
	"cmp"
	"context"
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

// Admission is the outermost middleware of the endpoint at a path. It reads the
// body of a JSON request and waits for a slot before anything else is done for the
// request: an overloaded server spends hardly more on a refusal than net/http
// does. Refused requests have no line in the access log; their number is logged
// once a second. Other requests, such as forms, wait in the endpoint itself, and so
// do bodies of more than maxBody bytes; 0 takes the default. Bodies keeps account of
// the bodies that it has read.
func Admission(gate *admission.Gate, bodies *Bodies, path string, maxBody int64, log *slog.Logger) func(http.Handler) http.Handler {
	maxBody = cmp.Or(maxBody, DefaultMaxBody)
	refused := &refusals{log: log}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			arrived := time.Now()
			if r.URL.Path != path {
				next.ServeHTTP(w, r)
				return
			}
			hold := bodies.hold()
			defer hold.release()
			whole, err := readEarly(w, r, maxBody, hold)
			ctx := context.WithValue(r.Context(), arrivedKey{}, arrived)
			if err == nil && !whole {
				next.ServeHTTP(w, r.WithContext(ctx))
				return
			}
			var slot *admission.Slot
			if err == nil {
				slot, err = gate.Enter(r.Context())
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
			defer slot.Leave()
			next.ServeHTTP(&leaving{w, slot}, r.WithContext(admission.Into(ctx, slot)))
		})
	}
}

type arrivedKey struct{}

// arrivedAt is when the request of ctx arrived, before it waited for a slot.
func arrivedAt(ctx context.Context) time.Time {
	if at, ok := ctx.Value(arrivedKey{}).(time.Time); ok {
		return at
	}
	return time.Now()
}

// An earlyBody is a body that was read before the request was looked at.
type earlyBody struct {
	bytes.Reader
	text []byte
}

// Close implements [io.Closer].
func (*earlyBody) Close() error { return nil }

// readEarly reads the body, and reports whether the request can wait for its slot
// now. A body that is too large or does not arrive is left to the transport. The
// error is [admission.ErrRefused]: there is no memory for the body.
func readEarly(w http.ResponseWriter, r *http.Request, maxBody int64, hold *bodyHold) (whole bool, err error) {
	if isGet(r) {
		return true, nil
	}
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), mediaJSON) || r.ContentLength > maxBody {
		return false, nil
	}
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(bodyTimeout))
	text, err := io.ReadAll(io.LimitReader(hold.reader(r.Body), maxBody+1))
	if errors.Is(err, errBodies) {
		return false, admission.ErrRefused
	}
	if err != nil || int64(len(text)) > maxBody {
		rest := io.Reader(r.Body)
		if err != nil {
			rest = failing{err}
		}
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(text), rest), r.Body}
		return false, nil
	}
	_ = conn.SetReadDeadline(time.Time{})
	early := &earlyBody{text: text}
	early.Reset(text)
	r.Body = early
	return true, nil
}

// failing is a reader that has failed.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A leaving writer gives the slot back when a response begins. A stream of events
// has done so before: it goes on to compute.
type leaving struct {
	http.ResponseWriter
	slot *admission.Slot
}

func (l *leaving) WriteHeader(status int) {
	if status >= http.StatusOK {
		l.slot.LeaveIfHeld()
	}
	l.ResponseWriter.WriteHeader(status)
}

func (l *leaving) Write(b []byte) (int, error) {
	l.slot.LeaveIfHeld()
	return l.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (l *leaving) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// refusals logs how many operations were refused, once a second.
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
