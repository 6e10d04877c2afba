package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/internal/coerce"
	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/mixcloud"
)

// The marshalers below are not gqlgen's context marshalers: those keep the context of each field, some 400 bytes, until
// the whole response is written.

// writtenNull is null that takes nothing with it where the schema has a value that is not null.
var writtenNull = graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, "null") })

// MarshalInt writes a GraphQL Int. A value beyond 32 bits, which GraphQL's Int
// cannot hold, is written as null rather than as a number that clients misread.
func MarshalInt(i int) graphql.Marshaler {
	if i > math.MaxInt32 || i < math.MinInt32 {
		return writtenNull
	}
	return graphql.WriterFunc(func(w io.Writer) {
		var text [len("-2147483648")]byte
		_, _ = w.Write(strconv.AppendInt(text[:0], int64(i), 10))
	})
}

// UnmarshalInt reads a GraphQL Int from a literal or a variable that was judged before the operation was executed.
func UnmarshalInt(v any) (int, error) {
	i, err := graphql.UnmarshalInt32(v)
	if err != nil {
		return 0, errors.New("must be a 32-bit integer")
	}
	return int(i), nil
}

// MarshalKey writes a key as it was received.
func MarshalKey(key mixcloud.Key) graphql.Marshaler { return graphql.MarshalString(key.String()) }

// UnmarshalKey reads a key from text. No argument uses it: those are judged first, by [mixcloud.ParseInput].
func UnmarshalKey(v any) (mixcloud.Key, error) {
	text, err := graphql.UnmarshalString(v)
	return mixcloud.ParseKey(text), err
}

// MarshalDateTime writes a moment as RFC 3339 in UTC; the zero time as null.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	if t.IsZero() {
		return writtenNull
	}
	return graphql.WriterFunc(func(w io.Writer) {
		var text [len(`"2006-01-02T15:04:05Z"`) + 8]byte
		_, _ = w.Write(t.UTC().AppendFormat(text[:0], `"`+time.RFC3339+`"`))
	})
}

// UnmarshalDateTime reads a moment: RFC 3339 text, or whole Unix seconds. [Scalars] has judged it.
func UnmarshalDateTime(v any) (time.Time, error) { return parseMoment(v) }

var errMoment = errors.New("must be RFC 3339 text such as 2015-04-29T18:59:19Z, or Unix seconds")

func parseMoment(v any) (time.Time, error) {
	switch v := v.(type) {
	case string:
		t, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return time.Time{}, errMoment
		}
		return inRange(t.UTC())
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			return unixSeconds(strconv.FormatInt(whole, 10))
		}
		f, err := v.Float64() // 1.5e9 is a whole number too
		if err != nil {
			return time.Time{}, errMoment
		}
		return parseMoment(f)
	case int, int32, int64:
		return unixSeconds(fmt.Sprint(v))
	case float64:
		if v != math.Trunc(v) {
			return time.Time{}, errMoment
		}
		return unixSeconds(strconv.FormatFloat(v, 'f', 0, 64))
	}
	return time.Time{}, errMoment
}

func unixSeconds(text string) (time.Time, error) {
	s, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, errMoment
	}
	return inRange(time.Unix(s, 0).UTC())
}

// inRange refuses moments that Mixcloud's own notation, four digits of a year
// from 1970 on, cannot name.
func inRange(t time.Time) (time.Time, error) {
	if t.Unix() < 0 || t.Year() > 9999 {
		return time.Time{}, errors.New("must lie between 1970 and 9999")
	}
	return t, nil
}

// MarshalJSON writes JSON exactly as it was received; nothing as null.
func MarshalJSON(raw json.RawMessage) graphql.Marshaler {
	if len(raw) == 0 {
		return graphql.Null
	}
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(raw) })
}

// UnmarshalJSON keeps an input value as JSON text.
func UnmarshalJSON(v any) (json.RawMessage, error) { return json.Marshal(v) }

// Scalars returns, for each custom scalar of the schema, the function that
// judges its input before an operation is executed. What it accepts, the
// unmarshaler reads; its error continues "it".
func Scalars() map[string]coerce.Scalar {
	return map[string]coerce.Scalar{
		"DateTime": func(v any) error { _, err := parseMoment(v); return err },
		"Int64":    checkInt64,
		"JSON":     func(v any) error { _, err := UnmarshalJSON(v); return err },
		"Upload":   func(v any) error { return new(upload.File).UnmarshalGQL(v) },
	}
}

// checkInt64 accepts numbers alone, of which gqlgen's unmarshaler takes the whole
// ones. It would take texts, too.
func checkInt64(v any) error {
	switch v.(type) {
	case json.Number, int, int32, int64:
		if _, err := graphql.UnmarshalInt64(v); err == nil {
			return nil
		}
	}
	return errors.New("must be a whole number of at most 64 bits")
}
