package mixcloud

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestScrub removes whole tokens of at least eight characters, and leaves words
// alone that merely contain the text of a short one.
func TestScrub(t *testing.T) {
	t.Parallel()
	const long = "0123456789abcdef0123456789abcdef"
	for name, test := range map[string]struct{ token, text, want string }{
		"a token":                          {"demo-token", "demo-token is wrong", "[redacted] is wrong"},
		"in quotes":                        {"demo-token", `"demo-token".`, `"[redacted]".`},
		"twice":                            {"demo-token", "demo-token, demo-token", "[redacted], [redacted]"},
		"percent-encoded around":           {"demo-token", "Bearer%20demo-token%22", "Bearer%20[redacted]%22"},
		"percent-encoded itself":           {"demo/token", "a demo%2Ftoken!", "a [redacted]!"},
		"one letter":                       {"a", "You have already uploaded this.", "You have already uploaded this."},
		"seven characters":                 {"already", "You have already uploaded this.", "You have already uploaded this."},
		"eight characters":                 {"uploaded", "You have already uploaded this.", "You have already [redacted] this."},
		"part of a word":                   {"cloudcast", "Two cloudcasts; subcloudcast; cloudcast-x; cloudcast_x", "Two cloudcasts; subcloudcast; cloudcast-x; cloudcast_x"},
		"part of a word, then alone":       {"cloudcast", "cloudcasts: cloudcast", "cloudcasts: [redacted]"},
		"a letter that is not ASCII":       {"cloudcast", "écloudcasté", "écloudcasté"},
		"as long as Mixcloud's":            {long, "token" + long + "x", "token[redacted]x"},
		"a parameter, however short":       {"a", "?access_token=a&b=c", "?access_token=[redacted]&b=c"},
		"a parameter of somebody else's":   {"", "?access_token=somebodys", "?access_token=[redacted]"},
		"an encoded parameter":             {"a", "access_token%3Da", "access_token=[redacted]"},
		"nothing of it":                    {"demo-token", "Try again.", "Try again."},
		"overlapping occurrences":          {"abababab", "ababababab abababab", "ababababab [redacted]"},
		"before a word that is not a word": {"demo-token", "demo-token\xff", "[redacted]\xff"},
	} {
		var token credential
		if test.token != "" {
			token = &test.token
		}
		if got := scrub(test.text, token); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestWrite_NoResult takes an answer that does not say what became of a write
// for no success and for no refusal.
func TestWrite_NoResult(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", " ", "{}", "null", `{"result":null}`, `{"result":"ok"}`, `{"result":{}}`, `{"result":{"message":"ok","key":"/a/b/"}}`, `{"result":{"success":"maybe"}}`, "<html>"} {
		c := testClient(t, func(r *http.Request) (*http.Response, error) {
			return answer(r, 200, nil, strings.NewReader(body)), nil
		}).As("token")
		name := "x"
		for what, call := range map[string]func() (*Result, error){
			"an action": func() (*Result, error) { return c.Favorite(t.Context(), "/a/b/") },
			"an upload": func() (*Result, error) { return c.Upload(t.Context(), UploadFields{Name: &name}, nil) },
		} {
			result, err := call()
			failed, _ := errors.AsType[*Error](err)
			if result != nil || !errors.Is(err, ErrBadResponse) || failed.Answered || failed.Status != 200 {
				t.Errorf("%s answered with %q: %+v, %v", what, body, result, err)
			}
		}
	}
}
