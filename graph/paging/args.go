package paging

import (
	"math"
	"time"

	"mixcloud-graphql/internal/gqlerr"
)

const (
	// maxOffset leaves room for a page after it within the 32 bits of an Int.
	maxOffset = math.MaxInt32 - MaxPageSize
	// maxTime is the last second of the year 9999, the last that the API's
	// "YYYY-MM-DD HH:MM:SS" can write.
	maxTime = 253402300799
	// noTime stands for a bound or time that is not there.
	noTime = -1
)

// A Request is a set of arguments that obey the rules of [Check].
type Request struct {
	size          int
	backward      bool
	after, before *string
	offset        *int
	since, until  int64 // Unix seconds, exclusive; noTime for none
}

// Size is how many items were asked for, 0 to MaxPageSize.
func (r Request) Size() int { return r.size }

// Backward says whether the items before a cursor were asked for.
func (r Request) Backward() bool { return r.backward }

// Check applies every rule about arguments that needs neither a cursor's
// contents nor a call. An error is BAD_USER_INPUT and names the argument at
// fault. Read checks by itself; call Check alone to refuse a field before
// anything else is fetched for it.
//
// Whether last may stand without before depends on the list (see List.Whole)
// and is left to Read.
func Check(a Args) (Request, error) {
	r := Request{size: DefaultPageSize, after: a.After, before: a.Before, offset: a.Offset, since: noTime, until: noTime}
	if err := checkCombination(a); err != nil {
		return Request{}, err
	}
	for _, count := range []struct {
		arg string
		n   *int
	}{{"first", a.First}, {"last", a.Last}} {
		switch n := count.n; {
		case n == nil:
		case *n < 0:
			return Request{}, gqlerr.Invalid(count.arg, "must not be negative")
		case *n > MaxPageSize:
			return Request{}, gqlerr.Invalid(count.arg, "must not be above 100")
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
			return Request{}, gqlerr.Invalid(cursor.arg, "must not be empty: leave it out, or give the cursor of an edge")
		}
	}
	if a.Offset != nil && *a.Offset < 0 {
		return Request{}, gqlerr.Invalid("offset", "must not be negative")
	}
	if a.Offset != nil && *a.Offset > maxOffset {
		return Request{}, gqlerr.Invalid("offset", "is beyond every list")
	}
	if err := checkTime("since", a.Since); err != nil {
		return Request{}, err
	}
	if err := checkTime("until", a.Until); err != nil {
		return Request{}, err
	}
	if a.Since != nil && a.Until != nil && !a.Since.Before(*a.Until) {
		return Request{}, gqlerr.Invalid("since", "must be before until")
	}
	// Items are listed by whole seconds and both bounds are exclusive: after
	// 12:00:00.5 is after 12:00:00, before 12:00:00.5 is before 12:00:01.
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

// checkCombination refuses arguments that contradict each other.
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
		return gqlerr.Invalid("after", "goes with first; last goes with before")
	case a.Before != nil && a.Last == nil:
		return gqlerr.Invalid("before", "goes with last")
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
