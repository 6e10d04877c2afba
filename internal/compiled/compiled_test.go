package compiled

import (
	"sync"
	"testing"
)

func TestDocument_Get(t *testing.T) {
	t.Parallel()
	var d Document
	calls := 0
	compile := func() any { calls++; return calls }
	for range 3 {
		if got := d.Get("a", compile); got != 1 {
			t.Errorf("Get(a) = %v, want the first value, 1", got)
		}
	}
	if got := d.Get("b", compile); got != 2 {
		t.Errorf("Get(b) = %v, want 2", got)
	}
	type key string
	if got := d.Get(key("a"), compile); got != 3 {
		t.Errorf("Get with a key of another type = %v, want 3", got)
	}
}

func TestDocument_GetNested(t *testing.T) {
	t.Parallel()
	var d Document
	got := d.Get("outer", func() any {
		return d.Get("inner", func() any { return 1 }).(int) + 1
	})
	if got != 2 {
		t.Errorf("Get(outer) = %v, want 2", got)
	}
}

func TestDocument_Nil(t *testing.T) {
	t.Parallel()
	calls := 0
	for range 2 {
		(*Document)(nil).Get("a", func() any { calls++; return nil })
	}
	if calls != 2 {
		t.Errorf("compile was called %d times, want 2: a nil document stores nothing", calls)
	}
}

// A document with the maximum number of values still returns values, and stores no more.
func TestDocument_Maximum(t *testing.T) {
	t.Parallel()
	var d Document
	compile := func() any { return new(int) }
	first := d.Get(0, compile)
	for i := range 2 * maxValues {
		d.Get(i, compile)
	}
	if d.stored != maxValues {
		t.Errorf("%d values are stored, want %d", d.stored, maxValues)
	}
	if d.Get(0, compile) != first {
		t.Error("Get(0) returned another value than before")
	}
	if last := 2*maxValues - 1; d.Get(last, compile) == d.Get(last, compile) {
		t.Error("a value above the maximum was stored")
	}
}

func TestDocument_Concurrent(t *testing.T) {
	t.Parallel()
	var d Document
	var got [8]any
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i] = d.Get("a", func() any { return new(int) }) })
	}
	wg.Wait()
	for i := range got {
		if got[i] != got[0] {
			t.Errorf("caller %d got another value than caller 0", i)
		}
	}
}

func TestFrom(t *testing.T) {
	t.Parallel()
	if d := From(t.Context()); d != nil {
		t.Errorf("From(a context without a document) = %v, want nil", d)
	}
	d := new(Document)
	if got := From(Into(t.Context(), d)); got != d {
		t.Errorf("From = %p, want %p", got, d)
	}
}
