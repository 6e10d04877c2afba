package resolvers

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/gqlerr"
)

// maxNodes is how many ids Query.nodes takes.
const maxNodes = 100

// nodes refetches many ids side by side. Each that fails is null with an error
// of its own, and the others stand.
func (r *Resolver) nodes(ctx context.Context, ids []string) ([]model.Node, error) {
	if len(ids) > maxNodes {
		return nil, gqlerr.Invalid("ids", "must not be more than 100")
	}
	found := make([]model.Node, len(ids))
	var group sync.WaitGroup
	for i, text := range ids {
		element := graphql.WithFieldContext(ctx, &graphql.FieldContext{Index: &i})
		id, err := model.ParseID(text)
		if err != nil {
			graphql.AddError(element, gqlerr.Invalid("ids", err.Error()))
			continue
		}
		group.Go(func() {
			defer recovered(element)
			node, err := nodeOf(element, id)
			if err != nil {
				graphql.AddError(element, err)
				return
			}
			found[i] = node
		})
	}
	group.Wait()
	return found, nil
}

// recovered turns a panic, which here would be outside of the executor's own
// recovery, into an error of the field.
func recovered(ctx context.Context) {
	if p := recover(); p != nil {
		graphql.AddError(ctx, graphql.GetOperationContext(ctx).Recover(ctx, p))
	}
}
