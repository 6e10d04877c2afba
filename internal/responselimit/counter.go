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
	overtime       // the operation's context has ended: a limited number of fields still run
	stopped        // no further resolver runs
)

// maxOvertimeFields is the number of fields that still run after the deadline: enough for the rest of an ordinary response
// whose data has arrived.
const maxOvertimeFields = 2000

// maxItems is the maximum number of objects in all lists of a response. gqlgen holds about three kilobytes for each object
// until the response is built, even if few fields are selected. It is also the maximum number of items that are read for
// the lists: each alias of a connection reads its page again, even if only __typename is selected.
const maxItems = 50_000

var errStopped = errors.New("the execution was stopped")

// A counter counts the size of each response of one operation. A subscription has several responses.
type counter struct {
	limiter     *Limiter
	oc          *graphql.OperationContext
	cancel      context.CancelCauseFunc
	reservation *Reservation // nil if unsent responses are not counted
	tasks       tasks
	slot        *admission.Slot // nil without admission control
	sizes       sync.Map        // *ast.Selection, the first of a selection set -> *selectionSizes
	taskFields  sync.Map        // *ast.Field -> bool, for fields that are methods or resolvers

	state          atomic.Int32
	fields         atomic.Int64
	bytes          atomic.Int64
	errors         atomic.Int64
	allTasks       atomic.Int64
	items          atomic.Int64 // objects in lists
	read           atomic.Int64 // items read for lists
	overtimeFields atomic.Int64 // fields executed in overtime
	outOfTime      atomic.Bool  // a field that started in overtime hit the deadline
	exceeded       atomic.Pointer[gqlerr.Error]
}

type counterKey struct{}

func counterOf(ctx context.Context) *counter {
	c, _ := ctx.Value(counterKey{}).(*counter)
	return c
}

// begin resets the counter for the next response. The responses of an operation never run concurrently.
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
	c.reservation.Set(0)
}

// countRoot counts the root object and reports whether the response is still within its limits. A subscription has no
// object before its first event.
func (c *counter) countRoot() bool {
	root := map[ast.Operation]*ast.Definition{
		ast.Query: c.limiter.schema.Query, ast.Mutation: c.limiter.schema.Mutation,
	}[c.oc.Operation.Operation]
	if root == nil {
		return true
	}
	size := c.newObjectSize(c.oc.Operation.SelectionSet, root.Name)
	c.tasks.add(size.tasks)
	return c.add(size)
}

// field runs the resolver of a field, unless execution was stopped, and counts its result. It runs for every field and does
// not allocate.
func (c *counter) field(ctx context.Context, next graphql.Resolver, resolve graphql.FieldMiddleware) (any, error) {
	f := graphql.GetFieldContext(ctx)
	task := (f.IsResolver || f.IsMethod) && c.isTask(f)
	value, err := c.resolve(ctx, next, resolve, task)
	if err != nil {
		return value, err
	}
	var size objectSize
	if w, ok := value.(written); ok {
		size.fields, size.bytes, size.tasks, size.items, size.read = w.ResponseSize()
		if size.tasks > 0 && c.allTasks.Add(size.tasks) > maxAllTasks {
			c.exceed(tasksError(maxAllTasks))
			return nil, errStopped
		}
		size.tasks = 0 // the fields of the objects do not run
	} else if len(f.Field.Selections) == 0 {
		size.bytes = sizeOf(value)
	} else {
		size = c.sizesOf(f.Field).sizeOfResult(value)
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

// written is a finished part of the response, which the executor does not resolve.
type written interface {
	// ResponseSize returns the sizes that the part adds to the counts of the response.
	ResponseSize() (fields, bytes, tasks, items, read int64)
}

// Room returns the number of bytes by which the response of the operation of ctx may still grow.
func Room(ctx context.Context) int64 {
	c := counterOf(ctx)
	if c == nil {
		return 0
	}
	return c.limiter.limits.Bytes - c.bytes.Load()
}

// resolve runs the resolver of a field, unless execution was stopped.
func (c *counter) resolve(ctx context.Context, next graphql.Resolver, resolve graphql.FieldMiddleware, task bool) (any, error) {
	if task {
		defer c.tasks.done() // even if it panics
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
		c.outOfTime.Store(true)
	}
	return value, err
}

// isTask reports whether a field runs in its own goroutine.
func (c *counter) isTask(f *graphql.FieldContext) bool {
	if cached, ok := c.taskFields.Load(f.Field.Field); ok {
		return cached.(bool)
	}
	task := c.limiter.limits.Concurrent(f.Object, f.Field.Name)
	c.taskFields.Store(f.Field.Field, task)
	return task
}

// mayRun reports whether a field may run after the operation's context has ended.
func (c *counter) mayRun() bool {
	if c.state.Load() == overtime && c.overtimeFields.Add(1) <= maxOvertimeFields {
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

// failure returns the error that replaces the whole response, or nil if the response can be sent.
func (c *counter) failure(ctx context.Context) error {
	if err := c.exceeded.Load(); err != nil {
		return err
	}
	waiting := c.limiter.limits.Waited == nil || c.limiter.limits.Waited(ctx)
	switch {
	case c.state.Load() != stopped && (!c.outOfTime.Load() || waiting || c.oc.Operation.Operation == ast.Mutation):
		return nil
	case waiting && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return context.DeadlineExceeded
	default:
		return context.Cause(ctx)
	}
}

// add counts a size and reports whether the response is still within its limits.
func (c *counter) add(size objectSize) bool {
	if size.tasks > maxTasks {
		return c.exceed(tasksError(maxTasks))
	}
	if size.tasks > 0 && c.allTasks.Add(size.tasks) > maxAllTasks {
		return c.exceed(tasksError(maxAllTasks))
	}
	if size.items > 0 && c.items.Add(size.items) > maxItems {
		return c.exceed(itemsError("The lists of the response have more than %d objects in total, which is the limit. "))
	}
	if size.read > 0 && c.read.Add(size.read) > maxItems {
		return c.exceed(itemsError("The lists of this operation would read more than %d items in total, which is the limit. "))
	}
	if size.fields > 0 && c.fields.Add(size.fields) > c.limiter.limits.Fields {
		return c.exceed(c.limiter.fieldsError())
	}
	all := c.bytes.Add(size.bytes)
	if all > c.limiter.limits.Bytes {
		return c.exceed(c.limiter.bytesError())
	}
	if n := steps(all, size.bytes, reservationStep); n > 0 {
		c.reservation.add(n * reservationStep)
	}
	return true
}

// steps returns the number of multiples of step that a sum passed when it grew by more to all.
func steps(all, more, step int64) int64 { return all/step - (all-more)/step }

// exceed stops the execution and returns false. Only the first exceeded limit is reported.
func (c *counter) exceed(err *gqlerr.Error) bool {
	if c.exceeded.CompareAndSwap(nil, err) {
		c.state.Store(stopped)
		c.cancel(err)
		c.tasks.end()
	}
	return false
}
