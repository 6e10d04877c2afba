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
		t.Error("the clone differs from the original")
	}
	// Equal edits of both have equal results, including IDs and slugs.
	for _, one := range []*World{w, c} {
		owner := one.User(w.Users[3].Username)
		one.Follow(owner, one.User(w.Users[9].Username), one.Now)
		one.AddCloudcast(&Cloudcast{Owner: owner, Name: "New here", Created: one.Now, Tags: []*Tag{one.NamedTag("never heard"), one.Tags[0]}})
	}
	if digest(c) != digest(w) {
		t.Error("after the same edits the clone differs from the original")
	}
}

// TestClone_SharesNothing fails if Clone does not copy a new field.
func TestClone_SharesNothing(t *testing.T) {
	t.Parallel()
	w := sharedWorld(1)
	original, clone := map[uintptr]string{}, map[uintptr]string{}
	collectReferences(reflect.ValueOf(w), original)
	collectReferences(reflect.ValueOf(w.Clone()), clone)
	if len(original) < 10_000 || len(clone) != len(original) {
		t.Errorf("the clone has %d references, the original %d; want the same number, at least 10000", len(clone), len(original))
	}
	shared := map[string]int{}
	for at, what := range clone {
		if _, both := original[at]; both {
			shared[what]++
		}
	}
	if len(shared) > 0 {
		t.Errorf("the clone shares references with the original, by type: %v", shared)
	}
}

// collectReferences adds the address and type of every pointer, map and slice that
// is reachable from a value. It ignores strings and times, which are immutable.
func collectReferences(v reflect.Value, seen map[uintptr]string) {
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
		collectReferences(v.Elem(), seen)
	case reflect.Map:
		for _, key := range v.MapKeys() {
			collectReferences(v.MapIndex(key), seen)
		}
	case reflect.Slice:
		for i := range v.Len() {
			collectReferences(v.Index(i), seen)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for _, field := range v.Fields() {
			collectReferences(field, seen)
		}
	}
}

func BenchmarkClone(b *testing.B) {
	w := New(1)
	for b.Loop() {
		w.Clone()
	}
}
