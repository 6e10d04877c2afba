package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// post sends a JSON body, and returns the status and the response body.
func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// SIGHUP reloads the manifest. An invalid one changes nothing.
func TestSIGHUP_ReloadsTheManifest(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "manifest.json")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"one": "{ user(username: \"demo\") { username } }"}`)
	p := start(t, "--demo", "--addr=127.0.0.1:0", "--only-persisted", "--manifest="+path)
	want := func(id string, found bool) {
		t.Helper()
		status, got := post(t, p.base+"/graphql", `{"documentId":"`+id+`"}`)
		if found && (status != http.StatusOK || got != `{"data":{"user":{"username":"demo"}}}`) || !found && (status != http.StatusBadRequest || !strings.Contains(got, "PERSISTED_QUERY_NOT_FOUND")) {
			t.Errorf("operation %s: status = %d, want found = %t: %s", id, status, found, got)
		}
	}
	hangup := func(logged string) {
		t.Helper()
		if err := p.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		p.waitFor(t, logged)
	}
	want("one", true)
	want("two", false)
	if status, got := post(t, p.base+"/graphql", `{"query":"{ __typename }"}`); status != http.StatusBadRequest || !strings.Contains(got, "FORBIDDEN") {
		t.Errorf("operation that is not in the manifest: status = %d, want 400 and FORBIDDEN: %s", status, got)
	}

	write(`{"two": "{ user(username: \"demo\") { usernam } }"}`)
	hangup("msg=\"reload failed")
	want("one", true)
	want("two", false)

	write(`{"two": "{ user(username: \"demo\") { username } }"}`)
	hangup("msg=reloaded file=manifest")
	want("one", false)
	want("two", true)
	p.signal(t)
	p.end(t)
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status = %d, want 0", code)
	}
}

// The server does not start with an invalid manifest. The error lists each invalid operation.
func TestInvalidManifest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"does not fit": {
			`{"format":"apollo-persisted-query-manifest","version":1,"operations":[
				{"id":"1","name":"Good","type":"query","body":"query Good { __typename }"},
				{"id":"2","name":"Bad","type":"query","body":"query Bad { nope }"},
				{"id":"3","name":"Worse","type":"query","body":"query Worse {"}]}`,
			[]string{"does not fit the schema", `operation Bad (id "2"): Cannot query field "nope"`, `operation Worse (id "3"): Expected Name`},
		},
		"no JSON": {"nope", []string{"cannot use the manifest", "not a JSON object"}},
		"missing": {"", []string{"cannot use the manifest", "no such file"}},
	} {
		path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
		if tt.text != "" {
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		status, stdout, stderr := runToEnd(t, nil, "--demo", "--addr=127.0.0.1:0", "--manifest="+path)
		if status != 2 || stdout != "" {
			t.Errorf("%s: exit status = %d, want 2; stdout = %q, want none", name, status, stdout)
		}
		for _, part := range tt.want {
			if !strings.Contains(stderr, part) {
				t.Errorf("%s: stderr = %s, want it to contain %s", name, stderr, part)
			}
		}
		if strings.Contains(stderr, "Good") || bytes.Contains([]byte(stderr), []byte("ready")) {
			t.Errorf("%s: stderr = %s, want neither a valid operation nor \"ready\"", name, stderr)
		}
	}
	if status, _, stderr := runToEnd(t, nil, "--only-persisted"); status != 2 || !strings.Contains(stderr, "--only-persisted requires --manifest") {
		t.Errorf("--only-persisted without --manifest: exit status = %d, want 2: %s", status, stderr)
	}
}
