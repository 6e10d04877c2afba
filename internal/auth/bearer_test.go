package auth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mixcloud-graphql/internal/auth"
)

// serve sends a request with these Authorization headers. It returns the response and the token
// that the handler received, or "handler not reached".
func serve(t *testing.T, headers ...string) (*httptest.ResponseRecorder, string) {
	t.Helper()
	got := "handler not reached"
	h := auth.Viewer(auth.RandomKeys(), nil)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = auth.Token(r.Context()) }))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", nil)
	r.Header["Authorization"] = headers
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec, got
}

func TestBearer_Accepted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		headers []string
		want    string
	}{
		"none":               {nil, ""},
		"a token":            {[]string{"Bearer demo-token"}, "demo-token"},
		"scheme in any case": {[]string{"bEARER demo-token"}, "demo-token"},
		"more spaces":        {[]string{"  Bearer   demo-token "}, "demo-token"},
		"all characters":     {[]string{"Bearer azAZ09-._~+/=="}, "azAZ09-._~+/=="},
		"the longest token":  {[]string{"Bearer " + strings.Repeat("a", auth.MaxToken)}, strings.Repeat("a", auth.MaxToken)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec, got := serve(t, tt.headers...)
			if rec.Code != http.StatusOK || got != tt.want {
				t.Errorf("status %d, token %q, want 200, %q", rec.Code, got, tt.want)
			}
		})
	}
}

func TestBearer_Refused(t *testing.T) {
	t.Parallel()
	const canary = "s3cret-canary"
	tests := map[string]struct {
		headers []string
		text    string // part of the page
	}{
		"empty":                 {[]string{""}, "not Bearer"},
		"scheme alone":          {[]string{"Bearer"}, "no token"},
		"scheme and spaces":     {[]string{"Bearer  "}, "no token"},
		"token alone":           {[]string{canary}, "not Bearer"},
		"another scheme":        {[]string{"Basic " + canary}, "not Bearer"},
		"two tokens":            {[]string{"Bearer " + canary + " x"}, "characters"},
		"a comma":               {[]string{"Bearer " + canary + ",x"}, "characters"},
		"not ASCII":             {[]string{"Bearer " + canary + "é"}, "characters"},
		"only padding":          {[]string{"Bearer =="}, "characters"},
		"padding in the middle": {[]string{"Bearer a=" + canary}, "characters"},
		"a line break":          {[]string{"Bearer " + canary + "\r\nX: y"}, "characters"},
		"too long":              {[]string{"Bearer " + strings.Repeat("a", auth.MaxToken+1)}, "too long"},
		"several headers":       {[]string{"Bearer " + canary, "Bearer " + canary}, "more than once"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec, got := serve(t, tt.headers...)
			if rec.Code != http.StatusUnauthorized || got != "handler not reached" {
				t.Fatalf("status %d, handler: %s; want 401 without a call of the handler", rec.Code, got)
			}
			challenge := rec.Header().Get("WWW-Authenticate")
			if !strings.HasPrefix(challenge, `Bearer realm=`) || !strings.Contains(challenge, `error="invalid_token"`) {
				t.Errorf("WWW-Authenticate is %q, want a Bearer challenge with error=\"invalid_token\"", challenge)
			}
			var body struct {
				Errors []struct {
					Message    string
					Extensions struct{ Code string }
				}
			}
			if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil || len(body.Errors) != 1 {
				t.Fatalf("got body %s (error %v), want one GraphQL error", rec.Body, err)
			}
			if got := body.Errors[0]; got.Extensions.Code != "UNAUTHENTICATED" || !strings.Contains(got.Message, tt.text) {
				t.Errorf("got %+v, want UNAUTHENTICATED and a message with %q", got, tt.text)
			}
			if strings.Contains(rec.Body.String()+challenge, canary) {
				t.Error("the response contains the token")
			}
		})
	}
}

// For any header, either the handler receives one token that is valid in a URL, or the request
// is refused without quoting the header.
func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"", "Bearer x", "bearer  a.b-c_d~e+f/g==", "Basic x", "Bearer é", "Bearer a b", "Bearer ="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		rec, got := serve(t, header)
		if got == "handler not reached" {
			if rec.Code != http.StatusUnauthorized {
				t.Fatalf("Authorization %q: status %d, want 401", header, rec.Code)
			}
			return
		}
		if got == "" || len(got) > auth.MaxToken || strings.Trim(got, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") != "" {
			t.Fatalf("Authorization %q: got token %q, want one with only the characters of RFC 6750", header, got)
		}
		if !strings.Contains(header, got) {
			t.Fatalf("Authorization %q: got token %q, want a part of the header", header, got)
		}
	})
}
