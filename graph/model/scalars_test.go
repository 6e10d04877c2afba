package model

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// marshal returns the text that m writes.
func marshal(t *testing.T, m graphql.Marshaler) string {
	t.Helper()
	var b bytes.Buffer
	m.MarshalGQL(&b)
	return b.String()
}

func TestMarshalInt(t *testing.T) {
	t.Parallel()
	for i, want := range map[int64]string{
		0: "0", -1: "-1", math.MaxInt32: "2147483647", math.MinInt32: "-2147483648",
		math.MaxInt32 + 1: "null", math.MinInt32 - 1: "null", math.MaxInt64: "null",
	} {
		if got := marshal(t, MarshalInt(int(i))); got != want && int64(int(i)) == i { // an int may have only 32 bits
			t.Errorf("MarshalInt(%d) wrote %s, want %s", i, got, want)
		}
	}
}

func TestUnmarshalInt(t *testing.T) {
	t.Parallel()
	for _, in := range []any{int64(7), int32(7), 7, json.Number("7")} {
		if got, err := UnmarshalInt(in); err != nil || got != 7 {
			t.Errorf("UnmarshalInt(%#v) = %d, %v, want 7", in, got, err)
		}
	}
	for _, in := range []any{
		int64(math.MaxInt32) + 1, int64(math.MinInt32) - 1, json.Number("2147483648"), json.Number("99999999999999999999"),
		json.Number("1.5"), 1.5, "seven", true,
		[]any{1},
		map[string]any{},
	} {
		if _, err := UnmarshalInt(in); err == nil {
			t.Errorf("UnmarshalInt(%#v) returned no error", in)
		}
	}
}

func TestUnmarshalDateTime(t *testing.T) {
	t.Parallel()
	want := time.Date(2015, 4, 29, 18, 59, 19, 0, time.UTC)
	for _, in := range []any{
		"2015-04-29T18:59:19Z", "2015-04-29T20:59:19+02:00", "2015-04-29t18:59:19z", json.Number("1430333959"), json.Number("1430333959.0"), json.Number("1.430333959e9"), int64(1430333959), 1430333959, float64(1430333959),
	} {
		got, err := UnmarshalDateTime(in)
		if text, ok := in.(string); ok && strings.Contains(text, "t1") {
			if err == nil {
				t.Errorf("UnmarshalDateTime(%#v) returned no error", in)
			} // RFC 3339 allows lower case, package time does not
			continue
		}
		if err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("UnmarshalDateTime(%#v) returned %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []any{
		"", "yesterday", "2015-04-29", "2015-04-29 18:59:19", "2015-04-29T18:59:19", "2015-13-29T18:59:19Z", "1430333959",
		"1969-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00", json.Number("-1"), json.Number("253402300800"), json.Number("1.5"), json.Number("1e99"),
		json.Number("99999999999999999999"), 1.5, math.Inf(1), math.NaN(), true, nil,
		[]any{"2015-04-29T18:59:19Z"},
	} {
		got, err := UnmarshalDateTime(in)
		if err == nil || !got.IsZero() {
			t.Errorf("UnmarshalDateTime(%#v) returned %v, %v, want an error", in, got, err)
		}
	}
}

func TestMarshalDateTime(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("east", 2*60*60)
	for want, in := range map[string]time.Time{
		`"2015-04-29T18:59:19Z"`: time.Date(2015, 4, 29, 20, 59, 19, 0, zone),
		`"1970-01-01T00:00:00Z"`: time.Unix(0, 0),
		`null`:                   {},
	} {
		if got := marshal(t, MarshalDateTime(in)); got != want {
			t.Errorf("MarshalDateTime(%v) wrote %s, want %s", in, got, want)
		}
	}
}

// FuzzDateTime checks that a time that UnmarshalDateTime accepts keeps its seconds when
// MarshalDateTime writes it and UnmarshalDateTime reads it again.
func FuzzDateTime(f *testing.F) {
	for _, s := range []string{"2015-04-29T18:59:19Z", "2015-04-29T18:59:19.999+14:00", "9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "1430333959"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, in := range []any{text, json.Number(text)} {
			at, err := UnmarshalDateTime(in)
			if err != nil {
				continue
			}
			var written string
			if err := json.Unmarshal([]byte(marshal(t, MarshalDateTime(at))), &written); err != nil {
				t.Fatalf("%#v: MarshalDateTime wrote invalid JSON: %v", in, err)
			}
			got, err := UnmarshalDateTime(written)
			if err != nil || got.Unix() != at.Unix() {
				t.Errorf("%#v: got %v after a round trip, want %v; error %v", in, got, at, err)
			}
		}
	})
}

func TestJSONScalar(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "null", `{"a": 1.50}`: `{"a": 1.50}`, "null": "null"} {
		var b bytes.Buffer
		MarshalJSON(json.RawMessage(in)).MarshalGQL(&b)
		if b.String() != want {
			t.Errorf("MarshalJSON(%q) wrote %s, want %s", in, b.String(), want)
		}
	}
	got, err := UnmarshalJSON(map[string]any{"a": json.Number("1.50"), "b": []any{nil, true}})
	if err != nil || string(got) != `{"a":1.50,"b":[null,true]}` {
		t.Errorf("UnmarshalJSON = %s, %v, want the same members", got, err)
	}
}
