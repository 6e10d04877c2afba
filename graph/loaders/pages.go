package loaders

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// A PageKey names one page of one list of REST. It is comparable: equal Lists are
// one call.
type PageKey struct {
	path         string // such as "/spartacus/followers/"; "" for a search
	query        string // what is searched for
	limit        int
	offset       int   // -1 if the request has none
	since, until int64 // Unix seconds, noBound if the request has none
}

const noBound = -1

// Path names the part of the list at a path that r asks for.
func ListPage(path string, r mixcloud.Range) PageKey { return list(path, "", r) }

// Search names the part of a search's list that r asks for.
func SearchPage(query string, r mixcloud.Range) PageKey { return list("", query, r) }

func list(path, query string, r mixcloud.Range) PageKey {
	l := PageKey{path: path, query: query, limit: r.Limit, offset: -1, since: noBound, until: noBound}
	if r.Offset != nil {
		l.offset = *r.Offset
	}
	if !r.Since.IsZero() {
		l.since = r.Since.Unix()
	}
	if !r.Until.IsZero() {
		l.until = r.Until.Unix()
	}
	return l
}

func (l PageKey) bounds() mixcloud.Range {
	r := mixcloud.Range{Limit: l.limit}
	if l.offset >= 0 {
		r.Offset = &l.offset
	}
	if l.since != noBound {
		r.Since = time.Unix(l.since, 0).UTC()
	}
	if l.until != noBound {
		r.Until = time.Unix(l.until, 0).UTC()
	}
	return r
}

// id is the path and the query of a page.
func (l PageKey) id(searched string) string {
	query := url.Values{}
	set := func(name string, value int64, sent bool) {
		if sent {
			query.Set(name, strconv.FormatInt(value, 10))
		}
	}
	set("limit", int64(l.limit), l.limit > 0)
	set("offset", int64(l.offset), l.offset >= 0)
	set("since", l.since, l.since != noBound)
	set("until", l.until, l.until != noBound)
	if l.path == "" {
		query.Set("q", l.query)
		query.Set("type", searched)
		return "/search/?" + query.Encode()
	}
	return mixcloud.ParseKey(l.path).Canonical().String() + "?" + query.Encode()
}

// class returns the list's class, which its freshness lifetime depends on.
func (l PageKey) class() upstream.Class {
	if l.path == "" {
		return upstream.ClassSearch
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(l.path, "/"), "/")
	switch first {
	case "popular", "new", "hot", "genres", "discover", "tag", "artist", "track", "categories":
		return upstream.ClassChart
	}
	return upstream.ClassList
}

type pageGetter[T any] func(c *mixcloud.Client, ctx context.Context, what string, r mixcloud.Range) (*mixcloud.Page[T], error)

// pages returns a loader of the pages of all lists of one type of item. Search is
// nil if Mixcloud has no search for the type; searched is the type's name there.
// Decode reads a cached page. Correct, unless it is nil, makes an item show the
// viewer's recent writes.
func pages[T any](searched string, list, search pageGetter[T], decode func(json.RawMessage) (*mixcloud.Page[T], error),
	correct func(*upstream.Session, T) T,
) *Loader[PageKey, *mixcloud.Page[T]] {
	c := codecOf[mixcloud.Page[T]](decode)
	return &Loader[PageKey, *mixcloud.Page[T]]{
		resource: func(_ *Loaders, key PageKey) upstream.Resource[*mixcloud.Page[T]] {
			return c.resource(key.class(), key.id(searched), func(ctx context.Context, client *mixcloud.Client) (*mixcloud.Page[T], error) {
				if key.path == "" {
					return search(client, ctx, key.query, key.bounds())
				}
				return list(client, ctx, key.path, key.bounds())
			})
		},
		correct: each(correct),
	}
}

// each returns a function that corrects the items of a copy of a page; nil for nil.
func each[T any](correct func(*upstream.Session, T) T) func(*upstream.Session, *mixcloud.Page[T]) *mixcloud.Page[T] {
	if correct == nil {
		return nil
	}
	return func(s *upstream.Session, page *mixcloud.Page[T]) *mixcloud.Page[T] {
		corrected := *page
		corrected.Items = slices.Clone(page.Items)
		for i := range corrected.Items {
			corrected.Items[i] = correct(s, corrected.Items[i])
		}
		return &corrected
	}
}
