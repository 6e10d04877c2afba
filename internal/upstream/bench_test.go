package upstream

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"mixcloud-graphql/mixcloud"
)

// BenchmarkFetch_Hit measures a cache hit, without the creation of the Resource by the loader.
func BenchmarkFetch_Hit(b *testing.B) {
	s, _ := newTestStore(b, Options{}, latest)
	for caller, token := range map[string]string{"anonymous": "", "with a token": "t"} {
		session, r := s.Session(token), user("/a/")
		if _, err := Fetch(b.Context(), session, r); err != nil {
			b.Fatal(err)
		}
		b.Run(caller, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Fetch(b.Context(), session, r); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(caller+", parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := Fetch(b.Context(), session, r); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// BenchmarkFetch_Miss measures a cache miss, without the call itself.
func BenchmarkFetch_Miss(b *testing.B) {
	s, _ := newTestStore(b, Options{CacheBytes: -1, Budget: 1 << 30}, latest)
	session := s.Session("")
	r := Resource[int]{Class: ClassUser, ID: "/a/", Get: func(context.Context, *mixcloud.Client) (int, error) { return 1, nil }}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Fetch(b.Context(), session, r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecode_InsteadOfHit measures, for comparison, a hit in a cache that stores bytes and
// decodes them for each hit.
func BenchmarkDecode_InsteadOfHit(b *testing.B) {
	raw := []byte(page(20))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mixcloud.DecodePage[mixcloud.Cloudcast](raw); err != nil {
			b.Fatal(err)
		}
	}
}

// page returns a list of shows of a realistic size.
func page(n int) string {
	items := make([]string, n)
	for i := range items {
		pictures := make([]string, 0, 10)
		for _, size := range []string{"small", "thumbnail", "medium_mobile", "medium", "large", "320wx320h", "extra_large", "640wx640h", "768wx768h", "1024wx1024h"} {
			pictures = append(pictures, fmt.Sprintf(`%q: "https://thumbnailer.mixcloud.com/unsafe/300x300/extaudio/a/b/c/d/aaaa-bbbb-cccc-dddd-%d"`, size, i))
		}
		all := strings.Join(pictures, ",\n            ")
		items[i] = fmt.Sprintf(`{"key": "/spartacus/show-%d/", "url": "https://www.mixcloud.com/spartacus/show-%d/", "name": "Show %d",
			"tags": [{"key": "/genres/funk/", "url": "https://www.mixcloud.com/genres/funk/", "name": "Funk"}, {"key": "/genres/soul/", "url": "https://www.mixcloud.com/genres/soul/", "name": "Soul"}],
			"created_time": "2026-01-01T00:00:00Z", "updated_time": "2026-01-01T00:00:00Z", "play_count": 1, "favorite_count": 2, "comment_count": 3, "listener_count": 4, "repost_count": 5,
			"pictures": {%s}, "slug": "show-%d", "user": {"key": "/spartacus/", "url": "https://www.mixcloud.com/spartacus/", "name": "Spartacus", "username": "spartacus", "pictures": {%s}},
			"hosts": [], "audio_length": 3600}`, i, i, i, all, i, all)
	}
	return `{"data": [` + strings.Join(items, ",\n") + `], "paging": {"next": "https://api.mixcloud.com/spartacus/cloudcasts/?limit=20&until=2026-01-01+00%3A00%3A00"}, "name": "x"}`
}
