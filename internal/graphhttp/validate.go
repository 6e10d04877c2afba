package graphhttp

import (
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// validate returns an error and its status if the method, the media types or the files of the
// request do not fit its operation.
func (t runner) validate(r *http.Request, oc *graphql.OperationContext, req request) (status int, _ error) {
	kind := oc.Operation.Operation
	switch {
	case isGet(r) && kind == ast.Mutation:
		return http.StatusMethodNotAllowed, badRequest("Only queries and subscriptions can be sent with GET. Send a mutation with POST.")
	case kind == ast.Subscription && !req.to.Events:
		return http.StatusNotAcceptable, badRequest("A subscription returns a stream of events. Send the header Accept: " + mediaEvents + ".")
	case kind == ast.Mutation && req.to.Media == "":
		return http.StatusNotAcceptable, badRequest("A mutation does not return a stream of events. Send the header Accept: " + mediaGraphQL + " or " + mediaJSON + ".")
	case req.files != nil && t.countFileFields(oc) != 1:
		return http.StatusBadRequest, badRequest("Each file is read once, while it arrives: exactly one field of the mutation must take files.")
	}
	return 0, nil
}

// countFileFields returns the number of fields of an operation that would read the request's
// files.
func (t runner) countFileFields(oc *graphql.OperationContext) int {
	n := 0
	if oc.Operation.Operation == ast.Mutation {
		for _, f := range graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{"Mutation"}) {
			if t.fileFields[f.Name] {
				n++
			}
		}
	}
	return n
}

// fileFields returns the mutation fields that take files: those with an argument that contains
// an Upload at any depth.
func fileFields(schema *ast.Schema) map[string]bool {
	all := map[string]bool{}
	if schema.Mutation == nil {
		return all
	}
	seen := map[string]bool{}
	var takesFile func(t *ast.Type) bool
	takesFile = func(t *ast.Type) bool {
		def := schema.Types[t.Name()]
		switch {
		case t.Name() == "Upload":
			return true
		case def == nil || def.Kind != ast.InputObject || seen[def.Name]:
			return false
		}
		seen[def.Name] = true
		for _, f := range def.Fields {
			if takesFile(f.Type) {
				return true
			}
		}
		return false
	}
	for _, f := range schema.Mutation.Fields {
		clear(seen)
		for _, arg := range f.Arguments {
			if takesFile(arg.Type) {
				all[f.Name] = true
			}
		}
	}
	return all
}
