package paging

import (
	"math"
	"strconv"
	"time"

	"mixcloud-graphql/internal/gqlerr"
)

const (
	// maxOffset leaves room for one more page after it within a 32-bit Int.
	maxOffset = math.MaxInt32 - MaxPageSize
	// maxTime is the last second of the year 9999, the latest time that the API's
	// "YYYY-MM-DD HH:MM:SS" format can express.
	maxTime = 253402300799
	// noTime marks an absent bound or an unknown time.
	noTime = -1
)

// CheckedArgs are arguments that [Check] has accepted.
type CheckedArgs struct {
	size          int
	backward      bool
	after, before *string
	offset        *int
	since, until  int64 // Unix seconds, exclusive; noTime if not set
}

// Size returns the requested number of items, 0 to MaxPageSize.
func (r CheckedArgs) Size() int { return r.size }

// Backward reports whether the client requested the items before a cursor.
func (r CheckedArgs) Backward() bool { return r.backward }

// Check applies every rule about arguments that needs neither the contents of a
// cursor nor a call. Errors are BAD_USER_INPUT and name the invalid argument. Read
// calls Check itself; call it directly to reject a field before anything is fetched
// for it.
//
// Whether last is allowed without before depends on the list (see List.Unpaged), so
// Read decides that.
func Check(a Args) (CheckedArgs, error) {
	r := CheckedArgs{size: DefaultPageSize, after: a.After, before: a.Before, offset: a.Offset, since: noTime, until: noTime}
	if err := checkCombination(a); err != nil {
		return CheckedArgs{}, err
	}
	for _, count := range []struct {
		arg string
		n   *int
	}{{"first", a.First}, {"last", a.Last}} {
		switch n := count.n; {
		case n == nil:
		case *n < 0:
			return CheckedArgs{}, gqlerr.Invalid(count.arg, "must not be negative")
		case *n > MaxPageSize:
			return CheckedArgs{}, gqlerr.Invalid(count.arg, "must not be above 100")
		default:
			r.size = *n
		}
	}
	r.backward = a.Last != nil
	for _, cursor := range []struct {
		arg   string
		value *string
	}{{"after", a.After}, {"before", a.Before}} {
		if cursor.value != nil && *cursor.value == "" {
			return CheckedArgs{}, gqlerr.Invalid(cursor.arg, "must not be empty: omit it, or use the cursor of an edge")
		}
	}
	if a.Offset != nil && *a.Offset < 0 {
		return CheckedArgs{}, gqlerr.Invalid("offset", "must not be negative")
	}
	if a.Offset != nil && *a.Offset > maxOffset {
		return CheckedArgs{}, gqlerr.Invalid("offset", "must not be above "+strconv.Itoa(maxOffset))
	}
	if err := checkTime("since", a.Since); err != nil {
		return CheckedArgs{}, err
	}
	if err := checkTime("until", a.Until); err != nil {
		return CheckedArgs{}, err
	}
	if a.Since != nil && a.Until != nil && !a.Since.Before(*a.Until) {
		return CheckedArgs{}, gqlerr.Invalid("since", "must be before until")
	}
	// List times are whole seconds and both bounds are exclusive: after 12:00:00.5
	// means after 12:00:00, before 12:00:00.5 means before 12:00:01.
	if a.Since != nil {
		r.since = a.Since.Unix()
	}
	if a.Until != nil {
		r.until = a.Until.Unix()
		if a.Until.Nanosecond() > 0 {
			r.until++
		}
	}
	return r, nil
}

// checkCombination rejects arguments that contradict each other.
func checkCombination(a Args) error {
	switch {
	case a.Offset != nil && (a.After != nil || a.Before != nil):
		return gqlerr.Invalid("offset", "cannot be combined with a cursor")
	case a.Offset != nil && (a.Since != nil || a.Until != nil):
		return gqlerr.Invalid("offset", "cannot be combined with since or until")
	case a.Offset != nil && a.Last != nil:
		return gqlerr.Invalid("offset", "cannot be combined with last")
	case a.First != nil && a.Last != nil:
		return gqlerr.Invalid("last", "cannot be combined with first")
	case a.After != nil && a.Before != nil:
		return gqlerr.Invalid("before", "cannot be combined with after")
	case a.Last != nil && a.After != nil:
		return gqlerr.Invalid("after", "cannot be combined with last, which requires before")
	case a.Before != nil && a.Last == nil:
		return gqlerr.Invalid("before", "requires last")
	}
	return nil
}

func checkTime(arg string, t *time.Time) error {
	switch {
	case t == nil:
		return nil
	case t.Unix() < 0:
		return gqlerr.Invalid(arg, "must not be before 1970")
	case t.Unix() >= maxTime:
		return gqlerr.Invalid(arg, "must not be after the year 9999")
	}
	return nil
}
