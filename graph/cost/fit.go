package cost

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A Fit is a change to an operation that brings it within a budget.
type Fit struct {
	// Paths are the pages to change in the answer, such as "user.cloudcasts": at
	// least one, and all of them to the same size.
	Paths    []string
	Argument string // "first", or "last" where that is what the page has
	Variable string // that gives all of them their size; "" when none does
	Size     int    // the largest that fits, at least 1
}

// maxCandidates is how many changes to an operation are looked at for a fit,
// those to outer pages first.
const maxCandidates = 16

// Fit looks for the page that costs most and for the largest size of it that
// brings the estimate down to the budget; if no single page does, for the
// largest size that does as the most of any page. Pages that cannot change
// alone are changed together: those that one variable sizes, and those that are
// the same page now and would be two. False says that no size of any page fits.
func (e *Estimator) Fit(op *ast.OperationDefinition, variables map[string]any, who Asker, budget int) (Fit, bool) {
	if _, done := e.estimate(op, variables, who, nil); !done {
		return Fit{}, false
	}
	w := &walk{Estimator: e, variables: variables, signed: who.Signed}
	pages := w.pages(op)
	with := func(changed []*place, size int) int {
		resized := map[*ast.Field]int{}
		for _, p := range changed {
			resized[p.field] = min(p.size, size)
		}
		calls, _ := e.estimate(op, variables, who, resized)
		return calls
	}
	changed := dearest(groups(pages), with)
	if changed == nil || with(changed, 1) > budget { // the others leave more
		changed = pages
	}
	if len(changed) == 0 || with(changed, 1) > budget {
		return Fit{}, false
	}
	fits, over := 1, 0 // over is what they have, and that is too much
	for _, p := range changed {
		over = max(over, p.size)
	}
	for over-fits > 1 {
		if n := (fits + over) / 2; with(changed, n) <= budget {
			fits = n
		} else {
			over = n
		}
	}
	return fitOf(changed, fits), true
}

// dearest is the group without whose items the estimate is the least.
func dearest(all [][]*place, with func([]*place, int) int) []*place {
	type candidate struct {
		group   []*place
		without int
	}
	var candidates []candidate
	for _, group := range all[:min(len(all), maxCandidates)] {
		candidates = append(candidates, candidate{group, with(group, 1)})
	}
	if len(candidates) == 0 {
		return nil
	}
	return slices.MinFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.without, b.without) }).group
}

// fitOf describes the change of pages to a size.
func fitOf(changed []*place, size int) Fit {
	f := Fit{Size: size}
	for _, p := range changed {
		if p.size <= size {
			continue
		}
		if f.Paths == nil {
			f.Argument, f.Variable = p.argument, p.variable
		}
		if path := strings.Join(p.path, "."); !slices.Contains(f.Paths, path) {
			f.Paths = append(f.Paths, path)
		}
		if p.variable != f.Variable {
			f.Variable = ""
		}
	}
	return f
}

// groups puts together what has to be changed together, in the order of pages.
func groups(pages []*place) [][]*place {
	leader := map[*place]*place{}
	lead := func(p *place) *place {
		for leader[p] != nil {
			p = leader[p]
		}
		return p
	}
	same := map[int]*place{}
	sized := map[string]*place{}
	join := func(p, q *place) {
		if p, q = lead(p), lead(q); q != p {
			leader[p] = q
		}
	}
	for _, p := range pages {
		if q := same[p.at]; q != nil {
			join(p, q)
		}
		same[p.at] = p
		if p.variable == "" {
			continue
		}
		if q := sized[p.variable]; q != nil {
			join(p, q)
		}
		sized[p.variable] = p
	}
	var all [][]*place
	index := map[*place]int{}
	for _, p := range pages {
		i, ok := index[lead(p)]
		if !ok {
			i = len(all)
			index[lead(p)], all = i, append(all, nil)
		}
		all[i] = append(all[i], p)
	}
	return all
}
