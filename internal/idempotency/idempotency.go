// Package idempotency stores the responses of writes, so that a client whose response was lost
// can send the same request again without repeating the write.
//
// A client names a write in the header Idempotency-Key. Keys are separate for each principal.
// The first request with a key claims it. A later request with the same key and content
// receives the stored response, or an error while the first one is in progress.
package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"
)

// TTL is how long the response of a write is stored.
const TTL = 24 * time.Hour

// MaxKey is the maximum length of a key in bytes.
const MaxKey = 255

// Errors of [Store.Begin].
var (
	// ErrInFlight is returned while a request with the same key is in progress.
	ErrInFlight = errors.New("idempotency: a request with the same key is in progress")
	// ErrOtherContent is returned if the key belongs to a request with different content.
	ErrOtherContent = errors.New("idempotency: the key belongs to a request with different content")
)

// ValidKey reports whether key is valid: 1 to 255 bytes without control characters.
func ValidKey(key string) bool {
	if key == "" || len(key) > MaxKey {
		return false
	}
	for i := range len(key) {
		if key[i] < ' ' || key[i] == 0x7f {
			return false
		}
	}
	return true
}

// A Name identifies a write: the principal of the caller and the key that the client chose.
type Name struct {
	Principal string // an opaque id, never the token
	Key       string
}

// A Fingerprint is a hash of the content of a request.
type Fingerprint [sha256.Size]byte

// FingerprintOf returns the fingerprint of content that consists of several parts. Content with
// the same bytes but other boundaries between parts has another fingerprint.
func FingerprintOf(parts ...string) Fingerprint {
	h := sha256.New()
	var size [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	return Fingerprint(h.Sum(nil))
}

// A Response is the response to a write. It must not be modified.
type Response struct {
	Status int
	Body   []byte
}

// A Store stores the state of writes. It is safe for concurrent use. A store that replicas
// share must release the claims of a failed replica after some time.
type Store interface {
	// Begin claims a name for a request with the given content. It returns the claim, the
	// response of the earlier write, or an error: ErrInFlight, ErrOtherContent, or an error of
	// the store.
	Begin(ctx context.Context, name Name, content Fingerprint) (Claim, *Response, error)
}

// A Claim is the right to execute a write. The caller must call exactly one of its methods,
// once.
type Claim interface {
	// Finish stores the response of the write.
	Finish(ctx context.Context, response Response) error
	// Release removes the claim of a write that was certainly not executed.
	Release(ctx context.Context) error
}

type sentKey struct{}

// TrackSent returns a context for an operation, and a function that reports whether the
// operation has called [MarkSent].
func TrackSent(ctx context.Context) (_ context.Context, sent func() bool) {
	mark := new(atomic.Bool)
	return context.WithValue(ctx, sentKey{}, mark), mark.Load
}

// MarkSent records that a write may have reached Mixcloud, even if it fails.
func MarkSent(ctx context.Context) {
	if mark, ok := ctx.Value(sentKey{}).(*atomic.Bool); ok {
		mark.Store(true)
	}
}
