// Package lists is the table of the graph's connections: where each list stands
// in Mixcloud's REST API and how it behaves there.
//
// The resolvers read lists by this table, and the cost estimator derives from the
// same rows how many calls a page can take, so a fact about a list is written
// once. A connection of the schema that has no row here makes the estimator
// return an error, and a test names the file and the line of the field.
package lists

import (
	"maps"
	"slices"

	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// A List is what is known of the connections of some fields.
type List struct {
	// Fields are the fields of the schema that read this list, such as
	// "User.cloudcasts".
	Fields []string
	// Segment is the last part of the list's address in REST. Cursors are bound
	// to it, so it must not change.
	Segment string
	// FormerSegment is the segment that the list had in older versions of the API, or "".
	// It is tried if Mixcloud finds nothing under Segment.
	FormerSegment string
	// Dated says that each item carries the time at which it came onto the list.
	Dated bool
	// Unpaged says that Mixcloud ignores limit and offset and always returns the
	// whole list.
	Unpaged bool
	// Repeats says that the list may hold one item more than once.
	Repeats bool
	// Count returns Mixcloud's counter of the list. It is a member of the full
	// form of the user who owns the list. Nil if there is no such member.
	Count func(*mixcloud.FullUser) *int
	// Own is set for the lists that a viewer's own writes change. The viewer's
	// list, and its count, are corrected for writes that Mixcloud does not show yet.
	Own *Own
}

// Own is how a viewer's writes change a list.
type Own struct {
	Flag upstream.Flag // what the writes switch on and off
	// CountField is the field of the schema that returns the list's count; "" if
	// there is none.
	CountField string
}

// MaxOwnCalls is how many calls the correction of an own list adds to a page at
// most, in addition to the loads of the items that were written: one for the first
// hundred items, and those of a page that replaces the items that are left out.
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
		if l.Own != nil && l.Own.Flag == flag {
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
		if l.Own != nil && l.Own.CountField != "" {
			counts[l.Own.CountField] = true
		}
	}
	return counts
}
