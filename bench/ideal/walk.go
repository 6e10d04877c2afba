package ideal

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// maxElements is the maximum number of elements of the list argument of Query.nodes and
// Query.resources.
const maxElements = 100

// A walker walks one query over the responses, and plans the calls.
type walker struct {
	*Reference
	operation Operation
	variables map[string]any
	calls     map[string]*call // by identity
	queue     []*call          // not made yet, in order
	ahead     []*call          // the same, of calls that are made in this round only if a slot is free
	unneeded  []Call           // see Plan
	err       error
}

// A node is an object of the schema.
type node struct {
	typ  string // its object type
	res  *resource
	full bool // in its full form
	me   bool // known to be the viewer
}

// path returns the path below which the node's lists are. Those of the viewer are below /me/, those
// of tags below the current prefix.
func (n node) path() string {
	switch {
	case n.me:
		return "/me/"
	case n.typ == "Tag", n.typ == "City", n.typ == "Discovery":
		return canonicalKey(n.res.Key)
	}
	return n.res.Key
}

// selection plans the calls of the fields that are selected on a node.
func (w *walker) selection(n node, set ast.SelectionSet) {
	w.each(n.typ, set, func(f *ast.Field) { w.field(n, f) })
}

// each visits the fields that are selected on objects of a type.
func (w *walker) each(typ string, set ast.SelectionSet, visit func(*ast.Field)) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if w.included(s.Directives) && !strings.HasPrefix(s.Name, "__") {
				visit(s)
			}
		case *ast.InlineFragment:
			if w.included(s.Directives) && w.applies(s.TypeCondition, typ) {
				w.each(typ, s.SelectionSet, visit)
			}
		case *ast.FragmentSpread:
			if w.included(s.Directives) && w.applies(s.Definition.TypeCondition, typ) {
				w.each(typ, s.Definition.SelectionSet, visit)
			}
		}
	}
}

func (w *walker) included(directives ast.DirectiveList) bool {
	for _, d := range directives {
		yes, _ := d.ArgumentMap(w.variables)["if"].(bool)
		if d.Name == "skip" && yes || d.Name == "include" && !yes {
			return false
		}
	}
	return true
}

// applies reports whether a fragment with a type condition applies to an object type.
func (w *walker) applies(condition, typ string) bool {
	if condition == "" || condition == typ {
		return true
	}
	for _, possible := range w.schema.GetPossibleTypes(w.schema.Types[condition]) {
		if possible.Name == typ {
			return true
		}
	}
	return false
}

// field plans the calls of a field and of its selection.
func (w *walker) field(n node, f *ast.Field) {
	name := n.typ + "." + f.Name
	args := f.ArgumentMap(w.variables)
	l, isList := lists[name]
	lookup, isLookup := lookups[name]
	search, isSearch := searches[name]
	switch {
	case isList:
		w.list(n, f, n.path()+l.name, "", l)
	case isSearch:
		w.list(n, f, "/search/", "q="+url.QueryEscape(n.res.Key)+"&type="+search.word, list{items: search.items})
	case name == "User.listenLater":
		w.listenLater(n, f)
	case isLookup:
		w.lookUp(f, lookup.items, lookup.prefix, fmt.Sprint(args[lookup.argument]))
	case fullMembers[name], fullMembersForViewers[name] && w.operation.Token != "":
		w.load(n, func(full node) { w.nested(full, f) })
	case f.Name == "raw" && args["full"] == true:
		w.load(n, func(node) {})
	case subresources[name] != "":
		c := Call{Path: n.res.Key + subresources[name], Query: query(args, "width", "height", "color"), opaque: true}
		w.require(c.Path+"?"+c.Query, c, func(*response) {})
	case name == "OEmbed.xml":
		c := Call{Path: "/www/oembed/", Query: n.res.Key + "&format=xml", opaque: true}
		w.require(c.Path+"?"+c.Query, c, func(*response) {})
	case name == "User.isViewer":
		w.isViewer(n, func(bool) {})
	case n.typ == "Query":
		w.root(f, args)
	default:
		w.nested(n, f)
	}
}

