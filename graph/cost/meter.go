package cost

import (
	"context"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/internal/opstats"
)

// A Meter compares what operations can cost with a budget, before they make a call. It is safe
// for concurrent use.
type Meter struct {
	estimator *Estimator
	budget    int
	asker     func(context.Context) Asker
}

// NewMeter returns a meter of operations that may make up to budget calls each. Asker returns
// on whose behalf the operation of a context runs.
func NewMeter(estimator *Estimator, budget int, asker func(context.Context) Asker) *Meter {
	return &Meter{estimator, budget, asker}
}

// Estimate returns what an operation can cost at most and, if that is more than the budget, how
// to change the operation.
func (m *Meter) Estimate(ctx context.Context, oc *graphql.OperationContext) opstats.Estimate {
	who := m.asker(ctx)
	e := opstats.Estimate{Calls: m.estimator.Estimate(oc.Operation, oc.Variables, who), Budget: m.budget}
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
		e.Advice, e.Fits = fit.advice(), fit.details()
	} else {
		e.Advice = "No smaller pages bring it within that: select fewer nested fields, or split it into several operations."
	}
	return e
}

// advice describes the fit for people.
func (f Fit) advice() string {
	paths, last := f.Paths[:len(f.Paths)-1], f.Paths[len(f.Paths)-1]
	where := last
	if len(paths) > 0 {
		where = strings.Join(paths, ", ") + " and " + last
	}
	if f.Variable == "" {
		return fmt.Sprintf("With `%s: %d` for %s it fits.", f.Argument, f.Size, where)
	}
	return fmt.Sprintf("With %d in `$%s`, which is `%s` for %s, it fits.", f.Size, f.Variable, f.Argument, where)
}

// details describes the fit for programs.
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
