package graphhttp

import (
	"context"
	"fmt"
	"strings"

	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"mixcloud-graphql/internal/compiled"
	"mixcloud-graphql/internal/gqlerr"
)

// The query cache avoids repeated parsing and validation. A document and the values compiled from
// it take about 30 times the size of its text (TestQueryCache_Memory).
const (
	cachedQueryBytes = 512 << 10 // all texts together
	cachedQuerySize  = 8 << 10
)

// A document is a parsed and validated document with the values that were compiled from it.
type document struct {
	*ast.QueryDocument

	values *compiled.Document
}

func newDocument(doc *ast.QueryDocument) document { return document{doc, new(compiled.Document)} }

// A queryCache is a cache of documents, which prefers those that are used often. It does not store
// long ones, because a client can generate any number of them.
type queryCache struct {
	documents *otter.Cache[string, document]
	manifest  *documentSet // its documents are never evicted
}

func newQueryCache() queryCache {
	return queryCache{otter.Must(&otter.Options[string, document]{
		MaximumWeight: cachedQueryBytes,
		Weigher:       func(query string, _ document) uint32 { return uint32(len(query)) }, //nolint:gosec // at most cachedQuerySize
	}), new(documentSet)}
}

func (c queryCache) Get(_ context.Context, query string) (document, bool) {
	if d := c.manifest.Load(); d != nil {
		if doc, ok := d.parsed[query]; ok {
			return doc, true
		}
	}
	return c.documents.GetIfPresent(query)
}

func (c queryCache) Add(_ context.Context, query string, doc document) {
	if len(query) <= cachedQuerySize {
		c.documents.Set(query, doc)
	}
}

const (
	// maxPairs is the maximum number of pairs of fields with the same response name, and of pairs
	// of fragment spreads, in a document. Validation compares each pair once per nesting level,
	// which takes 0.2 µs and ignores the deadline: with 14,000 fields __typename it would take
	// half a minute. The maximum allows 450 fields with the same name.
	maxPairs = 200_000
)

// documentLimits refuses documents that would cost too much, by their structure, before
// validation.
type documentLimits struct {
	tokens, depth, roots, keys, directives int
}

// check refuses a document over a limit. It ignores syntax errors.
func (l documentLimits) check(query string) *gqlerror.Error {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, l.tokens)
	switch {
	case err != nil && strings.Contains(err.Error(), tokenLimit):
		return exceeded("max-tokens", l.tokens+1, l.tokens, nil,
			"The document has more than %d tokens. Move values to variables, or split the request.", l.tokens)
	case err != nil:
		return nil //nolint:nilerr // the executor finds the same error, and reports it with its code
	}
	s := documentShape{doc: doc, fragments: map[string]int{}, names: map[string]int{}}
	depth := 0
	for _, op := range doc.Operations {
		depth = max(depth, s.depth(op.SelectionSet))
	}
	for _, f := range doc.Fragments { // including unused ones
		s.fragment(f)
	}
	pairs := s.spreads * s.spreads
	for _, n := range s.names {
		pairs += n * n
	}
	switch {
	case depth > l.depth:
		return exceeded("max-depth", depth, l.depth, nil,
			"The operation nests fields %d levels deep; at most %d levels are allowed. Request the inner fields in another operation.", depth, l.depth)
	case pairs > maxPairs:
		return limit("The operation repeats the same names or fragments too often. Split it into several requests.")
	}
	if err := checkNames(doc); err != nil {
		return err
	}
	if err := checkDirectives(doc, l.directives); err != nil {
		return err
	}
	if err := checkSelections(doc, l.keys); err != nil {
		return err
	}
	return checkRoots(doc, l.roots)
}

// tokenLimit begins the parser's message for a document over the token limit. A test compares
// it with the parser.
const tokenLimit = "exceeded token limit"

func limit(format string, args ...any) *gqlerror.Error {
	return gqlerror.Wrap(gqlerr.Limit(fmt.Sprintf(format, args...)))
}

// A documentShape counts the elements of a document. It visits every selection once, however
// often its fragment is spread.
type documentShape struct {
	doc       *ast.QueryDocument
	fragments map[string]int // depth of the fragments visited
	names     map[string]int // number of uses of each response name
	spreads   int
}

// depth returns the depth of nested fields of a selection set. It excludes introspection, for
// which the validator has its own limit.
func (s *documentShape) depth(set ast.SelectionSet) int {
	deepest := 0
	for _, sel := range set {
		depth := 0
		switch sel := sel.(type) {
		case *ast.Field:
			s.names[sel.Alias]++ // the field's name if there is no alias
			depth = 1 + s.depth(sel.SelectionSet)
			if strings.HasPrefix(sel.Name, "__") {
				depth = 0
			}
		case *ast.InlineFragment:
			depth = s.depth(sel.SelectionSet)
		case *ast.FragmentSpread:
			s.spreads++
			if f := s.doc.Fragments.ForName(sel.Name); f != nil {
				depth = s.fragment(f)
			}
		}
		deepest = max(deepest, depth)
	}
	return deepest
}

func (s *documentShape) fragment(f *ast.FragmentDefinition) int {
	depth, visited := s.fragments[f.Name]
	if !visited {
		s.fragments[f.Name] = 0 // for a cycle, which the validator refuses
		depth = s.depth(f.SelectionSet)
		s.fragments[f.Name] = depth
	}
	return depth
}
