package upload

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestValidID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"a": true, "A-z_0": true, strings.Repeat("x", 128): true,
		"": false, strings.Repeat("x", 129): false, "a b": false, "a.b": false, "ä": false, "a\n": false,
	} {
		if ValidID(id) != want {
			t.Errorf("ValidID(%q) = %v, want %v", id, !want, want)
		}
	}
}

// all returns the progress that a watcher receives until the end.
func all(steps <-chan Progress) (received []Progress) {
	for p := range steps {
		received = append(received, p)
	}
	return received
}

func TestWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h Hub
		name := Name{"who", "id"}
		early := h.Watch(t.Context(), name) // before the upload begins
		go func() {
			time.Sleep(time.Minute)
			reporter := h.Begin(t.Context(), name)
			time.Sleep(time.Minute)
			reporter.SetPhase(Sending)
			reporter.SetTotal(1000)
			for range 100 {
				time.Sleep(10 * time.Millisecond)
				reporter.Add(10)
			}
			time.Sleep(time.Hour) // without progress nothing is sent to the watcher
			reporter.SetPhase(Processing)
			time.Sleep(time.Minute)
			reporter.SetPhase(Done)
		}()
		received := all(early)
		if first := (Progress{Checking, 0, -1}); received[0] != first {
			t.Errorf("first progress = %v, want %v", received[0], first)
		}
		end := received[len(received)-2:]
		if diff := cmp.Diff([]Progress{{Processing, 1000, 1000}, {Done, 1000, 1000}}, end); diff != "" {
			t.Errorf("the last progress (-want +got):\n%s", diff)
		}
		if len(received) < 7 || len(received) > 12 {
			t.Errorf("watcher received %d messages during a second, want 7 to 12: %v", len(received), received)
		}
		if late := all(h.Watch(t.Context(), name)); cmp.Diff([]Progress{{Done, 1000, 1000}}, late) != "" {
			t.Errorf("Watch after the end = %v, want only done", late)
		}
		again := h.Begin(t.Context(), name)
		ctx, cancel := context.WithCancel(t.Context())
		steps := h.Watch(ctx, name)
		if p := <-steps; p != (Progress{Checking, 0, -1}) {
			t.Errorf("progress after a second Begin = %v, want checking", p)
		}
		cancel()
		if more := all(steps); len(more) != 0 {
			t.Errorf("progress after the watcher left = %v, want none", more)
		}
		again.SetPhase(Failed)
	})
}

// An existing watcher receives every phase, even if they follow each other immediately.
func TestWatch_phases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h Hub
		name := Name{"who", "id"}
		steps := h.Watch(t.Context(), name)
		first := <-steps
		synctest.Wait()
		reporter := h.Begin(t.Context(), name)
		reporter.SetPhase(Sending)
		reporter.SetTotal(10)
		reporter.Add(7)
		reporter.SetPhase(Processing)
		reporter.SetPhase(Processing)
		reporter.SetPhase(Failed)
		received := append([]Progress{first}, all(steps)...)
		want := []Progress{{Checking, 0, -1}, {Sending, 7, 10}, {Processing, 7, 10}, {Failed, 7, 10}}
		if diff := cmp.Diff(want, received); diff != "" {
			t.Errorf("received progress differs (-want +got):\n%s", diff)
		}
		if late := all(h.Watch(t.Context(), name)); cmp.Diff(want[3:], late) != "" {
			t.Errorf("Watch after the end = %v, want %v", late, want[3:])
		}
	})
}

// Principals cannot watch each other's uploads.
func TestWatch_principal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h Hub
		h.Begin(t.Context(), Name{"me", "id"}).SetPhase(Done)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if received := all(h.Watch(ctx, Name{"you", "id"})); cmp.Diff([]Progress{{Checking, 0, -1}}, received) != "" {
			t.Errorf("another principal received %v, want only checking", received)
		}
	})
}

// Sent never exceeds Total, and never decreases.
func TestReporter_neverAboveTotal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var h Hub
		reporter := h.Begin(t.Context(), Name{})
		before := int64(0)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "set total") {
				reporter.SetTotal(rapid.Int64Range(0, 1000).Draw(t, "total"))
			}
			reporter.Add(rapid.Int64Range(0, 300).Draw(t, "bytes"))
			p := reporter.progress()
			if p.Total >= 0 && p.Sent > p.Total || p.Sent < before {
				t.Fatalf("progress = %+v after %d sent bytes, want it not to decrease or exceed the total", p, before)
			}
			before = p.Sent
		}
	})
}

func TestReporter_nil(t *testing.T) {
	t.Parallel()
	var reporter *Reporter
	reporter.SetPhase(Sending)
	reporter.SetTotal(1)
	reporter.Add(1)
}

// A hub removes uploads without recent updates, and more of them if there are too many, but
// never one that is updated or watched.
func TestHub_prunes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h Hub
		running := h.Begin(t.Context(), Name{"", "running"})
		for i := range 5 {
			h.Begin(t.Context(), Name{"", fmt.Sprint(i)}).SetPhase(Done)
		}
		for range 20 {
			time.Sleep(retention / 10)
			running.Add(1)
		}
		ctx, cancel := context.WithCancel(t.Context())
		steps := h.Watch(ctx, Name{"", "watched"})
		<-steps
		time.Sleep(2 * retention)
		running.Add(1)
		h.Begin(t.Context(), Name{"", "new"})
		if len(h.uploads) != 3 || h.reporter(Name{"", "running"}) != running {
			t.Errorf("hub has %d uploads, want 3 with the running one", len(h.uploads))
		}
		for i := range maxUploads + 100 {
			time.Sleep(time.Millisecond)
			running.Add(1)
			h.Begin(t.Context(), Name{"many", fmt.Sprint(i)})
		}
		cancel()
		synctest.Wait() // until the watch has ended
		if len(h.uploads) > maxUploads || h.reporter(Name{"", "running"}) != running {
			t.Errorf("hub has %d uploads, want at most %d with the running one", len(h.uploads), maxUploads)
		}
	})
}
