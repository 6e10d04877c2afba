package graphhttp

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/manifest"
)

// documents are the documents of a manifest, parsed and validated in advance.
type documents struct {
	text   map[string]string   // by id
	parsed map[string]document // by text
}

// A documentSet holds the current documents, or nil before a manifest was set.
type documentSet struct{ atomic.Pointer[documents] }

// find returns the text of the document with an id.
func (s *documentSet) find(id string) (string, bool) {
	d := s.Load()
	if d == nil || id == "" {
		return "", false
	}
	text, ok := d.text[id]
	return text, ok
}

// A Handler is the GraphQL endpoint.
type Handler struct {
	http.Handler

	server *server
}

// SetManifest makes the handler execute the operations of a manifest by their ids, and replaces
// an earlier manifest. If an operation is invalid or over a limit, nothing changes, and the error
// contains a line for each such operation.
func (h *Handler) SetManifest(operations []manifest.Operation) error {
	next := &documents{text: map[string]string{}, parsed: map[string]document{}}
	var errs []error
	for _, o := range operations {
		doc, err := h.check(o)
		if err != nil {
			errs = append(errs, fmt.Errorf("%v: %w", o, err))
			continue
		}
		next.text[o.ID], next.parsed[o.Text] = o.Text, newDocument(doc)
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	h.server.cache.manifest.Store(next)
	return nil
}

// check parses and validates the document of an operation.
func (h *Handler) check(o manifest.Operation) (*ast.QueryDocument, error) {
	if err := h.server.limits.check(o.Text); err != nil {
		if public, ok := errors.AsType[*gqlerr.Error](err); ok {
			return nil, errors.New(public.Message)
		}
		return nil, err
	}
	doc, err := parse(o.Text, h.server.limits.tokens)
	if err != nil {
		return nil, errors.New(err.Message)
	}
	if len(doc.Operations) != 1 {
		return nil, fmt.Errorf("its document has %d operations, not one", len(doc.Operations))
	}
	if errs := validator.ValidateWithRules(h.server.schema, doc, validationRules(h.server.rules)); len(errs) > 0 {
		problem := errs[0].Message
		if len(errs) > 1 {
			problem = fmt.Sprintf("%s (and %d more errors)", problem, len(errs)-1)
		}
		return nil, errors.New(problem)
	}
	switch op := doc.Operations[0]; {
	case o.Name != "" && o.Name != op.Name:
		return nil, fmt.Errorf("its document has an operation named %q", op.Name)
	case o.Type != "" && o.Type != string(op.Operation):
		return nil, fmt.Errorf("its document has a %s, not a %s", op.Operation, o.Type)
	}
	return doc, nil
}

// A refusedDocument is the error of a request for a document that is not in the manifest, with
// [Options.OnlyPersisted]. Its status is the same in every media type.
type refusedDocument struct{ error }

// Unwrap returns the error for the client, or nil if the code is sufficient.
func (r refusedDocument) Unwrap() error { return r.error }

// refusesDocument reports whether an operation was refused by [refusedDocument].
func refusesDocument(errs gqlerror.List) bool {
	if len(errs) == 0 {
		return false
	}
	_, refused := errors.AsType[refusedDocument](errs[0].Err)
	return refused
}

var errDocument = &gqlerr.Error{
	Code:    gqlerr.CodeForbidden,
	Message: "This server executes only the operations of its manifest. Send the id of one as documentId, doc_id or extensions.persistedQuery.sha256Hash, without a document.",
}

// documentNames are the request members and URL parameters with the id of a document: that of
// the GraphQL-over-HTTP specification, and those of Relay's documentation and examples.
var documentNames = []string{"documentId", "doc_id", "id"}

// documentKey is the member of the extensions that holds the id internally.
const documentKey = "documentId"

// setDocument copies the id of a document to the extensions, if the request has neither a
// document nor a hash.
func setDocument(params *graphql.RawParams, member func(name string) (string, error)) error {
	if params.Query != "" || params.Extensions["persistedQuery"] != nil {
		return nil
	}
	for _, name := range documentNames {
		id, err := member(name)
		if err != nil {
			return err
		}
		if id != "" {
			if params.Extensions == nil {
				params.Extensions = map[string]any{}
			}
			params.Extensions[documentKey] = id
			return nil
		}
	}
	return nil
}
