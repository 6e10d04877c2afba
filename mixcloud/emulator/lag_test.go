package emulator_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mixcloud-graphql/mixcloud/emulator"
)

// TestLag checks that reads show a write only after the lag, and that writes always see
// earlier writes.
func TestLag(t *testing.T) {
	t.Parallel()
	clock := &manualClock{sharedWorld().Now.Add(time.Hour)}
	e := newWritableEmulator(t, emulator.WithClock(clock.read), emulator.WithSettings(emulator.Settings{Lag: 5 * time.Second}))
	const token = "tidewrack-token"
	following := func() bool { return getJSON(t, e, "/spartacus/?access_token="+token)["following"].(bool) }
	status := func(method string) int { return send(e, method, "/spartacus/follow/", token, "", nil).Code }
	if got := status(http.MethodDelete); got != 404 {
		t.Errorf("DELETE of a follow that does not exist: status %d, want 404", got)
	}
	for step, want := range []struct {
		write  string // "" for none
		status int
		later  time.Duration
		reads  bool
	}{
		{"POST", 200, 0, false},
		{"", 0, 4999 * time.Millisecond, false},
		{"", 0, time.Millisecond, true},
		{"DELETE", 200, 0, true},
		{"DELETE", 404, 0, true},
		{"POST", 200, 2 * time.Second, true},
		{"", 0, 3 * time.Second, true}, // both were applied
		{"DELETE", 200, 5 * time.Second, false},
	} {
		if want.write != "" {
			if got := status(want.write); got != want.status {
				t.Errorf("step %d: %s: status %d, want %d", step, want.write, got, want.status)
			}
		}
		clock.now = clock.now.Add(want.later)
		if got := following(); got != want.reads {
			t.Errorf("step %d: following = %t, want %t", step, got, want.reads)
		}
	}

	// Changes are applied in the order of the writes.
	status(http.MethodPost)
	if err := e.Set(emulator.Settings{Lag: time.Second}); err != nil {
		t.Fatal(err)
	}
	status(http.MethodDelete)
	if following() {
		t.Error("following = true before the end of the lag, want false")
	}
	clock.now = clock.now.Add(time.Minute)
	if following() {
		t.Error("following = true after POST and DELETE, want false: the writes were applied in the wrong order")
	}
}

// TestLag_zeroReleases checks that setting the lag to 0 applies all pending writes in
// order, and that setting another lag does not.
func TestLag_zeroReleases(t *testing.T) {
	t.Parallel()
	clock := &manualClock{sharedWorld().Now.Add(time.Hour)}
	e := newWritableEmulator(t, emulator.WithClock(clock.read), emulator.WithSettings(emulator.Settings{Lag: time.Hour}))
	const token = "tidewrack-token"
	following := func(user string) bool {
		return getJSON(t, e, "/"+user+"/?access_token="+token)["following"].(bool)
	}
	send(e, http.MethodPost, "/spartacus/follow/", token, "", nil)
	send(e, http.MethodPost, "/HarbourFM/follow/", token, "", nil)
	send(e, http.MethodDelete, "/HarbourFM/follow/", token, "", nil)
	for _, step := range []struct {
		settings string
		reads    bool
	}{{`{"latency":"0s"}`, false}, {`{"lag":"30m"}`, false}, {`{"lag":"0s"}`, true}} {
		if w := writeControl(e, http.MethodPost, "settings", step.settings); w.Code != http.StatusOK {
			t.Fatalf("POST settings %s: status %d, want 200", step.settings, w.Code)
		}
		if got := following("spartacus"); got != step.reads {
			t.Errorf("%s: following = %t, want %t", step.settings, got, step.reads)
		}
	}
	if following("HarbourFM") {
		t.Error("following = true after POST and DELETE, want false: the writes were applied in the wrong order")
	}
}

// TestActions_model checks for random actions and lags that reads show the state before
// the lag, and that both lists of every edge agree.
func TestActions_model(t *testing.T) {
	t.Parallel()
	clock := &manualClock{sharedWorld().Now}
	e := newWritableEmulator(t, emulator.WithClock(clock.read))
	actors := []string{"demo", "tidewrack", "OldFolksAtHome"}
	targets := []string{"spartacus", "tidewrack", "HarbourFM"}
	type pair struct{ actor, target string }
	now := make(map[pair]bool) // the state after all writes
	read := func(p pair) bool {
		return getJSON(t, e, "/"+p.target+"/?access_token="+p.actor+"-token")["following"].(bool)
	}
	for _, a := range actors {
		for _, b := range targets {
			now[pair{a, b}] = read(pair{a, b})
		}
	}
	type change struct {
		due time.Time
		pair
		on bool
	}
	rapid.Check(t, func(t *rapid.T) {
		if err := e.Set(emulator.Settings{}); err != nil { // applies all pending writes
			t.Fatal(err)
		}
		visible := make(map[pair]bool)
		maps.Copy(visible, now)
		var waiting []change
		lag := time.Duration(rapid.IntRange(0, 3).Draw(t, "lag")) * time.Second
		if err := e.Set(emulator.Settings{Lag: lag}); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			p := pair{rapid.SampledFrom(actors).Draw(t, "actor"), rapid.SampledFrom(targets).Draw(t, "target")}
			on := rapid.Bool().Draw(t, "on")
			method, want := http.MethodPost, 200
			if !on {
				method = http.MethodDelete
				if !now[p] {
					want = 404
				}
			}
			w := send(e, method, "/"+p.target+"/follow/", p.actor+"-token", "", nil)
			if p.actor == p.target {
				if w.Code != 200 || !strings.Contains(w.Body.String(), "false") {
					t.Fatalf("%s follows itself: status %d, want 200 with success false: %s", p.actor, w.Code, w.Body)
				}
				continue
			}
			if w.Code != want {
				t.Fatalf("%s by %s of %s: status %d, want %d", method, p.actor, p.target, w.Code, want)
			}
			if now[p] != on {
				now[p] = on
				waiting = append(waiting, change{clock.now.Add(lag), p, on})
			}
			clock.now = clock.now.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "wait")) * time.Second)
			for len(waiting) > 0 && !waiting[0].due.After(clock.now) {
				visible[waiting[0].pair] = waiting[0].on
				waiting = waiting[1:]
			}
			if got := read(p); got != visible[p] {
				t.Fatalf("%s follows %s: read %t, want %t", p.actor, p.target, got, visible[p])
			}
		}
	})
}
