package emulator

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// writeRoutes are the tables of what changes the world, by method.
var writeRoutes map[string]*router

func init() {
	writeRoutes = make(map[string]*router)
	for _, r := range allWrites() {
		if writeRoutes[r.Method] == nil {
			writeRoutes[r.Method] = newRouter(nil)
		}
	}
	for method := range writeRoutes {
		writeRoutes[method] = newRouter(slices.DeleteFunc(allWrites(), func(r route) bool { return r.Method != method }))
	}
}

// allWrites is the table of everything that changes the world.
func allWrites() []route {
	table := []route{
		{Route: Route{http.MethodPost, "/upload/", "upload a show"}, body: true, serve: (*call).upload},
		{Route: Route{http.MethodPost, "/upload/{user}/{cloudcast}/edit/", "edit a show"}, body: true, serve: (*call).edit},
	}
	for _, a := range actions {
		owner := "/{user}/{cloudcast}/"
		if a.onUser {
			owner = "/{user}/"
		}
		table = append(table,
			route{Route: Route{http.MethodPost, owner + a.segment + "/", a.doc}, serve: func(c *call) error { return c.act(a, false) }},
			route{Route: Route{http.MethodDelete, owner + a.segment + "/", "undo it"}, serve: func(c *call) error { return c.act(a, true) }})
	}
	return table
}

// errGone says that nobody is there any more to be answered.
var errGone = errors.New("the caller is gone")

