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
	// minCompressed is the minimum size of a body that is compressed: for a smaller one,
	// compression costs more than it saves (see BenchmarkCompression).
	minCompressed = 512
	// maxBody is the maximum size of a body that is stored, before compression. A value with a
	// larger declared size is not decompressed.
	maxBody = 8 << 20
)

// The flags of a value.
const (
	flagNegative   = 1 << iota // a negative entry: there is no body
	flagCompressed             // by zstd
	flags          = flagNegative | flagCompressed
)

// errInvalidValue is returned for a value that is damaged or was not written by this program.
var errInvalidValue = errors.New("redis: invalid value")

var checksum = crc32.MakeTable(crc32.Castagnoli)

// zstd's fastest level makes pages of the API a third smaller than s2 does (10 to 1), and
// decompressing one takes a fraction of the round trip that fetched it.
var (
	encoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true))
		if err != nil {
			panic(err) // the options are constants
		}
		return e
	})
	decoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxBody), zstd.WithDecoderConcurrency(0))
		if err != nil {
			panic(err) // the options are constants
		}
		return d
	})
)

// A value is a response in Redis:
//
//	checksum of the rest, 4 bytes
//	flags, 1 byte
//	time of Mixcloud's response, milliseconds of Unix time, varint
//	epoch: its length, uvarint, and its bytes
//	length of the body, uvarint
//	body, compressed or not
type value struct {
	stored time.Time
	epoch  string // of the principal; "" for an anonymous response
	record upstream.Record
}

// encode serializes a value. It returns false if the value is too large to be stored.
func (v value) encode() ([]byte, bool) {
	body := v.record.Body
	if len(body) > maxBody {
		return nil, false
	}
	var flag byte
	switch {
	case body == nil:
		flag = flagNegative
	case len(body) >= minCompressed:
		if compressed := encoder().EncodeAll(body, nil); len(compressed) < len(body)-len(body)/8 {
			body, flag = compressed, flagCompressed
		}
	}
	out := make([]byte, 4, 64+len(v.epoch)+len(body))
	out = append(out, flag)
	out = binary.AppendVarint(out, v.stored.UnixMilli())
	out = binary.AppendUvarint(out, uint64(len(v.epoch)))
	out = append(out, v.epoch...)
	out = binary.AppendUvarint(out, uint64(len(v.record.Body)))
	out = append(out, body...)
	binary.BigEndian.PutUint32(out, crc32.Checksum(out[4:], checksum))
	return out, true
}

// decode parses a serialized value. The value does not share memory with text. The caller computes the age of its record.
func decode(text string) (v value, err error) {
	if len(text) < 5 {
		return v, errInvalidValue
	}
	in := []byte(text[4:])
	if binary.BigEndian.Uint32([]byte(text[:4])) != crc32.Checksum(in, checksum) {
		return v, errInvalidValue
	}
	flag := in[0]
	in = in[1:]
	millis, n := binary.Varint(in)
	if n <= 0 || flag&^flags != 0 {
		return v, errInvalidValue
	}
	in = in[n:]
	v.stored = time.UnixMilli(millis)
	size, n := binary.Uvarint(in)
	if n <= 0 || size > uint64(len(in)-n) {
		return v, errInvalidValue
	}
	v.epoch = string(in[n : n+int(size)])
	in = in[n+int(size):]
	size, n = binary.Uvarint(in)
	if n <= 0 || size > maxBody {
		return v, errInvalidValue
	}
	in = in[n:]
	switch {
	case flag&flagNegative != 0:
		if size != 0 || len(in) != 0 || flag != flagNegative {
			return v, errInvalidValue
		}
		return v, nil
	case flag&flagCompressed != 0:
		if in, err = decoder().DecodeAll(in, make([]byte, 0, size)); err != nil {
			return v, errInvalidValue
		}
	}
	if uint64(len(in)) != size {
		return v, errInvalidValue
	}
	v.record.Body = slices.Clip(in)
	if v.record.Body == nil {
		v.record.Body = []byte{} // nil is a negative entry
	}
	return v, nil
}
