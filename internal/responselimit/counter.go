package responselimit

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/internal/gqlerr"
)

// The states of a counter.
const (
	running  int32 = iota
	overtime       // the deadline has passed or the client has left: few more fields run
	stopped        // no resolver runs any more
)

// overtimeFields is how many fields are still executed after the deadline: enough for the rest of an ordinary
// response whose data has arrived.
const overtimeFields = 2000

var errStopped = errors.New("the execution was stopped")

// A counter counts one response of one operation after another.
type counter struct {
	limiter *Limiter
	oc      *graphql.OperationContext
	cancel  context.CancelCauseFunc
	hold    *Hold    // nil where nobody keeps account of unsent responses
	plans   sync.Map // *ast.Selection, the first of a selection set -> *plans

	state    atomic.Int32
	fields   atomic.Int64
	bytes    atomic.Int64
	errors   atomic.Int64
	overrun  atomic.Int64 // fields executed in overtime
	cause    atomic.Pointer[error]
	exceeded atomic.Pointer[gqlerr.Error]
}

type counterKey struct{}

func counterOf(ctx context.Context) *counter {
	c, _ := ctx.Value(counterKey{}).(*counter)
	return c
}

// begin prepares the counter for the next response. Responses of an operation are never executed side by side.
func (c *counter) begin() {
	c.fields.Store(0)
	c.bytes.Store(0)
	c.errors.Store(0)
	c.exceeded.Store(nil)
	c.state.Store(running)
	c.hold.Set(0)
}

// countRoot counts the root object; false if that exceeds a limit. A subscription has no object before its event.
func (c *counter) countRoot() bool {
	root := map[ast.Operation]*ast.Definition{
		ast.Query: c.limiter.schema.Query, ast.Mutation: c.limiter.schema.Mutation,
	}[c.oc.Operation.Operation]
	if root == nil {
		return true
	}
	p := c.newPlan(c.oc.Operation.SelectionSet, root.Name)
	return c.add(p.fields, p.bytes)
}

// field runs the resolver of a field, unless execution was stopped, and counts what it returns. It is on the path of
// every field: it allocates nothing.
func (c *counter) field(ctx context.Context, next graphql.Resolver, resolve graphql.FieldMiddleware) (any, error) {
	if c.state.Load() != running {
		if err := c.mayRun(); err != nil {
			return nil, err
		}
	}
	value, err := resolve(ctx, next)
	if err != nil {
		return value, err
	}
	var fields, bytes int64
	if f := graphql.GetFieldContext(ctx).Field; len(f.Selections) == 0 {
		bytes = sizeOf(value)
	} else {
		fields, bytes = c.plansOf(f).cost(value)
	}
	if !c.add(fields, bytes) {
		return nil, errStopped
	}
	return value, nil
}

// mayRun reports why a field may not run after execution was to end.
func (c *counter) mayRun() error {
	if c.state.Load() == overtime {
		if c.overrun.Add(1) <= overtimeFields {
			return nil
		}
		c.state.CompareAndSwap(overtime, stopped)
	}
	if c.exceeded.Load() != nil {
		return errStopped
	}
	return *c.cause.Load()
}

// expire ends the execution of an operation whose time is over, or whose client has left.
func (c *counter) expire(cause error) {
	c.cause.Store(&cause)
	c.state.CompareAndSwap(running, overtime)
}

// add counts; false when the response has exceeded a limit.
func (c *counter) add(fields, bytes int64) bool {
	if fields > 0 && c.fields.Add(fields) > c.limiter.limits.Fields {
		return c.exceed(c.limiter.fieldsError())
	}
	if bytes > 0 {
		all := c.bytes.Add(bytes)
		if all > c.limiter.limits.Bytes {
			return c.exceed(c.limiter.bytesError())
		}
		if steps := all/holdStep - (all-bytes)/holdStep; steps > 0 {
			c.hold.add(steps * holdStep)
		}
	}
	return true
}

// exceed stops the execution. The first limit that is exceeded is reported.
func (c *counter) exceed(err *gqlerr.Error) bool {
	if c.exceeded.CompareAndSwap(nil, err) {
		c.state.Store(stopped)
		c.cancel(err)
	}
	return false
}
