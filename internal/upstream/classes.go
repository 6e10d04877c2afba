package upstream

import (
	"time"

	"mixcloud-graphql/internal/cache"
)

// A Class is a kind of resource. It determines the cache lifetime, see lifetimes, and the circuit
// breaker, see [Class.route].
type Class uint8

// The classes.
const (
	ClassUser         Class = iota // a user by key
	ClassCloudcast                 // a cloudcast by key
	ClassTag                       // a tag, a city or a combination of them
	ClassCategory                  // a category by key
	ClassPlaylist                  // a playlist by key
	ClassArtist                    // an artist by key
	ClassTrack                     // a track by key
	ClassList                      // a page of a list of a user, a cloudcast or a playlist
	ClassChart                     // a page of a list that Mixcloud computes: popular, hot, new, of a tag, of a category
	ClassSearch                    // a page of search results
	ClassCategoryList              // the list of all categories
	ClassEmbed                     // a player's HTML; requested without a token, so the same for all callers
	ClassViewer                    // the holder of the token, as "/me/"

	classes int = iota
)

// names are the names of the classes in configuration and documentation.
var names = [classes]string{
	"user", "cloudcast", "tag", "category", "playlist", "artist", "track",
	"list", "chart", "search", "categories", "player", "viewer",
}

// String returns the class's name, such as "cloudcast".
func (c Class) String() string { return names[c] }

// Classes returns all classes in the table's order.
func Classes() []Class {
	all := make([]Class, classes)
	for i := range all {
		all[i] = Class(i) //nolint:gosec // fewer than 256 classes
	}
	return all
}

// Lifetime returns the class's row of the table.
func (c Class) Lifetime() Lifetime { return lifetimes[c] }

// A Lifetime is how long the responses of a class may be used.
type Lifetime = cache.Lifetime

const (
	second = time.Second
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
)

// lifetimes is the only table of cache lifetimes. Tags, categories and players change only with
// releases of the site. Resources change when their owners edit them, and their counts change
// all the time. Lists change with every user action. A resource that is not found may exist
// soon, for example if it was just uploaded.
var lifetimes = [classes]Lifetime{
	//                  fresh, revalidate, retain, negative TTL
	ClassUser:         row(5*minute, 1*hour, 1*day, 1*minute),
	ClassCloudcast:    row(5*minute, 1*hour, 1*day, 30*second),
	ClassTag:          row(1*hour, 1*day, 1*day, 10*minute),
	ClassCategory:     row(1*hour, 1*day, 1*day, 10*minute),
	ClassPlaylist:     row(5*minute, 1*hour, 1*day, 1*minute),
	ClassArtist:       row(1*hour, 1*day, 1*day, 10*minute),
	ClassTrack:        row(1*hour, 1*day, 1*day, 10*minute),
	ClassList:         row(1*minute, 30*minute, 1*day, 30*second),
	ClassChart:        row(2*minute, 1*hour, 1*day, 10*minute),
	ClassSearch:       row(5*minute, 1*hour, 1*day, 1*minute),
	ClassCategoryList: row(6*hour, 1*day, 1*day, 10*minute),
	ClassEmbed:        row(6*hour, 1*day, 1*day, 10*minute),
	ClassViewer:       row(30*second, 0, 1*day, 0),
}

func row(fresh, revalidate, retain, negativeTTL time.Duration) Lifetime {
	return Lifetime{Fresh: fresh, Revalidate: revalidate, Retain: retain, NegativeTTL: negativeTTL}
}

// A route is a part of Mixcloud that fails independently of the others. Each has a circuit
// breaker.
type route uint8

const (
	routeResource route = iota // a resource by its key
	routeList                  // lists of a resource
	routeChart                 // lists of a tag or a category, which Mixcloud computes
	routeFixed                 // the fixedAddresses
	routeSearch
	routeEmbed  // a different host, at least for oEmbed
	routeViewer // requests that check a token
	routeWrite

	routes int = iota
)

func (c Class) route() route {
	switch c {
	case ClassList:
		return routeList
	case ClassChart, ClassCategoryList:
		return routeChart
	case ClassSearch:
		return routeSearch
	case ClassEmbed:
		return routeEmbed
	case ClassViewer:
		return routeViewer
	default:
		return routeResource
	}
}

// String returns the route's name in the log.
func (r route) String() string {
	return [...]string{"resource", "list", "chart", "fixed", "search", "embed", "viewer", "write"}[r]
}
