package graphhttp

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/opstats"
)

// Revalidates reports whether the request of an operation has the header Cache-Control:
// no-cache.
func Revalidates(oc *graphql.OperationContext) bool {
	for _, line := range oc.Headers["Cache-Control"] {
		for directive := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(directive), "no-cache") {
				return true
			}
		}
	}
	return false
}

const (
	// CostHeader, with the value true, requests the operation's cost in extensions.cost.
	CostHeader = "X-GraphQL-Cost"
	// DryRunHeader, with the value true, requests the maximum cost of the operation without
	// executing it: data is null and extensions.cost has the estimate and the budget. Values
	// that are not boolean are refused.
	DryRunHeader = "X-GraphQL-Dry-Run"
)

// The canonical forms, as in [http.Header].
var costKey, dryRunKey = http.CanonicalHeaderKey(CostHeader), http.CanonicalHeaderKey(DryRunHeader)

// metering enforces the budget of operations and reports their cost.
type metering struct {
	estimate func(context.Context, *graphql.OperationContext) opstats.Estimate
}

// schemaFresh is the max-age of introspection responses. The schema changes only when the server
// is updated.
const schemaFresh = 5 * time.Minute

func (metering) ExtensionName() string                   { return "Metering" }
func (metering) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses an operation whose estimate exceeds its budget, before it
// makes a call.
func (m metering) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	if err := checkDryRun(oc.Headers); err != nil {
		return gqlerror.Wrap(err)
	}
	e := m.estimate(ctx, oc)
	if s := statsFrom(ctx); s != nil {
		s.estimate = e
	}
	if e.Calls <= e.Budget || headerIsTrue(oc, dryRunKey) {
		return nil
	}
	message := fmt.Sprintf("This operation may need %d calls to Mixcloud; at most %d are allowed. %s", e.Calls, e.Budget, e.Advice)
	details := map[string]any{"estimated": e.Calls, "budget": e.Budget}
	if e.Fits != nil {
		details["fits"] = e.Fits
	}
	return gqlerror.Wrap(&gqlerr.Error{Code: gqlerr.CodeLimitExceeded, Message: message, Details: details})
}

// InterceptOperation responds to a dry run.
func (metering) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	oc := graphql.GetOperationContext(ctx)
	if !headerIsTrue(oc, dryRunKey) {
		return next(ctx)
	}
	e := statsFrom(ctx).estimate
	cost := map[string]any{"estimated": e.Calls, "budget": e.Budget}
	if e.Calls > e.Budget && e.Fits != nil {
		cost["fits"] = e.Fits
	}
	return graphql.OneShot(&graphql.Response{Data: []byte("null"), Extensions: map[string]any{"cost": cost}})
}

// InterceptResponse adds the cost and the freshness of the operation.
func (metering) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	resp := next(ctx)
	s := statsFrom(ctx)
	if resp == nil || s == nil {
		return resp
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addWaits(resp.Errors)
	if s.operation == nil { // refused before it started
		return resp
	}
	oc := graphql.GetOperationContext(ctx)
	e, spent := s.estimate, s.operation.Cost()
	if headerIsTrue(oc, costKey) {
		extend(resp, "cost", struct {
			Estimated int `json:"estimated"`
			Budget    int `json:"budget"`
			opstats.Cost
		}{e.Calls, e.Budget, spent})
	}
	addBudgetDetails(resp.Errors, e, spent)
	stale := s.operation.StaleReads()
	if len(stale) > 0 {
		extend(resp, "freshness", freshness(stale))
	}
	left, read := s.operation.FreshFor()
	left -= time.Since(oc.Stats.OperationStart) // FreshFor counts from the reads
	if !read && e.SchemaOnly {
		left, read = schemaFresh, true
	}
	if read && len(stale) == 0 && len(resp.Errors) == 0 && s.operation.Anonymous() && !e.Uncacheable &&
		oc.Operation.Operation == ast.Query && !headerIsTrue(oc, costKey) && s.trace == nil {
		s.public = left
	}
	return resp
}

// addBudgetDetails adds the details of an early refusal, and the calls made, to the errors of
// an operation that exhausted its budget while it ran.
func addBudgetDetails(errs gqlerror.List, e opstats.Estimate, spent opstats.Cost) {
	for _, err := range errs {
		if x := err.Extensions; x["code"] == string(gqlerr.CodeLimitExceeded) && x["budget"] != nil {
			x["estimated"], x["upstreamCalls"] = e.Calls, spent.Calls
		}
	}
}

// A freshnessEntry is an element of extensions.freshness.
type freshnessEntry struct {
	Path   []any          `json:"path"` // nil if unknown
	AgeMs  int64          `json:"ageMs"`
	Stale  bool           `json:"stale"`
	Reason opstats.Reason `json:"reason,omitempty"`
}

// freshness returns extensions.freshness: an element for each path at which a stale value was
// used.
func freshness(reads []opstats.StaleRead) []freshnessEntry {
	var all []freshnessEntry
	for _, r := range reads {
		paths := r.Paths
		if len(paths) == 0 {
			paths = [][]any{nil}
		}
		for _, path := range paths {
			all = append(all, freshnessEntry{path, r.Age.Milliseconds(), true, r.Reason})
		}
	}
	// The order of parallel reads is random.
	slices.SortStableFunc(all, func(a, b freshnessEntry) int { return slices.CompareFunc(a.Path, b.Path, compare) })
	return all
}

// compare orders two elements of paths, indices before names.
func compare(a, b any) int {
	i, isIndex := a.(int)
	j, isToo := b.(int)
	switch {
	case isIndex && isToo:
		return cmp.Compare(i, j)
	case isIndex:
		return -1
	case isToo:
		return 1
	}
	return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

func extend(resp *graphql.Response, name string, value any) {
	if resp.Extensions == nil {
		resp.Extensions = map[string]any{}
	}
	resp.Extensions[name] = value
}

// headerIsTrue reports whether a header of the request, in its canonical form, is true.
func headerIsTrue(oc *graphql.OperationContext, key string) bool {
	return oc != nil && isTrue(oc.Headers, key)
}

func isTrue(h http.Header, key string) bool {
	if len(h[key]) == 0 { // fast path: the error of ParseBool takes 2 allocations
		return false
	}
	yes, err := strconv.ParseBool(h[key][0])
	return err == nil && yes
}

// checkDryRun refuses an invalid dry run header, so that a request meant as a dry run is never
// executed.
func checkDryRun(h http.Header) error {
	values := h[dryRunKey]
	for _, value := range values {
		if _, err := strconv.ParseBool(value); err != nil && value != "" {
			return badRequest("The header " + DryRunHeader + " must be true or false. Nothing was executed.")
		}
	}
	if len(values) > 1 {
		return badRequest("Send the header " + DryRunHeader + " once. Nothing was executed.")
	}
	return nil
}
