package loaders

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// A PageKey is the key of one page of one list of REST. Equal PageKeys share one call.
type PageKey struct {
	path         string // such as "/spartacus/followers/"; "" for a search
	query        string // the search query
	limit        int
	offset       int   // -1 if the request has none
	since, until int64 // Unix seconds, noBound if the request has none
}

const noBound = -1

// ListPage returns the key of the page with the range r of the list at a path.
func ListPage(path string, r mixcloud.Range) PageKey { return newPageKey(path, "", r) }

// SearchPage returns the key of the page with the range r of the results of a search.
func SearchPage(query string, r mixcloud.Range) PageKey { return newPageKey("", query, r) }

func newPageKey(path, query string, r mixcloud.Range) PageKey {
	k := PageKey{path: path, query: query, limit: r.Limit, offset: -1, since: noBound, until: noBound}
	if r.Offset != nil {
		k.offset = *r.Offset
	}
	if !r.Since.IsZero() {
		k.since = r.Since.Unix()
	}
	if !r.Until.IsZero() {
		k.until = r.Until.Unix()
	}
	return k
}

// toRange returns the range that the key was made of.
func (k PageKey) toRange() mixcloud.Range {
	r := mixcloud.Range{Limit: k.limit}
	if k.offset >= 0 {
		r.Offset = &k.offset
	}
	if k.since != noBound {
		r.Since = time.Unix(k.since, 0).UTC()
	}
	if k.until != noBound {
		r.Until = time.Unix(k.until, 0).UTC()
	}
	return r
}

// id returns the cache id of the page: its path and query. SearchType is the type
// parameter of a search.
func (k PageKey) id(searchType string) string {
	query := url.Values{}
	set := func(name string, value int64, sent bool) {
		if sent {
			query.Set(name, strconv.FormatInt(value, 10))
		}
	}
	set("limit", int64(k.limit), k.limit > 0)
	set("offset", int64(k.offset), k.offset >= 0)
	set("since", k.since, k.since != noBound)
	set("until", k.until, k.until != noBound)
	if k.path == "" {
		query.Set("q", k.query)
		query.Set("type", searchType)
		return "/search/?" + query.Encode()
	}
	return mixcloud.ParseKey(k.path).Canonical().String() + "?" + query.Encode()
}

// class returns the cache class of the list, which determines its freshness lifetime.
func (k PageKey) class() upstream.Class {
	if k.path == "" {
		return upstream.ClassSearch
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(k.path, "/"), "/")
	switch first {
	case "popular", "new", "hot", "genres", "discover", "tag", "artist", "track", "categories":
		return upstream.ClassChart
	}
	return upstream.ClassList
}

// A Page is a page of a list. Its items are decoded when they are needed.
type Page[T any] = mixcloud.Page[mixcloud.Item[T]]

// pages returns a loader for the pages of all lists of one type of item. SearchType is the
// name of the type in a search; "" if Mixcloud has no search for it. Correct returns an
// item that shows the viewer's recent writes; it may be nil.
func pages[T any](searchType string, correct func(*upstream.Session, T) T) *Loader[PageKey, *Page[T]] {
	c := codecOf[Page[T]](mixcloud.DecodePage[mixcloud.Item[T]])
	c.size = (*Page[T]).Size
	return &Loader[PageKey, *Page[T]]{
		resource: func(_ *Loaders, key PageKey) upstream.Resource[*Page[T]] {
			return c.resource(key.class(), key.id(searchType), func(ctx context.Context, client *mixcloud.Client) (*Page[T], error) {
				if key.path == "" {
					return mixcloud.SearchItems[T](ctx, client, searchType, key.query, key.toRange())
				}
				return mixcloud.ListItems[T](ctx, client, key.path, key.toRange())
			})
		},
		correct: correctItems(correct),
	}
}

// correctItems returns a function that corrects the items of a copy of a page. It returns
// nil for nil.
func correctItems[T any](correct func(*upstream.Session, T) T) func(*upstream.Session, *Page[T]) *Page[T] {
	if correct == nil {
		return nil
	}
	return func(s *upstream.Session, page *Page[T]) *Page[T] {
		corrected := *page
		corrected.Items = slices.Clone(page.Items)
		for i := range corrected.Items {
			item := correct(s, *page.Items[i].Value())
			corrected.Items[i] = page.Items[i].With(&item)
		}
		return &corrected
	}
}
