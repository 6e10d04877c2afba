package upstream

import (
	"context"
	"time"

	"mixcloud-graphql/internal/ratelimit"
)

// A SecondLevel is a cache that other processes share. It is asked when this
// process has nothing that is fresh, and told what this process has fetched.
//
// It must be safe for concurrent use and must not make anybody wait: whatever
// is slow or broken behind it is a miss, and a log line of its own.
type SecondLevel interface {
	// Get gives what is kept under an address; false is a miss. An answer that
	// Drop has dropped must not come back.
	Get(ctx context.Context, at Address) (Record, bool)
	// Put keeps a record for as long as life says. What it is given is never
	// changed by anybody.
	Put(ctx context.Context, at Address, r Record, life Lifetime)
	// Drop forgets everything of one audience, in all processes: its token was
	// used to write. The other processes' stores must be told by
	// [Store.Forget].
	Drop(ctx context.Context, audience string)
}

// An Address names an answer: whose eyes it is for and what it is about.
type Address struct {
	// Audience is [Session.Audience]: "" for everybody, else a keyed hash of the
	// whole token. It is the same in all processes whose [Options.AudienceOf] names
	// alike.
	Audience string
	// ID is [Resource.ID].
	ID string
}

// A Record is an answer in the form that leaves the process.
type Record struct {
	// Body has the untouched bytes; nil says that nothing was found.
	Body []byte
	// Age is how long ago it was fetched from Mixcloud, or confirmed.
	Age time.Duration
	// ETag and LastModified are the answer's validators, mostly "".
	ETag, LastModified string
}

// SharedMarks let other processes know what viewers have just written, for as
// long as reads may not show it. They are asked beside what a read waits for
// anyway, and only for a viewer. Like a SecondLevel they must not make anybody
// wait, and know nothing when they are broken.
type SharedMarks interface {
	// Tell makes a write known. When it returns the others know, and have dropped
	// what they kept for the audience.
	Tell(ctx context.Context, audience string, w Written)
	// Told gives what any process has told of an audience, for at least ten
	// minutes: of each flag of each target the last, in any order.
	Told(ctx context.Context, audience string) []Written
}

// A Written is something that a viewer has written.
type Written struct {
	ID     string // of this write: no other has it
	Flag   Flag
	Target string // canonical key
	Want   bool
	// Churned says that an earlier write of the same was not seen to arrive yet.
	Churned bool
	Age     time.Duration // since it was written
}

// A SharedLimiter is a rate limiter that other processes use too. It is asked right
// before a call, after this process's own limiters have let it through. It must not
// delay its caller: while it is broken it limits as well as one process can.
type SharedLimiter interface {
	// Take makes one call under a limit: 0 grants it. Otherwise no call is made
	// under the limit for that long, and it is asked again then.
	Take(ctx context.Context, l SharedLimit) (wait time.Duration)
	// Refused learns that Mixcloud has refused a call that was sent some time
	// ago, and named a wait, or 0. It returns how long no call is made.
	Refused(ctx context.Context, l SharedLimit, ago, wait time.Duration) (pause time.Duration)
}

// A SharedLimit names a limit that processes share.
type SharedLimit struct {
	// Principal is [Session.Audience], or the name of a limit that several share.
	Principal string
	Kind      Kind
	Limit     ratelimit.Limit
}

// SharedProofs remember, for all processes, which tokens Mixcloud accepts. They
// must not delay their caller, and know nothing while they are broken.
type SharedProofs interface {
	// Proven reports whether the token of a principal was proven and not refused
	// since.
	Proven(ctx context.Context, principal string) bool
	// Prove remembers that Mixcloud accepts a token, or forgets it.
	Prove(ctx context.Context, principal string, accepted bool)
}
