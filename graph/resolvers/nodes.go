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

// nodes loads the nodes of many ids in parallel. If one fails, its element is null
// with its own error, and the others are returned.
func (r *Resolver) nodes(ctx context.Context, ids []string) ([]model.Node, error) {
	parse := func(text string) (model.NodeID, error) {
		id, err := model.ParseID(text)
		if err != nil {
			return id, gqlerr.Invalid("ids", err.Error())
		}
		return id, nil
	}
	return loadElements(ctx, "ids", ids, parse, nodeOf)
}

// resources looks up many keys or URLs in parallel. If one fails, its element is null with its own
// error. If elements spell one key differently, the first spelling is used for all.
func (r *Resolver) resources(ctx context.Context, keys []string) ([]model.Resource, error) {
	spellings := map[mixcloud.CanonicalKey]mixcloud.Key{}
	parse := func(text string) (mixcloud.Input, error) {
		in, err := r.store.Client().ParseInput(text)
		canonical := in.Key.Canonical()
		if first, known := spellings[canonical]; known {
			in.Key = first
		}
		spellings[canonical] = in.Key
		return in, renameArgument(err, "keys")
	}
	return loadElements(ctx, "keys", keys, parse, resourceOf)
}

// loadElements loads the value for each element of a list argument, in parallel. It calls
// parse in the order of the elements, and load for those that parse accepts.
func loadElements[T, N any](ctx context.Context, argument string, texts []string, parse func(string) (T, error), load func(context.Context, T) (N, error)) ([]N, error) {
	if len(texts) > model.MaxElements {
		return nil, gqlerr.Invalid(argument, "must not have more than "+strconv.Itoa(model.MaxElements)+" elements")
	}
	found := make([]N, len(texts))
	var group sync.WaitGroup
	for i, text := range texts {
		element := graphql.WithFieldContext(ctx, &graphql.FieldContext{Index: &i})
		parsed, err := parse(text)
		if err != nil {
			graphql.AddError(element, err)
			continue
		}
		group.Go(func() {
			defer recoverPanic(element)
			value, err := load(element, parsed)
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

// recoverPanic turns a panic into an error of the element. The executor does not
// recover panics in goroutines that it did not start.
func recoverPanic(ctx context.Context) {
	if p := recover(); p != nil {
		graphql.AddError(ctx, graphql.GetOperationContext(ctx).Recover(ctx, p))
	}
}
