package cost

import (
	"context"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/internal/opstats"
)

// A Meter compares the estimated cost of operations with a budget, before they make
// a call. It is safe for concurrent use.
type Meter struct {
	estimator *Estimator
	budget    int
	caller    func(context.Context) Caller
}

// NewMeter returns a meter for operations that may make budget calls each.
// Caller returns the principal of the operation that a context belongs to.
func NewMeter(estimator *Estimator, budget int, caller func(context.Context) Caller) *Meter {
	return &Meter{estimator, budget, caller}
}

// Estimate returns the maximum cost of an operation and, if it exceeds the budget,
// advice on how to change the operation. Estimates within the budget are stored with
// the document in ctx, see [compiled].
func (m *Meter) Estimate(ctx context.Context, oc *graphql.OperationContext) opstats.Estimate {
	caller := m.caller(ctx)
	compute := func() (_ opstats.Estimate, store bool) {
		e := m.estimate(oc, caller)
		return e, e.Calls <= m.budget
	}
	if memo := m.estimator.memoOf(ctx, oc.Operation); memo != nil {
		return memo.estimate(oc, caller, compute)
	}
	e, _ := compute()
	return e
}

func (m *Meter) estimate(oc *graphql.OperationContext, caller Caller) opstats.Estimate {
	e := opstats.Estimate{Calls: m.estimator.Estimate(oc.Operation, oc.Variables, caller), Budget: m.budget}
	if oc.Operation.Operation == ast.Query {
		e.SchemaOnly = true
		for _, f := range graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{"Query"}) {
			e.Uncacheable = e.Uncacheable || f.Name == "rateLimit"
			e.SchemaOnly = e.SchemaOnly && strings.HasPrefix(f.Name, "__")
		}
	}
	if e.Calls <= m.budget {
		return e
	}
	if fit, ok := m.estimator.Fit(oc.Operation, oc.Variables, caller, m.budget); ok {
		e.Advice, e.Fits = fit.advice(), fit.details()
	} else {
		e.Advice = "Smaller pages are not enough: select fewer nested fields, or split it into several operations."
	}
	return e
}

// advice returns the change as a sentence for developers.
func (f Fit) advice() string {
	paths, last := f.Paths[:len(f.Paths)-1], f.Paths[len(f.Paths)-1]
	pages := last
	if len(paths) > 0 {
		pages = strings.Join(paths, ", ") + " and " + last
	}
	if f.Variable == "" {
		return fmt.Sprintf("It fits with `%s: %d` for %s.", f.Argument, f.Size, pages)
	}
	return fmt.Sprintf("It fits if `$%s`, the `%s` of %s, is %d.", f.Variable, f.Argument, pages, f.Size)
}

// details returns the change in machine-readable form.
func (f Fit) details() map[string]any {
	d := map[string]any{"path": f.Paths[0], "argument": f.Argument, "size": f.Size}
	if len(f.Paths) > 1 {
		d["paths"] = f.Paths
	}
	if f.Variable != "" {
		d["variable"] = f.Variable
	}
	return d
}
