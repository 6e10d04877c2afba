package responselimit

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/gqlerr"
)

// The states of a counter.
const (
	running  int32 = iota
	overtime       // the operation's context has ended: few more fields run
	stopped        // no resolver runs any more
)

// overtimeFields is how many fields are still executed after the deadline: enough for the rest of an ordinary
// response whose data has arrived.
const overtimeFields = 2000

// maxItems is how many objects the lists of one response may hold in all. An object costs gqlgen some three kilobytes,
// whatever is selected of it, until the response is built. As many items may be read for them: each alias of a
// connection reads its page again, even if only __typename is selected of it.
const maxItems = 50_000

var errStopped = errors.New("the execution was stopped")

// A counter counts one response of one operation after another.
type counter struct {
	limiter *Limiter
	oc      *graphql.OperationContext
	cancel  context.CancelCauseFunc
	hold    *Hold // nil where nobody keeps account of unsent responses
	tasks   tasks
	slot    *admission.Slot // nil for none
	plans   sync.Map        // *ast.Selection, the first of a selection set -> *plans
	inTask  sync.Map        // *ast.Field -> bool, of those that are methods or resolvers

	state    atomic.Int32
	fields   atomic.Int64
	bytes    atomic.Int64
	errors   atomic.Int64
	allTasks atomic.Int64
	items    atomic.Int64 // objects of lists
	read     atomic.Int64 // items of the lists that were read
	overrun  atomic.Int64 // fields executed in overtime
	late     atomic.Bool  // a field that began in overtime had no time left
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
	c.read.Store(0)
	c.errors.Store(0)
	c.tasks.reset()
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
	c.tasks.add(p.tasks)
	return c.add(p)
}

// field runs the resolver of a field, unless execution was stopped, and counts what it returns. It is on the path of
// every field: it allocates nothing.
func (c *counter) field(ctx context.Context, next graphql.Resolver, resolve graphql.FieldMiddleware) (any, error) {
	f := graphql.GetFieldContext(ctx)
	task := (f.IsResolver || f.IsMethod) && c.isTask(f)
	value, err := c.resolve(ctx, next, resolve, task)
	if err != nil {
		return value, err
	}
	var size plan
	if len(f.Field.Selections) == 0 {
		size.bytes = sizeOf(value)
	} else {
		size = c.plansOf(f.Field).cost(value)
	}
	if !c.add(size) {
		return nil, errStopped
	}
	if !task || size.tasks == 0 {
		c.tasks.add(size.tasks)
	} else if !c.tasks.start(size.tasks) && !c.mayRun() {
		return nil, errStopped
	}
	return value, nil
}

// resolve runs the resolver of a field, unless execution was stopped.
func (c *counter) resolve(ctx context.Context, next graphql.Resolver, resolve graphql.FieldMiddleware, task bool) (any, error) {
	if task {
		defer c.tasks.done() // also if it panics
	}
	c.slot.Yield()
	if c.state.Load() == running {
		return resolve(ctx, next)
	}
	if !c.mayRun() {
		return nil, errStopped
	}
	value, err := resolve(ctx, next)
	if errors.Is(err, context.DeadlineExceeded) {
		c.late.Store(true)
	}
	return value, err
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

// mayRun reports whether a field may run after the operation's context has ended.
func (c *counter) mayRun() bool {
	if c.state.Load() == overtime && c.overrun.Add(1) <= overtimeFields {
		return true
	}
	c.state.Store(stopped)
	return false
}

// expire ends the execution of an operation whose context has ended.
func (c *counter) expire() {
	c.state.CompareAndSwap(running, overtime)
	c.tasks.end()
}

// failure returns the error that stands for the whole response, or nil if it is sent as it is.
func (c *counter) failure(ctx context.Context) error {
	if err := c.exceeded.Load(); err != nil {
		return err
	}
	waited := c.limiter.limits.Waited == nil || c.limiter.limits.Waited(ctx)
	switch {
	case c.state.Load() != stopped && (!c.late.Load() || waited || c.oc.Operation.Operation == ast.Mutation):
		return nil
	case waited && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return context.DeadlineExceeded
	default:
		return context.Cause(ctx)
	}
}

// add counts; false when the response has exceeded a limit.
func (c *counter) add(size plan) bool {
	if size.tasks > maxTasks {
		return c.exceed(tasksError(maxTasks))
	}
	if size.tasks > 0 && c.allTasks.Add(size.tasks) > maxAllTasks {
		return c.exceed(tasksError(maxAllTasks))
	}
	if size.items > 0 && c.items.Add(size.items) > maxItems {
		return c.exceed(itemsError("The lists of the response have more than %d objects in all; no response may have more. "))
	}
	if size.read > 0 && c.read.Add(size.read) > maxItems {
		return c.exceed(itemsError("The lists of this operation have more than %d items to read in all; no operation may read more. "))
	}
	if size.fields > 0 && c.fields.Add(size.fields) > c.limiter.limits.Fields {
		return c.exceed(c.limiter.fieldsError())
	}
	all := c.bytes.Add(size.bytes)
	if all > c.limiter.limits.Bytes {
		return c.exceed(c.limiter.bytesError())
	}
	if n := steps(all, size.bytes, holdStep); n > 0 {
		c.hold.add(n * holdStep)
	}
	return true
}

// steps returns how many multiples of step were passed when more was added to make all.
func steps(all, more, step int64) int64 { return all/step - (all-more)/step }

// exceed stops the execution. The first limit that is exceeded is reported.
func (c *counter) exceed(err *gqlerr.Error) bool {
	if c.exceeded.CompareAndSwap(nil, err) {
		c.state.Store(stopped)
		c.cancel(err)
		c.tasks.end()
	}
	return false
}
