package ratelimit

import (
	"math"
	"slices"
	"testing"
	"time"
)

// hour is the time at which a test starts.
const hour = time.Hour

// A configured limit applies from the first call, with microsecond precision.
func TestLimiter_configured(t *testing.T) {
	t.Parallel()
	l := New(Limit{Rate: 10, Burst: 3}, hour)
	now := hour
	var times []time.Duration
	for len(times) < 10 {
		if wait := l.Take(now); wait > 0 {
			now += wait
			continue
		}
		times = append(times, now-hour)
	}
	for i, at := range times {
		if want := time.Duration(max(i-2, 0)) * 100 * time.Millisecond; at != want {
			t.Errorf("call %d was made at %v, want %v", i, at, want)
		}
	}
	if wait := l.Ready(now); wait != 100*time.Millisecond {
		t.Errorf("Ready = %v, want 100ms", wait)
	}
	l.Return()
	if wait := l.Take(now); wait != 0 {
		t.Errorf("Take after Return = %v, want 0", wait)
	}
	if wait := l.Take(now - time.Minute); wait != 100*time.Millisecond {
		t.Errorf("Take after the clock was set back = %v, want 100ms", wait)
	}
}

// Without a configured limit and with few calls, the limiter only applies the waits
// of refusals.
func TestLimiter_unlimited(t *testing.T) {
	t.Parallel()
	l := New(Limit{}, 0)
	for range 10_000 {
		if wait := l.Take(hour); wait != 0 {
			t.Fatalf("Take of an unlimited limiter = %v, want 0", wait)
		}
	}
	l = New(Limit{}, 0)
	l.Take(hour)
	if pause := l.Refuse(hour+1, hour, time.Minute); pause != time.Minute {
		t.Errorf("Refuse = %v, want 1m", pause)
	}
	if wait := l.Take(hour); wait != time.Minute {
		t.Errorf("Take after a refusal = %v, want 1m", wait)
	}
	if wait := l.Take(hour + time.Minute); wait != 0 || l.Rate() != 0 {
		t.Errorf("Take after the wait = %v, rate %v, want 0, 0", wait, l.Rate())
	}
}

// Without a requested wait, the pause doubles while calls right after it are
// refused, up to a minute.
func TestLimiter_refusalsWithoutWait(t *testing.T) {
	t.Parallel()
	l := New(Limit{Rate: 50, Burst: 1}, hour)
	var got []time.Duration
	now := hour
	for range 9 {
		l.Take(now)
		pause := l.Refuse(now, now, 0)
		got = append(got, pause/time.Second)
		now += pause
	}
	if want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60}; !slices.Equal(got, want) {
		t.Errorf("pauses %v, want %v", got, want)
	}
	now += 10 * time.Minute
	l.Take(now)
	if pause := l.Refuse(now, now, 0); pause != time.Second {
		t.Errorf("pause %v long after the last one, want 1s", pause)
	}
	now += time.Second
	l.Take(now)
	if pause := l.Refuse(now, now, 300*time.Hour); pause != time.Hour {
		t.Errorf("a wait of 300 hours blocks for %v, want 1h", pause)
	}
}

// Refusals of concurrent calls are one event with the longest of their waits, even
// if one of them arrives after the pause.
func TestLimiter_concurrentRefusals(t *testing.T) {
	t.Parallel()
	l := New(Limit{Rate: 100, Burst: 200}, hour)
	for range 100 {
		l.Take(hour)
	}
	for i, wait := range []time.Duration{1, 5, 3} {
		l.Refuse(hour+time.Duration(i+1)*time.Millisecond, hour, wait*time.Second)
	}
	at := hour + 2*time.Millisecond + 5*time.Second
	if got := l.Blocked(hour + 4*time.Millisecond); got != at-hour-4*time.Millisecond {
		t.Errorf("Blocked = %v, want %v", got, at-hour-4*time.Millisecond)
	}
	if wait := l.Take(at); wait != 0 {
		t.Errorf("Take after the wait = %v, want 0", wait)
	}
	rate := l.Rate() // 97 of 100 were accepted within a second
	if want := math.Sqrt(100*98) * decrease; math.Abs(rate-want) > 1e-9 {
		t.Errorf("rate %v, want %v", rate, want)
	}
	l.Refuse(at+time.Millisecond, hour, time.Second) // sent before the event
	if got := l.Blocked(at + time.Millisecond); got != time.Second {
		t.Errorf("Blocked after a late refusal = %v, want 1s", got)
	}
	l.Take(at + 2*time.Second)
	if l.Rate() < rate {
		t.Errorf("rate after a late refusal = %v, want at least %v", l.Rate(), rate)
	}
}

// At a low call rate, a refusal lowers the current rate by the usual factor, and a
// few calls suffice for the recovery.
func TestLimiter_lowDemand(t *testing.T) {
	t.Parallel()
	l := New(Limit{Rate: 50, Burst: 500}, 0)
	now := hour
	l.Take(now)
	l.Take(now + 500*time.Millisecond)
	now += 500 * time.Millisecond
	l.Refuse(now, now, time.Minute)
	now += time.Minute
	if l.Take(now); l.Rate() != 50*decrease {
		t.Errorf("rate = %v, want %v", l.Rate(), 50*decrease)
	}
	for range 10 {
		now += time.Minute
		l.Take(now)
	}
	if l.Rate() != 50 || l.Depth() != 500 {
		t.Errorf("after ten minutes with a call per minute: rate %v, depth %v, want 50, 500", l.Rate(), l.Depth())
	}
}

// Configure takes effect immediately; an adapted rate remains if it is lower.
func TestLimiter_Configure(t *testing.T) {
	t.Parallel()
	l := New(Limit{Rate: 10, Burst: 10}, 0)
	l.Configure(Limit{Rate: 5, Burst: 5})
	l.Take(hour)
	if l.Rate() != 5 || l.Tokens() != 4 {
		t.Errorf("rate %v with %v tokens, want 5 with 4", l.Rate(), l.Tokens())
	}
	l.Refuse(hour, hour, time.Second)
	l.Take(hour + time.Second)
	adapted := l.Rate()
	l.Configure(Limit{Rate: 10, Burst: 10})
	if l.Rate() != adapted {
		t.Errorf("rate %v, want %v", l.Rate(), adapted)
	}
	l.Configure(Limit{Rate: adapted / 2, Burst: 1})
	if l.Rate() != adapted/2 {
		t.Errorf("rate %v, want %v", l.Rate(), adapted/2)
	}
}

func TestLimit_Share(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]Limit{0: {50, 500}, 1: {50, 500}, 4: {12.5, 125}, 1000: {0.05, 1}} {
		if got := (Limit{Rate: 50, Burst: 500}).Share(n); got != want {
			t.Errorf("Share(%d) = %v, want %v", n, got, want)
		}
	}
}
