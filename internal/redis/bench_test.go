package redis

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/internal/redistest"
	"mixcloud-graphql/internal/upstream"
)

// BenchmarkUse prints the time of each method on loopback, for comparison with each other, and the
// number of commands that Redis executes for it, including those of scripts.
func BenchmarkUse(b *testing.B) {
	s := redistest.Start(b)
	raw := s.Client(b)
	r, err := Open(Options{URL: s.URL(), Secret: testSecret})
	if err != nil {
		b.Fatal(err)
	}
	r.Start(nil)
	b.Cleanup(func() { r.Close(context.Background()) })
	for !r.Stats().Up {
		<-time.After(time.Millisecond)
	}
	page, err := os.ReadFile(recorded + "user_cloudcasts_date_page1_2018.json")
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	var n atomic.Int64
	next := func() string { return fmt.Sprint(n.Add(1)) }
	hot := upstream.Address{ID: "hot"}
	withToken := upstream.Address{Principal: alice, ID: "hot"}
	for _, at := range []upstream.Address{hot, withToken} {
		r.Cache().Get(ctx, at)
		r.Cache().Put(ctx, at, upstream.Record{Body: page}, life)
	}
	for r.writer.bytes.Load() > 0 {
		<-time.After(time.Millisecond)
	}
	for name, use := range map[string]func(){
		"get/hot":             func() { r.Cache().Get(ctx, hot) },
		"get/hot with token":  func() { r.Cache().Get(ctx, withToken) },
		"get/cold":            func() { r.Cache().Get(ctx, upstream.Address{ID: next()}) },
		"get/cold with token": func() { r.Cache().Get(ctx, upstream.Address{Principal: alice, ID: next()}) },
		"drop":                func() { r.Cache().Drop(ctx, bob) },
		"take":                func() { r.Limiter().Take(ctx, limitOf("")) },
		"write": func() {
			if claim, _, err := r.Writes().Begin(ctx, idempotency.Name{Principal: alice, Key: next()}, one); err == nil && claim != nil {
				_ = claim.Finish(ctx, idempotency.Response{Status: 200, Body: bytes.Clone(page[:2000])})
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			before := s.Commands(b, raw)
			for b.Loop() {
				use()
			}
			b.ReportMetric(float64(s.Commands(b, raw)-before-1)/float64(b.N), "commands/op")
		})
	}
}
