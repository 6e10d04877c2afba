package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/telemetry"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// mixcloudURL is where the emulated Mixcloud of the tests is; nothing resolves it.
const mixcloudURL = "https://mixcloud.test"

// seeded is the world that tests read in parallel. A test that writes needs a clone,
// which takes a quarter of the time of a new world.
var seeded = sync.OnceValue(func() *world.World { return world.New(1) })

// A stage is a server over an emulated Mixcloud, and a record of what passes
// between them.
type stage struct {
	app      *App
	mixcloud *emulator.Emulator // nil if something else answers
	log      *logBuffer
	wire     *wire
}

// A set is what a stage is made of; the zero set is the demo's world, as the
// command line would serve it.
type set struct {
	config    config.Serve
	forgetful bool              // keeps no answers: each operation asks Mixcloud
	freshOnly bool              // keeps none that is not fresh
	upstream  http.RoundTripper // instead of the emulator
	emulator  []emulator.Option
	client    []mixcloud.Option
	tune      []func(*upstream.Options)
	writes    bool // the world is the stage's own, to write to
}

// appRedirect is where the server of the tests lets apps have people sent back to.
const appRedirect = "https://app.test/back"

func newStage(t testing.TB, s set) *stage {
	t.Helper()
	st := &stage{log: new(logBuffer), wire: new(wire)}
	st.wire.next = s.upstream
	if s.upstream == nil {
		var err error
		shown := seeded()
		if s.writes {
			shown = seeded().Clone()
		}
		st.mixcloud, err = emulator.New(append([]emulator.Option{emulator.WithWorld(shown)}, s.emulator...)...)
		if err != nil {
			t.Fatal(err)
		}
		st.wire.next = st.mixcloud.Transport()
	}
	client, err := mixcloud.New(append([]mixcloud.Option{
		mixcloud.WithAPIURL(mixcloudURL),
		mixcloud.WithSiteURL(mixcloudURL + "/www"),
		mixcloud.WithOEmbedURL(mixcloudURL + "/www/oembed/"),
		mixcloud.WithHTTPClient(&http.Client{Transport: st.wire}),
	}, s.client...)...)
	if err != nil {
		t.Fatal(err)
	}
	if s.config.RequestTimeout == 0 {
		s.config.RequestTimeout = 30 * time.Second
	}
	if s.config.MaxWait == 0 {
		s.config.MaxWait = time.Minute // of a machine that may be slow
	}
	if s.config.OAuthClientID == "" {
		s.config.OAuthClientID, s.config.OAuthClientSecret = emulator.DemoClientID, emulator.DemoClientSecret
		s.config.PublicURL, s.config.SecretKey = "https://graph.test", "the key of the tests, 32 bytes of it"
		s.config.OAuthRedirects = []string{"https://app.test/back?to=%2F", appRedirect}
	}
	logger, err := telemetry.NewLogger(st.log, telemetry.JSON, slog.LevelDebug)
	if err != nil {
		t.Fatal(err)
	}
	if s.config.CacheBytes == 0 && !s.forgetful {
		s.config.CacheBytes = 8 << 20
	}
	if s.config.StaleFor == 0 && !s.freshOnly {
		s.config.StaleFor = 24 * time.Hour
	}
	if st.app, err = newOver(s.config, client, nil, logger, s.tune...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.app.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return st
}

// accepts reports whether the emulated Mixcloud accepts a token.
func (s *stage) accepts(token string) bool {
	return slices.ContainsFunc(s.mixcloud.Users(), func(u emulator.UserInfo) bool { return u.Token == token })
}

// An answer is a response of the server.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// An errorOf is an error of a response, as far as tests look into it.
type errorOf struct {
	Message    string         `json:"message"`
	Path       []any          `json:"path"`
	Extensions map[string]any `json:"extensions"`
}

func (e errorOf) code() string {
	code, _ := e.Extensions["code"].(string)
	return code
}

// ask sends an operation as a client would; token "" sends none.
func (s *stage) ask(t testing.TB, token, query string, variables map[string]any) answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return s.serve(r, token)
}

