package model

import (
	"context"
	"sync"
	"time"

	"mixcloud-graphql/mixcloud/rawjson"
)

// A Connection is a page of a list, as the Relay specification defines it.
type Connection[N any] struct {
	PageInfo *PageInfo
	items    Items[N] // nil if the connection was made of edges
	edges    func() []*Edge[N]
	len      int
	total    func(context.Context) (*int, error)
}

// An Edge is one item of a Connection with its cursor.
type Edge[N any] struct {
	Cursor string
	Node   N
}

// Items are the items of a page, which are decoded when they are needed.
type Items[N any] interface {
	Len() int
	// Cursor returns the cursor of an item.
	Cursor(i int) string
	// Node decodes an item.
	Node(i int) N
	// JSON returns an item as it was received. It is absent for an item that was changed.
	JSON(i int) rawjson.Value
}

// NewConnection returns a connection. Total returns the value of totalCount; it is nil
// if the total is unknown.
func NewConnection[N any](edges []*Edge[N], info PageInfo, total func(context.Context) (*int, error)) *Connection[N] {
	if len(edges) > 0 {
		info.StartCursor, info.EndCursor = &edges[0].Cursor, &edges[len(edges)-1].Cursor
	}
	return &Connection[N]{edges: func() []*Edge[N] { return edges }, len: len(edges), PageInfo: &info, total: total}
}

// NewItems returns a connection like [NewConnection], for items that are decoded when they are
// needed.
func NewItems[N any](items Items[N], info PageInfo, total func(context.Context) (*int, error)) *Connection[N] {
	n := items.Len()
	if n > 0 {
		start, end := items.Cursor(0), items.Cursor(n-1)
		info.StartCursor, info.EndCursor = &start, &end
	}
	edges := sync.OnceValue(func() []*Edge[N] {
		edges := make([]*Edge[N], n)
		for i := range edges {
			edges[i] = &Edge[N]{Cursor: items.Cursor(i), Node: items.Node(i)}
		}
		return edges
	})
	return &Connection[N]{items: items, edges: edges, len: n, PageInfo: &info, total: total}
}

// Len returns the number of items.
func (c *Connection[N]) Len() int { return c.len }

// JSON returns an item as it was received. It is absent for an item that was changed, and
// for a connection that was made of edges.
func (c *Connection[N]) JSON(i int) rawjson.Value {
	if c.items == nil {
		return rawjson.Value{}
	}
	return c.items.JSON(i)
}

// Cursor returns the cursor of an item.
func (c *Connection[N]) Cursor(i int) string {
	if c.items == nil {
		return c.edges()[i].Cursor
	}
	return c.items.Cursor(i)
}

// Item decodes an item.
func (c *Connection[N]) Item(i int) any {
	if c.items == nil {
		return c.edges()[i].Node
	}
	return c.items.Node(i)
}

// Info returns the position of the page.
func (c *Connection[N]) Info() *PageInfo { return c.PageInfo }

// Edges returns the items with their cursors. It never returns nil.
func (c *Connection[N]) Edges(context.Context) []*Edge[N] { return c.edges() }

// Nodes returns the items without their cursors. It never returns nil.
func (c *Connection[N]) Nodes(context.Context) []N {
	edges := c.edges()
	nodes := make([]N, len(edges))
	for i, e := range edges {
		nodes[i] = e.Node
	}
	return nodes
}

// TotalCount returns the number of items of the whole list, or nil if it is unknown.
func (c *Connection[N]) TotalCount(ctx context.Context) (*int, error) {
	if c.total == nil {
		return nil, nil
	}
	return c.total(ctx)
}

// The connections and edges of the schema.
type (
	// A CloudcastConnection is a page of cloudcasts.
	CloudcastConnection = Connection[*Cloudcast]
	// A CloudcastEdge is one cloudcast of a page.
	CloudcastEdge = Edge[*Cloudcast]
	// A UserConnection is a page of users.
	UserConnection = Connection[*User]
	// A UserEdge is one user of a page.
	UserEdge = Edge[*User]
	// A TagConnection is a page of tags.
	TagConnection = Connection[*Tag]
	// A TagEdge is one tag of a page.
	TagEdge = Edge[*Tag]
	// A CommentConnection is a page of comments.
	CommentConnection = Connection[*Comment]
	// A CommentEdge is one comment of a page.
	CommentEdge = Edge[*Comment]
	// An ActivityConnection is a page of a feed.
	ActivityConnection = Connection[Activity]
	// An ActivityEdge is one activity of a page.
	ActivityEdge = Edge[Activity]
	// A PlaylistConnection is a page of playlists.
	PlaylistConnection = Connection[*Playlist]
	// A PlaylistEdge is one playlist of a page.
	PlaylistEdge = Edge[*Playlist]
)

// A ListenConnection is a page of cloudcasts that a user has listened to. Its edges
// have the time.
type ListenConnection struct{ *Connection[*Cloudcast] }

// Edges returns the cloudcasts with their cursors and times.
func (c *ListenConnection) Edges(context.Context) []*ListenEdge {
	edges := make([]*ListenEdge, c.len)
	for i, e := range c.edges() {
		edges[i] = (*ListenEdge)(e)
	}
	return edges
}

// A ListenEdge is one cloudcast that a user has listened to.
type ListenEdge Edge[*Cloudcast]

// ListenedAt returns when the user listened, or nil if Mixcloud sends no time.
func (e *ListenEdge) ListenedAt() *time.Time { return e.Node.ListenTime }

// A ListenerConnection is a page of the users who listened to a cloudcast. Its edges
// have the time.
type ListenerConnection struct{ *Connection[*User] }

// Edges returns the users with their cursors and times.
func (c *ListenerConnection) Edges(context.Context) []*ListenerEdge {
	edges := make([]*ListenerEdge, c.len)
	for i, e := range c.edges() {
		edges[i] = (*ListenerEdge)(e)
	}
	return edges
}

// A ListenerEdge is one user who listened to a cloudcast.
type ListenerEdge Edge[*User]

// ListenedAt returns when the user listened, or nil if Mixcloud sends no time.
func (e *ListenerEdge) ListenedAt() *time.Time { return e.Node.ListenTime }

// PageInfo describes the position of a page in its list.
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string // nil on an empty page
	EndCursor       *string // nil on an empty page
}
