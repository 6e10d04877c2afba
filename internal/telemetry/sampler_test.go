package telemetry

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSampler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s Sampler
		check := func(key string, wantSuppressed int, wantNow bool) {
			t.Helper()
			if n, now := s.Sample(key); n != wantSuppressed || now != wantNow {
				t.Errorf("%s: %d suppressed, now %v; want %d, %v", key, n, now, wantSuppressed, wantNow)
			}
		}
		check("a", 0, true)
		check("a", 0, false)
		check("b", 0, true)
		time.Sleep(SampleInterval - 1)
		check("a", 0, false)
		time.Sleep(time.Nanosecond)
		check("a", 2, true)
		check("a", 0, false)
	})
}

func TestSampler_Log(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		drop := func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: drop}))
		var s Sampler
		for range 5 {
			s.Log(t.Context(), log, slog.LevelWarn, "a", "first", "n", 1)
			s.Log(t.Context(), log, slog.LevelInfo, "b", "second")
		}
		time.Sleep(SampleInterval)
		s.Log(t.Context(), log, slog.LevelWarn, "a", "first", "n", 2)
		want := []string{"level=WARN msg=first n=1", "level=INFO msg=second", "level=WARN msg=first n=2 suppressed=4"}
		if want := strings.Join(want, "\n") + "\n"; out.String() != want {
			t.Errorf("log = %s\nwant %s", out.String(), want)
		}
	})
}
