package mixcloud

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"mixcloud-graphql/internal/race"
	"mixcloud-graphql/internal/show"
)

// TestDecodePage_SharesMemory checks that decoding a page allocates little more
// than a copy of its text and the index, for any number of nested objects.
func TestDecodePage_SharesMemory(t *testing.T) {
	body, err := os.ReadFile("testdata/recorded/user_cloudcasts_date_page1_2018.json")
	if err != nil {
		t.Fatal(err)
	}
	decode := func() {
		if _, err := DecodePage[Cloudcast](body); err != nil {
			t.Fatal(err)
		}
	}
	const rounds = 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	allocations := testing.AllocsPerRun(rounds, decode)
	runtime.ReadMemStats(&after)
	// The race detector drops values of a sync.Pool, so the scratch memory of the parser is allocated again.
	if n := int(after.TotalAlloc-before.TotalAlloc) / (rounds + 1); n > 5*len(body)/2 && !race.Enabled {
		t.Errorf("%d bytes were allocated for a text of %d bytes, want at most 2.5 times as many", n, len(body))
	}
	if allocations > 400 {
		t.Errorf("%v allocations for 20 cloudcasts, want at most 400", allocations)
	}
}

// TestListItems checks that an Item decodes to the item of the typed page.
func TestListItems(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("testdata/recorded/user_listens_2018.json")
	if err != nil {
		t.Fatal(err)
	}
	typed, err := DecodePage[Cloudcast](body)
	if err != nil {
		t.Fatal(err)
	}
	page, err := DecodePage[Item[Cloudcast]](body)
	if err != nil || len(page.Items) != len(typed.Items) || page.Dropped != typed.Dropped {
		t.Fatalf("DecodePage = %v, %v; want %d items and %d dropped ones", show.Value(page), err, len(typed.Items), typed.Dropped)
	}
	for i := range page.Items {
		item, want := &page.Items[i], &typed.Items[i]
		if got := item.Value(); !reflect.DeepEqual(got, want) || !item.Key.Equal(want.Key) {
			t.Errorf("item %d is %+v, want %+v", i, got, want)
		}
		if got := item.Time("listen_time"); want.ListenTime == nil || !got.Equal(*want.ListenTime) {
			t.Errorf("item %d: Time(listen_time) = %v, want %v", i, got, want.ListenTime)
		}
		if got := item.Time("no_such_member"); !got.IsZero() {
			t.Errorf("item %d: Time of an absent member = %v, want the zero time", i, got)
		}
	}
	other := new(Cloudcast)
	if item := page.Items[0].With(other); item.Value() != other || !item.Replaced() || page.Items[0].Replaced() {
		t.Errorf("With: Value returns the replacement: %t, Replaced: %t, Replaced of the original item: %t; want true, true, false",
			item.Value() == other, item.Replaced(), page.Items[0].Replaced())
	}
}

// BenchmarkDecodePage decodes the recorded page of 20 cloudcasts (70 kB). For
// comparison, it also measures validation only and decoding into any.
func BenchmarkDecodePage(b *testing.B) {
	body, err := os.ReadFile("testdata/recorded/user_cloudcasts_date_page1_2018.json")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("typed", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			page, err := DecodePage[Cloudcast](body)
			if err != nil || len(page.Items) != 20 {
				b.Fatal(err)
			}
		}
	})
	b.Run("items", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := DecodePage[Item[Cloudcast]](body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("validate", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if !json.Valid(body) {
				b.Fatal("the body is not valid JSON")
			}
		}
	})
	b.Run("any", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := json.Unmarshal(body, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkDecodeHundred decodes a page of 100 cloudcasts with 700 keys and few
// other members.
func BenchmarkDecodeHundred(b *testing.B) {
	for name, spelling := range map[string][2]string{"canonical": {"user", "genres"}, "respelled": {"User", "discover"}} {
		b.Run(name, func(b *testing.B) {
			var text strings.Builder
			for i := range 100 {
				if i > 0 {
					text.WriteByte(',')
				}
				fmt.Fprintf(&text, `{"key":"/%s%d/show-%d/","user":{"key":"/%[1]s%[2]d/","name":"A","username":"a"},"tags":[`, spelling[0], i, i)
				for j := range 5 {
					if j > 0 {
						text.WriteByte(',')
					}
					fmt.Fprintf(&text, `{"key":"/%s/tag-%d/","name":"T"}`, spelling[1], i+j)
				}
				text.WriteString("]}")
			}
			body := []byte(`{"data":[` + text.String() + `]}`)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if page, err := DecodePage[Cloudcast](body); err != nil || len(page.Items) != 100 {
					b.Fatalf("DecodePage = %v, %v; want 100 items", show.Value(page), err)
				}
			}
		})
	}
}
