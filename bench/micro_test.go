package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"testing"

	"mixcloud-graphql/bench/queries"
	"mixcloud-graphql/graph/cost"
	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud"
)

// BenchmarkExecute answers a query from its document to the answer's last byte,
// over a Mixcloud that takes no time. What it costs includes the emulator's part.
func BenchmarkExecute(b *testing.B) {
	for _, q := range named(b) {
		b.Run(q.Name, func(b *testing.B) {
			q, plan := ready(b, q)
			s := newStage(b)
			answer := s.ask(b, q)
			b.ReportMetric(float64(plan.Calls()), "calls")
			b.SetBytes(int64(len(answer)))
			b.ReportAllocs()
			for b.Loop() {
				s.ask(b, q)
			}
		})
	}
}

// BenchmarkEstimate is the part of [BenchmarkExecute] that bounds the cost.
func BenchmarkEstimate(b *testing.B) {
	for _, q := range named(b) {
		b.Run(q.Name, func(b *testing.B) {
			q, _ := ready(b, q)
			op, variables := parsed(b, q)
			b.ReportAllocs()
			for b.Loop() {
				estimator().Estimate(op, variables, cost.Asker{Signed: q.Token != ""})
			}
		})
	}
}

// BenchmarkTypename is the share of [BenchmarkExecute] that no query can avoid.
func BenchmarkTypename(b *testing.B) {
	s := newStage(b)
	b.ReportAllocs()
	for b.Loop() {
		s.ask(b, queries.Query{Name: "typename", Text: "{ __typename }"})
	}
}

// BenchmarkDecode reads recorded answers: a page of 20 cloudcasts, and a user.
func BenchmarkDecode(b *testing.B) {
	b.Run("page", func(b *testing.B) {
		client, size := recorded(b, "user_cloudcasts_date_page1_2018.json")
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			page, err := client.UserCloudcasts(b.Context(), "spartacus", mixcloud.Range{})
			if err != nil || len(page.Items) == 0 {
				b.Fatalf("%v, %v", show.Value(page), err)
			}
		}
	})
	b.Run("user", func(b *testing.B) {
		client, size := recorded(b, "user_full_metadata_2018.json")
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := client.User(b.Context(), "spartacus"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// recorded is a client of a Mixcloud that has one answer, and the answer's size.
func recorded(b *testing.B, file string) (*mixcloud.Client, int64) {
	b.Helper()
	body, err := os.ReadFile("../mixcloud/testdata/recorded/" + file)
	if err != nil {
		b.Fatal(err)
	}
	client, err := mixcloud.New(mixcloud.WithHTTPClient(&http.Client{Transport: same(body)}))
	if err != nil {
		b.Fatal(err)
	}
	return client, int64(len(body))
}

// same answers every request with the same JSON.
type same []byte

func (body same) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"text/javascript; charset=utf-8"}},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       r,
	}, nil
}

// BenchmarkCursor makes a cursor of each kind, and reads it.
func BenchmarkCursor(b *testing.B) {
	bind := paging.Bind("/spartacus/|followers", -1, -1)
	for name, c := range map[string]paging.Cursor{
		"time":   {Kind: paging.ByTime, Key: "/spartacus/party-time/", Second: 1430333959},
		"page":   {Kind: paging.ByPage, Key: "/spartacus/", Second: 1430333959, Next: -1, Place: 7, Above: 77},
		"offset": {Kind: paging.ByOffset, Offset: 19},
	} {
		text := c.Encode(bind)
		b.Run(name+"/encode", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Encode(bind)
			}
		})
		b.Run(name+"/parse", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := paging.Parse("after", text, bind); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
