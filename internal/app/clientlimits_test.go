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

// asClient sends a query from an address, with a token if it is not "".
func asClient(t *testing.T, h http.Handler, address, token, query string, headers ...string) *httptest.ResponseRecorder {
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

// wantLimited checks a refusal in the media type of the client.
func wantLimited(t *testing.T, rec *httptest.ResponseRecorder, media, limit, retry string) {
	t.Helper()
	var got struct {
		Errors []struct {
			Message    string
			Extensions map[string]any
		}
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || len(got.Errors) != 1 || rec.Code != http.StatusTooManyRequests {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	x := got.Errors[0].Extensions
	if x["code"] != "LIMIT_EXCEEDED" || x["limit"] != limit || x["retryable"] != true || x["value"] == nil || x["maximum"] == nil || x["retryAfterMs"] == nil {
		t.Errorf("extensions %v", x)
	}
	h := rec.Header()
	if h.Get("Retry-After") != retry || !strings.HasPrefix(h.Get("Content-Type"), media) || h.Get("Cache-Control") != "no-store" || h.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("headers %v", h)
	}
}

const (
	anyPage      = "https://app.example.com"
	newerMedia   = "application/graphql-response+json"
	onlyTypename = "{ __typename }"
)

func newLimited(t *testing.T, cfg config.Serve) *App {
	t.Helper()
	cfg.Demo, cfg.PublicURL, cfg.RequestTimeout = true, publicURL, time.Minute
	a, err := New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A client is an address, or a person whose token Mixcloud has accepted: an invented
// token is no way around the limit of the address.
func TestClientRequests(t *testing.T) {
	t.Parallel()
	a := newLimited(t, config.Serve{ClientRequests: 3})
	const home, elsewhere = "192.0.2.1:1", "192.0.2.2:1"
	for range 3 {
		if rec := asClient(t, a, home, "", onlyTypename); rec.Code != http.StatusOK {
			t.Fatalf("status %d: %s", rec.Code, rec.Body)
		}
	}
	wantLimited(t, asClient(t, a, home, "", onlyTypename, "Accept", newerMedia, "Origin", anyPage), newerMedia, "client-requests", "20")
	wantLimited(t, asClient(t, a, home, "", onlyTypename, "Origin", anyPage), "application/json", "client-requests", "20")
	wantLimited(t, asClient(t, a, home, "invented", onlyTypename, "Origin", anyPage), "application/json", "client-requests", "20")
	wantLimited(t, asClient(t, a, home, "demo-token", onlyTypename, "Origin", anyPage), "application/json", "client-requests", "20")

	if rec := asClient(t, a, elsewhere, "demo-token", "{ viewer { username } }"); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"demo"`) {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	for range 3 { // from now on the token is a client of its own, wherever it comes from
		if rec := asClient(t, a, home, "demo-token", onlyTypename); rec.Code != http.StatusOK {
			t.Fatalf("status %d: %s", rec.Code, rec.Body)
		}
	}
	wantLimited(t, asClient(t, a, elsewhere, "demo-token", onlyTypename, "Origin", anyPage), "application/json", "client-requests", "20")

	const first, second, other = "[2001:db8:1:2::1]:1", "[2001:db8:1:2:ffff::9]:1", "[2001:db8:1:3::1]:1"
	for range 3 {
		asClient(t, a, first, "", onlyTypename)
	}
	wantLimited(t, asClient(t, a, second, "", onlyTypename, "Origin", anyPage), "application/json", "client-requests", "20")
	if rec := asClient(t, a, other, "", onlyTypename); rec.Code != http.StatusOK {
		t.Errorf("another /64: status %d: %s", rec.Code, rec.Body)
	}
}

// Calls are charged as they are made; what the cache answers is free.
func TestClientCalls(t *testing.T) {
	t.Parallel()
	a := newLimited(t, config.Serve{ClientCalls: 2, CacheBytes: 1 << 20, StaleFor: time.Hour})
	const home = "192.0.2.1:1"
	query := `{ a: user(username: "demo") { name } b: user(username: "spartacus") { name } c: tag(name: "soul") { name } }`
	rec := asClient(t, a, home, "", query, "X-GraphQL-Cost", "true")
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"upstreamCalls":3`) {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	wantLimited(t, asClient(t, a, home, "", onlyTypename, "Origin", anyPage), "application/json", "client-calls", "60")
	for range 5 {
		if rec := asClient(t, a, "192.0.2.2:1", "", query, "X-GraphQL-Cost", "true"); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"upstreamCalls":0`) {
			t.Errorf("status %d: %s", rec.Code, rec.Body)
		}
	}
}

// Without limits nobody is refused.
func TestClientLimits_None(t *testing.T) {
	t.Parallel()
	a := newLimited(t, config.Serve{})
	for range 300 {
		if rec := asClient(t, a, "192.0.2.1:1", "", onlyTypename); rec.Code != http.StatusOK {
			t.Fatalf("status %d: %s", rec.Code, rec.Body)
		}
	}
}
