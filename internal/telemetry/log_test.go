package telemetry_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"mixcloud-graphql/internal/telemetry"
)

func TestNewLogger_NamesTheRequest(t *testing.T) {
	t.Parallel()
	for format, want := range map[telemetry.Format]string{
		telemetry.Text: "msg=hello who=me in.request=abc",
		telemetry.JSON: `"msg":"hello","who":"me","in":{"request":"abc"}`,
	} {
		var out bytes.Buffer
		log, err := telemetry.NewLogger(&out, format, slog.LevelInfo)
		if err != nil {
			t.Fatal(err)
		}
		ctx := telemetry.WithRequestID(t.Context(), "abc")
		log.With("who", "me").WithGroup("in").InfoContext(ctx, "hello")
		log.InfoContext(t.Context(), "outside")
		log.DebugContext(ctx, "quiet")
		first, rest, _ := strings.Cut(out.String(), "\n")
		if !strings.Contains(first, want) {
			t.Errorf("%s: line %q lacks %q", format, first, want)
		}
		if strings.Contains(rest, "request") || strings.Contains(rest, "quiet") {
			t.Errorf("%s: lines after the first = %q, want no request id and no debug line", format, rest)
		}
	}
}

func TestNewLogger_UnknownFormat(t *testing.T) {
	t.Parallel()
	if _, err := telemetry.NewLogger(&bytes.Buffer{}, "xml", slog.LevelInfo); err == nil {
		t.Error("NewLogger with the format xml returned no error")
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	if got := telemetry.RequestID(t.Context()); got != "" {
		t.Errorf("RequestID of a context without an id = %q, want empty", got)
	}
	if a, b := telemetry.NewRequestID(), telemetry.NewRequestID(); a == b || len(a) < 16 {
		t.Errorf("NewRequestID = %q, then %q, want different ids of at least 16 characters", a, b)
	}
}
