package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mixcloud-graphql/internal/config"
)

// A page of another origin can read every response of the GraphQL endpoint, including refusals, in the media type that it accepts. Other
// paths have no CORS headers.
func TestCrossOrigin_ResponsesAreReadable(t *testing.T) {
	t.Parallel()
	const page = "https://app.example.com"
	for _, origins := range [][]string{nil, {page}} {
		a := newDemoApp(t, func(cfg *config.Serve) { cfg.AllowOrigin = origins })
		want := "*"
		if origins != nil {
			want = page
		}
		for name, tt := range map[string]struct {
			method, path, contentType, body, authorization string
			status                                         int
		}{
			"executed":        {"POST", "/graphql", "application/json", `{"query":"{user(username:\"demo\"){name}}"}`, "", 200},
			"by GET":          {"GET", "/graphql?query=%7B__typename%7D", "", "", "", 200},
			"invalid":         {"POST", "/graphql", "application/json", `{"query":"{nope}"}`, "", 400},
			"not JSON":        {"POST", "/graphql", "application/json", `{"query"`, "", 400},
			"a form":          {"POST", "/graphql", "text/plain", "x", "", 415},
			"bad token":       {"POST", "/graphql", "application/json", `{"query":"{__typename}"}`, "Bearer a b", 401},
			"mutation by GET": {"GET", "/graphql?query=mutation%7B__typename%7D", "", "", "", 405},
			"too many tokens": {"POST", "/graphql", "application/json", `{"query":"{` + strings.Repeat("a:__typename ", 20_000) + `}"}`, "", 400},
		} {
			r := httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, strings.NewReader(tt.body))
			r.Header.Set("Origin", page)
			r.Header.Set("Accept", "application/graphql-response+json")
			r.Header.Set("Content-Type", tt.contentType)
			if tt.authorization != "" {
				r.Header.Set("Authorization", tt.authorization)
			}
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("%s: status = %d, want %d: %.200s", name, w.Code, tt.status, w.Body)
			}
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%s: Access-Control-Allow-Origin = %q, want %q", name, got, want)
			}
			if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "application/graphql-response+json") {
				t.Errorf("%s: Content-Type = %q, want application/graphql-response+json", name, got)
			}
		}
		if w := get(t, a, "/oauth/login", func(r *http.Request) { r.Header.Set("Origin", page) }); w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("/oauth/login: Access-Control-Allow-Origin = %q, want none", w.Header().Get("Access-Control-Allow-Origin"))
		}
	}
}

// A large response is compressed, unless it contains an access token.
func TestCompression(t *testing.T) {
	t.Parallel()
	a := newDemoApp(t)
	srv := httptest.NewServer(a)
	defer srv.Close()
	execute := func(query string) (*http.Response, int) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/graphql", strings.NewReader(`{"query":"`+query+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept-Encoding", "gzip")

		resp, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, len(body)
	}
	list := `{popular(first:100){nodes{key name url user{username name} tags{name}}}}`
	resp, size := execute(list)
	if resp.Header.Get("Content-Encoding") != "gzip" || size > 12_000 {
		t.Errorf("Content-Encoding = %q, %d bytes, want gzip and at most 12,000", resp.Header.Get("Content-Encoding"), size)
	}
	if vary := resp.Header["Vary"]; len(vary) != 1 || len(vary[0]) > 128 || !strings.Contains(vary[0], "Accept-Encoding") {
		t.Errorf("Vary = %q, want one line of at most 128 bytes with Accept-Encoding", vary)
	}
	long := strings.Repeat("x", 3000)
	if resp, _ := execute(`mutation{exchangeOAuthCode(input:{code:\"` + long + `\",redirectUri:\"https://a.example/\",clientMutationId:\"` + long + `\"}){accessToken clientMutationId userErrors{message}}}`); resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("Content-Encoding of a response with an access token = %q, want none", resp.Header.Get("Content-Encoding"))
	}
}
