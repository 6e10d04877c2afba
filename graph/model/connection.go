package model

import (
	"context"
	"time"
)

// A Connection is a page of a list in the form that Relay specifies.
type Connection[N any] struct {
	PageInfo *PageInfo
	edges    []*Edge[N]
	total    func(context.Context) (*int, error)
}

// An Edge is one item of a Connection and its place.
type Edge[N any] struct {
	Cursor string
	Node   N
}

// NewConnection makes a connection of its edges. Total is asked at most once
// for each selection of totalCount; nil means that nobody knows.
func NewConnection[N any](edges []*Edge[N], info PageInfo, total func(context.Context) (*int, error)) *Connection[N] {
	if len(edges) > 0 {
		info.StartCursor, info.EndCursor = &edges[0].Cursor, &edges[len(edges)-1].Cursor
	}
	return &Connection[N]{edges: edges, PageInfo: &info, total: total}
}

// Len returns the number of items, whatever is selected of them.
func (c *Connection[N]) Len() int { return len(c.edges) }

// Edges are the items and their places; never nil.
func (c *Connection[N]) Edges(context.Context) []*Edge[N] { return c.edges }

// Nodes are the items alone; never nil.
func (c *Connection[N]) Nodes(context.Context) []N {
	nodes := make([]N, len(c.edges))
	for i, e := range c.edges {
		nodes[i] = e.Node
	}
	return nodes
}

// TotalCount is how many items the list holds, nil when nobody knows.
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
	// A CloudcastEdge is one of them.
	CloudcastEdge = Edge[*Cloudcast]
	// A UserConnection is a page of users.
	UserConnection = Connection[*User]
	// A UserEdge is one of them.
	UserEdge = Edge[*User]
	// A TagConnection is a page of tags.
	TagConnection = Connection[*Tag]
	// A TagEdge is one of them.
	TagEdge = Edge[*Tag]
	// A CommentConnection is a page of comments.
	CommentConnection = Connection[*Comment]
	// A CommentEdge is one of them.
	CommentEdge = Edge[*Comment]
	// An ActivityConnection is a page of a feed.
	ActivityConnection = Connection[Activity]
	// An ActivityEdge is one of its lines.
	ActivityEdge = Edge[Activity]
	// A PlaylistConnection is a page of playlists.
	PlaylistConnection = Connection[*Playlist]
	// A PlaylistEdge is one of them.
	PlaylistEdge = Edge[*Playlist]
)

// A ListenConnection is a page of listens: cloudcasts whose edges say when
// they were listened to.
type ListenConnection struct{ *Connection[*Cloudcast] }

// Edges are the listens.
func (c *ListenConnection) Edges(context.Context) []*ListenEdge {
	edges := make([]*ListenEdge, len(c.edges))
	for i, e := range c.edges {
		edges[i] = (*ListenEdge)(e)
	}
	return edges
}

// A ListenEdge is one listen.
type ListenEdge Edge[*Cloudcast]

// ListenedAt is when they listened; nil when Mixcloud does not say.
func (e *ListenEdge) ListenedAt() *time.Time { return e.Node.ListenTime }

// A ListenerConnection is a page of a cloudcast's listeners: users whose edges
// say when they listened.
type ListenerConnection struct{ *Connection[*User] }

// Edges returns the listeners with their cursors.
func (c *ListenerConnection) Edges(context.Context) []*ListenerEdge {
	edges := make([]*ListenerEdge, len(c.edges))
	for i, e := range c.edges {
		edges[i] = (*ListenerEdge)(e)
	}
	return edges
}

// A ListenerEdge is one user who listened.
type ListenerEdge Edge[*User]

// ListenedAt returns when the user listened; nil when Mixcloud does not say.
func (e *ListenerEdge) ListenedAt() *time.Time { return e.Node.ListenTime }

// PageInfo says where a page stands in its list.
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string // nil on an empty page
	EndCursor       *string // nil on an empty page
}
