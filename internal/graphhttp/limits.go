package graphhttp

import (
	"context"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/gqlerr"
)

// The query cache saves parsing and validating a document again. Both numbers
// together bound its memory: a parsed document takes some ten times its text.
const (
	cachedQueries   = 1000
	cachedQuerySize = 8 << 10
)

// A queryCache keeps the documents used last, except long ones: anybody can
// make up as many of those as he likes.
type queryCache struct {
	graphql.Cache[*ast.QueryDocument]
}

func newQueryCache() queryCache {
	return queryCache{lru.New[*ast.QueryDocument](cachedQueries)}
}

func (c queryCache) Add(ctx context.Context, query string, doc *ast.QueryDocument) {
	if len(query) <= cachedQuerySize {
		c.Cache.Add(ctx, query, doc)
	}
}

// depthLimit refuses operations that nest more levels of fields than max.
type depthLimit struct{ max int }

func (depthLimit) ExtensionName() string                   { return "DepthLimit" }
func (depthLimit) Validate(graphql.ExecutableSchema) error { return nil }

func (l depthLimit) MutateOperationContext(_ context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	d := depths{}
	if depth := d.of(oc.Operation.SelectionSet); depth > l.max {
		err := gqlerr.Limit(fmt.Sprintf(
			"The query nests %d levels of fields; at most %d are answered. Ask for the inner ones in another request.", depth, l.max))
		return &gqlerror.Error{Err: err, Message: err.Error()}
	}
	return nil
}

// depths remembers the depth of fragments, which a document may spread so often
// that walking into each spread would take for ever.
type depths map[string]int

func (d depths) of(set ast.SelectionSet) int {
	deepest := 0
	for _, sel := range set {
		depth := 0
		switch sel := sel.(type) {
		case *ast.Field:
			if strings.HasPrefix(sel.Name, "__") {
				continue
			}
			depth = 1 + d.of(sel.SelectionSet)
		case *ast.InlineFragment:
			depth = d.of(sel.SelectionSet)
		case *ast.FragmentSpread:
			known, ok := d[sel.Name]
			if !ok {
				known = d.of(sel.Definition.SelectionSet)
				d[sel.Name] = known
			}
			depth = known
		}
		deepest = max(deepest, depth)
	}
	return deepest
}
