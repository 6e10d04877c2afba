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
)

// Revalidates reports whether the request of an operation asks for new answers, by Cache-Control: no-cache.
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
	// CostHeader asks, with the value true, for what the operation has cost:
	// extensions.cost.
	CostHeader = "X-GraphQL-Cost"
	// DryRunHeader asks, with the value true, for what the operation would cost
	// at most, without executing it: data is null and extensions.cost has the
	// estimate and the budget. Values that say neither yes nor no are refused.
	DryRunHeader = "X-GraphQL-Dry-Run"
)

// An Estimate is what is known of an operation before its first call.
type Estimate struct {
	Calls  int // it cannot take more
	Budget int // it may not take more
	// Advice says how to come within the budget; "" when it is within.
	Advice string
	// Fits is the same for programs: the path of a list, its argument and its
	// largest size; nil when no size fits.
	Fits map[string]any
	// Fleeting says that the answer is of this moment, however fresh what it was
	// made of is.
	Fleeting bool
	// SchemaOnly says that the answer depends on nothing but the schema.
	SchemaOnly bool
}

// metering holds operations to their budget and tells what they cost.
type metering struct {
	estimate func(context.Context, *graphql.OperationContext) Estimate
}

// schemaFresh is for how long caches may keep a response that was read from the schema alone: it changes when the server is
// updated.
const schemaFresh = 5 * time.Minute

const estimateKey = "estimate" // among the operation's statistics

func (metering) ExtensionName() string                   { return "Metering" }
func (metering) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses what could go over its budget, before a call.
func (m metering) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	if err := checkDryRun(oc.Headers); err != nil {
		return gqlerror.Wrap(err)
	}
	e := m.estimate(ctx, oc)
	oc.Stats.SetExtension(estimateKey, e)
	if e.Calls <= e.Budget || asks(oc, DryRunHeader) {
		return nil
	}
	message := fmt.Sprintf("This operation may need %d calls to Mixcloud; one operation may make %d. %s", e.Calls, e.Budget, e.Advice)
	details := map[string]any{"estimated": e.Calls, "budget": e.Budget}
	if e.Fits != nil {
		details["fits"] = e.Fits
	}
	return gqlerror.Wrap(&gqlerr.Error{Code: gqlerr.CodeLimitExceeded, Message: message, Details: details})
}

// InterceptOperation answers a dry run.
func (metering) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	oc := graphql.GetOperationContext(ctx)
	if !asks(oc, DryRunHeader) {
		return next(ctx)
	}
	e := estimateOf(oc)
	said := map[string]any{"estimated": e.Calls, "budget": e.Budget}
	if e.Calls > e.Budget && e.Fits != nil {
		said["fits"] = e.Fits
	}
	return graphql.OneShot(&graphql.Response{Data: []byte("null"), Extensions: map[string]any{"cost": said}})
}

// InterceptResponse adds what is to be told of the operation.
func (metering) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	resp := next(ctx)
	l := ledgerOf(ctx)
	if resp == nil || l == nil {
		return resp
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heed(resp.Errors)
	if l.account == nil { // refused before it began
		return resp
	}
	oc := graphql.GetOperationContext(ctx)
	e, spent := estimateOf(oc), l.account.Cost()
	if asks(oc, CostHeader) {
		extend(resp, "cost", struct {
			Estimated int `json:"estimated"`
			Budget    int `json:"budget"`
			Cost
		}{e.Calls, e.Budget, spent})
	}
	overspent(resp.Errors, e, spent)
	notes := l.account.Freshness()
	if len(notes) > 0 {
		extend(resp, "freshness", freshness(notes))
	}
	left, read := l.account.FreshFor()
	left -= time.Since(oc.Stats.OperationStart) // it was counted from the reads
	if !read && e.SchemaOnly {
		left, read = schemaFresh, true
	}
	if read && len(notes) == 0 && len(resp.Errors) == 0 && l.account.Anonymous() && !e.Fleeting &&
		oc.Operation.Operation == ast.Query && !asks(oc, CostHeader) {
		l.public = left
	}
	return resp
}

// overspent gives the errors of an operation that came to the end of its budget
// while it ran the numbers that a refusal beforehand has, and what it has made.
func overspent(errs gqlerror.List, e Estimate, spent Cost) {
	for _, err := range errs {
		if x := err.Extensions; x["code"] == string(gqlerr.CodeLimitExceeded) && x["budget"] != nil {
			x["estimated"], x["upstreamCalls"] = e.Calls, spent.UpstreamCalls
		}
	}
}

// A staleness is a note as clients see it.
type staleness struct {
	Path   []any  `json:"path"`
	AgeMs  int64  `json:"ageMs"`
	Stale  bool   `json:"stale"`
	Reason string `json:"reason,omitempty"`
}

func freshness(notes []Note) []staleness {
	all := make([]staleness, len(notes))
	for i, n := range notes {
		all[i] = staleness{n.Path, n.Age.Milliseconds(), true, n.Reason}
	}
	// Reads side by side have no order of their own.
	slices.SortStableFunc(all, func(a, b staleness) int { return slices.CompareFunc(a.Path, b.Path, compare) })
	return all
}

// compare orders two elements of paths: indices before names.
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

func estimateOf(oc *graphql.OperationContext) Estimate {
	e, _ := oc.Stats.GetExtension(estimateKey).(Estimate)
	return e
}

// asks tells whether a header of the request asks for something. What is not a
// word for true does not.
func asks(oc *graphql.OperationContext, header string) bool {
	return oc != nil && isTrue(oc.Headers, header)
}

func isTrue(h http.Header, name string) bool {
	yes, err := strconv.ParseBool(h.Get(name))
	return err == nil && yes
}

// checkDryRun refuses what may be meant as a dry run and is none: it would be
// executed.
func checkDryRun(h http.Header) error {
	for _, value := range h.Values(DryRunHeader) {
		if _, err := strconv.ParseBool(value); err != nil && value != "" {
			return badRequest("The header " + DryRunHeader + " must be true or false. Nothing was executed.")
		}
	}
	if len(h.Values(DryRunHeader)) > 1 {
		return badRequest("Send the header " + DryRunHeader + " once. Nothing was executed.")
	}
	return nil
}
