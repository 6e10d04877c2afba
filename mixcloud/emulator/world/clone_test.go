package world

import (
	"reflect"
	"testing"
	"time"
)

func TestClone_IsEqual(t *testing.T) {
	t.Parallel()
	w := New(5)
	c := w.Clone()
	if digest(c) != digest(w) {
		t.Error("the clone differs")
	}
	// It goes on as the original does, ids and names that are found included.
	for _, one := range []*World{w, c} {
		owner := one.User(w.Users[3].Username)
		one.Follow(owner, one.User(w.Users[9].Username), one.Now)
		one.AddCloudcast(&Cloudcast{Owner: owner, Name: "New here", Created: one.Now, Tags: []*Tag{one.NamedTag("never heard"), one.Tags[0]}})
	}
	if digest(c) != digest(w) {
		t.Error("the same edits lead to different worlds")
	}
}

// TestClone_SharesNothing notices a new member of the world that Clone forgets.
func TestClone_SharesNothing(t *testing.T) {
	t.Parallel()
	w := New(5)
	original, clone := map[uintptr]string{}, map[uintptr]string{}
	references(reflect.ValueOf(w), original)
	references(reflect.ValueOf(w.Clone()), clone)
	if len(original) < 10_000 || len(clone) != len(original) {
		t.Errorf("the clone refers to %d things, the original to %d", len(clone), len(original))
	}
	shared := map[string]int{}
	for at, what := range clone {
		if _, both := original[at]; both {
			shared[what]++
		}
	}
	if len(shared) > 0 {
		t.Errorf("both refer to %v", shared)
	}
}

// references collects where all that a value refers to is, with its type. Strings
// and time zones do not change, and elements of a slice are where the slice is.
func references(v reflect.Value, seen map[uintptr]string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		if v.IsNil() || v.Kind() == reflect.Slice && v.Cap() == 0 {
			return
		}
		if _, known := seen[v.Pointer()]; known {
			return
		}
		seen[v.Pointer()] = v.Type().String()
	}
	switch v.Kind() {
	case reflect.Pointer:
		references(v.Elem(), seen)
	case reflect.Map:
		for _, key := range v.MapKeys() {
			references(v.MapIndex(key), seen)
		}
	case reflect.Slice:
		for i := range v.Len() {
			references(v.Index(i), seen)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for _, field := range v.Fields() {
			references(field, seen)
		}
	}
}

func BenchmarkClone(b *testing.B) {
	w := New(1)
	for b.Loop() {
		w.Clone()
	}
}
