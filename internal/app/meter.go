package app

import (
	"cmp"
	"context"
	"sync"

	"mixcloud-graphql/graph/cost"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/auth"
	"mixcloud-graphql/internal/upstream"
)

// prices returns the estimator with the prices of the schema's fields. It is built once.
var prices = sync.OnceValues(func() (*cost.Estimator, error) { return cost.New(loadedSchema()) })

// newMeter returns the meter that estimates the cost of operations. A budget of 0 means the default.
func newMeter(store *upstream.Store, budget int) (*cost.Meter, error) {
	estimator, err := prices()
	if err != nil {
		return nil, err
	}
	estimator = estimator.WithKeyParser(func(input string) (model.Kind, string, error) {
		in, err := store.Client().ParseInput(input)
		return model.Kind(in.Kind), in.Key.Canonical().String(), err
	})
	return cost.NewMeter(estimator, cmp.Or(max(budget, 0), upstream.DefaultBudget), func(ctx context.Context) cost.Caller {
		token := auth.Token(ctx)
		if token == "" {
			return cost.Caller{}
		}
		return cost.Caller{HasToken: true, PendingWrites: store.Session(token).PendingWrites()}
	}), nil
}
