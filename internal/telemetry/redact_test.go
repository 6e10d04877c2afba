package telemetry

import (
	"errors"
	"strings"
	"testing"
)

func TestPanicked(t *testing.T) {
	t.Parallel()
	for _, text := range []any{
		"https://x.test/a/?limit=2&access_token=s3cret&x=y", errors.New(`Get "https://x.test/?access_token=s3cret": no route`),
		"q=ACCESS_TOKEN%3Ds3cret", "client_secret=s3cret&code=s3cret",
		[]string{"access_token=s3cret"},
	} {
		if got := Panicked(text); strings.Contains(got, "s3cret") || !strings.Contains(got, "=[redacted]") {
			t.Errorf("Panicked(%v) = %s, want the secret redacted", text, got)
		}
	}
	if got := Panicked(errors.New("index out of range [3]")); got != "index out of range [3]" {
		t.Errorf("Panicked of a text without secrets = %s, want it unchanged", got)
	}
}
