package mixcloud

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
)

// TestDecodePage_SharesMemory checks that decoding a page allocates little more
// than a copy of its text, for any number of nested objects.
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
	if n := int(after.TotalAlloc-before.TotalAlloc) / (rounds + 1); n > 2*len(body) {
		t.Errorf("%d bytes were allocated for a text of %d bytes, want at most twice as many", n, len(body))
	}
	if allocations > 400 {
		t.Errorf("%v allocations for 20 cloudcasts, want at most 400", allocations)
	}
}

// BenchmarkDecodePage decodes the recorded page of 20 cloudcasts (70 kB). Two other
// runs are for comparison: validation only, and decoding into any.
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
					b.Fatal(err)
				}
			}
		})
	}
}