// nested walks the resources in a member of the node.
func (w *walker) nested(n node, f *ast.Field) {
	for _, r := range n.res.nested(f.Name) {
		w.selection(node{typ: objectType(f.Definition.Type.Name(), r), res: r}, f.SelectionSet)
	}
}

// objectType returns the object type of a resource of an interface type.
func objectType(typ string, r *resource) string {
	switch typ {
	case "Activity":
		if known := activities[r.Type]; known != "" {
			return known
		}
		return "OtherActivity"
	case "Section":
		if r.Track != nil {
			return "TrackSection"
		}
		return "ChapterSection"
	case "Resource":
		return typeOf(r.Key)
	}
	return typ
}

// load requires the node in its full form.
func (w *walker) load(n node, then func(full node)) {
	if n.full {
		then(n)
		return
	}
	w.require(canonicalKey(n.res.Key), Call{Path: n.res.Key}, func(a *response) {
		if a.found {
			then(node{typ: n.typ, res: &a.resource, full: true, me: a.Current})
		}
	})
}

// root plans the root fields that are neither lists nor look-ups.
func (w *walker) root(f *ast.Field, args map[string]any) {
	switch f.Name {
	case "viewer":
		if w.operation.Token != "" {
			w.viewer(func(me *response) {
				w.selection(node{typ: "User", res: &me.resource, full: true, me: true}, f.SelectionSet)
			})
		}
	case "categories":
		w.require("/categories/", Call{Path: "/categories/"}, func(a *response) {
			for _, r := range a.Data {
				w.selection(node{typ: "Category", res: r}, f.SelectionSet)
			}
		})
	case "search":
		if text, _ := args["query"].(string); strings.TrimSpace(text) != "" {
			w.selection(node{typ: "Search", res: &resource{Key: text}}, f.SelectionSet)
		}
	case "discover":
		w.selection(node{typ: "Discovery", res: &resource{Key: discoveryKey(args)}}, f.SelectionSet)
	case "oembed":
		w.oembed(f, args)
	case "node":
		w.refetch(f, args["id"])
	case "nodes":
		ids, _ := args["ids"].([]any)
		if len(ids) > maxElements {
			return // refused
		}
		for _, id := range ids {
			w.refetch(f, id)
		}
	case "resources":
		keys, _ := args["keys"].([]any)
		if len(keys) > maxElements {
			return // refused
		}
		for _, key := range keys {
			w.lookUp(f, "", "", fmt.Sprint(key))
		}
	case "rateLimit", "oauthAuthorizationUrl":
	default:
		w.fail(fmt.Errorf("ideal: no plan for Query.%s", f.Name))
	}
}

// discoveryKey returns the key of a combination of tags and a city.
func discoveryKey(args map[string]any) string {
	var parts []string
	tags, _ := args["tags"].([]any)
	for _, tag := range tags {
		parts = append(parts, slug(fmt.Sprint(tag)))
	}
	if city, ok := args["city"].(string); ok {
		parts = append(parts, "city:"+slug(city))
	}
	if parts == nil {
		parts = []string{"all"}
	}
	return "/genres/" + strings.Join(parts, "+") + "/"
}

// lookUp fetches the resource that a root field names. If typ is "" the key determines the type.
func (w *walker) lookUp(f *ast.Field, typ, prefix, name string) {
	var path string
	switch {
	case prefix != "":
		path = "/" + prefix + slug(strings.TrimPrefix(name, "city:")) + "/"
	case typ == "User":
		path = "/" + world.Escape(strings.Trim(strings.TrimSpace(name), "/")) + "/"
	default:
		path = pathOf(name)
		if kind := typeOf(path); typ == "" {
			typ = kind
		} else if kind != typ {
			return // refused without a call
		}
	}
	w.fetch(f, typ, path)
}

