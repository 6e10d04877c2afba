// Package idempotency gives a client that sends the same write again the first
// answer again, so that it may repeat what it does not know the end of.
//
// A write is named by the client, in the header Idempotency-Key, for its own
// principal alone. The first request under a name claims it; others of the same
// content find the claim, or what became of it.
package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"
)

// Life is for how long a finished write is remembered.
const Life = 24 * time.Hour

// MaxKey is the longest name that a client may give a write, in bytes.
const MaxKey = 255

// What keeps a write from being done.
var (
	// ErrInFlight: a write of this name is under way.
	ErrInFlight = errors.New("idempotency: a request with the same key is in progress")
	// ErrOtherContent: the name belongs to a write of another content.
	ErrOtherContent = errors.New("idempotency: the key belongs to a request with different content")
)

// ValidKey reports whether a client may name a write so: 1 to 255 bytes, none
// of them a control character.
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

// A Name is how a write is known: the client's key, for one principal.
type Name struct {
	Principal string // a hash of a token, never the token
	Key       string
}

// A Fingerprint tells contents apart.
type Fingerprint [sha256.Size]byte

// FingerprintOf is that of a content in several parts: moving a byte from one
// to the next is another content.
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

// A Store remembers writes. It is safe for concurrent use. One that replicas
// share must take a claim away from a replica that died, after a while.
type Store interface {
	// Begin claims a name for a content. It gives the claim; or, when the
	// write was finished, its answer; or ErrInFlight, ErrOtherContent, or an
	// error of the store itself.
	Begin(ctx context.Context, name Name, content Fingerprint) (Claim, *Response, error)
}

// A Claim is the right to do a write. It ends with exactly one of its methods.
type Claim interface {
	// Finish remembers what the write was answered with.
	Finish(ctx context.Context, answer Response) error
	// Release forgets the write: it certainly was not done.
	Release(ctx context.Context) error
}

type markKey struct{}

// Watch gives a context whose operation can say [Sent], and what tells whether
// it did.
func Watch(ctx context.Context) (_ context.Context, sent func() bool) {
	mark := new(atomic.Bool)
	return context.WithValue(ctx, markKey{}, mark), mark.Load
}

// Sent says that a write may have reached Mixcloud, whatever came of it.
func Sent(ctx context.Context) {
	if mark, ok := ctx.Value(markKey{}).(*atomic.Bool); ok {
		mark.Store(true)
	}
}
