package resolvers

import (
	"context"
	"strconv"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// nodes refetches many ids side by side. Each that fails is null with an error
// of its own, and the others stand.
func (r *Resolver) nodes(ctx context.Context, ids []string) ([]model.Node, error) {
	parse := func(text string) (model.NodeID, error) {
		id, err := model.ParseID(text)
		if err != nil {
			return id, gqlerr.Invalid("ids", err.Error())
		}
		return id, nil
	}
	return elements(ctx, "ids", ids, parse, nodeOf)
}

// resources looks up many keys or addresses in parallel. An element that fails
// is null with an error of its own. Of several spellings of one key the first is asked
// for, whichever element is loaded first.
func (r *Resolver) resources(ctx context.Context, keys []string) ([]model.Resource, error) {
	spelling := map[mixcloud.CanonicalKey]mixcloud.Key{}
	parse := func(text string) (mixcloud.Input, error) {
		in, err := r.store.Client().ParseInput(text)
		canonical := in.Key.Canonical()
		if first, known := spelling[canonical]; known {
			in.Key = first
		}
		spelling[canonical] = in.Key
		return in, named(err, "keys")
	}
	return elements(ctx, "keys", keys, parse, resourceOf)
}

// elements loads what each element of an argument names, in parallel. Parse, which is
// called in the order of the elements, refuses one before a call is made for it.
func elements[T, N any](ctx context.Context, argument string, texts []string, parse func(string) (T, error), load func(context.Context, T) (N, error)) ([]N, error) {
	if len(texts) > model.MaxElements {
		return nil, gqlerr.Invalid(argument, "must not be more than "+strconv.Itoa(model.MaxElements))
	}
	found := make([]N, len(texts))
	var group sync.WaitGroup
	for i, text := range texts {
		element := graphql.WithFieldContext(ctx, &graphql.FieldContext{Index: &i})
		name, err := parse(text)
		if err != nil {
			graphql.AddError(element, err)
			continue
		}
		group.Go(func() {
			defer recovered(element)
			value, err := load(element, name)
			if err != nil {
				graphql.AddError(element, err)
				return
			}
			found[i] = value
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
