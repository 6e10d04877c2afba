package telemetry

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/race"
)

// requestLine are the attributes of a line of the access log.
func requestLine() []slog.Attr {
	return append(make([]slog.Attr, 0, 11),
		slog.String("client", "192.0.2.7"), slog.String("method", "POST"), slog.String("path", "/graphql"),
		slog.Int("status", 200), slog.Int64("bytes", 1234), slog.Duration("took", 1234567*time.Nanosecond),
		slog.String("operation", "query"), slog.String("name", ""), slog.Int("errors", 1), slog.String("code", "NOT_FOUND"))
}

// LogAttrs writes the same lines as slog, for simple and for other values.
func TestLogAttrs(t *testing.T) {
	t.Parallel()
	times := regexp.MustCompile(`^(\{"time":"|time=)[0-9T:.-]+(Z|[+-]\d\d:\d\d)`)
	for _, format := range []Format{Text, JSON} {
		var out bytes.Buffer
		log, err := NewLogger(&out, format, slog.LevelInfo)
		if err != nil {
			t.Fatal(err)
		}
		written := func(write func()) string {
			t.Helper()
			out.Reset()
			write()
			line := out.String()
			if line != "" && !times.MatchString(line) {
				t.Errorf("%s: the line %q does not begin with a time", format, line)
			}
			return times.ReplaceAllString(line, "")
		}
		loggers := map[string]*slog.Logger{"plain": log, "attributes": log.With("who", "me"), "group": log.WithGroup("in")}
		for name, attrs := range map[string][]slog.Attr{
			"request":       requestLine(),
			"none":          nil,
			"bool":          {slog.Bool("yes", true)},
			"times":         {slog.Duration("short", 92100), slog.Duration("none", 0), slog.Time("at", time.Unix(1, 2))},
			"float":         {slog.Float64("rate", 1.5)},
			"empty":         {slog.String("name", ""), {}},
			"quotes":        {slog.String("path", `/a"b\c`)},
			"spaces":        {slog.String("path", "/a b"), slog.String("next", "a=b")},
			"control":       {slog.String("path", "/a\nlevel=ERROR\x00\x7f")},
			"unicode":       {slog.String("path", "/héllo/\u2028/\xff")},
			"HTML":          {slog.String("path", "/<>&")},
			"key":           {slog.String("a key", "value")},
			"error":         {slog.Any("err", io.EOF)},
			"group":         {slog.Group("in", slog.Int("n", 1))},
			"negative, big": {slog.Int64("n", -1), slog.Uint64("m", 1<<63)},
		} {
			for kind, logger := range loggers {
				for _, ctx := range []context.Context{t.Context(), WithRequestID(t.Context(), "abc")} {
					for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelError} {
						want := written(func() { logger.LogAttrs(ctx, level, "a message", attrs...) })
						got := written(func() { LogAttrs(ctx, logger, level, "a message", attrs...) })
						if got != want {
							t.Errorf("%s, %s, %s logger, level %v: LogAttrs wrote %q, want %q", format, name, kind, level, got, want)
						}
					}
				}
			}
			want := written(func() { log.LogAttrs(t.Context(), slog.LevelInfo, "request", attrs...) })
			if got := written(func() { LogAttrs(t.Context(), log, slog.LevelInfo, "request", attrs...) }); got != want {
				t.Errorf("%s, %s: LogAttrs wrote %q, want %q", format, name, got, want)
			}
		}
	}
}

// The time has the same form as in slog's lines, also where the fraction has trailing zeros.
func TestLogAttrs_Time(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 5400))
	for _, at := range []time.Time{at, at.Add(120 * time.Millisecond), at.Add(999_999_999), at.UTC()} {
		for format, handler := range map[Format]func(io.Writer) slog.Handler{
			Text: func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
			JSON: func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
		} {
			var want, got bytes.Buffer
			record := slog.NewRecord(at, slog.LevelInfo, "request", 0)
			if err := handler(&want).Handle(t.Context(), record); err != nil {
				t.Fatal(err)
			}
			if ok := (&lineWriter{&got, format}).write(at, slog.LevelInfo, "request", nil); !ok || got.String() != want.String() {
				t.Errorf("%s: wrote %q, want %q", format, got.String(), want.String())
			}
		}
	}
}

// LogAttrs writes a line of the access log with one Write, and allocates memory only for its
// attributes.
func TestLogAttrs_Writes(t *testing.T) {
	var out countingWriter
	log, err := NewLogger(&out, Text, slog.LevelInfo)
	if err != nil {
		t.Fatal(err)
	}
	LogAttrs(t.Context(), log, slog.LevelInfo, "request", requestLine()...)
	if out.writes != 1 {
		t.Errorf("a line took %d writes, want 1", out.writes)
	}
	LogAttrs(t.Context(), log, slog.LevelInfo, "request", slog.String("path", strings.Repeat("a", 2*maxLine)))
	if out.writes != 2 {
		t.Errorf("two lines took %d writes, want 2", out.writes)
	}
	if race.Enabled {
		return // the race detector allocates
	}
	allocations := testing.AllocsPerRun(100, func() {
		LogAttrs(t.Context(), log, slog.LevelInfo, "request", requestLine()...)
	})
	if allocations > 2 {
		t.Errorf("a line took %v allocations, want at most 2, for the attributes and the duration", allocations)
	}
}

type countingWriter struct{ writes int }

func (w *countingWriter) Write(b []byte) (int, error) {
	w.writes++
	return len(b), nil
}

// BenchmarkLogAttrs compares a line of the access log with one that slog writes.
func BenchmarkLogAttrs(b *testing.B) {
	ctx := WithRequestID(b.Context(), NewRequestID())
	for _, format := range []Format{Text, JSON} {
		log, err := NewLogger(io.Discard, format, slog.LevelInfo)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(string(format), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				LogAttrs(ctx, log, slog.LevelInfo, "request", requestLine()...)
			}
		})
		b.Run(string(format)+", slog", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				log.LogAttrs(ctx, slog.LevelInfo, "request", requestLine()...)
			}
		})
	}
}
