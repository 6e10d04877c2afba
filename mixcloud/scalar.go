package mixcloud

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// The methods in this file accept every form of a value that was observed in any
// version of the API, and similar ones. A value in another form counts as absent;
// Raw still returns it.

// text reads a string. It returns the digits of a number, because some APIs have
// changed identifiers from numbers to strings.
func (v value) text() string {
	switch c := v.first(); {
	case c == '"':
		return v.Text()
	case c == '-' || '0' <= c && c <= '9':
		return v.Raw()
	}
	return ""
}

// textOrNil reads a string like text, but returns nil if there is none.
func (v value) textOrNil() *string {
	switch c := v.first(); {
	case c == '"', c == '-', '0' <= c && c <= '9':
		return new(v.text())
	}
	return nil
}

// integer reads a whole number, from a number (3, 3.0, 3e2) or a string of one. A
// fraction is dropped.
func (v value) integer() *int {
	if n, ok := parseInt(v.text()); ok {
		return new(n)
	}
	return nil
}

// parseInt is parseInt64 for an int, which has only 32 bits on some processors.
func parseInt(s string) (int, bool) {
	n, ok := parseInt64(s)
	return int(n), ok && int64(int(n)) == n
}

func parseInt64(s string) (int64, bool) {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	// Within ±2^53 a float64 represents every whole number exactly.
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// flag reads a boolean from true or false, 1 or 0, or a string of these.
func (v value) flag() *bool {
	s := v.text()
	switch c := v.first(); c {
	case 't', 'f':
		s = v.Raw()
	}
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "1":
		return new(true)
	case "false", "0":
		return new(false)
	}
	return nil
}

// instant reads a time; see parseTime.
func (v value) instant() *time.Time {
	if t, ok := parseTime(v.text()); ok {
		return new(t)
	}
	return nil
}

var timeLayouts = []string{
	time.RFC3339,  // in objects (observed 2011 to 2026)
	time.DateTime, // in paging links (observed 2011 to 2026)
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05", // without a zone, as UTC
	time.DateOnly,
}

// parseTime reads RFC 3339, "YYYY-MM-DD HH:MM:SS" and Unix seconds. A time without
// a zone is in UTC. Years outside 1 to 9999 are refused, because they cannot be
// formatted as RFC 3339.
func parseTime(s string) (time.Time, bool) {
	if s = strings.TrimSpace(s); s == "" {
		return time.Time{}, false
	}
	if len(s) == len(time.DateTime) && s[len(time.DateOnly)] == ' ' { // fast path for links: a failed Parse allocates
		if t, err := time.Parse(time.DateTime, s); err == nil {
			return t, writable(t)
		}
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			t = t.UTC()
			return t, writable(t)
		}
	}
	n, ok := parseInt64(s)
	if !ok || n > 1<<40 || n < -(1<<40) {
		return time.Time{}, false
	}
	t := time.Unix(n, 0).UTC()
	return t, writable(t)
}

func writable(t time.Time) bool { return t.Year() >= 1 && t.Year() <= 9999 }
