package auth

import (
	"context"
	"time"
)

// Nonces stores the nonces of completed sign-ins, so that a nonce cannot be used twice. It does
// not store those of unfinished sign-ins, because anyone can start any number of them.
// Implementations are safe for concurrent use.
type Nonces interface {
	// Use reports whether nonce is used for the first time. It must be stored until the given
	// time, at which its attempt has expired.
	Use(ctx context.Context, nonce string, until time.Time) (first bool, err error)
}

// maxNonces is the maximum number of nonces in memory, about 10 MiB.
const maxNonces = 100_000

// localNonces stores the nonces of one process. At the limit it removes the oldest nonce. An
// attacker could use that again only with its attempt cookie, which the server has deleted from
// the browser.
type localNonces struct{ used *expiringSet }

// NewLocalNonces returns Nonces in this process's memory.
func NewLocalNonces() Nonces { return newLocalNonces(maxNonces) }

func newLocalNonces(limit int) *localNonces {
	return &localNonces{newExpiringSet(limit)}
}

func (n *localNonces) Use(_ context.Context, nonce string, until time.Time) (bool, error) {
	return n.used.add(nonce, until), nil
}
