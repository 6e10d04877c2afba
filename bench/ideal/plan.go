package ideal

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

// DefaultConcurrency is the default maximum number of parallel calls.
const DefaultConcurrency = 32

// A Reference computes the plans of queries for one schema and one API. It is safe for concurrent
// use.
type Reference struct {
	schema      *ast.Schema
	api         *cachedAPI
	concurrency int
}

// New returns a reference that sends its calls to api, with any host. It stores every response, so
// the data must not change. concurrency is the maximum number of parallel calls; 0 or below is
// DefaultConcurrency.
func New(schema *ast.Schema, api http.RoundTripper, concurrency int) *Reference {
	if concurrency <= 0 {
		concurrency = DefaultConcurrency
	}
	return &Reference{schema: schema, api: &cachedAPI{api: api, responses: make(map[string]*response)}, concurrency: concurrency}
}

// An Operation is a query with its variables and token.
type Operation struct {
	Query     string         // a document with one operation, a query
	Variables map[string]any // as JSON decodes them
	Token     string         // of the viewer; "" for an anonymous operation

	// Cursors contains the index in the list of each cursor in Variables. Cursors are opaque, so
	// the reference cannot determine the index.
	Cursors map[string]int

	// Keys contains the resource's key of each global id in Variables, which is opaque too. An id
	// without a key counts as forged.
	Keys map[string]string
}

// A Plan contains the minimum calls of an operation.
type Plan struct {
	// Rounds are the sets of calls that run in parallel, in order. The number of rounds is the
	// length of the critical path.
	Rounds [][]Call
	// Unneeded are the calls for lists of resources that do not exist. A server makes them if it
	// does not wait for the resource.
	Unneeded []Call
}

// A Call is a GET of the REST API.
type Call struct {
	Path  string // escaped, with a slash at both ends
	Query string // encoded, without a token

	opaque bool // the response is not used, and may not be JSON
}

// Calls returns the number of calls.
func (p *Plan) Calls() int {
	n := 0
	for _, round := range p.Rounds {
		n += len(round)
	}
	return n
}

// Plan returns the plan of an operation. It returns an error if q is not a valid query, or has a
// cursor with an unknown index, backward paging, or since for a list whose items have no time.
func (r *Reference) Plan(q Operation) (*Plan, error) {
	doc, err := gqlparser.LoadQueryWithRules(r.schema, q.Query, nil)
	if err != nil {
		return nil, fmt.Errorf("ideal: %w", err)
	}
	if len(doc.Operations) != 1 || doc.Operations[0].Operation != ast.Query {
		return nil, fmt.Errorf("ideal: the document is not one query")
	}
	operation := doc.Operations[0]
	variables, problem := validator.VariableValues(r.schema, operation, q.Variables)
	if problem != nil {
		return nil, fmt.Errorf("ideal: %w", problem)
	}
	w := &walker{Reference: r, operation: q, variables: variables, calls: make(map[string]*call)}
	w.selection(node{typ: "Query", res: &resource{Key: "/"}}, operation.SelectionSet)
	plan := w.run()
	plan.Unneeded = w.unneeded
	if w.err != nil {
		return nil, w.err
	}
	return plan, nil
}

// A call is a planned call, which is made once for all fields that need its response.
type call struct {
	Call
	response *response // nil until the call has finished
	waiters  []func(*response)
}

// require plans a call unless a call with the same id was planned before, and passes the response to
// then.
func (w *walker) require(id string, c Call, then func(*response)) {
	planned := w.calls[id]
	if planned == nil {
		planned = &call{Call: c}
		w.calls[id] = planned
		w.queue = append(w.queue, planned)
	}
	if planned.response != nil {
		then(planned.response)
		return
	}
	planned.waiters = append(planned.waiters, then)
}

// run makes the planned calls until the queue is empty. All calls take the same time and the first ones
// start together, so the calls that run in parallel always end together: they are a round.
func (w *walker) run() *Plan {
	plan := new(Plan)
	for len(w.queue)+len(w.ahead) > 0 && w.err == nil {
		all := slices.Concat(w.queue, w.ahead)
		round := all[:min(len(all), w.concurrency)]
		w.queue, w.ahead = all[len(round):], nil
		var calls []Call
		for _, c := range round {
			calls = append(calls, c.Call)
			a, err := w.api.get(c.Call, w.operation.Token)
			if err != nil {
				w.fail(err)
				return plan
			}
			c.response = a
		}
		plan.Rounds = append(plan.Rounds, calls)
		for _, c := range round {
			for _, then := range c.waiters {
				then(c.response)
			}
		}
	}
	return plan
}

func (w *walker) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}
