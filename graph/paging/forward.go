package paging

import (
	"context"
	"slices"

	"mixcloud-graphql/mixcloud"
)

// forward gives the first items, or those after a cursor.
func (r *reader[T]) forward(ctx context.Context, from *Cursor) (*Result[T], error) {
	var entries []entry[T]
	var more bool
	var err error
	switch {
	case from == nil:
		entries, more, err = r.first(ctx)
	case from.Kind == ByOffset:
		entries, more, err = r.offsets(ctx, nil, from.Offset+1, r.req.size)
	default:
		entries, more, err = r.after(ctx, *from)
	}
	if err != nil {
		return nil, err
	}
	result := &Result[T]{HasPreviousPage: r.startsLater()}
	if n := len(entries); !more && !r.startsLater() && r.unfiltered() {
		result.Total = &n
	}
	if len(entries) > r.req.size {
		entries, more = entries[:r.req.size], true
	}
	result.Edges, result.HasNextPage = r.edges(entries), more && len(entries) > 0
	return result, nil
}

// first reads from the top of the list, or from the offset that the client
// asked for, and learns from the answer how the list pages.
func (r *reader[T]) first(ctx context.Context) ([]entry[T], bool, error) {
	n := r.req.size
	if r.req.offset != nil {
		return r.offsets(ctx, nil, *r.req.offset, n)
	}
	s, err := r.down(ctx, noTime, n, nil)
	if err != nil {
		return nil, false, err
	}
	if s.scheme == byOffset || s.scheme == unknown && s.kind() == ByOffset {
		return r.offsets(ctx, s, 0, n)
	}
	return r.walk(ctx, s, s.entries, nil, n)
}

// after reads on from a cursor.
func (r *reader[T]) after(ctx context.Context, from Cursor) ([]entry[T], bool, error) {
	rest, s, err := r.resume(ctx, from, r.req.size)
	if err != nil {
		return nil, false, err
	}
	return r.walk(ctx, s, rest, map[ident]bool{from.ident(): true}, r.req.size)
}

// walk completes entries, the useful part of s, to n of them: page after page
// down a list that goes by date. It stops where the list does, at a page that
// brings nothing new, and after maxForwardCalls.
func (r *reader[T]) walk(ctx context.Context, s *sheet[T], entries []entry[T], seen map[ident]bool, n int) ([]entry[T], bool, error) {
	if seen == nil {
		seen = make(map[ident]bool)
	}
	var held []entry[T]
	take := func(entries []entry[T]) bool {
		before := len(held)
		for _, e := range entries {
			if id := e.at.ident(); !seen[id] {
				seen[id] = true
				held = append(held, e)
			}
		}
		return len(held) > before
	}
	take(entries)
	for len(held) < n && s.next != nil && r.calls < maxForwardCalls {
		var rest []entry[T]
		next := s
		var err error
		if len(s.entries) > 0 {
			rest, next, err = r.resume(ctx, s.last(), n-len(held))
			if err != nil {
				return nil, false, err
			}
		}
		if take(rest) || next.last().ident() != s.last().ident() {
			s = next
			continue
		}
		if next.next == nil {
			return held, false, nil
		}
		// Nothing new and yet more: a second that does not fit a page, or a page
		// that is empty or the one before. What is older can still be reached.
		s, err = r.step(ctx, next, n-len(held))
		if err != nil {
			return nil, false, err
		}
		if s == nil || !take(s.entries) && len(s.entries) > 0 {
			r.log.WarnContext(ctx, "list repeats itself: reading stops", "list", r.list.Identity)
			return held, true, nil
		}
	}
	return held, s.next != nil, nil
}

// step reads what is older than the second in which s ends; nil if s does not
// say where that is, or says nothing new.
func (r *reader[T]) step(ctx context.Context, s *sheet[T], n int) (*sheet[T], error) {
	until := s.bottom
	if len(s.entries) == 0 {
		until, _ = secondOf(s.next.Until)
	}
	if until == noTime || !s.asked.Until.IsZero() && until >= s.asked.Until.Unix() {
		return nil, nil
	}
	if len(s.entries) > 0 {
		r.log.WarnContext(ctx, "more items in one second than fit a page: the others are skipped",
			"list", r.list.Identity, "second", timeOf(until), "page", len(s.entries))
	}
	return r.down(ctx, until, r.atMost(n), nil)
}

// down reads a page from the newest item older than until, noTime for the top.
//
// It is not known which end of the list since gives when more items are newer
// than a page can hold. Where items carry their time, since is therefore not
// sent; what is too old is cut off here. Elsewhere since is sent, and if the
// page is neither all there is nor next to the cursor (which beside tells; nil
// for no cursor), the same page is read without: as many items as that are
// newer than since for certain.
func (r *reader[T]) down(ctx context.Context, until int64, limit int, beside func(*sheet[T]) bool) (*sheet[T], error) {
	asked := mixcloud.Range{Limit: limit, Until: timeOf(r.before(until))}
	if r.list.Time != nil {
		s, err := r.fetch(ctx, asked, 0)
		if err != nil || r.req.since == noTime {
			return s, err
		}
		if len(s.entries) == 0 || s.kind() == ByTime {
			s.cut(r.req.since)
			return s, nil
		}
	}
	asked.Since = timeOf(r.req.since)
	s, err := r.fetch(ctx, asked, 0)
	if err != nil || r.req.since == noTime || s.complete || s.kind() == ByOffset || beside != nil && beside(s) {
		return s, err
	}
	asked.Since = timeOf(noTime)
	all, err := r.fetch(ctx, asked, 0)
	if err != nil {
		return nil, err
	}
	all.entries = all.entries[:min(len(all.entries), len(s.entries))]
	return all, nil
}

