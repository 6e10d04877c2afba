package main

import (
	"strings"
	"testing"
)

// The command healthcheck succeeds while a server runs, and fails afterwards.
func TestHealthcheck(t *testing.T) {
	t.Parallel()
	p := start(t, "--demo", "--addr=127.0.0.1:0")
	addr := strings.TrimPrefix(p.base, "http://")
	for name, run := range map[string]func() (int, string, string){
		"by flag": func() (int, string, string) { return runToEnd(t, nil, "healthcheck", "--addr", addr) },
		"by variable": func() (int, string, string) {
			return runToEnd(t, []string{"MIXCLOUD_GRAPHQL_ADDR=" + addr, "HTTP_PROXY=http://127.0.0.1:1"}, "healthcheck")
		},
	} {
		if status, stdout, stderr := run(); status != 0 || stdout != "ok\n" || stderr != "" {
			t.Errorf("%s: exit status = %d, stdout = %q, stderr = %q, want 0, ok and nothing", name, status, stdout, stderr)
		}
	}
	p.signal(t)
	p.end(t)
	if status, stdout, stderr := runToEnd(t, nil, "healthcheck", "--addr", addr); status != 1 || stdout != "" || !strings.Contains(stderr, "no response from "+p.base+"/livez") {
		t.Errorf("after the server has ended: exit status = %d, stdout = %q, stderr = %q, want 1 and the reason", status, stdout, stderr)
	}
}
