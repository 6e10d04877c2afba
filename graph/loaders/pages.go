package loaders

import (
	"context"
	"time"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// A List names one page of one list of REST. It is comparable: equal Lists are
// one call.
type List struct {
	path         string // such as "/spartacus/followers/"; "" for a search
	query        string // what is searched for
	limit        int
	offset       int   // -1 when none is sent
	since, until int64 // Unix seconds, noBound when none is sent
}

const noBound = -1

// Path names the part of the list at a path that r asks for.
func Path(path string, r mixcloud.Range) List { return list(path, "", r) }

// Search names the part of a search's list that r asks for.
func Search(query string, r mixcloud.Range) List { return list("", query, r) }

func list(path, query string, r mixcloud.Range) List {
	l := List{path: path, query: query, limit: r.Limit, offset: -1, since: noBound, until: noBound}
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

func (l List) bounds() mixcloud.Range {
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

type pageGetter[T any] func(c *mixcloud.Client, ctx context.Context, what string, r mixcloud.Range) (*mixcloud.Page[T], error)

// pages makes a loader of the pages of all lists of one kind of item; search
// is nil where nothing can be searched for.
// Correct, unless it is nil, makes a fresh item show the viewer's writes.
func pages[T any](l *Loaders, list, search pageGetter[T], correct func(*upstream.Session, *T)) *Loader[List, *mixcloud.Page[T]] {
	loader := newLoader(l.operation, func(ctx context.Context, key List) (*mixcloud.Page[T], error) {
		page, err := upstream.Read(ctx, l.session, func(ctx context.Context, c *mixcloud.Client) (*mixcloud.Page[T], error) {
			if key.path == "" {
				return search(c, ctx, key.query, key.bounds())
			}
			return list(c, ctx, key.path, key.bounds())
		})
		if err == nil && correct != nil {
			for i := range page.Items {
				correct(l.session, &page.Items[i])
			}
		}
		return page, err
	})
	l.forget = append(l.forget, loader.forget)
	return loader
}

func correctFullCloudcast(s *upstream.Session, c *mixcloud.FullCloudcast) {
	s.CorrectCloudcast(&c.Cloudcast)
}

func correctPlaylist(s *upstream.Session, p *mixcloud.Playlist) {
	if p.Owner != nil {
		s.CorrectUser(p.Owner)
	}
}

func correctComment(s *upstream.Session, c *mixcloud.Comment) {
	if c.User != nil {
		s.CorrectUser(c.User)
	}
}

func correctActivity(s *upstream.Session, a *mixcloud.Activity) {
	if a.From != nil {
		s.CorrectUser(a.From)
	}
	for i := range a.Users {
		s.CorrectUser(&a.Users[i])
	}
	for i := range a.Cloudcasts {
		s.CorrectCloudcast(&a.Cloudcasts[i])
	}
}
