package main

import (
	"context"
	"strings"
	"testing"
)

func TestList(t *testing.T) {
	t.Parallel()
	client, err := newClient(true)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := list(context.Background(), &out, client, "spartacus", 2); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || lines[0][:10] < lines[1][:10] {
		t.Errorf("lines = %q, want 2, newest first", lines)
	}
	err = list(context.Background(), &out, client, "no-such-user", 2)
	if err == nil || err.Error() != "there is no user no-such-user" {
		t.Errorf("error for an unknown user = %v, want \"there is no user no-such-user\"", err)
	}
}
