package graphhttp

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/99designs/gqlgen/graphql"
)

func TestReadAll(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, minBuffer - 1, minBuffer, minBuffer + 1, 3 * smallBuffer} {
		text := strings.Repeat("a", size)
		for _, limit := range []int64{0, 1, int64(size), int64(size) + 1, 1 << 20} {
			got, err := readAll(iotest.OneByteReader(strings.NewReader(text)), limit)
			if want := text[:min(int64(size), limit)]; err != nil || string(got) != want {
				t.Errorf("readAll of %d bytes with the limit %d: %d bytes, %v; want %d", size, limit, len(got), err, len(want))
			}
			freeBuffer(got)
		}
	}
	failure := errors.New("failure")
	got, err := readAll(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("ab"))), 10)
	if string(got) != "a" || !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("readAll of a failing reader = %q, %v; want \"a\" and %v", got, err, iotest.ErrTimeout)
	}
	if _, err := readAll(iotest.ErrReader(failure), 10); !errors.Is(err, failure) {
		t.Errorf("readAll = %v, want %v", err, failure)
	}
}

// A buffer has room for its size, and a small request does not hold the memory of a large one.
func TestBuffers(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, minBuffer, smallBuffer, smallBuffer + 1, largeBuffer, 2 * largeBuffer} {
		for range 10 {
			b := newBuffer(size)
			if len(b) != 0 || cap(b) < size {
				t.Errorf("newBuffer(%d): length %d, capacity %d; want length 0, capacity at least %[1]d", size, len(b), cap(b))
			}
			freeBuffer(append(b, "content"...))
			if small := newBuffer(0); len(small) != 0 || cap(small) > smallBuffer {
				t.Errorf("newBuffer(0): length %d, capacity %d; want length 0, capacity at most %d", len(small), cap(small), smallBuffer)
			}
			if large := newBuffer(smallBuffer + 1); cap(large) > 2*largeBuffer {
				t.Errorf("a buffer of %d bytes is reused, want at most %d", cap(large), largeBuffer)
			}
		}
	}
}

// BenchmarkEncode encodes a small response and a large one.
func BenchmarkEncode(b *testing.B) {
	for name, size := range map[string]int{"small": 30, "large": 250_000} {
		resp := &graphql.Response{Data: []byte(`{"name":"` + strings.Repeat("a", size) + `"}`)}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				freeBuffer(encode(resp))
			}
		})
	}
}
