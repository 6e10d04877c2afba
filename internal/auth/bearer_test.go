package auth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mixcloud-graphql/internal/auth"
)

// ask sends a request with these Authorization headers and returns the answer
// and the token that the handler saw; "handler not reached" if it did not run.
func ask(t *testing.T, headers ...string) (*httptest.ResponseRecorder, string) {
	t.Helper()
	saw := "handler not reached"
	h := auth.Viewer(auth.RandomKeys(), nil)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { saw = auth.Token(r.Context()) }))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", nil)
	r.Header["Authorization"] = headers
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec, saw
}

func TestBearer_Accepted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		headers []string
		want    string
	}{
		"none":              {nil, ""},
		"a token":           {[]string{"Bearer demo-token"}, "demo-token"},
		"any case of it":    {[]string{"bEARER demo-token"}, "demo-token"},
		"more blanks":       {[]string{"  Bearer   demo-token "}, "demo-token"},
		"all characters":    {[]string{"Bearer azAZ09-._~+/=="}, "azAZ09-._~+/=="},
		"the longest token": {[]string{"Bearer " + strings.Repeat("a", auth.MaxToken)}, strings.Repeat("a", auth.MaxToken)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec, got := ask(t, tt.headers...)
			if rec.Code != http.StatusOK || got != tt.want {
				t.Errorf("status %d, token %q, want %q", rec.Code, got, tt.want)
			}
		})
	}
}

func TestBearer_Refused(t *testing.T) {
	t.Parallel()
	const canary = "s3cret-canary"
	tests := map[string]struct {
		headers []string
		says    string
	}{
		"empty":           {[]string{""}, "not Bearer"},
		"scheme alone":    {[]string{"Bearer"}, "no token"},
		"scheme and void": {[]string{"Bearer  "}, "no token"},
		"token alone":     {[]string{canary}, "not Bearer"},
		"another scheme":  {[]string{"Basic " + canary}, "not Bearer"},
		"two tokens":      {[]string{"Bearer " + canary + " x"}, "characters"},
		"a comma":         {[]string{"Bearer " + canary + ",x"}, "characters"},
		"not ASCII":       {[]string{"Bearer " + canary + "é"}, "characters"},
		"only padding":    {[]string{"Bearer =="}, "characters"},
		"padding within":  {[]string{"Bearer a=" + canary}, "characters"},
		"a line break":    {[]string{"Bearer " + canary + "\r\nX: y"}, "characters"},
		"too long":        {[]string{"Bearer " + strings.Repeat("a", auth.MaxToken+1)}, "too long"},
		"several headers": {[]string{"Bearer " + canary, "Bearer " + canary}, "several"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec, saw := ask(t, tt.headers...)
			if rec.Code != http.StatusUnauthorized || saw != "handler not reached" {
				t.Fatalf("status %d, handler: %s", rec.Code, saw)
			}
			challenge := rec.Header().Get("WWW-Authenticate")
			if !strings.HasPrefix(challenge, `Bearer realm=`) || !strings.Contains(challenge, `error="invalid_token"`) {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
			var body struct {
				Errors []struct {
					Message    string
					Extensions struct{ Code string }
				}
			}
			if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil || len(body.Errors) != 1 {
				t.Fatalf("the body is no GraphQL error: %s", rec.Body)
			}
			if got := body.Errors[0]; got.Extensions.Code != "UNAUTHENTICATED" || !strings.Contains(got.Message, tt.says) {
				t.Errorf("got %+v, want words with %q", got, tt.says)
			}
			if strings.Contains(rec.Body.String()+challenge, canary) {
				t.Error("the token is quoted back")
			}
		})
	}
}

// Whatever a stranger sends, either the handler sees one token that can stand
// in a URL, or the request is refused without an echo.
func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"", "Bearer x", "bearer  a.b-c_d~e+f/g==", "Basic x", "Bearer é", "Bearer a b", "Bearer ="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		rec, saw := ask(t, header)
		if saw == "handler not reached" {
			if rec.Code != http.StatusUnauthorized {
				t.Fatalf("refused with %d", rec.Code)
			}
			return
		}
		if saw == "" || len(saw) > auth.MaxToken || strings.Trim(saw, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") != "" {
			t.Fatalf("%q was taken as the token %q", header, saw)
		}
		if !strings.Contains(header, saw) {
			t.Fatalf("%q is no part of %q", saw, header)
		}
	})
}
