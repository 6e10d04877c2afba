// Package lists contains a table of the connections of the schema, with the path and the properties
// of each list in Mixcloud's REST API.
//
// The resolvers read lists by this table. The cost estimator uses the same rows for the
// maximum number of calls per page. If a connection of the schema has no row, the
// estimator returns an error, and a test names the file and the line of the field.
package lists

import (
	"maps"
	"slices"

	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// A List describes a list of the REST API that one or more fields of the schema read.
type List struct {
	// Fields are the fields of the schema that read this list, such as
	// "User.cloudcasts".
	Fields []string
	// Segment is the last path segment of the list's URL in REST. It is part of the cursors, so it
	// must not change.
	Segment string
	// FormerSegment is the segment that the list had in older versions of the API, or "".
	// It is called if Mixcloud returns 404 for Segment.
	FormerSegment string
	// Dated is set if each item has the time at which it was added to the list.
	Dated bool
	// Unpaged is set if Mixcloud ignores limit and offset and always returns the whole
	// list.
	Unpaged bool
	// ViewerOnly is set if Mixcloud returns the list only to its owner. Its path starts with /me/.
	ViewerOnly bool
	// Repeats is set if the list can contain the same item more than once.
	Repeats bool
	// Count returns Mixcloud's counter of the list. It is a member of the full
	// form of the user who owns the list. Nil if there is no such member.
	Count func(*mixcloud.FullUser) *int
	// Writable is set for the lists that a viewer's own writes change. The viewer's
	// list, and its count, are corrected for writes that Mixcloud does not show yet.
	Writable *Writable
}

// Writable describes a list that a viewer's own writes change, called an own list.
type Writable struct {
	Flag upstream.Flag // the flag that the writes switch on and off
	// CountField is the field of the schema that returns the list's count, or "".
	CountField string
}

// Identity returns the identity of an owner's list in the binding of its cursors. Owner is the
// canonical key of the owner, or the name of the root field; name is the segment of the list,
// and its filter.
func Identity(owner, name string) string { return owner + "|" + name }

// MaxOwnCalls is the maximum number of calls that the correction of an own list adds to a page: one
// for the first hundred items, and those of a page that replaces hidden items. It does not include
// the loads of the written items.
var MaxOwnCalls = 1 + paging.MaxCallsAfter(paging.ByPage)

// ByField returns the list that a field of the schema reads, such as
// "User.cloudcasts".
func ByField(field string) (List, bool) {
	l, ok := byField[field]
	return l, ok
}

// ByFlag returns the own list that a flag changes.
func ByFlag(flag upstream.Flag) (List, bool) {
	for _, l := range all {
		if l.Writable != nil && l.Writable.Flag == flag {
			return l, true
		}
	}
	return List{}, false
}

// Fields returns the fields of all lists, sorted.
func Fields() []string { return slices.Sorted(maps.Keys(byField)) }

// OwnCounts returns the fields that return the count of an own list.
func OwnCounts() map[string]bool {
	counts := map[string]bool{}
	for _, l := range all {
		if l.Writable != nil && l.Writable.CountField != "" {
			counts[l.Writable.CountField] = true
		}
	}
	return counts
}
