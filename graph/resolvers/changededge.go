package resolvers

import (
	"cmp"
	"context"
	"sync"
	"time"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// The payload of an action that adds to one of the viewer's lists has the edge
// that the list has for the new item, so that a client can show it without
// reading the list again. The cursor is that of a written item (paging.ByWrite):
// where the item stands is found out when a page after it is read. See
// docs/adr/0035-edges-of-writes.md.

// listOf returns the identity of the viewer's list that a flag changes; "" if
// there is none.
func listOf(ctx context.Context, flag upstream.Flag, viewer *model.User) string {
	switch flag {
	case upstream.Favorited:
		return favorites(ctx, viewer).identity()
	case upstream.ListenLater:
		return laters(ctx, viewer).identity()
	case upstream.Following:
		return following(ctx, viewer).identity()
	default:
		return ""
	}
}

// changedEdge returns a function that looks up the edge of what an action has
// added. The binding of the cursor names the owner of the list, so the viewer is
// looked up, but only if the cursor is selected. The edge is nil if the node is.
func changedEdge[N comparable](a action, key string, load func(context.Context) (N, error)) func(context.Context) (*model.Edge[N], error) {
	return func(ctx context.Context) (*model.Edge[N], error) {
		var cursor string
		var failed error
		var group sync.WaitGroup
		if selects(ctx, "cursor") {
			group.Go(func() { cursor, failed = writtenCursor(ctx, a.flag, key) })
		}
		node, err := load(ctx)
		group.Wait()
		if err = cmp.Or(err, failed); err != nil || node == *new(N) {
			return nil, err
		}
		return &model.Edge[N]{Cursor: cursor, Node: node}, nil
	}
}

// writtenCursor returns the cursor that the viewer's list has for an item that
// was just written.
func writtenCursor(ctx context.Context, flag upstream.Flag, key string) (string, error) {
	me, err := viewer(ctx)
	if err != nil {
		return "", err
	}
	at := time.Now()
	for _, w := range loaders.From(ctx).Session().Recent(flag) {
		if w.Key == mixcloud.Canonical(key) {
			at = w.At
		}
	}
	return paging.NewWriteCursor(mixcloud.Canonical(key), at.UnixMilli()).Encode(paging.BindUnbounded(listOf(ctx, flag, me))), nil
}
