package redis

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"mixcloud-graphql/internal/upstream"
)

const (
	// smallest is the body from which compression pays: below, it saves less
	// than it costs (see BenchmarkCompression).
	smallest = 512
	// largest is the body up to which anything is kept, compressed or not. A
	// value that claims to be larger is not unpacked.
	largest = 8 << 20
)

// The flags of a value.
const (
	flagMissing    = 1 << iota // nothing was found: there is no body
	flagCompressed             // by zstd
	flags          = flagMissing | flagCompressed
)

// errValue says that what is in Redis is none of our values, or damaged.
var errValue = errors.New("redis: not a value")

var checksum = crc32.MakeTable(crc32.Castagnoli)

// zstd's fastest level: next to s2 it makes pages of the API a third smaller
// (10 to 1), and unpacking one takes a fraction of the round trip that fetched
// it.
var (
	packer = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true))
		if err != nil {
			panic(err) // the options are constants
		}
		return e
	})
	unpacker = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(largest), zstd.WithDecoderConcurrency(0))
		if err != nil {
			panic(err) // the options are constants
		}
		return d
	})
)

// A value is what is kept of an answer:
//
//	checksum of the rest, 4 bytes
//	flags, 1 byte
//	when Mixcloud gave it, milliseconds of Unix time, varint
//	generation, ETag, Last-Modified: each its length, uvarint, and its bytes
//	length of the body, uvarint
//	body, compressed or not
type value struct {
	stored     time.Time
	generation string // of the audience's partition; "" for everybody's
	record     upstream.Record
}

// encode packs a value; false if it is too large to be kept.
func (v value) encode() ([]byte, bool) {
	body := v.record.Body
	if len(body) > largest {
		return nil, false
	}
	var flag byte
	switch {
	case body == nil:
		flag = flagMissing
	case len(body) >= smallest:
		if packed := packer().EncodeAll(body, nil); len(packed) < len(body)-len(body)/8 {
			body, flag = packed, flagCompressed
		}
	}
	out := make([]byte, 4, 64+len(v.generation)+len(v.record.ETag)+len(v.record.LastModified)+len(body))
	out = append(out, flag)
	out = binary.AppendVarint(out, v.stored.UnixMilli())
	for _, s := range []string{v.generation, v.record.ETag, v.record.LastModified} {
		out = binary.AppendUvarint(out, uint64(len(s)))
		out = append(out, s...)
	}
	out = binary.AppendUvarint(out, uint64(len(v.record.Body)))
	out = append(out, body...)
	binary.BigEndian.PutUint32(out, crc32.Checksum(out[4:], checksum))
	return out, true
}

// decode unpacks a value. What it gives shares nothing with text. Age is not
// set.
func decode(text string) (v value, err error) {
	if len(text) < 5 {
		return v, errValue
	}
	in := []byte(text[4:])
	if binary.BigEndian.Uint32([]byte(text[:4])) != crc32.Checksum(in, checksum) {
		return v, errValue
	}
	flag := in[0]
	in = in[1:]
	millis, n := binary.Varint(in)
	if n <= 0 || flag&^flags != 0 {
		return v, errValue
	}
	in = in[n:]
	v.stored = time.UnixMilli(millis)
	for _, s := range []*string{&v.generation, &v.record.ETag, &v.record.LastModified} {
		size, n := binary.Uvarint(in)
		if n <= 0 || size > uint64(len(in)-n) {
			return v, errValue
		}
		*s = string(in[n : n+int(size)])
		in = in[n+int(size):]
	}
	size, n := binary.Uvarint(in)
	if n <= 0 || size > largest {
		return v, errValue
	}
	in = in[n:]
	switch {
	case flag&flagMissing != 0:
		if size != 0 || len(in) != 0 || flag != flagMissing {
			return v, errValue
		}
		return v, nil
	case flag&flagCompressed != 0:
		if in, err = unpacker().DecodeAll(in, make([]byte, 0, size)); err != nil {
			return v, errValue
		}
	}
	if uint64(len(in)) != size {
		return v, errValue
	}
	v.record.Body = slices.Clip(in)
	if v.record.Body == nil {
		v.record.Body = []byte{} // nil would say that nothing was found
	}
	return v, nil
}
