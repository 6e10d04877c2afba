package emulator

import (
	"fmt"
	"time"
)

// The values of [Settings].SinceOrder: which items a page has if the request has
// since but not until. The behavior of the live service was not recorded.
const (
	SinceNearest = "nearest" // the items nearest to since
	SinceNewest  = "newest"  // the newest items of the list
)

// Settings can be changed while the emulator runs. The zero value is the default: no
// latency, no lag, no limit, pages of at most 100, SinceNearest.
type Settings struct {
	Latency    time.Duration // response time of the API
	Lag        time.Duration // time after which reads show a write
	Limit      int           // maximum requests per second of all clients together; 0 for no limit
	PageCap    int           // maximum page size; 0, or a value above 100, for 100
	SinceOrder string        // SinceNearest or SinceNewest; "" for SinceNearest
	ReadRate   int64         // maximum bytes per second at which an upload's body is read; 0 for no limit
	Marks      bool          // responses to requests with a token contain its [Mark]
}

func (s Settings) check() error {
	switch {
	case s.Latency < 0, s.Lag < 0:
		return fmt.Errorf("emulator: latency and lag must not be negative")
	case s.Limit < 0, s.PageCap < 0, s.ReadRate < 0:
		return fmt.Errorf("emulator: limit, pageCap and readRate must not be negative")
	case s.SinceOrder != "" && s.SinceOrder != SinceNearest && s.SinceOrder != SinceNewest:
		return fmt.Errorf("emulator: sinceOrder is %q, but must be %q or %q", s.SinceOrder, SinceNearest, SinceNewest)
	}
	return nil
}

// pageCap returns the maximum page size.
func (s Settings) pageCap() int {
	if s.PageCap == 0 {
		return maxLimit
	}
	return min(s.PageCap, maxLimit)
}

// Settings returns the current settings.
func (e *Emulator) Settings() Settings { return *e.settings.Load() }

// Set replaces all settings, for subsequent requests. A Lag of 0 applies all pending
// writes. Set returns an error, and changes nothing, for a negative value or an unknown
// SinceOrder.
func (e *Emulator) Set(s Settings) error {
	if err := s.check(); err != nil {
		return err
	}
	if s.SinceOrder == "" {
		s.SinceOrder = SinceNearest
	}
	e.settings.Store(&s)
	if s.Lag == 0 {
		e.applyAll()
	}
	return nil
}
