package fairqueue

import (
	"fmt"
	"testing"

	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/internal/ratelimit"
)

// BenchmarkAcquire measures a request that does not wait.
func BenchmarkAcquire(b *testing.B) {
	q := New(monotime.New(nil), 4, 100)
	limits := []*Limit{q.NewLimit(ratelimit.Limit{}, nil, nil)}
	b.ReportAllocs()
	for b.Loop() {
		r := q.NewRequest("client", "flow", limits, Normal)
		if err := q.Acquire(b.Context(), r, ignore); err != nil {
			b.Fatal(err)
		}
		r.Done()
	}
}

// BenchmarkAcquire_Contention measures a request while many requests of many clients wait.
func BenchmarkAcquire_Contention(b *testing.B) {
	for _, clients := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(clients, " clients"), func(b *testing.B) {
			q := New(monotime.New(nil), 1, 1<<20)
			limits := []*Limit{q.NewLimit(ratelimit.Limit{}, nil, nil)}
			b.SetParallelism(500)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					r := q.NewRequest(i%clients, i%3, limits, Normal)
					if err := q.Acquire(b.Context(), r, ignore); err != nil {
						b.Error(err)
						return
					}
					r.Done()
				}
			})
		})
	}
}
