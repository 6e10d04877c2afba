package emulator

import (
	"fmt"
	"time"
)

// The values of [Settings].SinceOrder: which items a page holds when since is
// given without until. No recording tells which the live service does.
const (
	SinceNearest = "nearest" // those nearest to since
	SinceNewest  = "newest"  // the newest of the list
)

// Settings are what can be changed while the emulator runs. The zero value is
// the default: no delay, no lag, no limit, pages of at most 100, SinceNearest.
type Settings struct {
	Latency    time.Duration // added to every answer of the API
	Lag        time.Duration // how long reads stay behind writes
	Limit      int           // requests a second, all callers together; 0 for no limit
	PageCap    int           // largest page; 0, or anything above 100, for 100
	SinceOrder string        // SinceNearest or SinceNewest; "" for SinceNearest
	ReadRate   int64         // bytes a second that each upload's body is read at; 0 for as fast as it comes
	Marks      bool          // answers to a token's requests carry its [Mark]
}

func (s Settings) check() error {
	switch {
	case s.Latency < 0, s.Lag < 0:
		return fmt.Errorf("emulator: a negative duration")
	case s.Limit < 0, s.PageCap < 0, s.ReadRate < 0:
		return fmt.Errorf("emulator: a negative limit")
	case s.SinceOrder != "" && s.SinceOrder != SinceNearest && s.SinceOrder != SinceNewest:
		return fmt.Errorf("emulator: sinceOrder %q is neither %q nor %q", s.SinceOrder, SinceNearest, SinceNewest)
	}
	return nil
}

// pageCap is the largest page in force.
func (s Settings) pageCap() int {
	if s.PageCap == 0 {
		return maxLimit
	}
	return min(s.PageCap, maxLimit)
}

// Settings tells the settings in force.
func (e *Emulator) Settings() Settings { return *e.settings.Load() }

// Set replaces all settings at once, for the requests that come after. A Lag of 0
// makes every write readable that an earlier lag still holds back. Settings that
// make no sense (negative, or an unknown SinceOrder) change nothing and are an
// error.
func (e *Emulator) Set(s Settings) error {
	if err := s.check(); err != nil {
		return err
	}
	if s.SinceOrder == "" {
		s.SinceOrder = SinceNearest
	}
	e.settings.Store(&s)
	if s.Lag == 0 {
		e.release()
	}
	return nil
}
