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
			t.Errorf("ValidID(%q) is %v", id, !want)
		}
	}
}

// all gives what a watcher is told, to the end.
func all(steps <-chan Progress) (told []Progress) {
	for p := range steps {
		told = append(told, p)
	}
	return told
}

func TestWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h Hub
		name := Name{"who", "id"}
		early := h.Watch(t.Context(), name) // before there is anything
		go func() {
			time.Sleep(time.Minute)
			track := h.Begin(t.Context(), name)
			time.Sleep(time.Minute)
			track.SetPhase(Sending)
			track.Expect(1000)
			for range 100 {
				time.Sleep(10 * time.Millisecond)
				track.Add(10)
			}
			time.Sleep(time.Hour) // standing still is nothing to tell
			track.SetPhase(Processing)
			time.Sleep(time.Minute)
			track.SetPhase(Done)
		}()
		told := all(early)
		if first := (Progress{Checking, 0, -1}); told[0] != first {
			t.Errorf("at first %v", told[0])
		}
		end := told[len(told)-2:]
		if diff := cmp.Diff([]Progress{{Processing, 1000, 1000}, {Done, 1000, 1000}}, end); diff != "" {
			t.Errorf("at the end (-want +got):\n%s", diff)
		}
		if len(told) < 7 || len(told) > 12 {
			t.Errorf("a second of sending is told in %d messages: %v", len(told), told)
		}
		if late := all(h.Watch(t.Context(), name)); cmp.Diff([]Progress{{Done, 1000, 1000}}, late) != "" {
			t.Errorf("afterwards: %v", late)
		}
		again := h.Begin(t.Context(), name)
		ctx, cancel := context.WithCancel(t.Context())
		steps := h.Watch(ctx, name)
		if p := <-steps; p != (Progress{Checking, 0, -1}) {
			t.Errorf("once more: %v", p)
		}
		cancel()
		if more := all(steps); len(more) != 0 {
			t.Errorf("after the watcher left: %v", more)
		}
		again.SetPhase(Failed)
	})
}

// Phases that follow each other at once are told one by one, to those who watch
// already.
func TestWatch_phases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h Hub
		name := Name{"who", "id"}
		steps := h.Watch(t.Context(), name)
		first := <-steps
		synctest.Wait()
		track := h.Begin(t.Context(), name)
		track.SetPhase(Sending)
		track.Expect(10)
		track.Add(7)
		track.SetPhase(Processing)
		track.SetPhase(Processing)
		track.SetPhase(Failed)
		told := append([]Progress{first}, all(steps)...)
		want := []Progress{{Checking, 0, -1}, {Sending, 7, 10}, {Processing, 7, 10}, {Failed, 7, 10}}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if late := all(h.Watch(t.Context(), name)); cmp.Diff(want[3:], late) != "" {
			t.Errorf("afterwards: %v", late)
		}
	})
}

// Uploads are known by their principal too.
func TestWatch_principal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h Hub
		h.Begin(t.Context(), Name{"me", "id"}).SetPhase(Done)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if told := all(h.Watch(ctx, Name{"you", "id"})); cmp.Diff([]Progress{{Checking, 0, -1}}, told) != "" {
			t.Errorf("others are told %v", told)
		}
	})
}

// Nobody is told of more than there is in all, nor of less than before.
func TestTrack_neverAboveTotal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var h Hub
		track := h.Begin(t.Context(), Name{})
		before := int64(0)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "expect") {
				track.Expect(rapid.Int64Range(0, 1000).Draw(t, "total"))
			}
			track.Add(rapid.Int64Range(0, 300).Draw(t, "bytes"))
			p := track.present()
			if p.Total >= 0 && p.Sent > p.Total || p.Sent < before {
				t.Fatalf("%d sent before, then %+v", before, p)
			}
			before = p.Sent
		}
	})
}

func TestTrack_nil(t *testing.T) {
	t.Parallel()
	var track *Track
	track.SetPhase(Sending)
	track.Expect(1)
	track.Add(1)
}

// A hub forgets uploads that nobody has touched for long, and more of them when
// there are too many; never one that is under way.
func TestHub_forgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h Hub
		running := h.Begin(t.Context(), Name{"", "running"})
		for i := range 5 {
			h.Begin(t.Context(), Name{"", fmt.Sprint(i)}).SetPhase(Done)
		}
		for range 20 {
			time.Sleep(memory / 10)
			running.Add(1)
		}
		ctx, leave := context.WithCancel(t.Context())
		steps := h.Watch(ctx, Name{"", "watched"})
		<-steps
		time.Sleep(2 * memory)
		running.Add(1)
		h.Begin(t.Context(), Name{"", "new"})
		if len(h.uploads) != 3 || h.track(Name{"", "running"}) != running {
			t.Errorf("%d are known", len(h.uploads))
		}
		for i := range maxUploads + 100 {
			time.Sleep(time.Millisecond)
			running.Add(1)
			h.Begin(t.Context(), Name{"many", fmt.Sprint(i)})
		}
		leave()
		synctest.Wait() // for the watch to end
		if len(h.uploads) > maxUploads || h.track(Name{"", "running"}) != running {
			t.Errorf("%d are known", len(h.uploads))
		}
	})
}
