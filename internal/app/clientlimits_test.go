package app

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
)

// executeFrom sends an operation from a client address. Without a token the request is anonymous.
func executeFrom(t *testing.T, h http.Handler, address, token, query string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(string(body)))
	r.RemoteAddr = address
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// wantLimited checks that the response is the refusal of a limit per client, in the given media type.
func wantLimited(t *testing.T, rec *httptest.ResponseRecorder, media, limit, retry string) {
	t.Helper()
	var got struct {
		Errors []struct {
			Message    string
			Extensions map[string]any
		}
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || len(got.Errors) != 1 || rec.Code != http.StatusTooManyRequests {
		t.Fatalf("status = %d, want 429 with one error: %s", rec.Code, rec.Body)
	}
	x := got.Errors[0].Extensions
	if x["code"] != "LIMIT_EXCEEDED" || x["limit"] != limit || x["retryable"] != true || x["value"] == nil || x["maximum"] == nil || x["retryAfterMs"] == nil {
		t.Errorf("extensions = %v, want code LIMIT_EXCEEDED, limit %s, retryable true, and value, maximum and retryAfterMs", x, limit)
	}
	h := rec.Header()
	if h.Get("Retry-After") != retry || !strings.HasPrefix(h.Get("Content-Type"), media) || h.Get("Cache-Control") != "no-store" || h.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("headers = %v, want Retry-After %s, Content-Type %s, no-store and CORS headers", h, retry, media)
	}
}

const (
	otherOrigin   = "https://app.example.com"
	responseMedia = "application/graphql-response+json"
	typenameQuery = "{ __typename }"
)

// newLimited returns a demo server with the limits of cfg.
func newLimited(t *testing.T, cfg config.Serve) *App {
	t.Helper()
	cfg.Demo, cfg.PublicURL, cfg.RequestTimeout = true, publicURL, time.Minute
	a, err := New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The limit on requests applies to the principal if Mixcloud has accepted its token, otherwise to the client's address. An
// invented token does not evade the limit of the address.
func TestClientLimits_Requests(t *testing.T) {
	t.Parallel()
	a := newLimited(t, config.Serve{ClientRequests: 3})
	const home, elsewhere = "192.0.2.1:1", "192.0.2.2:1"
	for range 3 {
		if rec := executeFrom(t, a, home, "", typenameQuery); rec.Code != http.StatusOK {
			t.Fatalf("status = %d, want 200: %s", rec.Code, rec.Body)
		}
	}
	wantLimited(t, executeFrom(t, a, home, "", typenameQuery, "Accept", responseMedia, "Origin", otherOrigin), responseMedia, "client-requests", "20")
	wantLimited(t, executeFrom(t, a, home, "", typenameQuery, "Origin", otherOrigin), "application/json", "client-requests", "20")
	wantLimited(t, executeFrom(t, a, home, "invented", typenameQuery, "Origin", otherOrigin), "application/json", "client-requests", "20")
	wantLimited(t, executeFrom(t, a, home, "demo-token", typenameQuery, "Origin", otherOrigin), "application/json", "client-requests", "20")

	if rec := executeFrom(t, a, elsewhere, "demo-token", "{ viewer { username } }"); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"demo"`) {
		t.Fatalf("status = %d, want 200 and the viewer demo: %s", rec.Code, rec.Body)
	}
	for range 3 { // the token is now accepted, and has its own limit at every address
		if rec := executeFrom(t, a, home, "demo-token", typenameQuery); rec.Code != http.StatusOK {
			t.Fatalf("status = %d, want 200: %s", rec.Code, rec.Body)
		}
	}
	wantLimited(t, executeFrom(t, a, elsewhere, "demo-token", typenameQuery, "Origin", otherOrigin), "application/json", "client-requests", "20")

	const first, second, other = "[2001:db8:1:2::1]:1", "[2001:db8:1:2:ffff::9]:1", "[2001:db8:1:3::1]:1"
	for range 3 {
		executeFrom(t, a, first, "", typenameQuery)
	}
	wantLimited(t, executeFrom(t, a, second, "", typenameQuery, "Origin", otherOrigin), "application/json", "client-requests", "20")
	if rec := executeFrom(t, a, other, "", typenameQuery); rec.Code != http.StatusOK {
		t.Errorf("address in another /64: status = %d, want 200: %s", rec.Code, rec.Body)
	}
}

// The limit on calls counts the calls that a client's operations make. Reads from the cache do not count.
func TestClientLimits_Calls(t *testing.T) {
	t.Parallel()
	a := newLimited(t, config.Serve{ClientCalls: 2, CacheBytes: 1 << 20, StaleFor: time.Hour})
	const home = "192.0.2.1:1"
	query := `{ a: user(username: "demo") { name } b: user(username: "spartacus") { name } c: tag(name: "soul") { name } }`
	rec := executeFrom(t, a, home, "", query, "X-GraphQL-Cost", "true")
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"upstreamCalls":3`) {
		t.Fatalf("status = %d, want 200 and 3 calls: %s", rec.Code, rec.Body)
	}
	wantLimited(t, executeFrom(t, a, home, "", typenameQuery, "Origin", otherOrigin), "application/json", "client-calls", "60")
	for range 5 {
		if rec := executeFrom(t, a, "192.0.2.2:1", "", query, "X-GraphQL-Cost", "true"); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"upstreamCalls":0`) {
			t.Errorf("status = %d, want 200 and no calls: %s", rec.Code, rec.Body)
		}
	}
}

// Without limits no request is refused.
func TestClientLimits_None(t *testing.T) {
	t.Parallel()
	a := newLimited(t, config.Serve{})
	for range 300 {
		if rec := executeFrom(t, a, "192.0.2.1:1", "", typenameQuery); rec.Code != http.StatusOK {
			t.Fatalf("status = %d, want 200: %s", rec.Code, rec.Body)
		}
	}
}
