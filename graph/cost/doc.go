// Package cost says before the first call how many calls of Mixcloud's REST API
// an operation can take at most.
//
// What a field costs stands in one place, the description of the field: the
// sentence that begins with "Cost" is a closed grammar, which this package reads
// from the schema. How many items a list can have stands beside it, in the
// table of bounds.go: a page has as many as its arguments ask for, and a list
// that comes along has as many as Mixcloud ever puts into it.
//
// # What is counted once
//
// What is the same for certain, by the document alone: a field that is selected
// twice of one object with equal arguments, under whatever aliases and in
// whatever fragments; all members of one object that take a load; the items of
// a page under nodes and under edges. What only turns out to be the same (two
// cloudcasts of one uploader) is counted as often as it can differ.
//
// # What the bound holds for
//
// A cold cache, pages as full as they were asked for, and no call that has to
// be made again. Where Mixcloud gives less than that, an operation can take
// more calls; those are counted while they are made, against the same budget.
package cost