// write answers a request that is no GET.
func (c *call) write() error {
	method, err := c.method()
	if err != nil {
		return err
	}
	found, args, ok := findWrite(method, c.path)
	c.args = args
	c.fault = c.faults.take(c.request.Method, c.path, found)
	if !ok {
		c.methodNotAllowed(c.allowed())
		return nil
	}
	if c.fault.early() {
		c.hasty = true
		return nil
	}
	if found.body {
		if err := c.receive(); err != nil {
			return err
		}
	}
	if c.fault.refuses() {
		return nil // the fault says why
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle()
	if err := c.authenticate(); err != nil {
		return err
	}
	if c.viewer == nil {
		return refused("An access_token is required to access this resource.")
	}
	return found.serve(c)
}

func findWrite(method, path string) (*route, []string, bool) {
	if writeRoutes[method] == nil {
		return nil, nil, false
	}
	return writeRoutes[method].find(path)
}

// maxForm bounds a form without files.
const maxForm = 1 << 20

// method is what is to be done: a POST with the parameter method=delete, in the
// query or in a form, is a DELETE (documented).
func (c *call) method() (string, error) {
	method := c.request.Method
	if method != http.MethodPost {
		return method, nil
	}
	override := c.query.Get("method")
	if _, _, undo := findWrite(http.MethodDelete, c.path); undo && override == "" && c.request.ContentLength != 0 {
		if err := readSmallForm(c.request); err != nil {
			return "", malformed()
		}
		override = c.request.Form.Get("method") // the query has none
	}
	if strings.EqualFold(override, http.MethodDelete) {
		return http.MethodDelete, nil
	}
	return method, nil
}

// allowed lists the methods that a path takes.
func (c *call) allowed() string {
	var methods []string
	if found, _, ok := routes.find(c.path); ok && !c.onlyWritten(found) {
		methods = append(methods, http.MethodGet)
	}
	for _, method := range []string{http.MethodPost, http.MethodDelete} {
		if _, _, ok := findWrite(method, c.path); ok {
			methods = append(methods, method)
		}
	}
	if methods == nil {
		return http.MethodGet
	}
	return strings.Join(methods, ", ")
}

// onlyWritten says whether the call's path is a write's: no route reads it, or one
// only because it looks like a user's or a show's.
func (c *call) onlyWritten(read *route) bool {
	if read != nil && read.Pattern != "/{user}/" && read.Pattern != "/{user}/{cloudcast}/" {
		return false
	}
	_, _, written := findWrite(http.MethodPost, c.path)
	return written
}

// result writes the answer to a write that was not refused (documented;
// observed by clients). A key belongs to uploads and edits only.
func (c *call) result(success bool, message, key string) {
	c.open('{')
	c.object("result")
	c.bool("success", success)
	c.string("message", c.marked(message))
	if key != "" {
		c.string("key", key)
	}
	c.close('}')
	c.close('}')
}

// An outbox holds what was written and cannot be read yet, see [Settings].Lag.
// The emulator's lock guards it.
type outbox struct {
	next      atomic.Int64 // when something is due first, in Unix nanoseconds; 0 for nothing
	changes   []change     // in the order in which they were made, which is that in which they are due
	edges     map[edge]pendingEdge
	serial    int
	scheduled []*world.Cloudcast // with a day of publication that an upload or an edit gave
	dated     int                // how many writes were dated
}

type change struct {
	due   time.Time
	apply func()
}

// An edge is a user's relation to a user or a cloudcast.
type edge struct {
	action string
	user   *world.User
	target any
}

// A pendingEdge is what an edge will be when all changes are applied.
type pendingEdge struct {
	on     bool
	serial int // of the change that decides
}

// date is when a write happens. The world must be locked.
func (e *Emulator) date() time.Time {
	if e.clock != nil {
		return e.clock().UTC().Truncate(time.Second)
	}
	e.outbox.dated++
	return e.world.Now.Add(time.Duration(e.outbox.dated) * time.Second)
}

// commit makes a change as late as the lag has it, and never before one that was
// made earlier. The world must be locked.
func (e *Emulator) commit(apply func()) {
	o := &e.outbox
	lag := e.Settings().Lag
	if lag == 0 && len(o.changes) == 0 {
		apply()
		return
	}
	due := e.now().Add(lag)
	if n := len(o.changes); n > 0 && due.Before(o.changes[n-1].due) {
		due = o.changes[n-1].due
	}
	o.changes = append(o.changes, change{due, apply})
	e.settle()
}

// schedule remembers that a cloudcast has a day. The world must be locked.
func (e *Emulator) schedule(cast *world.Cloudcast) {
	if !slices.Contains(e.outbox.scheduled, cast) {
		e.outbox.scheduled = append(e.outbox.scheduled, cast)
	}
	e.settle()
}

// catchUp applies what is due, before a read.
func (e *Emulator) catchUp() {
	next := e.outbox.next.Load()
	if next == 0 {
		return
	}
	e.mu.RLock()
	now := e.now().UnixNano()
	e.mu.RUnlock()
	if now < next {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.settle()
}

// settle applies what is due. The world must be locked.
func (e *Emulator) settle() {
	o := &e.outbox
	if len(o.changes) == 0 && len(o.scheduled) == 0 {
		return
	}
	now := e.now()
	n := 0
	for ; n < len(o.changes) && !o.changes[n].due.After(now); n++ {
		o.changes[n].apply()
	}
	o.changes = slices.Delete(o.changes, 0, n)
	o.scheduled = slices.DeleteFunc(o.scheduled, func(cast *world.Cloudcast) bool {
		if cast.PublishAt.IsZero() {
			return len(o.changes) == 0 // else one of them may give it a day
		}
		if now.Before(cast.PublishAt) || e.world.Cloudcast(cast.Owner.Username, cast.Slug) != cast {
			return false
		}
		e.world.Unfile(cast)
		cast.Created, cast.PublishAt = cast.PublishAt, time.Time{}
		e.world.File(cast)
		e.orders.forget()
		return true
	})
	var next int64
	if len(o.changes) > 0 {
		next = o.changes[0].due.UnixNano()
	}
	for _, cast := range o.scheduled {
		if at := cast.PublishAt.UnixNano(); !cast.PublishAt.IsZero() && (next == 0 || at < next) {
			next = at
		}
	}
	o.next.Store(next)
}

// release applies every change that a lag holds back.
func (e *Emulator) release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.outbox.changes {
		e.outbox.changes[i].due = time.Time{}
	}
	e.settle()
}

// drop forgets everything that was not applied yet. The world must be locked.
func (o *outbox) drop() {
	o.changes, o.edges, o.scheduled = nil, nil, nil
	o.next.Store(0)
}

// readSmallForm reads the form in a request's body, of either kind, beside the
// query. A body of another kind is left alone.
func readSmallForm(r *http.Request) error {
	r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return err
	}
	if err := r.ParseMultipartForm(maxForm); !errors.Is(err, http.ErrNotMultipart) {
		return err
	}
	return nil
}

// urlencoded says whether a request's body is a form without files.
func urlencoded(r *http.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded")
}

// lastOf gives the last value of each parameter.
func lastOf(values url.Values) map[string]string {
	last := make(map[string]string, len(values))
	for name, v := range values {
		last[name] = v[len(v)-1]
	}
	return last
}
