// Package model contains the objects of the graph. Each object wraps a value that package mixcloud
// decoded, and implements the fields that differ from REST in name or in value. Fields that need a
// load, because a partial value lacks them, are implemented by resolvers.
//
// Objects are immutable and safe for concurrent use.
//
// A method that returns other objects has a context parameter that it does not use. For
// such methods gqlgen resolves the field concurrently with the other fields of the
// object. Otherwise it would resolve the field first, with all loads below it, and delay
// the loads of the other fields.
package model

// A Node is an object with a global id.
type Node interface{ IsNode() }

// A Resource is an object with a page on mixcloud.com.
type Resource interface {
	Node
	IsResource()
}

// MaxElements is the maximum number of ids of Query.nodes, and of keys of
// Query.resources.
const MaxElements = 100