// serve sends a request for whoever has the token.
func (s *stage) serve(r *http.Request, token string) answer {
	r.Header.Set("Accept", "application/graphql-response+json")
	r.Header.Set("X-Request-Id", "test-request")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	s.app.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.Bytes()}
}

// A sentFile is a file of a multipart request.
type sentFile struct {
	Path string `json:"path"` // into the request, such as "variables.mp3"
	Name string `json:"name"`
	Type string `json:"type"`
	Head string `json:"head"` // how it begins; the rest is of zeros
	Size int    `json:"size"`
}

func (f sentFile) content() []byte {
	return append([]byte(f.Head), make([]byte, max(0, f.Size-len(f.Head)))...)
}

// send sends an operation with files, in their order.
func (s *stage) send(t testing.TB, token, query string, variables map[string]any, sent ...sentFile) answer {
	t.Helper()
	return s.serve(multipartRequest(t, query, variables, sent...), token)
}

func multipartRequest(t testing.TB, query string, variables map[string]any, sent ...sentFile) *http.Request {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	places := map[string][]string{}
	for i, f := range sent {
		places[strconv.Itoa(i)] = []string{f.Path}
	}
	for _, field := range []struct {
		name  string
		value any
	}{{"operations", map[string]any{"query": query, "variables": variables}}, {"map", places}} {
		text, err := json.Marshal(field.value)
		if err != nil {
			t.Fatal(err)
		}
		if err := form.WriteField(field.name, string(text)); err != nil {
			t.Fatal(err)
		}
	}
	for i, f := range sent {
		part, err := form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {fmt.Sprintf(`form-data; name="%d"; filename="%s"`, i, f.Name)}, "Content-Type": {f.Type},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(f.content()); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/graphql", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("X-Requested-With", "test")
	return r
}

// decode reads an answer into data, and gives its errors in the order of their
// paths.
func (a answer) decode(t testing.TB, data any) []errorOf {
	t.Helper()
	var whole struct {
		Data   json.RawMessage `json:"data"`
		Errors []errorOf       `json:"errors"`
	}
	if err := json.Unmarshal(a.body, &whole); err != nil {
		t.Fatalf("status %d, %v:\n%s", a.status, err, a.body)
	}
	if data != nil && len(whole.Data) > 0 {
		if err := json.Unmarshal(whole.Data, data); err != nil {
			t.Fatalf("%v:\n%s", err, a.body)
		}
	}
	slices.SortStableFunc(whole.Errors, func(a, b errorOf) int { return strings.Compare(pathOf(a), pathOf(b)) })
	return whole.Errors
}

func pathOf(e errorOf) string {
	text, err := json.Marshal(e.Path)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// A wire is the last thing before Mixcloud: it sees what is really sent.
type wire struct {
	next http.RoundTripper

	mu         sync.Mutex
	calls      []string
	inAir, max int
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.calls = append(w.calls, line(r))
	w.inAir++
	w.max = max(w.max, w.inAir)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.inAir--
		w.mu.Unlock()
	}()
	return w.next.RoundTrip(r)
}

// line is a request as goldens show it. A token is a mark: goldens hold none.
func line(r *http.Request) string {
	query, token := "", ""
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		switch {
		case strings.HasPrefix(part, "access_token="):
			token = " (token)"
		case query == "" && part != "":
			query = "?" + part
		case part != "":
			query += "&" + part
		}
	}
	return r.Method + " " + r.URL.EscapedPath() + query + token
}

// upstream gives the calls made since it was last asked, sorted: those that
// are made side by side have no order.
func (s *stage) upstream() []string {
	s.wire.mu.Lock()
	defer s.wire.mu.Unlock()
	calls := slices.Sorted(slices.Values(s.wire.calls))
	s.wire.calls = nil
	return calls
}

// A logBuffer keeps what was logged.
type logBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}
