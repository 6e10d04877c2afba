// Package cost says before the first call how many calls of Mixcloud's REST API
// an operation can take at most.
//
// What a field costs is data: the directive @cost of the field, in the sources of
// the schema (graph/schema/cost.graphqls explains it). A list that comes along
// with its object has its largest size in @listSize; a page has as many items as
// its arguments ask for. How a connection behaves is in the table of graph/lists,
// and how many calls a page takes is in graph/paging. Clients see none of these
// directives: they read the sentence in the field's description that begins with
// "Cost", which a test compares with the directive.
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
