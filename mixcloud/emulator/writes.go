package emulator

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// writeRoutes are the routes that change the data, by method.
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

// allWrites returns the routes that change the data.
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
			route{Route: Route{http.MethodPost, owner + a.segment + "/", a.doc}, serve: func(c *call) error { return c.doAction(a, false) }},
			route{Route: Route{http.MethodDelete, owner + a.segment + "/", "undo: " + a.doc}, serve: func(c *call) error { return c.doAction(a, true) }})
	}
	return table
}

// errClientGone means that the client disconnected.
var errClientGone = errors.New("the client disconnected")

// write handles a request that is not a GET.
func (c *call) write() error {
	method, err := c.effectiveMethod()
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
		c.respondsEarly = true
		return nil
	}
	if found.body {
		if err := c.readBody(); err != nil {
			return err
		}
	}
	if c.fault.rejectsWrite() {
		return nil // the fault sets the response
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.applyDue()
	if err := c.authenticate(); err != nil {
		return err
	}
	if c.viewer == nil {
		return oauthException("An access_token is required to access this resource.")
	}
	if c.routeError != nil {
		return c.routeError
	}
	return found.serve(c)
}

func findWrite(method, path string) (*route, []string, bool) {
	if writeRoutes[method] == nil {
		return nil, nil, false
	}
	return writeRoutes[method].find(path)
}

// maxForm limits a form without files.
const maxForm = 1 << 20

// effectiveMethod returns the request's method. A POST with the parameter
// method=delete, in the query or in a form, is a DELETE (documented).
func (c *call) effectiveMethod() (string, error) {
	method := c.request.Method
	if method != http.MethodPost {
		return method, nil
	}
	override := c.query.Get("method")
	if _, _, undo := findWrite(http.MethodDelete, c.path); undo && override == "" && c.request.ContentLength != 0 {
		if err := readSmallForm(c.request); err != nil {
			return "", malformedForm()
		}
		override = c.request.Form.Get("method") // not in the query
	}
	if strings.EqualFold(override, http.MethodDelete) {
		return http.MethodDelete, nil
	}
	return method, nil
}

// allowed returns the methods of a path, for the Allow header.
func (c *call) allowed() string {
	var methods []string
	if found, _, ok := routes.find(c.path); ok && !c.isWriteOnly(found) {
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

// isWriteOnly reports whether a path has only write routes: it has no GET route, or
// its GET route matches only because the path has the form of a user's or show's
// path.
func (c *call) isWriteOnly(read *route) bool {
	if read != nil && read.Pattern != "/{user}/" && read.Pattern != "/{user}/{cloudcast}/" {
		return false
	}
	_, _, written := findWrite(http.MethodPost, c.path)
	return written
}

// writeResult writes the response to a write (documented; observed by clients). Only
// uploads and edits have a key.
func (c *call) writeResult(success bool, message, key string) {
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

// readSmallForm parses the query and a form without files in the body, of either
// encoding. It ignores a body of another type.
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

// urlencoded reports whether a request's body is a URL-encoded form.
func urlencoded(r *http.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded")
}

// lastValues returns the last value of each parameter.
func lastValues(values url.Values) map[string]string {
	last := make(map[string]string, len(values))
	for name, v := range values {
		last[name] = v[len(v)-1]
	}
	return last
}
