package upstream

import (
	"context"
	"time"
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

// A SharedPace is a pacing budget that other processes draw from too. It is
// asked right before a call, after this process's own pacing has let it
// through. Like a SecondLevel it must not make anybody wait, and lets
// everything pass when it is broken.
type SharedPace interface {
	// Take asks for one call of a class, which is [Session.Audience]. 0 grants
	// it; otherwise the class makes no call for that long, and asks again then.
	Take(ctx context.Context, class string) (wait time.Duration)
	// Refused tells that Mixcloud has refused a call of the class and wants
	// nothing of it for that long.
	Refused(ctx context.Context, class string, wait time.Duration)
}