// refetch fetches the resource of a global id.
func (w *walker) refetch(f *ast.Field, id any) {
	if key := w.operation.Keys[fmt.Sprint(id)]; key != "" {
		w.fetch(f, typeOf(key), key)
	}
}

// fetch fetches the resource at a path, for the field that looks it up. If typ is "" the path is not
// that of a resource, and fetch does nothing.
func (w *walker) fetch(f *ast.Field, typ, path string) {
	if typ == "" {
		return
	}
	w.require(canonicalKey(path), Call{Path: path}, func(a *response) {
		if a.found {
			w.selection(node{typ: typ, res: &a.resource, full: true, me: a.Current}, f.SelectionSet)
		}
	})
	w.lookAhead(f, typ, path)
}

// lookAhead plans the lists of the resource at a path in the round of the resource, if slots are free,
// since their paths follow from its own. With a token nothing is known beforehand: the user may be the
// viewer, and Mixcloud may refuse the token.
func (w *walker) lookAhead(f *ast.Field, typ, path string) {
	if w.operation.Token != "" {
		return
	}
	a, err := w.api.get(Call{Path: path}, "")
	if err != nil || a.found && canonicalKey(a.Key) != canonicalKey(path) {
		return
	}
	n := node{typ: typ, res: &resource{Key: path}, full: true}
	if a.found {
		n.res = &a.resource
	}
	before := len(w.queue)
	w.each(typ, f.SelectionSet, func(f *ast.Field) {
		if l, ok := lists[typ+"."+f.Name]; ok {
			w.list(n, f, n.path()+l.name, "", l)
		}
	})
	planned := w.queue[before:]
	w.queue = w.queue[:before]
	if a.found {
		w.ahead = append(w.ahead, planned...)
		return
	}
	for _, c := range planned {
		delete(w.calls, c.Path+"?"+c.Query)
		w.unneeded = append(w.unneeded, c.Call)
	}
}

// viewer fetches the user of the token, and stores it under the user's key too.
func (w *walker) viewer(then func(*response)) {
	w.require("/me/", Call{Path: "/me/"}, func(me *response) {
		if key := canonicalKey(me.Key); w.calls[key] == nil {
			w.calls[key] = &call{response: me}
		}
		then(me)
	})
}

// isViewer determines whether a user is the viewer. The full form of a user contains that.
func (w *walker) isViewer(n node, then func(bool)) {
	if w.operation.Token == "" || n.full {
		then(n.me)
		return
	}
	w.viewer(func(me *response) { then(canonicalKey(me.Key) == canonicalKey(n.res.Key)) })
}

func (w *walker) listenLater(n node, f *ast.Field) {
	if _, invalid := w.page(f, list{}); invalid {
		return
	}
	w.isViewer(n, func(yes bool) {
		if yes {
			w.list(n, f, "/me/listen-later/", "", list{items: "Cloudcast"})
		}
	})
}

// oembed requires the oEmbed of a page. Its XML is a separate call.
func (w *walker) oembed(f *ast.Field, args map[string]any) {
	page := url.QueryEscape("https://www.mixcloud.com" + pathOf(fmt.Sprint(args["url"])))
	options := query(args, "width", "height", "maxWidth", "maxHeight", "color", "light")
	c := Call{Path: "/www/oembed/", Query: "url=" + page + "&" + options, opaque: true}
	w.require(c.Path+"?"+c.Query, c, func(a *response) {
		if a.found {
			w.selection(node{typ: "OEmbed", res: &resource{Key: c.Query}}, f.SelectionSet)
		}
	})
}

// query encodes the arguments that are present. Their names in REST are in lower case.
func query(args map[string]any, names ...string) string {
	values := url.Values{}
	for _, name := range names {
		if v := args[name]; v != nil {
			values.Set(strings.ToLower(name), fmt.Sprint(v))
		}
	}
	return values.Encode()
}
