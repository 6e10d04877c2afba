package resolvers

import (
	"cmp"
	"context"
	"sync"
	"time"

	"mixcloud-graphql/graph/lists"
	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// The payload of an action that adds to one of the viewer's lists contains the edge of the new item
// in that list, so that a client can show it without reading the list again. Its cursor is that of
// a written item (paging.ByWrite): the position of the item is found when a page after it is read.
// See docs/adr/0035-edges-in-mutation-payloads.md.

// changedEdge returns a function that loads the edge of the item that an action has
// added. The cursor is bound to the owner of the list. So the viewer is loaded too,
// but only if the cursor is selected. The edge is nil if the node is.
func changedEdge[N comparable](a action, key mixcloud.Key, load func(context.Context) (N, error)) func(context.Context) (*model.Edge[N], error) {
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

// writtenCursor returns the cursor of an item that was just written, in the viewer's
// list.
func writtenCursor(ctx context.Context, flag upstream.Flag, key mixcloud.Key) (string, error) {
	me, err := loadViewer(ctx)
	if err != nil {
		return "", err
	}
	identity := "" // the action changes none of the viewer's lists
	if l, ok := lists.ByFlag(flag); ok {
		identity = lists.Identity(me.Key.Canonical().String(), l.Segment)
	}
	at := time.Now()
	for _, w := range loaders.From(ctx).Session().Recent(flag) {
		if w.Key == key.Canonical() {
			at = w.At
		}
	}
	return paging.NewWriteCursor(key.Canonical().String(), at.UnixMilli()).Encode(paging.BindUnbounded(identity)), nil
}
