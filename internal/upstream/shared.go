package upstream

import (
	"context"
	"time"

	"mixcloud-graphql/internal/ratelimit"
)

// A SharedCache is a cache that processes share. It is read on a miss of this process's cache,
// and written after a call.
//
// It must be safe for concurrent use and must not delay its callers. If it is slow or broken it
// reports a miss and logs the problem itself.
type SharedCache interface {
	// Get returns the record of an address, or false on a miss. A record that Drop has dropped
	// must not come back.
	Get(ctx context.Context, at Address) (Record, bool)
	// Put stores a record with its lifetime. The record is never modified.
	Put(ctx context.Context, at Address, r Record, life Lifetime)
	// Drop drops all records of a principal, in all processes, after a write with its token.
	// The implementation must call [Store.Forget] in the other processes.
	Drop(ctx context.Context, principal string)
}

// An Address is the key of a response: its principal and its resource.
type Address struct {
	// Principal is [Session.Principal]: "" for anonymous, else a keyed hash of the whole
	// token. It is the same in all processes with the same [Options.PrincipalOf].
	Principal string
	// ID is [Resource.ID].
	ID string
}

// A Record is a response in its serialized form.
type Record struct {
	// Body contains the original bytes; nil for a negative entry.
	Body []byte
	// Age is the time since it was fetched from Mixcloud.
	Age time.Duration
}

// SharedWrites publishes the recent writes of viewers to other processes, for as long as reads
// may not show them. It is read in parallel to a call, and only for callers with a token. Like a
// SharedCache it must not delay its callers.
type SharedWrites interface {
	// Publish publishes a write. When it returns, the other processes have the write and have
	// dropped their cached responses of the principal.
	Publish(ctx context.Context, principal string, w SharedWrite)
	// Recent returns the writes of a principal through all processes in at least the last ten
	// minutes: the latest of each flag and target, in any order. It returns false if they cannot
	// be read at the moment; the store then calls it again soon.
	Recent(ctx context.Context, principal string) ([]SharedWrite, bool)
}

// A SharedWrite is a viewer's write of a flag.
type SharedWrite struct {
	ID     string // unique
	Flag   Flag
	Target string // canonical key
	Want   bool
	// Supersedes reports that no read has shown an earlier write of the flag yet.
	Supersedes bool
	Age        time.Duration // since the write
}

// A SharedLimiter is a rate limiter that processes share. It is called right before a call to
// Mixcloud, after this process's own limiters. It must not delay its caller. While its server is
// unreachable it limits this process alone.
type SharedLimiter interface {
	// Take takes one call from a limit, and returns 0 if it is granted. Otherwise it returns the
	// wait during which no call may be made under the limit; then Take is called again.
	Take(ctx context.Context, l SharedLimit) (wait time.Duration)
	// Refused reports that Mixcloud has refused a call that was sent a time ago, with the wait
	// of its Retry-After or 0. It returns the pause.
	Refused(ctx context.Context, l SharedLimit, ago, wait time.Duration) (pause time.Duration)
}

// A SharedLimit is a limit that processes share.
type SharedLimit struct {
	// Principal is [Session.Principal], or the name of a limit that several principals share.
	Principal string
	Kind      Kind
	Limit     ratelimit.Limit
}

// VerifiedTokens stores which tokens Mixcloud has accepted, for all processes. It must not
// delay its caller, and reports false while it is broken.
type VerifiedTokens interface {
	// Verified reports whether the token of a principal was verified and not refused since.
	Verified(ctx context.Context, principal string) bool
	// SetVerified records whether Mixcloud accepts a token.
	SetVerified(ctx context.Context, principal string, accepted bool)
}

// A Flag is a property of a target that a viewer can switch on or off.
type Flag int

// The flags that actions change.
const (
	Following   Flag = iota // of a user
	Favorited               // of a cloudcast
	Reposted                // of a cloudcast
	ListenLater             // of a cloudcast
	uploaded                // of a cloudcast that was just uploaded; not a flag of Mixcloud
)

// String returns the last segment of the path of the flag's action, such as "favorite".
func (f Flag) String() string {
	return [...]string{"follow", "favorite", "repost", "listen-later", "upload"}[f]
}
