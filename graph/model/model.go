// Package model holds the objects of the graph. Each wraps the value that
// mixcloud decoded and adds what GraphQL names or sees differently; what a
// partial value lacks is not here but in a resolver, which loads it.
//
// Objects are immutable once made and safe for concurrent use.
//
// A method that gives other objects takes a context that it has no use for. By
// that gqlgen answers its field beside the others of the object, and not before
// any of them is begun: something below it may have to be loaded, and would hold
// up what is loaded for its siblings.
package model

// A Node is anything with a global id.
type Node interface{ IsNode() }

// A Resource is anything that has a page of its own on mixcloud.com.
type Resource interface {
	Node
	IsResource()
}

// MaxElements is how many ids Query.nodes takes at most, and how many keys
// Query.resources takes.
const MaxElements = 100
