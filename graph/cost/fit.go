package cost

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A Fit is a change to an operation that reduces its estimate to a budget.
type Fit struct {
	// Paths are the response paths of the pages to change, such as
	// "user.cloudcasts". There is at least one, and all get the same size.
	Paths    []string
	Argument string // "first", or "last" if the page uses it
	Variable string // the variable with the size of all pages, or ""
	Size     int    // the largest size that fits, at least 1
}

// maxCandidates is the maximum number of changes that Fit tries, outer pages first.
const maxCandidates = 16

// Fit finds the most expensive page and returns its largest size with which the estimate is within
// the budget. If changing that page is not enough, Fit returns one maximum size for all pages, the
// largest that is within the budget. Pages that cannot change alone change together: pages whose
// size is one variable, and selections of the same page, which would otherwise become two pages.
// Fit returns false if the estimate exceeds the budget with every size.
func (e *Estimator) Fit(op *ast.OperationDefinition, variables map[string]any, caller Caller, budget int) (Fit, bool) {
	if _, ok := e.estimate(op, variables, caller, nil); !ok {
		return Fit{}, false
	}
	w := &walk{Estimator: e, variables: variables, hasToken: caller.HasToken}
	pages := w.pages(op)
	estimateWith := func(changed []*pageUse, size int) int {
		sizes := map[*ast.Field]int{}
		for _, p := range changed {
			sizes[p.field] = min(p.size, size)
		}
		calls, _ := e.estimate(op, variables, caller, sizes)
		return calls
	}
	changed := mostExpensive(groups(pages), estimateWith)
	if changed == nil || estimateWith(changed, 1) > budget {
		changed = pages
	}
	if len(changed) == 0 || estimateWith(changed, 1) > budget {
		return Fit{}, false
	}
	fits, exceeds := 1, 0 // binary search: the present sizes exceed the budget
	for _, p := range changed {
		exceeds = max(exceeds, p.size)
	}
	for exceeds-fits > 1 {
		if n := (fits + exceeds) / 2; estimateWith(changed, n) <= budget {
			fits = n
		} else {
			exceeds = n
		}
	}
	return fitOf(changed, fits), true
}

// mostExpensive returns the group of pages that reduces the estimate most if its
// pages have one item; nil if there are no groups.
func mostExpensive(all [][]*pageUse, estimateWith func([]*pageUse, int) int) []*pageUse {
	type candidate struct {
		group    []*pageUse
		estimate int
	}
	var candidates []candidate
	for _, group := range all[:min(len(all), maxCandidates)] {
		candidates = append(candidates, candidate{group, estimateWith(group, 1)})
	}
	if len(candidates) == 0 {
		return nil
	}
	return slices.MinFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.estimate, b.estimate) }).group
}

// fitOf returns the change of pages to a size.
func fitOf(changed []*pageUse, size int) Fit {
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

// groups returns the pages in groups that must change together, in the order of
// their first pages.
func groups(pages []*pageUse) [][]*pageUse {
	parent := map[*pageUse]*pageUse{} // a union-find structure
	root := func(p *pageUse) *pageUse {
		for parent[p] != nil {
			p = parent[p]
		}
		return p
	}
	union := func(p, q *pageUse) {
		if p, q = root(p), root(q); q != p {
			parent[p] = q
		}
	}
	byID := map[int]*pageUse{}
	byVariable := map[string]*pageUse{}
	for _, p := range pages {
		if q := byID[p.id]; q != nil {
			union(p, q)
		}
		byID[p.id] = p
		if p.variable == "" {
			continue
		}
		if q := byVariable[p.variable]; q != nil {
			union(p, q)
		}
		byVariable[p.variable] = p
	}
	var all [][]*pageUse
	index := map[*pageUse]int{}
	for _, p := range pages {
		i, ok := index[root(p)]
		if !ok {
			i = len(all)
			index[root(p)], all = i, append(all, nil)
		}
		all[i] = append(all[i], p)
	}
	return all
}
