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

// The marshalers below are not gqlgen's context marshalers, which retain the context of each field, about 400 bytes, until
// the whole response is written.

// literalNull writes null without gqlgen's null propagation: in a non-null field it does not make the parent null.
var literalNull = graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, "null") })

// MarshalInt writes a GraphQL Int. A value that exceeds 32 bits, and is therefore not a
// valid Int, is written as null.
func MarshalInt(i int) graphql.Marshaler {
	if i > math.MaxInt32 || i < math.MinInt32 {
		return literalNull
	}
	return graphql.WriterFunc(func(w io.Writer) {
		var text [len("-2147483648")]byte
		_, _ = w.Write(strconv.AppendInt(text[:0], int64(i), 10))
	})
}

// UnmarshalInt reads a GraphQL Int from a literal or a variable that was validated before execution.
func UnmarshalInt(v any) (int, error) {
	i, err := graphql.UnmarshalInt32(v)
	if err != nil {
		return 0, errors.New("must be a 32-bit integer")
	}
	return int(i), nil
}

// MarshalKey writes a key as it was received.
func MarshalKey(key mixcloud.Key) graphql.Marshaler { return graphql.MarshalString(key.String()) }

// UnmarshalKey reads a key from a string. Arguments do not use it: they are parsed by [mixcloud.ParseInput].
func UnmarshalKey(v any) (mixcloud.Key, error) {
	text, err := graphql.UnmarshalString(v)
	return mixcloud.ParseKey(text), err
}

// MarshalDateTime writes a time in the format of RFC 3339, in UTC. It writes the zero time as null.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	if t.IsZero() {
		return literalNull
	}
	return graphql.WriterFunc(func(w io.Writer) {
		var text [len(`"2006-01-02T15:04:05Z"`) + 8]byte
		_, _ = w.Write(t.UTC().AppendFormat(text[:0], `"`+time.RFC3339+`"`))
	})
}

// UnmarshalDateTime reads a time in the format of RFC 3339, or in whole Unix seconds.
func UnmarshalDateTime(v any) (time.Time, error) { return parseDateTime(v) }

var errDateTime = errors.New("must be a time in RFC 3339 format such as 2015-04-29T18:59:19Z, or Unix seconds")

func parseDateTime(v any) (time.Time, error) {
	switch v := v.(type) {
	case string:
		t, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return time.Time{}, errDateTime
		}
		return inRange(t.UTC())
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			return unixSeconds(strconv.FormatInt(whole, 10))
		}
		f, err := v.Float64() // 1.5e9 is a whole number too
		if err != nil {
			return time.Time{}, errDateTime
		}
		return parseDateTime(f)
	case int, int32, int64:
		return unixSeconds(fmt.Sprint(v))
	case float64:
		if v != math.Trunc(v) {
			return time.Time{}, errDateTime
		}
		return unixSeconds(strconv.FormatFloat(v, 'f', 0, 64))
	}
	return time.Time{}, errDateTime
}

func unixSeconds(text string) (time.Time, error) {
	s, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, errDateTime
	}
	return inRange(time.Unix(s, 0).UTC())
}

// inRange returns an error for a time that Mixcloud's formats cannot represent: years
// have four digits, and Unix seconds must not be negative.
func inRange(t time.Time) (time.Time, error) {
	if t.Unix() < 0 || t.Year() > 9999 {
		return time.Time{}, errors.New("must be in the years 1970 to 9999")
	}
	return t, nil
}

// MarshalJSON writes JSON exactly as it was received, and writes null for nil.
func MarshalJSON(raw json.RawMessage) graphql.Marshaler {
	if len(raw) == 0 {
		return graphql.Null
	}
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(raw) })
}

// UnmarshalJSON encodes an input value as JSON.
func UnmarshalJSON(v any) (json.RawMessage, error) { return json.Marshal(v) }

// Scalars returns a function for each custom scalar of the schema. It validates input
// values before the operation is executed. The unmarshaler accepts the same values. The
// text of the error follows the word "it".
func Scalars() map[string]coerce.Scalar {
	return map[string]coerce.Scalar{
		"DateTime": func(v any) error { _, err := parseDateTime(v); return err },
		"Int64":    checkInt64,
		"JSON":     func(v any) error { _, err := UnmarshalJSON(v); return err },
		"Upload":   func(v any) error { return new(upload.File).UnmarshalGQL(v) },
	}
}

// checkInt64 accepts whole numbers. gqlgen's unmarshaler accepts strings too.
func checkInt64(v any) error {
	switch v.(type) {
	case json.Number, int, int32, int64:
		if _, err := graphql.UnmarshalInt64(v); err == nil {
			return nil
		}
	}
	return errors.New("must be a whole number of at most 64 bits")
}
