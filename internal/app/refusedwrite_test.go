package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
)

// writeMutations contains one mutation of each kind.
var writeMutations = map[string]string{
	"action": `mutation { write: favoriteCloudcast(input: {key: "/spartacus/party-time/"}) { message userErrors { field code message } } }`,
	"undo":   `mutation { write: unfollowUser(input: {username: "spartacus"}) { message userErrors { field code message } } }`,
	"upload": `mutation ($mp3: Upload!) { write: uploadCloudcast(input: {mp3: $mp3, name: "One", tags: ["a"]}) { message userErrors { field code message } } }`,
	"edit":   `mutation { write: editCloudcast(input: {key: "/demo/lunch-break-29082026/", tags: ["a"]}) { message userErrors { field code message } } }`,
}

// TestRefusedWrites maps each kind of refusal to an error or a user error, for each kind of write.
func TestRefusedWrites(t *testing.T) {
	t.Parallel()
	sharedWorld()
	const token = "demo-token"
	long := strings.Repeat("x", 600)
	for name, test := range map[string]struct {
		status  int
		body    string
		code    string            // the code of the error, or "" for a user error
		user    string            // the code of the user error
		message string            // the message of the payload
		details map[string]string // the message of the user error by kind of write, "" for all others; nil if it equals message
	}{
		"a new type": {
			status: 400, body: `{"error":{"type":"DuplicateException","message":"You have already uploaded this."}}`,
			user: "REFUSED", message: "You have already uploaded this.",
		},
		"no type":            {status: 409, body: `{"error":{"message":"Not twice."}}`, user: "REFUSED", message: "Not twice."},
		"no message":         {status: 400, body: `{}`, user: "REFUSED", details: map[string]string{"": "Mixcloud refused the request without a reason."}},
		"an error as text":   {status: 400, body: `{"error":"s3cret"}`, user: "REFUSED", details: map[string]string{"": "Mixcloud refused the request without a reason."}},
		"with markup":        {status: 400, body: `{"error":{"message":"<p>Not <b>again</b>: see https://x.example/help?t=s3cret</p>"}}`, user: "REFUSED", message: "Not again: see https://x.example/help"},
		"a client error":     {status: 422, body: `{"error":{"type":"X","message":"Odd."}}`, user: "REFUSED", message: "Odd."},
		"payment":            {status: 402, body: `{"error":{"type":"X","message":"Pay first."}}`, user: "REFUSED", message: "Pay first."},
		"too large, in JSON": {status: 413, body: `{"error":{"type":"X","message":"Too long a show."}}`, user: "REFUSED", message: "Too long a show."},
		"with status 200":    {status: 200, body: `{"error":{"type":"X","message":"Not today."}}`, user: "REFUSED", message: "Not today."},
		"success: false":     {status: 200, body: `{"result":{"success":false,"message":"Not now."}}`, user: "REFUSED", message: "Not now."},
		"forbidden":          {status: 403, body: `{"error":{"type":"PermissionException","message":"Not yours."}}`, user: "FORBIDDEN", message: "Not yours."},
		"a long message":     {status: 400, body: `{"error":{"message":"` + long + `"}}`, user: "REFUSED", message: long[:499] + "…"},
		"an unprintable one": {status: 400, body: `{"error":{"message":"a\u0000b\r\nc"}}`, user: "REFUSED", message: "ab  c"},
		"one with the token": {status: 400, body: `{"error":{"message":"No demo-token, ?access_token=demo-token"}}`, user: "REFUSED", message: "No [redacted], ?access_token=[redacted]"},
		"details": {
			status: 400, body: `{"error":{"type":"PostValidationError","message":"Two faults."},"details":{"tags-0-tag":["Too short."]}}`,
			user: "REFUSED", message: "Two faults.", details: map[string]string{"": "Too short."},
		},
		"details without texts": {
			status: 400, body: `{"error":{"type":"PostValidationError","message":"A fault."},"details":{"name":[{"code":3},null,7,""],"picture":true}}`,
			user: "REFUSED", message: "A fault.",
		},
		"details in objects": {
			status: 400, body: `{"error":{"message":"A fault."},"details":{"name":[{"message":"Too <i>long</i>."}]}}`,
			user: "REFUSED", message: "A fault.", details: map[string]string{"": "Too long."},
		},
		"empty details": {status: 400, body: `{"error":{"type":"PostValidationError","message":"A fault."},"details":{"name":[]}}`, user: "REFUSED", message: "A fault."},
		"not found": {
			status: 404, body: `{"error":{"type":"ResourceNotFoundException","message":"Cloudcast does not exist."}}`, user: "NOT_FOUND",
			details: map[string]string{"action": "There is no such cloudcast.", "edit": "There is no such cloudcast.", "upload": "Cloudcast does not exist."},
		},
		"a refused token":    {status: 400, body: `{"error":{"type":"OAuthException","message":"An invalid access token was provided"}}`, code: "UNAUTHENTICATED"},
		"a rate limit":       {status: 403, body: `{"error":{"type":"RateLimitException","message":"Slow.","retry_after":7}}`, code: "RATE_LIMITED"},
		"a failure in JSON":  {status: 500, body: `{"error":{"type":"X","message":"s3cret"}}`, code: "UPSTREAM_UNAVAILABLE"},
		"an HTML page":       {status: 403, body: `<html>s3cret`, code: "UPSTREAM_UNAVAILABLE"},
		"200 without a body": {status: 200, code: "UPSTREAM_BAD_RESPONSE"},
		"no result":          {status: 200, body: `{"s3cret":1}`, code: "UPSTREAM_BAD_RESPONSE"},
	} {
		for kind, query := range writeMutations {
			if kind == "undo" && test.user == "NOT_FOUND" {
				continue // not a refusal: the user exists, so there was nothing to undo
			}
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newTestServer(t, serverOptions{mixcloud: refusingWrites(t, test.status, test.body)})
					var resp response
					if kind == "upload" {
						resp = s.upload(t, token, query, map[string]any{"mp3": nil}, uploadFile{Path: "variables.mp3", Name: "a.mp3", Head: "ID3", Size: 1000})
					} else {
						resp = s.execute(t, token, query, nil)
					}
					checkRefusedWrite(t, resp, kind, test.code, test.user, test.message, test.details)
				})
			})
		}
	}
}

