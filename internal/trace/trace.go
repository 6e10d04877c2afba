// Package trace records what one GraphQL operation does: its resolver fields and its reads and
// writes of Mixcloud, with their times.
//
// A [Recorder] belongs to one operation and is safe for concurrent use. A nil Recorder records
// nothing at no cost, so callers need no nil check. After [Recorder.End] a recorder ignores all
// events, such as the end of a call that continues for the cache. It stores at most [MaxFields]
// fields and [MaxCalls] calls, and counts the others.
//
// A trace contains no values of URL queries, no variables, no tokens and no data of other
// operations: a read that waits for the call of another operation is recorded as coalesced,
// without that call.
package trace

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// The maximum size of a trace.
const (
	MaxFields = 1000
	MaxCalls  = 1000
)

// An Outcome is the way in which a read or a write was served. Later versions may add outcomes.
type Outcome string

// The outcomes.
const (
	Called      Outcome = "call"         // a call to Mixcloud
	LookedAhead Outcome = "looked ahead" // a call that was made before it was known to be needed
	Hit         Outcome = "hit"          // a fresh cache entry
	Stale       Outcome = "stale"        // a stale cache entry
	Coalesced   Outcome = "coalesced"    // the call of another operation
)

// Milliseconds is a duration in JSON.
type Milliseconds float64

func milliseconds(d time.Duration) Milliseconds {
	return Milliseconds(d.Round(time.Microsecond)) / Milliseconds(time.Millisecond)
}

// A Field is the execution of a resolver. Times are relative to the start of the operation.
type Field struct {
	Path     []any        `json:"path"` // response keys and indices
	Start    Milliseconds `json:"startMs"`
	Duration Milliseconds `json:"durationMs"`
}

// A Call is a read or a write of Mixcloud.
type Call struct {
	Method     string       `json:"method"`
	Path       string       `json:"path"`                 // without the query
	Parameters []string     `json:"parameters,omitempty"` // names of the query parameters, sorted
	Outcome    Outcome      `json:"outcome"`
	Start      Milliseconds `json:"startMs"`
	Wait       Milliseconds `json:"waitMs"`     // for a slot and for rate limits; part of Duration
	Duration   Milliseconds `json:"durationMs"` // until the response is decoded
	Status     int          `json:"status,omitempty"`
	Failed     bool         `json:"failed,omitempty"`
}

// A Trace is the JSON form of a recording.
type Trace struct {
	Duration      Milliseconds `json:"durationMs"`
	Fields        []Field      `json:"fields"`
	Calls         []Call       `json:"calls"`
	OmittedFields int          `json:"omittedFields,omitempty"`
	OmittedCalls  int          `json:"omittedCalls,omitempty"`
}

// A Recorder records one operation. The zero value is not usable: see [New].
type Recorder struct {
	began time.Time

	mu    sync.Mutex
	ended bool
	trace Trace
}

// New returns a recorder of an operation that starts now.
func New() *Recorder { return &Recorder{began: time.Now()} }

// Field records a resolver that started at start and ends now.
func (r *Recorder) Field(path []any, start time.Time) {
	if r == nil {
		return
	}
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.ended:
	case len(r.trace.Fields) == MaxFields:
		r.trace.OmittedFields++
	default:
		r.trace.Fields = append(r.trace.Fields, Field{path, milliseconds(start.Sub(r.began)), milliseconds(now.Sub(start))})
	}
}

// Now returns the time, or the zero time if r is nil.
func (r *Recorder) Now() time.Time {
	if r == nil {
		return time.Time{}
	}
	return time.Now()
}

// Read records a read from the cache. address is a path with a query.
func (r *Recorder) Read(address string, outcome Outcome) { r.ReadSince(address, outcome, r.Now()) }

// ReadSince records a read that started at start and ends now.
func (r *Recorder) ReadSince(address string, outcome Outcome, start time.Time) {
	if r != nil {
		r.add(Call{Method: http.MethodGet, Outcome: outcome}, address, start)
	}
}

func (r *Recorder) add(c Call, address string, start time.Time) {
	now := time.Now()
	path, query, _ := strings.Cut(address, "?")
	c.Path = path
	if values, err := url.ParseQuery(query); err == nil {
		for name := range values {
			c.Parameters = append(c.Parameters, name)
		}
		slices.Sort(c.Parameters)
	}
	c.Start, c.Duration = milliseconds(start.Sub(r.began)), milliseconds(now.Sub(start))
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.ended:
	case len(r.trace.Calls) == MaxCalls:
		r.trace.OmittedCalls++
	default:
		r.trace.Calls = append(r.trace.Calls, c)
	}
}

// End ends the recording and returns the trace, sorted by start.
func (r *Recorder) End() Trace {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	t := r.trace
	t.Duration = milliseconds(time.Since(r.began))
	t.Fields, t.Calls = slices.Clone(t.Fields), slices.Clone(t.Calls)
	slices.SortStableFunc(t.Fields, func(a, b Field) int { return cmp.Compare(a.Start, b.Start) })
	slices.SortStableFunc(t.Calls, func(a, b Call) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Path, b.Path)) })
	if t.Fields == nil {
		t.Fields = []Field{}
	}
	if t.Calls == nil {
		t.Calls = []Call{}
	}
	return t
}

// A Started is a call to Mixcloud that is being recorded.
type Started struct {
	recorder *Recorder
	address  string
	start    time.Time
	call     Call
}

// Start begins to record a call, before the call waits for a slot. The outcome is Called or LookedAhead. Start returns
// nil if r is nil; the methods of a nil Started do nothing. Only one goroutine may use a Started.
func (r *Recorder) Start(address string, outcome Outcome) *Started {
	if r == nil {
		return nil
	}
	return &Started{recorder: r, address: address, start: time.Now(), call: Call{Method: http.MethodGet, Outcome: outcome}}
}

type startedKey struct{}

// Sent records the end of the wait. Send the HTTP request with the returned context, so that
// [Transport] can record its method and status.
func (s *Started) Sent(ctx context.Context) context.Context {
	if s == nil {
		return ctx
	}
	s.call.Wait = milliseconds(time.Since(s.start))
	return context.WithValue(ctx, startedKey{}, s)
}

// End records the call.
func (s *Started) End(err error) {
	if s != nil {
		s.call.Failed = err != nil
		s.recorder.add(s.call, s.address, s.start)
	}
}

// Transport records the method and the status of HTTP requests with a context from
// [Started.Sent].
func Transport(next http.RoundTripper) http.RoundTripper { return transport{next} }

type transport struct{ next http.RoundTripper }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if s, _ := r.Context().Value(startedKey{}).(*Started); s != nil {
		s.call.Method = r.Method
		if resp != nil {
			s.call.Status = resp.StatusCode
		}
	}
	return resp, err
}
