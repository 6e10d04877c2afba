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

	"mixcloud-graphql/mixcloud"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A reply is what the Mixcloud of a test does with a call.
type reply struct {
	delay  time.Duration
	status int // 0 is 200
	header map[string]string
	body   string // "" for a user whose name counts the calls
	err    error  // instead of an answer
}

// A stub is a Mixcloud that a test writes.
type stub struct {
	answer func(c call) reply

	mu    sync.Mutex
	start time.Time
	calls []call
	inAir int
	most  int
}

// A call is one that was made.
type call struct {
	n      int // from 1
	of     int // the same among those to the path, from 1
	method string
	path   string
	token  string
	at     time.Duration
	header http.Header
}

func (s *stub) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	c := call{n: len(s.calls) + 1, of: 1, method: r.Method, path: r.URL.Path, token: r.URL.Query().Get("access_token"), at: time.Since(s.start), header: r.Header}
	for _, o := range s.calls {
		if o.path == c.path {
			c.of++
		}
	}
	s.calls = append(s.calls, c)
	s.inAir++
	s.most = max(s.most, s.inAir)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.inAir--
		s.mu.Unlock()
	}()
	a := s.answer(c)
	if !nap(r.Context().Done(), a.delay) {
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

// made gives the calls made since it was last asked.
func (s *stub) made() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.calls)
	s.calls = nil
	return n
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

// latest is what a Mixcloud in good health does.
func latest(call) reply { return reply{delay: 10 * time.Millisecond} }

// newRig makes a store over a stub. Tries again wait for as long as they may.
func newRig(t testing.TB, o Options, answer func(call) reply) (*Store, *stub) {
	t.Helper()
	up := &stub{answer: answer, start: time.Now()}
	client, err := mixcloud.New(
		mixcloud.WithAPIURL("https://mixcloud.test"),
		mixcloud.WithHTTPClient(&http.Client{Transport: up}),
		mixcloud.WithMiddleware(Conditional),
	)
	if err != nil {
		t.Fatal(err)
	}
	if o.Jitter == nil {
		o.Jitter = func(most time.Duration) time.Duration { return most }
	}
	s := NewStore(client, o)
	t.Cleanup(func() {
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return s, up
}

// user is the read of a user.
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

// name fetches a user and gives its name, or what went wrong.
func name(ctx context.Context, s *Session, key string) string {
	u, err := Fetch(ctx, s, user(key))
	if err != nil {
		return err.Error()
	}
	return u.Name
}

// want compares what a fetch gave.
func want(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// wantCalls compares how many calls were made since.
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
