package responselimit

import (
	"context"
	"errors"
	"runtime"
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

// yieldStep is after how many bytes of a response its execution lets other operations run. gqlgen starts a goroutine
// for each object of a list; without yielding, each takes the processor for up to ten milliseconds in its turn.
const yieldStep = 256

// gqlgen resolves some fields in goroutines of their own, and starts those of all objects of a list at once. At most
// maxTasks are started by one list, and while as many are running, others let them go first, up to maxYields times.
const (
	maxTasks    = 20_000
	maxAllTasks = 60_000 // of one operation
	maxYields   = 100
)

// maxItems is how many objects the lists of one response may hold in all. An object costs gqlgen some three kilobytes,
// whatever is selected of it, until the response is built.
const maxItems = 50_000

var errStopped = errors.New("the execution was stopped")

// A counter counts one response of one operation after another.
type counter struct {
	limiter *Limiter
	oc      *graphql.OperationContext
	cancel  context.CancelCauseFunc
	hold    *Hold    // nil where nobody keeps account of unsent responses
	plans   sync.Map // *ast.Selection, the first of a selection set -> *plans
	inTask  sync.Map // *ast.Field -> bool, of those that are methods or resolvers

	state    atomic.Int32
	fields   atomic.Int64
	bytes    atomic.Int64
	errors   atomic.Int64
	tasks    atomic.Int64 // fields that were given goroutines of their own and whose resolvers have not returned
	allTasks atomic.Int64
	items    atomic.Int64 // objects of lists
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
	c.items.Store(0)
	c.errors.Store(0)
	c.tasks.Store(0)
	c.allTasks.Store(0)
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
	c.tasks.Add(p.tasks)
	_, ok := c.add(p)
	return ok
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
	f := graphql.GetFieldContext(ctx)
	task := (f.IsResolver || f.IsMethod) && c.isTask(f)
	if task {
		c.tasks.Add(-1)
	}
	if err != nil {
		return value, err
	}
	var size plan
	if len(f.Field.Selections) == 0 {
		size.bytes = sizeOf(value)
	} else {
		size = c.plansOf(f.Field).cost(value)
	}
	all, ok := c.add(size)
	switch {
	case !ok:
		return nil, errStopped
	case size.tasks > 0:
		c.start(size.tasks)
	case !task && steps(all, size.bytes, yieldStep) > 0:
		runtime.Gosched()
	}
	return value, nil
}

// isTask reports whether a field runs in a goroutine of its own.
func (c *counter) isTask(f *graphql.FieldContext) bool {
	if known, ok := c.inTask.Load(f.Field.Field); ok {
		return known.(bool)
	}
	is := c.limiter.limits.Concurrent(f.Object, f.Field.Name)
	c.inTask.Store(f.Field.Field, is)
	return is
}

// start makes room for goroutines that gqlgen is about to start: those that were started before go first.
func (c *counter) start(tasks int64) {
	for range maxYields {
		if c.tasks.Load() <= maxTasks {
			break
		}
		runtime.Gosched()
	}
	c.tasks.Add(tasks)
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

// add counts, and returns the bytes of all; false when the response has exceeded a limit.
func (c *counter) add(size plan) (all int64, ok bool) {
	if size.tasks > maxTasks {
		return 0, c.exceed(tasksError(maxTasks))
	}
	if size.tasks > 0 && c.allTasks.Add(size.tasks) > maxAllTasks {
		return 0, c.exceed(tasksError(maxAllTasks))
	}
	if size.items > 0 && c.items.Add(size.items) > maxItems {
		return 0, c.exceed(itemsError())
	}
	if size.fields > 0 && c.fields.Add(size.fields) > c.limiter.limits.Fields {
		return 0, c.exceed(c.limiter.fieldsError())
	}
	all = c.bytes.Add(size.bytes)
	if all > c.limiter.limits.Bytes {
		return 0, c.exceed(c.limiter.bytesError())
	}
	if n := steps(all, size.bytes, holdStep); n > 0 {
		c.hold.add(n * holdStep)
	}
	return all, true
}

// steps returns how many multiples of step were passed when more was added to make all.
func steps(all, more, step int64) int64 { return all/step - (all-more)/step }

// exceed stops the execution. The first limit that is exceeded is reported.
func (c *counter) exceed(err *gqlerr.Error) bool {
	if c.exceeded.CompareAndSwap(nil, err) {
		c.state.Store(stopped)
		c.cancel(err)
	}
	return false
}
