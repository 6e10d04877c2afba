package upstream

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/mixcloud"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A reply is a test's response to a call.
type reply struct {
	delay  time.Duration
	status int // 0 is 200
	header map[string]string
	body   string // "" for a user whose name is the number of calls
	err    error  // instead of a response
}

// A stub is a fake Mixcloud with responses that a test defines.
type stub struct {
	respond func(c call) reply

	mu          sync.Mutex
	start       time.Time
	calls       []call
	inFlight    int
	maxInFlight int
}

// A call is one call that the stub received.
type call struct {
	n      int // number of the call, from 1
	of     int // number of the call among those to its path, from 1
	method string
	path   string
	token  string
	at     time.Duration
}

func (s *stub) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	c := call{n: len(s.calls) + 1, of: 1, method: r.Method, path: r.URL.Path, token: r.URL.Query().Get("access_token"), at: time.Since(s.start)}
	for _, o := range s.calls {
		if o.path == c.path {
			c.of++
		}
	}
	s.calls = append(s.calls, c)
	s.inFlight++
	s.maxInFlight = max(s.maxInFlight, s.inFlight)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.inFlight--
		s.mu.Unlock()
	}()
	a := s.respond(c)
	if !monotime.Sleep(r.Context(), a.delay) {
		return nil, r.Context().Err()
	}
	if a.err != nil {
		return nil, a.err
	}
	resp := &http.Response{StatusCode: a.status, Header: http.Header{}, Request: r}
	if a.status == 0 {
		resp.StatusCode = http.StatusOK
	}
	for name, value := range a.header {
		resp.Header.Set(name, value)
	}
	if a.body == "" {
		a.body = fmt.Sprintf(`{"key":"%s","name":"%s%d"}`, c.path, c.token, c.of)
	}
	resp.Body = io.NopCloser(strings.NewReader(a.body))
	return resp, nil
}

// made returns the number of calls since it was last called.
func (s *stub) made() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.calls)
	s.calls = nil
	return n
}

// paths returns the paths of the calls in their order.
func (s *stub) paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var paths []string
	for _, c := range s.calls {
		paths = append(paths, c.path)
	}
	return paths
}

func (s *stub) times() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var times []time.Duration
	for _, c := range s.calls {
		times = append(times, c.at)
	}
	return times
}

// latest is the response of a healthy Mixcloud: the number of the call, after 10 ms.
func latest(call) reply { return reply{delay: 10 * time.Millisecond} }

// newTestStore returns a store with a stub. Retries wait for the maximum time.
func newTestStore(t testing.TB, o Options, respond func(call) reply) (*Store, *stub) {
	t.Helper()
	up := &stub{respond: respond, start: time.Now()}
	client, err := mixcloud.New(
		mixcloud.WithAPIURL("https://mixcloud.test"),
		mixcloud.WithHTTPClient(&http.Client{Transport: up}),
	)
	if err != nil {
		t.Fatal(err)
	}
	if o.Jitter == nil {
		o.Jitter = func(limit time.Duration) time.Duration { return limit }
	}
	s := NewStore(client, o)
	t.Cleanup(func() {
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return s, up
}

// user returns the read of a user.
func user(key string) Resource[*mixcloud.FullUser] {
	return Resource[*mixcloud.FullUser]{
		Class: ClassUser, ID: key,
		Get:    func(ctx context.Context, c *mixcloud.Client) (*mixcloud.FullUser, error) { return c.User(ctx, key) },
		Encode: func(u *mixcloud.FullUser) []byte { return u.Raw() },
		Decode: func(raw []byte) (*mixcloud.FullUser, error) {
			return mixcloud.Decode[mixcloud.FullUser](json.RawMessage(raw))
		},
	}
}

// fetchName fetches a user and returns its name or error.
func fetchName(ctx context.Context, s *Session, key string) string {
	u, err := Fetch(ctx, s, user(key))
	if err != nil {
		return err.Error()
	}
	return u.Name
}

// want compares the result of a fetch.
func want(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// wantIdle fails if a slot is taken, or a call waits or is in flight.
func wantIdle(t *testing.T, s *Store, slots int) {
	t.Helper()
	if free, waiting := s.limiter.queue.Load(); free != slots || waiting != 0 || s.loads.Len() != 0 || len(s.refreshes) != 0 {
		t.Errorf("%d of %d slots are free, %d calls wait, %d are in flight, %d refreshes run; want an idle store", free, slots, waiting, s.loads.Len(), len(s.refreshes))
	}
}

// wantCalls compares the number of calls since up.made was last called.
func wantCalls(t *testing.T, up *stub, want int) {
	t.Helper()
	if got := up.made(); got != want {
		t.Errorf("%d calls were made, want %d", got, want)
	}
}

func limited(wait string) reply {
	r := reply{delay: 10 * time.Millisecond, status: 403, body: `{"error":{"type":"RateLimitException","message":"You have hit your rate limit."}}`}
	if wait != "" {
		r.header = map[string]string{"Retry-After": wait}
	}
	return r
}

var (
	broken  = reply{delay: 10 * time.Millisecond, status: 502, body: "<html>"}
	missing = reply{delay: 10 * time.Millisecond, status: 404, body: `{"error":{"type":"ResourceNotFoundException","message":"no"}}`}
)
