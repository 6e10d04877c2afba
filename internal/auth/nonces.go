package auth

import (
	"context"
	"time"
)

// Nonces remembers the nonces of finished sign-ins, so that none can be used twice. Unfinished
// sign-ins are not remembered, because anyone can start any number of them. Implementations are
// safe for concurrent use.
type Nonces interface {
	// Use reports whether nonce is used for the first time. It must be remembered until the
	// given time, after which its attempt has expired.
	Use(ctx context.Context, nonce string, until time.Time) (first bool, err error)
}

// maxNonces bounds the nonces in memory, about 10 MiB.
const maxNonces = 100_000

// localNonces remembers the nonces of one process. At the limit it drops the oldest: to use
// that again needs its attempt cookie, which the server deleted from the browser when the nonce
// was used.
type localNonces struct{ used *expiringSet }

// NewLocalNonces returns Nonces in this process's memory.
func NewLocalNonces() Nonces { return newLocalNonces(maxNonces) }

func newLocalNonces(most int) *localNonces {
	return &localNonces{newExpiringSet(most)}
}

func (n *localNonces) Use(_ context.Context, nonce string, until time.Time) (bool, error) {
	return n.used.add(nonce, until), nil
}
