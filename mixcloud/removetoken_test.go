package mixcloud

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRemoveToken(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"next": "https://x/y/?access_token=s3cret-token%2Fof%2Bme&limit=2"}`:              `{"next": "https://x/y/?limit=2"}`,
		`{"next": "https://x/y/?limit=2&access_token=s3cret-token%2Fof%2Bme"}`:              `{"next": "https://x/y/?limit=2"}`,
		`{"next": "https://x/y/?access_token=s3cret-token%2Fof%2Bme"}`:                      `{"next": "https://x/y/"}`,
		`{"next": "https://x/y/?access_token\u003ds3cret-token\u0026until=3\u0026since=1"}`: `{"next": "https://x/y/?until=3\u0026since=1"}`,
		`{"html": "a \"x?b=1&amp;access_token=s3cret-token\" c"}`:                           `{"html": "a \"x?b=1\" c"}`,
		`{"name": "access_token is a word", "n": [1, 2.50]}`:                                `{"name": "access_token is a word", "n": [1, 2.50]}`,
	} {
		if got := removeToken(mustParse(t, body)).Raw(); got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", body, got, want)
		}
	}
}

// TestRemoveToken_validJSON checks that the result is valid JSON without the token.
func TestRemoveToken_validJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.StringMatching(`[A-Za-z0-9+/=~-]{8,40}`).Draw(t, "token")
		text := rapid.String().Draw(t, "before") + rapid.SampledFrom([]string{"?access_token=", "&access_token="}).Draw(t, "as") + token +
			rapid.SampledFrom([]string{"&", "", "\"", "\\", " "}).Draw(t, "end") + rapid.String().Draw(t, "after")
		body, err := json.Marshal(map[string]string{"x": text})
		if err != nil {
			t.Fatal(err)
		}
		got := removeToken(mustParse(t, string(body))).Raw()
		if !json.Valid([]byte(got)) || strings.Contains(got, token) {
			t.Fatalf("removeToken(%s) = %s, want valid JSON without the token", body, got)
		}
	})
}