// kind is the kind of the sheet's cursors; 0 on an empty one.
func (s *sheet[T]) kind() Kind {
	if len(s.entries) == 0 {
		return 0
	}
	return s.entries[0].at.Kind
}

// cut drops the entries that are not newer than since. Behind them is nothing.
func (s *sheet[T]) cut(since int64) {
	for i, e := range s.entries {
		if e.at.Second <= since {
			s.entries, s.next = s.entries[:i], nil
			return
		}
	}
}

// resume reads a page of at least n items after a cursor, if the list has them
// and the page can hold them. Rest are the entries after the cursor, to the end
// of the sheet.
func (r *reader[T]) resume(ctx context.Context, from Cursor, n int) (rest []entry[T], s *sheet[T], err error) {
	if from.Kind == ByTime {
		return r.resumeTime(ctx, from, n)
	}
	return r.resumePage(ctx, from, n)
}

// resumeTime begins with the whole of the cursor's second, so that those of it
// that come after the cursor are not lost.
func (r *reader[T]) resumeTime(ctx context.Context, from Cursor, n int) (rest []entry[T], s *sheet[T], err error) {
	for limit := r.atMost(n + from.Place + 1); ; limit = r.limit {
		s, err = r.down(ctx, from.Second+1, limit, nil)
		if err != nil {
			return nil, nil, err
		}
		lo, hi := run(s.entries, from.Second)
		known := hi < len(s.entries) || s.next == nil // the whole second is in view
		at, sure := find(s.entries, from.ident())+1, true
		if at == 0 {
			at, sure = spot(s.entries, lo, hi, from)
		} else {
			known = true
		}
		switch rest = s.entries[at:]; {
		case known && (len(rest) > 0 || s.next == nil):
			return rest, s, nil
		case limit < r.limit:
			continue // the second holds more than the cursor knew of: look deeper
		case !known && !sure:
			rest = nil // deeper than a page: nothing in view is known to come after
		}
		return rest, s, nil
	}
}

// resumePage looks for the cursor's item.
func (r *reader[T]) resumePage(ctx context.Context, from Cursor, n int) (rest []entry[T], s *sheet[T], err error) {
	found := func(s *sheet[T]) bool { return find(s.entries, from.ident()) >= 0 }
	// The last item of a page can be looked for where it stands...
	if from.Next != noTime {
		s, err = r.down(ctx, from.Next+1, r.atMost(n+1), found)
		if err != nil {
			return nil, nil, err
		}
		at, known := find(s.entries, from.ident())+1, true
		if at == 0 {
			at, known = s.guessLast(from)
		}
		if known && (at < len(s.entries) || s.next == nil) {
			return s.entries[at:], s, nil
		}
	}
	// ...any other one where its page begins.
	entries, at, s, err := r.seek(ctx, from, r.atMost(n+from.Place+1), func(until int64, limit int) (*sheet[T], error) {
		return r.down(ctx, until, limit, found)
	})
	if err != nil {
		return nil, nil, err
	}
	if at < len(entries) && entries[at].at.Key == from.Key {
		at++
	}
	if at < len(entries) || s.next == nil || from.Next == noTime {
		return entries[at:], s, nil
	}
	// The cursor's page is full to its end, and the second in which it ends goes
	// on for longer than was looked.
	deep, err := r.down(ctx, from.Next+1, r.limit, found)
	if err != nil {
		return nil, nil, err
	}
	if at := find(deep.entries, from.ident()) + 1; at > 0 {
		return deep.entries[at:], deep, nil
	}
	return nil, s, nil
}

// seek finds the item of a page cursor, or else the spot where it stood, on the
// page that begins as the cursor's own did. Read gets a page. Entries are what
// was read, without a hole, and s its last sheet.
func (r *reader[T]) seek(ctx context.Context, from Cursor, limit int, read func(until int64, limit int) (*sheet[T], error)) (entries []entry[T], at int, s *sheet[T], err error) {
	until := int64(noTime)
	if from.Second != noTime {
		until = from.Second + 1
	}
	if s, err = read(until, limit); err != nil {
		return nil, 0, nil, err
	}
	entries, top := s.entries, s.top
	for further := false; ; {
		if at = find(entries, from.ident()); at >= 0 {
			return entries, at, s, nil
		}
		guess, sure := spot(entries, 0, len(entries), from)
		// It may only have moved down and out of view: by items that came in
		// above it, in the second with which its page begins, or because its page
		// did not begin with the whole of that second. Not if that second is
		// empty now, nor if its neighbour is in view and the second is at an end.
		emptied := top != noTime && top < from.Second
		beside := sure && s.bottom != noTime && s.bottom < from.Second
		if emptied || beside || s.next == nil || further {
			return entries, guess, s, nil
		}
		if limit < r.limit {
			limit = r.limit
			if s, err = read(until, limit); err != nil {
				return nil, 0, nil, err
			}
			entries, top = s.entries, s.top
			continue
		}
		if further = true; s.bottom == noTime || len(entries) == 0 {
			continue
		}
		below, err := read(s.bottom+1, limit)
		if err != nil {
			return nil, 0, nil, err
		}
		if end := find(below.entries, entries[len(entries)-1].at.ident()); end >= 0 {
			entries, s = slices.Concat(entries, below.entries[end+1:]), below
		}
	}
}
