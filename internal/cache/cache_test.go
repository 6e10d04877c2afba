package cache_test

import (
	"errors"
	"testing"
	"time"

	"mixcloud-graphql/internal/cache"
	"mixcloud-graphql/internal/monotime"
)

var life = cache.Lifetime{Fresh: time.Minute, Revalidate: time.Minute, Retain: time.Hour, NegativeTTL: 10 * time.Second}

func at(d time.Duration) monotime.Time { return monotime.Time(0).Add(d) }

// An entry is fresh, then stale-while-revalidate, then stale-if-error, then expired.
func TestEntry_States(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		age                      time.Duration
		fresh, immediate, usable bool
	}{
		{0, true, true, true},
		{time.Minute - 1, true, true, true},
		{time.Minute, false, true, true},
		{2*time.Minute - 1, false, true, true},
		{2 * time.Minute, false, false, true},
		{time.Hour - 1, false, false, true},
		{time.Hour, false, false, false},
	} {
		e := &cache.Entry{Stored: at(time.Second), Life: life}
		now := at(time.Second + tt.age)
		if e.Age(now) != tt.age || e.Fresh(now) != tt.fresh || e.Immediate(now) != tt.immediate || e.Usable(now) != tt.usable {
			t.Errorf("at %v: age %v, fresh %v, immediate %v, usable %v, want %+v", tt.age, e.Age(now), e.Fresh(now), e.Immediate(now), e.Usable(now), tt)
		}
	}
}

// A negative entry is fresh for its own time, and never served stale.
func TestEntry_Negative(t *testing.T) {
	t.Parallel()
	e := &cache.Entry{Err: errors.New("not found"), Life: life.Negative()}
	for age, fresh := range map[time.Duration]bool{0: true, 10*time.Second - 1: true, 10 * time.Second: false} {
		if now := at(age); e.Fresh(now) != fresh || e.Usable(now) || e.Immediate(now) {
			t.Errorf("negative entry at %v: fresh %v, usable %v, immediate %v, want %v, false, false", age, e.Fresh(now), e.Usable(now), e.Immediate(now), fresh)
		}
	}
}

// During a cooldown a usable entry is served immediately.
func TestEntry_Cooldown(t *testing.T) {
	t.Parallel()
	cause := errors.New("rate limited")
	e := &cache.Entry{Life: life}
	if now := at(30 * time.Minute); e.Cooldown(now) != nil || e.Immediate(now) {
		t.Error("a new entry has a cooldown")
	}
	e.StartCooldown(at(30*time.Minute), time.Minute, cause)
	for age, cool := range map[time.Duration]bool{30 * time.Minute: true, 31*time.Minute - 1: true, 31 * time.Minute: false} {
		c := e.Cooldown(at(age))
		if (c != nil) != cool || e.Immediate(at(age)) != cool || cool && (!errors.Is(c.Cause, cause) || c.Until != at(31*time.Minute)) {
			t.Errorf("at %v: cooldown %+v, immediate %v, want a cooldown until 31m: %v", age, c, e.Immediate(at(age)), cool)
		}
	}
	e.StartCooldown(at(40*time.Minute), 0, cause)
	if c := e.Cooldown(at(40*time.Minute + 5*time.Second - 1)); c == nil {
		t.Error("the cooldown is shorter than the minimum")
	}
	e.StartCooldown(at(time.Hour-time.Second), time.Hour, cause)
	if now := at(time.Hour); e.Immediate(now) || e.Usable(now) {
		t.Error("a cooldown extends the lifetime of an entry")
	}
}

func keySize(k string) int { return len(k) }

// The cache stays within its size and does not store entries that are too large.
func TestCache(t *testing.T) {
	t.Parallel()
	const bytes = 1 << 20
	c := cache.New(bytes, keySize)
	const small = 1000
	for i := range 3 * bytes / small {
		c.Put(string(rune(i)), &cache.Entry{Size: small})
	}
	if size := c.Size(); size > bytes || size < bytes/2 {
		t.Errorf("the cache has %d bytes, want %d to %d", size, bytes/2, bytes)
	}
	c.Put("large", &cache.Entry{Size: bytes/8 - cache.Overhead - len("large") + 1})
	if c.Get("large") != nil {
		t.Error("an entry larger than an eighth of the cache is stored")
	}
	e := &cache.Entry{Value: 1, Size: bytes/8 - cache.Overhead - len("maximum")}
	c = cache.New(bytes, keySize)
	c.Put("maximum", e)
	if c.Get("maximum") != e || c.Size() != bytes/8 {
		t.Errorf("an entry of an eighth of the cache: stored %t, cache size %d, want true, %d", c.Get("maximum") == e, c.Size(), bytes/8)
	}
	c.Drop("maximum")
	if c.Get("maximum") != nil || c.Size() != 0 {
		t.Errorf("after Drop the entry is stored: %t, cache size %d, want false, 0", c.Get("maximum") != nil, c.Size())
	}
}

// A nil cache stores nothing.
func TestCache_Nil(t *testing.T) {
	t.Parallel()
	c := cache.New(-1, keySize)
	c.Put("a", new(cache.Entry))
	c.Drop("a")
	if c != nil || c.Get("a") != nil || c.Size() != 0 {
		t.Error("New with a negative size: the cache is not nil, or stores entries")
	}
}

func BenchmarkCache_Get(b *testing.B) {
	c := cache.New(1<<20, keySize)
	c.Put("/spartacus/", &cache.Entry{Life: life})
	b.ReportAllocs()
	for b.Loop() {
		if e := c.Get("/spartacus/"); e == nil || !e.Fresh(0) {
			b.Fatal("Get returned no fresh entry")
		}
	}
}

func BenchmarkCache_Put(b *testing.B) {
	c := cache.New(1<<20, keySize)
	b.ReportAllocs()
	for b.Loop() {
		c.Put("/spartacus/", &cache.Entry{Life: life})
	}
}
