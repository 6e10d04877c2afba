package loaders

import (
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// Prefetch returns the read of a key, for [upstream.Session.LookAhead].
func (l *Loader[K, V]) Prefetch(operation *Loaders, parent upstream.ResourceID, key K) upstream.Prefetch {
	return upstream.NewPrefetch(parent, l.resource(operation, key))
}

// ID identifies the resource at a key.
func (l *ResourceLoader[T]) ID(key mixcloud.Key) upstream.ResourceID {
	return upstream.ResourceID{Class: l.class, ID: key.Canonical().String()}
}

// ViewerID identifies the user that [Loaders.Viewer] loads.
var ViewerID = upstream.ResourceID{Class: upstream.ClassViewer, ID: viewerPath}
