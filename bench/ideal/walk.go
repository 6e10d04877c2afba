package ideal

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// maxElements is how many elements Query.nodes and Query.resources take.
const maxElements = 100

// A walker walks one query over what the Mixcloud holds.
type walker struct {
	*Reference
	question  Question
	variables map[string]any
	known     map[string]*call // by identity
	queue     []*call          // not made yet, first come first
	err       error
}

// A node is a value of the graph.
type node struct {
	typ  string // its object type
	res  *resource
	full bool // its own address gave it
	me   bool // known to be the viewer
}

// path is where the node's lists are. The viewer's own are under /me/; the
// lists of tags under the prefix of today.
func (n node) path() string {
	switch {
	case n.me:
		return "/me/"
	case n.typ == "Tag", n.typ == "City", n.typ == "Discovery":
		return identity(n.res.Key)
	}
	return n.res.Key
}

func (w *walker) selection(n node, set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if w.included(s.Directives) && !strings.HasPrefix(s.Name, "__") {
				w.field(n, s)
			}
		case *ast.InlineFragment:
			if w.included(s.Directives) && w.applies(s.TypeCondition, n.typ) {
				w.selection(n, s.SelectionSet)
			}
		case *ast.FragmentSpread:
			if w.included(s.Directives) && w.applies(s.Definition.TypeCondition, n.typ) {
				w.selection(n, s.Definition.SelectionSet)
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

// applies says whether a fragment on condition counts for an object type.
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

// field notes what a field costs, and what is selected below it.
func (w *walker) field(n node, f *ast.Field) {
	name := n.typ + "." + f.Name
	args := f.ArgumentMap(w.variables)
	below, isList := lists[name]
	lookup, isLookup := lookups[name]
	search, isSearch := searches[name]
	switch {
	case isList:
		w.list(n, f, n.path()+below.name, "", below)
	case isSearch:
		w.list(n, f, "/search/", "q="+url.QueryEscape(n.res.Key)+"&type="+search.word, list{items: search.items})
	case name == "User.listenLater":
		w.listenLater(n, f)
	case isLookup:
		w.lookUp(f, lookup.items, lookup.prefix, fmt.Sprint(args[lookup.argument]))
	case onlyFull[name], onlyFullForViewers[name] && w.question.Token != "":
		w.load(n, func(full node) { w.inside(full, f) })
	case f.Name == "raw" && args["full"] == true:
		w.load(n, func(node) {})
	case own[name] != "":
		c := Call{Path: n.res.Key + own[name], Query: query(args, "width", "height", "color"), opaque: true}
		w.need(c.Path+"?"+c.Query, c, func(*answer) {})
	case name == "OEmbed.xml":
		c := Call{Path: "/www/oembed/", Query: n.res.Key + "&format=xml", opaque: true}
		w.need(c.Path+"?"+c.Query, c, func(*answer) {})
	case name == "User.isViewer":
		w.isViewer(n, func(bool) {})
	case n.typ == "Query":
		w.root(f, args)
	default:
		w.inside(n, f)
	}
}

// inside goes on with what a member of the node holds.
func (w *walker) inside(n node, f *ast.Field) {
	for _, r := range n.res.inside(f.Name) {
		w.selection(node{typ: concrete(f.Definition.Type.Name(), r), res: r}, f.SelectionSet)
	}
}

// concrete is the object type of a resource where the graph has an interface.
func concrete(typ string, r *resource) string {
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
		return kindOf(r.Key)
	}
	return typ
}

// load makes the node full.
func (w *walker) load(n node, then func(full node)) {
	if n.full {
		then(n)
		return
	}
	w.need(identity(n.res.Key), Call{Path: n.res.Key}, func(a *answer) {
		if a.found {
			then(node{typ: n.typ, res: &a.resource, full: true, me: a.Current})
		}
	})
}

// root answers the root fields that are neither lists nor look-ups.
func (w *walker) root(f *ast.Field, args map[string]any) {
	switch f.Name {
	case "viewer":
		if w.question.Token != "" {
			w.viewer(func(me *answer) {
				w.selection(node{typ: "User", res: &me.resource, full: true, me: true}, f.SelectionSet)
			})
		}
	case "categories":
		w.need("/categories/", Call{Path: "/categories/"}, func(a *answer) {
			for _, r := range a.Data {
				w.selection(node{typ: "Category", res: r}, f.SelectionSet)
			}
		})
	case "search":
		if text, _ := args["query"].(string); strings.TrimSpace(text) != "" {
			w.selection(node{typ: "Search", res: &resource{Key: text}}, f.SelectionSet)
		}
	case "discover":
		w.selection(node{typ: "Discovery", res: &resource{Key: meeting(args)}}, f.SelectionSet)
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

// meeting is the key of where tags and a city meet.
func meeting(args map[string]any) string {
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

// lookUp fetches what a root field names. Typ is "" where the key decides.
func (w *walker) lookUp(f *ast.Field, typ, prefix, name string) {
	var path string
	switch {
	case prefix != "":
		path = "/" + prefix + slug(strings.TrimPrefix(name, "city:")) + "/"
	case typ == "User":
		path = "/" + world.Escape(strings.Trim(strings.TrimSpace(name), "/")) + "/"
	default:
		path = pathOf(name)
		if kind := kindOf(path); typ == "" {
			typ = kind
		} else if kind != typ {
			return // refused without a call
		}
	}
	w.fetch(f, typ, path)
}

// refetch fetches what a global id names.
func (w *walker) refetch(f *ast.Field, id any) {
	if key := w.question.Keys[fmt.Sprint(id)]; key != "" {
		w.fetch(f, kindOf(key), key)
	}
}

// fetch gets the resource at a path, for the field that looks it up; nothing if
// typ is "", for what is no resource.
func (w *walker) fetch(f *ast.Field, typ, path string) {
	if typ == "" {
		return
	}
	w.need(identity(path), Call{Path: path}, func(a *answer) {
		if a.found {
			w.selection(node{typ: typ, res: &a.resource, full: true, me: a.Current}, f.SelectionSet)
		}
	})
}

// viewer fetches the user of the token, who is then known by their own key too.
func (w *walker) viewer(then func(*answer)) {
	w.need("/me/", Call{Path: "/me/"}, func(me *answer) {
		if key := identity(me.Key); w.known[key] == nil {
			w.known[key] = &call{answer: me}
		}
		then(me)
	})
}

// isViewer tells whether a user is the viewer. A full user says so itself.
func (w *walker) isViewer(n node, then func(bool)) {
	if w.question.Token == "" || n.full {
		then(n.me)
		return
	}
	w.viewer(func(me *answer) { then(identity(me.Key) == identity(n.res.Key)) })
}

func (w *walker) listenLater(n node, f *ast.Field) {
	if _, problem := w.page(f, list{}); problem {
		return
	}
	w.isViewer(n, func(yes bool) {
		if yes {
			w.list(n, f, "/me/listen-later/", "", list{items: "Cloudcast"})
		}
	})
}

// oembed asks for what can be embedded of a page. Its XML is another answer.
func (w *walker) oembed(f *ast.Field, args map[string]any) {
	page := url.QueryEscape("https://www.mixcloud.com" + pathOf(fmt.Sprint(args["url"])))
	asked := query(args, "width", "height", "maxWidth", "maxHeight", "color", "light")
	c := Call{Path: "/www/oembed/", Query: "url=" + page + "&" + asked, opaque: true}
	w.need(c.Path+"?"+c.Query, c, func(a *answer) {
		if a.found {
			w.selection(node{typ: "OEmbed", res: &resource{Key: c.Query}}, f.SelectionSet)
		}
	})
}

// query encodes those of the arguments that are there; REST's names for them are
// in lower case.
func query(args map[string]any, names ...string) string {
	values := url.Values{}
	for _, name := range names {
		if v := args[name]; v != nil {
			values.Set(strings.ToLower(name), fmt.Sprint(v))
		}
	}
	return values.Encode()
}
