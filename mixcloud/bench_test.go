package mixcloud

import (
	"encoding/json"
	"os"
	"testing"
)

// BenchmarkDecodePage reads the recorded page of 20 cloudcasts (70 kB). The
// other two are what it may be measured by: validating alone, and decoding into
// any.
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
				b.Fatal("invalid")
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
