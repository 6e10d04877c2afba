package auth

import (
	"context"
	"time"
)

// Nonces remembers the one-time values of sign-ins that are over, so that none
// is used again. Nothing is remembered of sign-ins that were only begun: anybody
// can begin as many as they like. Implementations are safe for concurrent use.
type Nonces interface {
	// Use reports whether this is the first time that nonce is used. It must be
	// remembered until the given time; after that it is refused for its age.
	Use(ctx context.Context, nonce string, until time.Time) (first bool, err error)
}

// maxNonces bounds what one process remembers: some 10 MiB.
const maxNonces = 100_000

// localNonces remembers the nonces of one process. When there are too many, the
// oldest is forgotten: using it again would take its attempt cookie, which was
// taken back from the browser when it was used.
type localNonces struct{ used *expiringSet }

// NewLocalNonces remembers the nonces of this process in its memory.
func NewLocalNonces() Nonces { return newLocalNonces(maxNonces) }

func newLocalNonces(most int) *localNonces {
	return &localNonces{newExpiringSet(most)}
}

func (n *localNonces) Use(_ context.Context, nonce string, until time.Time) (bool, error) {
	return n.used.add(nonce, until), nil
}
