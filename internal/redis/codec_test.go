package redis

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"mixcloud-graphql/internal/upstream"
)

func TestValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := value{
			stored: time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "stored")),
			epoch:  rapid.String().Draw(t, "epoch"),
		}
		if rapid.Bool().Draw(t, "found") {
			want.record.Body = bytes.Repeat([]byte(rapid.StringN(1, 20, -1).Draw(t, "body")), rapid.IntRange(0, 500).Draw(t, "times"))
			if want.record.Body == nil {
				want.record.Body = []byte{}
			}
		}
		text, ok := want.encode()
		if !ok {
			t.Fatal("encode failed: the value is too large")
		}
		got, err := decode(string(text))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(value{})); diff != "" {
			t.Fatalf("decoded value differs (-want +got):\n%s", diff)
		}
		i := rapid.IntRange(0, len(text)-1).Draw(t, "damaged byte")
		text[i] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
		if v, err := decode(string(text)); err == nil {
			t.Fatalf("decode of a corrupted value = %+v, want an error", v)
		}
	})
}

// Small and incompressible bodies are stored uncompressed.
func TestValue_Compression(t *testing.T) {
	t.Parallel()
	text := []byte(strings.Repeat("compressible ", 1000))
	compressed := encoder().EncodeAll(text, nil)
	noise := bytes.Join([][]byte{compressed, encoder().EncodeAll([]byte(testNoise()), nil)}, nil)
	for name, test := range map[string]struct {
		body []byte
		most int
	}{
		"small":        {text[:minCompressed-1], minCompressed + 64},
		"compressible": {text, 200},
		"noise":        {noise, len(noise) + 64},
	} {
		out, ok := value{record: upstream.Record{Body: test.body}}.encode()
		if !ok || len(out) > test.most {
			t.Errorf("%s: %d bytes are stored in %d, want at most %d", name, len(test.body), len(out), test.most)
		}
		if compressed := out[4]&flagCompressed != 0; compressed != (name == "compressible") {
			t.Errorf("%s: compressed = %v, want %v", name, compressed, name == "compressible")
		}
	}
}

func testNoise() string {
	var b strings.Builder
	x := uint32(1)
	for range 4000 {
		x = x*1664525 + 1013904223
		b.WriteByte(byte(x >> 24))
	}
	return b.String()
}

// A value that is larger than its declared size is not decompressed.
func TestValue_DecompressionBomb(t *testing.T) {
	t.Parallel()
	for _, size := range []int{2, maxBody, 8 * maxBody} {
		out, _ := value{record: upstream.Record{Body: []byte("x")}}.encode()
		text := out[:len(out)-1] // up to the length of the body
		text[4] = flagCompressed
		text = encoder().EncodeAll(make([]byte, size), text)
		putChecksum(text)
		if _, err := decode(string(text)); err == nil {
			t.Errorf("decode of %d bytes with a declared size of 1 returned no error", size)
		}
	}
}

func putChecksum(text []byte) {
	binary.BigEndian.PutUint32(text, crc32.Checksum(text[4:], checksum))
}

// Values of an earlier format, which had two validators after the epoch, are misses: replicas with
// either format can share a Redis.
func TestValue_EarlierFormat(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{}", strings.Repeat("x", 100)} {
		flag := byte(0)
		if body == "" {
			flag = flagNegative
		}
		earlier := append(make([]byte, 4), flag)
		earlier = binary.AppendVarint(earlier, 1)
		for _, s := range []string{"epoch", "", "", body} {
			earlier = binary.AppendUvarint(earlier, uint64(len(s)))
			earlier = append(earlier, s...)
		}
		putChecksum(earlier)
		if v, err := decode(string(earlier)); err == nil {
			t.Errorf("decode of a value of %d bytes in the earlier format = %+v, want an error", len(body), v)
		}
	}
}

func FuzzValue(f *testing.F) {
	for _, r := range []upstream.Record{{}, {Body: []byte("{}")}, {Body: []byte(strings.Repeat("x", 1000))}} {
		out, _ := value{stored: time.UnixMilli(1), epoch: "e", record: r}.encode()
		f.Add(out[4:])
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		text := append(make([]byte, 4), in...)
		putChecksum(text)
		v, err := decode(string(text))
		if err != nil {
			return
		}
		again, ok := v.encode()
		if !ok {
			t.Fatal("encode of a decoded value failed")
		}
		w, err := decode(string(again))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(v, w, cmp.AllowUnexported(value{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("second decode differs (-first +second):\n%s", diff)
		}
	})
}

// recorded is the directory of Mixcloud's recorded responses.
const recorded = "../../mixcloud/testdata/recorded/"

// BenchmarkCompression compares the codecs; see encoder.
func BenchmarkCompression(b *testing.B) {
	fastest, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
	if err != nil {
		b.Fatal(err)
	}
	normal, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(false))
	if err != nil {
		b.Fatal(err)
	}
	unzstd := func(in []byte) ([]byte, error) { return decoder().DecodeAll(in, nil) }
	uns2 := func(in []byte) ([]byte, error) { return s2.Decode(nil, in) }
	for _, file := range []string{"cloudcast_full_sections_2014", "user_cloudcasts_date_page1_2018", "user_full_metadata_2018"} {
		body, err := os.ReadFile(recorded + file + ".json")
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range []struct {
			name       string
			compress   func([]byte) []byte
			decompress func([]byte) ([]byte, error)
		}{
			{"zstd-fastest", func(in []byte) []byte { return fastest.EncodeAll(in, nil) }, unzstd},
			{"zstd-default", func(in []byte) []byte { return normal.EncodeAll(in, nil) }, unzstd},
			{"s2", func(in []byte) []byte { return s2.Encode(nil, in) }, uns2},
			{"s2-better", func(in []byte) []byte { return s2.EncodeBetter(nil, in) }, uns2},
		} {
			compressed := c.compress(body)
			name := fmt.Sprintf("%s/%s", file, c.name)
			b.Run(name+"/compress", func(b *testing.B) {
				for b.Loop() {
					c.compress(body)
				}
				b.ReportMetric(float64(len(body))/float64(len(compressed)), "ratio")
			})
			b.Run(name+"/decompress", func(b *testing.B) {
				for b.Loop() {
					if _, err := c.decompress(compressed); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
