package mixcloud

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSanitize checks the plain text of messages with markup, secrets and control
// characters.
func TestSanitize(t *testing.T) {
	t.Parallel()
	token := "demo-token"
	for text, want := range map[string]string{
		"":                                    "",
		"You have already uploaded this.":     "You have already uploaded this.",
		" a\x00b\r\nc\x7f\u202e\u200b\x1b[1m": "ab  c[1m",
		"<p>You can<b>not</b> do <i class='x'>this</i>.</p><p>Go <a href=\"https://x.example/?t=s3cret\">on</a>.</p>": "You cannot do this. Go on.",
		"one<br/>two<!-- three -->four":                                        "one two four",
		"<!DOCTYPE html><html><body>Oops</body></html>":                        "Oops",
		"<script>alert(1)</script>":                                            "alert(1)",
		"&lt;script&gt;alert(1)&lt;/script&gt; &amp; more":                     "alert(1) & more",
		"I <3 this, 1 < 2 and 3 > 2":                                           "I <3 this, 1 < 2 and 3 > 2",
		"Don&#39;t":                                                            "Don't",
		"See https://www.mixcloud.com/help/?token=s3cret#x":                    "See https://www.mixcloud.com/help/",
		"See (https://user:s3cret@host.example:8080/a/b?c=d), or x?y":          "See (https://host.example:8080/a/b or x?y",
		"redis://:s3cret@10.0.0.1/0":                                           "redis://10.0.0.1/0",
		"demo-token, demo<!-- -->-token, demo-\x00token, demo&#45;tok\u00aden": "[redacted], demo -token, [redacted], [redacted]",
		strings.Repeat("é", 501):                                               strings.Repeat("é", 499) + "…",
		strings.Repeat("x", 495) + " demo-token":                               strings.Repeat("x", 495) + " [re…",
		strings.Repeat("x", 500):                                               strings.Repeat("x", 500),
		"Ünter — “日本” 🎉":                                                       "Ünter — “日本” 🎉",
	} {
		if got := sanitize(text, &token, 500); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// TestDetails reads messages about single fields in all supported forms, and
// ignores other values.
func TestDetails(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]map[string][]string{
		`{"name":["Too long.","Odd."],"tags-0-tag":["Too short."]}`: {"name": {"Too long.", "Odd."}, "tags-0-tag": {"Too short."}},
		`{"name":"Too long."}`:                            {"name": {"Too long."}},
		`{"name":[{"message":"Too long.","code":3}]}`:     {"name-message": {"Too long."}},
		`{"sections":{"2":{"start_time":["Before 1."]}}}`: {"sections-2-start_time": {"Before 1."}},
		`["Odd."]`: {"": {"Odd."}},
		`"Odd."`:   {"": {"Odd."}},
		`{"name":[null,1,true,"",{}],"picture":3,"mp3":{}}`: nil,
		`{"name":["<br>"," ","\u0000"],"mp3":["Silent."]}`:  {"mp3": {"Silent."}},
		`{}`: nil, `null`: nil, `3`: nil, `[]`: nil,
		`{"a":{"b":{"c":{"d":{"e":["deep"]}}}}}`: nil,
	} {
		v := mustParse(t, `{"details":`+text+`}`)
		got := details(v)
		sanitizeDetails(got, nil)
		if len(got) == 0 {
			got = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sanitized details of %s (-want +got):\n%s", text, diff)
		}
	}
}

// TestResponseError_text checks that an error that is a string is not in Message but
// in the text for logs, and that it determines the kind of the error.
func TestResponseError_text(t *testing.T) {
	t.Parallel()
	for body, kind := range map[string]error{
		`{"error":"No more."}`: ErrRefused,
		`{"error":"An access_token is required to access this resource."}`: ErrUnauthenticated,
	} {
		c := testClient(t, func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 400, nil, strings.NewReader(body)), nil
		})
		_, err := c.As("token").Favorite(t.Context(), "/a/b/")
		e, _ := errors.AsType[*Error](err)
		if e == nil || e.Message != "" || !errors.Is(err, kind) || !strings.Contains(err.Error(), body[len(`{"error":`):len(body)-1]) {
			t.Errorf("response %s: error %+v, want %v with the text in its cause only", body, err, kind)
		}
	}
}
