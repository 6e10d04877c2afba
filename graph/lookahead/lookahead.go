// Package lookahead starts the calls for lists before the response with their owner arrives.
//
// The URL of a list below a root field often follows from the arguments alone: in user(username:
// "x") { cloudcasts { … } } its path is /x/cloudcasts/. So the first page of the list is read in
// parallel to the user, by the same session, and the resolver of the list takes the read over
// ([upstream.Session.LookAhead]). This package does not change responses: they only arrive earlier.
package lookahead

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/lists"
	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/compiled"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// An Ahead starts reads ahead of the resolvers, for the operations of one schema. It is safe for
// concurrent use. A nil Ahead does nothing.
type Ahead struct {
	schema  *ast.Schema
	parse   func(key string) (mixcloud.Input, error)
	segment func(lists.List) string
}

// New returns an Ahead. Parse parses the key of a resource in an argument, and segment returns the
// last segment of the path at which the resolvers read a list.
func New(schema *ast.Schema, parse func(key string) (mixcloud.Input, error), segment func(lists.List) string) *Ahead {
	return &Ahead{schema, parse, segment}
}

// Start starts the first pages of the lists below the root fields of a query, and does not wait
// for them. The loaders of the operation are in ctx.
func (a *Ahead) Start(ctx context.Context, oc *graphql.OperationContext) {
	if a == nil || oc.Operation.Operation != ast.Query {
		return
	}
	p := compiled.From(ctx).Get(planKey{oc.Operation}, func() any { return a.compile(oc.Operation) }).(plan)
	if len(p) == 0 {
		return
	}
	o := operation{a, loaders.From(ctx), oc.Variables, nil}
	for _, root := range p {
		if o.included(root.conditions) {
			o.addBelow(root)
		}
	}
	o.loaders.Session().LookAhead(ctx, o.reads)
}

// planKey is the key of an operation's plan.
type planKey struct{ operation *ast.OperationDefinition }

// An operation collects the reads of one operation.
type operation struct {
	*Ahead
	loaders   *loaders.Loaders
	variables map[string]any
	reads     []upstream.Prefetch
}

// addBelow adds the reads of the lists below a root field.
func (o *operation) addBelow(r rootUse) {
	for _, owner := range r.find(o, arguments{values: r.field.ArgumentMap(o.variables)}) {
		lists := r.lists[string(owner.kind)]
		if len(lists) == 0 || !o.loaders.Session().LooksAhead(owner.id) || !o.setPath(&owner) {
			continue
		}
		for _, l := range lists {
			if o.included(l.conditions) {
				o.add(owner, l)
			}
		}
	}
}

// add adds the read of the first page of a list, unless the page depends on a response.
func (o *operation) add(owner owner, l listUse) {
	if l.ViewerOnly && owner.path != mePath {
		return
	}
	if l.Writable != nil && len(o.loaders.Session().Recent(l.Writable.Flag)) > 0 {
		return // the resolver reads the top of the list
	}
	args := arguments{values: l.field.ArgumentMap(o.variables)}
	page := args.page()
	if args.err != nil {
		return
	}
	properties := paging.Properties{Dated: l.Dated, Unpaged: l.Unpaged}
	if owner.key != "" {
		properties.Identity = lists.Identity(owner.key, l.Segment)
	}
	if part, ok := paging.FirstRange(properties, page); ok {
		path := owner.path + o.segment(l.List) + "/"
		o.reads = append(o.reads, l.prefetch(o.loaders, owner.id, loaders.ListPage(path, part)))
	}
}

// included reports whether a field below the given @skip and @include directives is executed.
func (o *operation) included(conditions ast.DirectiveList) bool {
	for _, d := range conditions {
		condition := d.Arguments.ForName("if")
		if condition == nil {
			return false
		}
		value, err := condition.Value.Value(o.variables)
		if on, ok := value.(bool); err != nil || !ok || on == (d.Name == "skip") {
			return false
		}
	}
	return true
}
