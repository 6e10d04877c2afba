package mixcloud

import (
	"context"
	"iter"
	"net/url"
)

// maxEmptyPages is the number of consecutive empty pages after which All ends,
// even if there is a next page.
const maxEmptyPages = 10

// All iterates over the items of a list, from start to the end of the list, or
// until it has returned max items; 0 means no limit. It fetches a page when the
// loop reaches its first item. list is one of the client's methods:
//
//	for show, err := range mixcloud.All(ctx, mixcloud.Range{}, 50, client.Popular) { … }
//
// If a call fails, the last element is its error with a zero item. Each loop over
// the result starts again at the first page. The iteration ends without an error
// at a page that repeats the previous one, at a link to a page that was already
// fetched, and after ten consecutive empty pages.
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
			if page.rawItems != "" && page.rawItems == last && len(page.Items) > 0 {
				return // the page repeats the previous one
			}
			last = page.rawItems
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
			id := at.fingerprint()
			if seen[id] {
				return
			}
			seen[id] = true
		}
	}
}

// fingerprint returns a text that is the same for equal ranges only.
func (r Range) fingerprint() string {
	query := url.Values{}
	if err := r.values(query); err != nil {
		return err.Error() // the call will fail with the same error
	}
	return query.Encode()
}
