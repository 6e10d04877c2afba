package mixcloud

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"mixcloud-graphql/internal/show"

	"github.com/google/go-cmp/cmp"
)

func TestInteger(t *testing.T) {
	t.Parallel()
	tests := map[string]*int{
		`3`: new(3), `"3"`: new(3), `3.0`: new(3), `"3.0"`: new(3), `3.9`: new(3), `-1`: new(-1), `0`: new(0),
		`1e3`: new(1000), `" 12 "`: new(12), `-0`: new(0), `2147483647`: new(math.MaxInt32), `-2147483648.0`: new(math.MinInt32),
		`9223372036854775808`: nil, `1e300`: nil, `-1e300`: nil, `"NaN"`: nil, `"Inf"`: nil, `"infinity"`: nil,
		`""`: nil, `"many"`: nil, `"1,000"`: nil, `"0x10"`: nil, `null`: nil, `true`: nil, `{}`: nil, `[1]`: nil,
	}
	for in, want := range tests {
		if diff := cmp.Diff(want, mustValue(t, in).integer()); diff != "" {
			t.Errorf("integer of %s (-want +got):\n%s", in, diff)
		}
	}
}

func TestParseInt64(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int64{
		`9007199254740992`: 1 << 53, `9007199254740992.0`: 1 << 53, `-9007199254740992.0`: -1 << 53,
		`9223372036854775807`: math.MaxInt64, `-9223372036854775808`: math.MinInt64,
	} {
		if got, ok := parseInt64(in); got != want || !ok {
			t.Errorf("parseInt64(%s) = %d, %t, want %d", in, got, ok, want)
		}
		if got, ok := parseInt(in); ok != (int64(int(want)) == want) || ok && int64(got) != want { // an int may have only 32 bits
			t.Errorf("parseInt(%s) = %d, %t, want %d if an int can have this value", in, got, ok, want)
		}
	}
	if got, ok := parseInt64(`9007199254740994.0`); ok {
		t.Errorf("parseInt64 returned %d for a float64 above 2^53, want no number", got)
	}
}

func TestFlag(t *testing.T) {
	t.Parallel()
	tests := map[string]*bool{
		`true`: new(true), `false`: new(false), `1`: new(true), `0`: new(false), `"true"`: new(true),
		`"False"`: new(false), `"1"`: new(true), `"0"`: new(false), `" true "`: new(true),
		`null`: nil, `2`: nil, `"yes"`: nil, `""`: nil, `{}`: nil, `[]`: nil, `1.0`: nil,
	}
	for in, want := range tests {
		if diff := cmp.Diff(want, mustValue(t, in).flag()); diff != "" {
			t.Errorf("flag of %s (-want +got):\n%s", in, diff)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	tests := map[string]*string{
		`"a"`: new("a"), `""`: new(""), `"caf\u00e9"`: new("café"), `"\ud83d\ude00"`: new("😀"),
		`"\ud83d"`: new("\ufffd"), `"a\r\nb"`: new("a\r\nb"), `120`: new("120"), `-1.5`: new("-1.5"),
		`"100%"`: new("100%"), `null`: nil, `true`: nil, `{}`: nil, `["a"]`: nil,
	}
	for in, want := range tests {
		v := mustValue(t, in)
		if diff := cmp.Diff(want, v.textOrNil()); diff != "" {
			t.Errorf("textOrNil of %s (-want +got):\n%s", in, diff)
		}
		plain := ""
		if want != nil {
			plain = *want
		}
		if got := v.text(); got != plain {
			t.Errorf("the content of %s is %q, want %q", in, got, plain)
		}
	}
}

func TestInstant(t *testing.T) {
	t.Parallel()
	at := time.Date(2015, 4, 29, 18, 59, 19, 0, time.UTC)
	tests := map[string]*time.Time{
		`"2015-04-29T18:59:19Z"`:          &at,
		`"2015-04-29T20:59:19+02:00"`:     &at,
		`"2015-04-29T20:59:19+0200"`:      &at,
		`"2015-04-29T18:59:19"`:           &at,
		`"2015-04-29 18:59:19"`:           &at,
		`"2015-04-29T18:59:19.5Z"`:        new(at.Add(time.Second / 2)),
		`"2015-04-29"`:                    new(time.Date(2015, 4, 29, 0, 0, 0, 0, time.UTC)),
		`1430333959`:                      &at,
		`"1430333959"`:                    &at,
		`1430333959.0`:                    &at,
		`0`:                               new(time.Unix(0, 0).UTC()),
		`"9999-12-31T23:59:59-01:00"`:     nil, // the year 10000 in UTC
		`"0000-01-01T00:00:00Z"`:          nil,
		`999999999999999`:                 nil,
		`-999999999999999`:                nil,
		`"2015-13-29T18:59:19Z"`:          nil,
		`"yesterday"`:                     nil,
		`""`:                              nil,
		`null`:                            nil,
		`{"time":"2015-04-29T18:59:19Z"}`: nil,
		`true`:                            nil,
	}
	for in, want := range tests {
		if diff := cmp.Diff(want, mustValue(t, in).instant()); diff != "" {
			t.Errorf("instant of %s (-want +got):\n%s", in, diff)
		}
	}
}

// FuzzScalars checks that values that were read can be written, and are then read
// as the same value.
func FuzzScalars(f *testing.F) {
	for _, s := range []string{"", "3", "3.0", "1e3", "true", "2015-04-29T18:59:19Z", "2015-04-29 18:59:19", "1430333959", "-62135596800", "9999-12-31T23:59:59Z", "NaN", "0x1p3", "١٢"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, ok := parseInt(s); ok {
			b, err := json.Marshal(n)
			if err != nil {
				t.Fatal(err)
			}
			if again := mustValue(t, string(b)).integer(); again == nil || *again != n {
				t.Errorf("parseInt(%q) = %d; after a round trip it is %v, want the same", s, n, show.Value(again))
			}
		}
		if at, ok := parseTime(s); ok {
			again, ok := parseTime(at.Format(time.RFC3339Nano))
			if !ok || !again.Equal(at) {
				t.Errorf("parseTime(%q) = %v; after a round trip it is %v, %t; want the same", s, at, again, ok)
			}
			if at.Location() != time.UTC {
				t.Errorf("%q is read in the zone %v, want UTC", s, at.Location())
			}
		}
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		v := mustValue(t, string(b))
		var want string
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		if got := v.text(); got != want {
			t.Errorf("text of %s = %q, want %q", b, got, want)
		}
		v.flag()
	})
}
