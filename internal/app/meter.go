package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/cost"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/auth"
	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// A meter knows what operations can cost, and holds them to a budget.
type meter struct {
	estimator *cost.Estimator
	store     *upstream.Store
	budget    int
}

// newMeter makes a meter with the prices that a schema states. A budget of 0 is
// the default.
func newMeter(schema *ast.Schema, store *upstream.Store, budget int) (*meter, error) {
	if budget <= 0 {
		budget = upstream.DefaultBudget
	}
	estimator, err := cost.New(schema)
	if err != nil {
		return nil, err
	}
	estimator.Names = func(pasted string) (model.Kind, string, error) {
		in, err := store.Client().ParseInput(pasted)
		return model.Kind(in.Kind), mixcloud.Canonical(in.Key), err
	}
	return &meter{estimator, store, budget}, nil
}

// estimate bounds what an operation can cost before it has made a call.
func (m *meter) estimate(ctx context.Context, oc *graphql.OperationContext) graphhttp.Estimate {
	who := m.asker(ctx)
	e := graphhttp.Estimate{
		Calls:  m.estimator.Estimate(oc.Operation, oc.Variables, who),
		Budget: m.budget,
	}
	if oc.Operation.Operation == ast.Query {
		e.SchemaOnly = true
		for _, f := range graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{"Query"}) {
			e.Fleeting = e.Fleeting || f.Name == "rateLimit"
			e.SchemaOnly = e.SchemaOnly && strings.HasPrefix(f.Name, "__")
		}
	}
	if e.Calls <= m.budget {
		return e
	}
	if fit, ok := m.estimator.Fit(oc.Operation, oc.Variables, who, m.budget); ok {
		e.Advice, e.Fits = advise(fit)
	} else {
		e.Advice = "No smaller pages bring it within that: select fewer nested fields, or split it into several operations."
	}
	return e
}

// advise tells a fit to people and to programs.
func advise(fit cost.Fit) (advice string, fits map[string]any) {
	paths, last := fit.Paths[:len(fit.Paths)-1], fit.Paths[len(fit.Paths)-1]
	where := last
	if len(paths) > 0 {
		where = strings.Join(paths, ", ") + " and " + last
	}
	fits = map[string]any{"path": fit.Paths[0], "argument": fit.Argument, "size": fit.Size}
	if len(paths) > 0 {
		fits["paths"] = fit.Paths
	}
	if fit.Variable == "" {
		return fmt.Sprintf("With `%s: %d` for %s it fits.", fit.Argument, fit.Size, where), fits
	}
	fits["variable"] = fit.Variable
	return fmt.Sprintf("With %d in `$%s`, which is `%s` for %s, it fits.", fit.Size, fit.Variable, fit.Argument, where), fits
}

// asker is on whose behalf an operation is made.
func (m *meter) asker(ctx context.Context) cost.Asker {
	token := auth.Token(ctx)
	if token == "" {
		return cost.Asker{}
	}
	session := m.store.Session(token)
	pending := 0
	for _, flag := range []upstream.Flag{upstream.Following, upstream.Favorited, upstream.ListenLater} {
		pending += len(session.Recent(flag))
	}
	return cost.Asker{Signed: true, Pending: pending}
}

// open opens the account of an operation. A subscription has none: it reads
// nothing, and its response has begun.
func open(ctx context.Context, session *upstream.Session) {
	if graphql.GetOperationContext(ctx).Operation.Operation != ast.Subscription {
		graphhttp.Open(ctx, account{session})
	}
}

// An account shows a session as the endpoint asks for it.
type account struct{ *upstream.Session }

// Cost is what the operation has cost.
func (a account) Cost() graphhttp.Cost {
	c := a.Session.Cost()
	return graphhttp.Cost{UpstreamCalls: c.Calls, CacheHits: c.Hits, Coalesced: c.Coalesced, Stale: c.Stale}
}

// Freshness has a line for each place in the answer.
func (a account) Freshness() []graphhttp.Note {
	var notes []graphhttp.Note
	for _, n := range a.Session.Freshness() {
		if len(n.Paths) == 0 {
			notes = append(notes, graphhttp.Note{Age: n.Age, Reason: string(n.Reason)})
		}
		for _, path := range n.Paths {
			notes = append(notes, graphhttp.Note{Path: path, Age: n.Age, Reason: string(n.Reason)})
		}
	}
	return notes
}

// RateLimit is what rateLimit in the schema tells too.
func (a account) RateLimit() graphhttp.RateLimit {
	r := a.Session.RateLimit()
	return graphhttp.RateLimit{Budget: r.Budget, Remaining: r.Remaining, RetryAt: r.RetryAt}
}
