package mixcloud

import (
	"context"
	"iter"
	"net/url"
)

// maxEmptyPages is how many pages in a row may hold nothing and still name a
// next one before All gives up on a list.
const maxEmptyPages = 10

// All ranges over the items of a list from start on, a page at a time, until
// the list ends or max items have come; max 0 or less is no limit. It asks for
// a page only when its first item is wanted. list is one of the client's
// methods:
//
//	for show, err := range mixcloud.All(ctx, mixcloud.Range{}, 50, client.Popular) { … }
//
// It yields at most one error, last, with a zero item. It can be ranged over
// again, and starts from the beginning each time. A list that repeats a page,
// or that gives nothing but empty pages, ends there without an error.
func All[T any](ctx context.Context, start Range, max int, list func(context.Context, Range) (*Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		at := start
		seen := map[string]bool{at.fingerprint(): true}
		last, empty, n := "", 0, 0
		for {
			page, err := list(ctx, at)
			if err != nil {
				yield(*new(T), err)
				return
			}
			if page.data != "" && page.data == last && len(page.Items) > 0 {
				return // the same items again under another address
			}
			last = page.data
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
				if n++; n == max {
					return
				}
			}
			if empty++; len(page.Items) > 0 {
				empty = 0
			}
			if page.Next == nil || empty == maxEmptyPages {
				return
			}
			at = page.Next.Range
			mark := at.fingerprint()
			if seen[mark] {
				return
			}
			seen[mark] = true
		}
	}
}

// fingerprint tells ranges apart.
func (r Range) fingerprint() string {
	query := url.Values{}
	if err := r.values(query); err != nil {
		return err.Error() // the list refuses it as well
	}
	return query.Encode()
}
