package mixcloud

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestScrub checks that tokens of at least eight characters are removed, and that
// words that contain a short token are not changed.
func TestScrub(t *testing.T) {
	t.Parallel()
	const long = "0123456789abcdef0123456789abcdef"
	for name, test := range map[string]struct{ token, text, want string }{
		"a token":                      {"demo-token", "demo-token is wrong", "[redacted] is wrong"},
		"in quotes":                    {"demo-token", `"demo-token".`, `"[redacted]".`},
		"twice":                        {"demo-token", "demo-token, demo-token", "[redacted], [redacted]"},
		"between escapes":              {"demo-token", "Bearer%20demo-token%22", "Bearer%20[redacted]%22"},
		"percent-encoded":              {"demo/token", "a demo%2Ftoken!", "a [redacted]!"},
		"one letter":                   {"a", "You have already uploaded this.", "You have already uploaded this."},
		"seven characters":             {"already", "You have already uploaded this.", "You have already uploaded this."},
		"eight characters":             {"uploaded", "You have already uploaded this.", "You have already [redacted] this."},
		"part of a word":               {"cloudcast", "Two cloudcasts; subcloudcast; cloudcast-x; cloudcast_x", "Two cloudcasts; subcloudcast; cloudcast-x; cloudcast_x"},
		"part of a word, then alone":   {"cloudcast", "cloudcasts: cloudcast", "cloudcasts: [redacted]"},
		"a letter that is not ASCII":   {"cloudcast", "écloudcasté", "écloudcasté"},
		"inside a word, 32 characters": {long, "token" + long + "x", "token[redacted]x"},
		"a short token in a parameter": {"a", "?access_token=a&b=c", "?access_token=[redacted]&b=c"},
		"another token in a parameter": {"", "?access_token=other", "?access_token=[redacted]"},
		"an encoded parameter":         {"a", "access_token%3Da", "access_token=[redacted]"},
		"no token":                     {"demo-token", "Try again.", "Try again."},
		"overlapping occurrences":      {"abababab", "ababababab abababab", "ababababab [redacted]"},
		"before invalid UTF-8":         {"demo-token", "demo-token\xff", "[redacted]\xff"},
	} {
		var token credential
		if test.token != "" {
			token = &test.token
		}
		if got := scrub(test.text, token); got != test.want {
			t.Errorf("%s: scrub = %q, want %q", name, got, test.want)
		}
	}
}

// TestWrite_NoResult checks that the response to a write is an ErrBadResponse if it
// does not contain the result.
func TestWrite_NoResult(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", " ", "{}", "null", `{"result":null}`, `{"result":"ok"}`, `{"result":{}}`, `{"result":{"message":"ok","key":"/a/b/"}}`, `{"result":{"success":"maybe"}}`, "<html>"} {
		c := testClient(t, func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 200, nil, strings.NewReader(body)), nil
		}).As("token")
		name := "x"
		for what, call := range map[string]func() (*Result, error){
			"an action": func() (*Result, error) { return c.Favorite(t.Context(), "/a/b/") },
			"an upload": func() (*Result, error) { return c.Upload(t.Context(), UploadFields{Name: &name}, nil) },
		} {
			result, err := call()
			failed, _ := errors.AsType[*Error](err)
			if result != nil || !errors.Is(err, ErrBadResponse) || failed.FromAPI || failed.Status != 200 {
				t.Errorf("%s with the response %q returned %+v, %v; want nil, ErrBadResponse with status 200, not from the API", what, body, result, err)
			}
		}
	}
}
