package trace

import (
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestRecorder_JSON(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := New()
		start := time.Now()
		time.Sleep(1500 * time.Microsecond)
		r.Field([]any{"a", 0}, start)
		s := r.Start("/x/?b=secret&a=1", LookedAhead)
		time.Sleep(time.Millisecond)
		s.Sent(t.Context())
		time.Sleep(2 * time.Millisecond)
		s.End(errors.New("failed"))
		r.Read("/y/", Hit)
		got, err := json.Marshal(r.End())
		if err != nil {
			t.Fatal(err)
		}
		want := `{"durationMs":4.5,"fields":[{"path":["a",0],"startMs":0,"durationMs":1.5}],"calls":[` +
			`{"method":"GET","path":"/x/","parameters":["a","b"],"outcome":"looked ahead","startMs":1.5,"waitMs":1,"durationMs":3,"failed":true},` +
			`{"method":"GET","path":"/y/","outcome":"hit","startMs":4.5,"waitMs":0,"durationMs":0}]}`
		if string(got) != want {
			t.Errorf("trace =\n%s, want\n%s", got, want)
		}
	})
}

// A trace has a maximum size, and does not grow after End.
func TestRecorder_Bounds(t *testing.T) {
	t.Parallel()
	r := New()
	for range MaxFields + 5 {
		r.Field(nil, time.Now())
		r.Read("/x/", Hit)
	}
	if got := r.End(); len(got.Fields) != MaxFields || got.OmittedFields != 5 || len(got.Calls) != MaxCalls || got.OmittedCalls != 5 {
		t.Errorf("%d fields and %d omitted, %d calls and %d omitted, want %d and 5, %d and 5", len(got.Fields), got.OmittedFields, len(got.Calls), got.OmittedCalls, MaxFields, MaxCalls)
	}
	r.Field(nil, time.Now())
	if got := r.End(); got.OmittedFields != 5 {
		t.Errorf("after the end: %d omitted fields, want 5", got.OmittedFields)
	}
}

// A nil recorder does nothing and allocates nothing.
func TestRecorder_Nil(t *testing.T) {
	var r *Recorder
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		r.Field(nil, r.Now())
		r.Read("/x/", Hit)
		s := r.Start("/x/", Called)
		_ = s.Sent(ctx)
		s.End(nil)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