// refusingWrites returns an emulator that sends the same response to all writes.
func refusingWrites(t *testing.T, status int, body string) http.RoundTripper {
	t.Helper()
	e := newEmulator(t)
	return roundTripFunc(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet {
			return e.Transport().RoundTrip(r)
		}
		if r.Body != nil {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return nil, err
			}
		}
		w := httptest.NewRecorder()
		w.WriteHeader(status)
		fmt.Fprint(w, body)
		return w.Result(), nil
	})
}

// checkRefusedWrite checks the response to a refused write. The parameters are those of the test cases.
func checkRefusedWrite(t *testing.T, resp response, kind, code, user, message string, details map[string]string) {
	t.Helper()
	var data struct {
		Write *struct {
			Message    string
			UserErrors []struct {
				Field         []string
				Code, Message string
			}
		}
	}
	errs := resp.decode(t, &data)
	if strings.Contains(string(resp.body), "s3cret") || strings.Contains(string(resp.body), "demo-token") {
		t.Errorf("response contains a secret: %s", resp.body)
	}
	if code != "" {
		unknown := strings.Contains(string(resp.body), `"outcome":"UNKNOWN"`)
		lost := code == "UPSTREAM_BAD_RESPONSE" || code == "UPSTREAM_UNAVAILABLE" && strings.Contains(string(resp.body), `"status":500`)
		if len(errs) != 1 || errs[0].code() != code || kind == "upload" && unknown != lost {
			t.Errorf("response = %s, want one error %s, with an unknown outcome: %t", resp.body, code, lost)
		}
		return
	}
	if len(errs) > 0 || data.Write == nil || len(data.Write.UserErrors) != 1 {
		t.Fatalf("response = %s, want one user error %s", resp.body, user)
	}
	want := message
	if text, ok := details[kind]; ok {
		want = text
	} else if text, ok := details[""]; ok {
		want = text
	}
	got := data.Write.UserErrors[0]
	if got.Code != user || got.Message != want || user != "NOT_FOUND" && data.Write.Message != message {
		t.Errorf("response = %s, want the user error %s %q and the message %q", resp.body, user, want, message)
	}
}
