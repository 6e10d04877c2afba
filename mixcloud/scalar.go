package mixcloud

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// The scalar readers below accept every form that a value has had or may
// plausibly take over the ages of the API, and treat what they cannot read as
// absent: the untouched object still has it.

// text reads a string. A number is read as its digits, because identifiers of
// other APIs have moved between the two.
func (v value) text() string {
	switch c := v.first(); {
	case c == '"':
		return unquote(v)
	case c == '-' || '0' <= c && c <= '9':
		return string(v)
	}
	return ""
}

// textOrNil is text for members where "absent" and "empty" differ.
func (v value) textOrNil() *string {
	switch c := v.first(); {
	case c == '"', c == '-', '0' <= c && c <= '9':
		return new(v.text())
	}
	return nil
}

// integer reads a whole number given as a number (3, 3.0, 3e2) or as a string
// of one; a fraction is cut off.
func (v value) integer() *int {
	if n, ok := parseInt(v.text()); ok {
		return new(n)
	}
	return nil
}

func parseInt(s string) (int, bool) {
	s = strings.TrimSpace(s)
	if n, err := strconv.Atoi(s); err == nil {
		return n, true
	}
	// Within ±2^53 a float64 holds every whole number exactly.
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int(f), true
}

// flag reads true and false, 1 and 0, and strings of them.
func (v value) flag() *bool {
	s := v.text()
	switch c := v.first(); c {
	case 't', 'f':
		s = string(v)
	}
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "1":
		return new(true)
	case "false", "0":
		return new(false)
	}
	return nil
}

// instant reads a time: see parseTime.
func (v value) instant() *time.Time {
	if t, ok := parseTime(v.text()); ok {
		return new(t)
	}
	return nil
}

var timeLayouts = []string{
	time.RFC3339,  // every object: observed from 2011 to 2026
	time.DateTime, // the paging links: observed from 2011 to 2026
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05", // without a zone, as UTC
	time.DateOnly,
}

// parseTime reads RFC 3339, "YYYY-MM-DD HH:MM:SS" and Unix seconds; the last
// two mean UTC. Years beyond 1 to 9999 are refused: they could not be written
// back.
func parseTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			t = t.UTC()
			return t, writable(t)
		}
	}
	n, ok := parseInt(s)
	if !ok || n > 1<<40 || n < -(1<<40) {
		return time.Time{}, false
	}
	t := time.Unix(int64(n), 0).UTC()
	return t, writable(t)
}

func writable(t time.Time) bool { return t.Year() >= 1 && t.Year() <= 9999 }
