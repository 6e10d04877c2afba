// Package model holds the objects of the graph. Each wraps the value that
// mixcloud decoded and adds what GraphQL names or sees differently; what a
// partial value lacks is not here but in a resolver, which loads it.
//
// Objects are immutable once made and safe for concurrent use.
package model

// A Node is anything with a global id.
type Node interface{ IsNode() }

// A Resource is anything that has a page of its own on mixcloud.com.
type Resource interface {
	Node
	IsResource()
}
