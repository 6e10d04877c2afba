package responselimit

import (
	"encoding/json"
	"testing"
	"time"
)

// A textScalar is a struct scalar that is marshaled as its text.
type textScalar struct{ text string }

func (n textScalar) String() string { return n.text }

// TestSizeOf compares the size of each Go type of scalars with the length of its JSON text.
func TestSizeOf(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 20, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		value any
		text  string
	}{
		"null":             {nil, "null"},
		"string":           {"a\n", `"a\n"`},
		"time":             {now, `"2026-11-30T20:00:00Z"`},
		"time pointer":     {&now, `"2026-11-30T20:00:00Z"`},
		"null time":        {(*time.Time)(nil), "null"},
		"JSON":             {json.RawMessage(`{"a":1}`), `{"a":1}`},
		"struct":           {textScalar{"/a/"}, `"/a/"`},
		"struct pointer":   {&textScalar{"/a/"}, `"/a/"`},
		"null struct":      {(*textScalar)(nil), "null"},
		"list":             {[]textScalar{{"/a/"}, {`/"/`}}, `["/a/","/\"/"]`},
		"list of pointers": {[]*textScalar{{"/a/"}, nil}, `["/a/",null]`},
		"bool":             {false, "false"},
		"int":              {-12, "-12"},
		"float":            {1.5, "1.5"},
	} {
		if got := sizeOf(tt.value); got != int64(len(tt.text)) {
			t.Errorf("%s: sizeOf = %d bytes, want %d as for %s", name, got, len(tt.text), tt.text)
		}
	}
}

func TestSizeOf_NoAllocations(t *testing.T) {
	var key any = textScalar{"/spartacus/"}
	if n := testing.AllocsPerRun(100, func() { sizeOf(key) }); n > 0 {
		t.Errorf("sizeOf makes %g allocations per field, want 0", n)
	}
}
