package ideal

import (
	"fmt"
	"net/http"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

// DefaultConcurrency is how many calls a critical path has under way at once,
// unless configured otherwise.
const DefaultConcurrency = 32

// A Reference plans queries over one schema and one Mixcloud. It is safe for
// concurrent use.
type Reference struct {
	schema      *ast.Schema
	library     *library
	concurrency int
}

// New makes a reference that looks at the Mixcloud behind api, whatever host it
// is asked for. It remembers every answer: the Mixcloud must not change.
// Concurrency is how many calls may be under way at once; at or below zero it
// takes its default.
func New(schema *ast.Schema, api http.RoundTripper, concurrency int) *Reference {
	if concurrency <= 0 {
		concurrency = DefaultConcurrency
	}
	return &Reference{schema: schema, library: &library{api: api, known: make(map[string]*answer)}, concurrency: concurrency}
}

// A Question is an operation and what it is asked with.
type Question struct {
	Query     string         // a document with one operation, a query
	Variables map[string]any // as JSON decodes them
	Token     string         // whose viewer the operation acts for; "" for nobody

	// Cursors are the places of the cursors among Variables: how many items of
	// the list stand before theirs. They are opaque, so nobody but who asked
	// for them can know.
	Cursors map[string]int

	// Keys are the keys behind the global ids among Variables, which are as
	// opaque. An id without a key here counts as forged.
	Keys map[string]string
}

// A Plan is the least that a question costs.
type Plan struct {
	// Rounds are the calls that are under way together, in the order in which
	// they can be made. Their number is the critical path in units of one call.
	Rounds [][]Call
}

// A Call is a GET of the REST API.
type Call struct {
	Path  string // escaped, with a slash at both ends
	Query string // encoded, without a token

	opaque bool // what comes is not JSON, and not looked at
}

// Calls is how many there are.
func (p *Plan) Calls() int {
	n := 0
	for _, round := range p.Rounds {
		n += len(round)
	}
	return n
}

// Plan finds the least that q costs. It is an error if q is no valid query, or
// asks for what a plan cannot be made of: a cursor of unknown place, paging
// backward, and since on a list whose items do not say when they came onto it.
func (r *Reference) Plan(q Question) (*Plan, error) {
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
	w := &walker{Reference: r, question: q, variables: variables, known: make(map[string]*call)}
	w.selection(node{typ: "Query", res: &resource{Key: "/"}}, operation.SelectionSet)
	plan := w.run()
	if w.err != nil {
		return nil, w.err
	}
	return plan, nil
}

// A call is made once, for all who wait for it.
type call struct {
	Call
	answer  *answer // nil while it is not there
	waiting []func(*answer)
}

// need makes a call unless it was made already, and then goes on with what it
// gave. Id is the identity of what is asked for.
func (w *walker) need(id string, c Call, then func(*answer)) {
	have := w.known[id]
	if have == nil {
		have = &call{Call: c}
		w.known[id] = have
		w.queue = append(w.queue, have)
	}
	if have.answer != nil {
		then(have.answer)
		return
	}
	have.waiting = append(have.waiting, then)
}

// run lets time pass until nothing is left to do. All calls take equally long
// and the first ones begin together, so they always end together too: what is
// under way at any time is a round.
func (w *walker) run() *Plan {
	plan := new(Plan)
	for len(w.queue) > 0 && w.err == nil {
		round := w.queue[:min(len(w.queue), w.concurrency)]
		w.queue = w.queue[len(round):]
		var calls []Call
		for _, c := range round {
			calls = append(calls, c.Call)
			a, err := w.library.ask(c.Call, w.question.Token)
			if err != nil {
				w.fail(err)
				return plan
			}
			c.answer = a
		}
		plan.Rounds = append(plan.Rounds, calls)
		for _, c := range round {
			for _, then := range c.waiting {
				then(c.answer)
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
