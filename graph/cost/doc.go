// Package cost estimates, before the first call, how many calls to Mixcloud's REST
// API an operation can make at most.
//
// The price of a field is its directive @cost in the sources of the schema
// (graph/schema/cost.graphqls documents it). The maximum size of a list without
// pages is its @listSize; the size of a page follows from the arguments of the
// connection. The table of graph/lists describes each connection, and graph/paging
// computes the calls for a page. Clients do not see these directives: the
// description of a field ends with its cost, and a test compares the two.
//
// # Which work is counted once
//
// The estimate counts work once if the document alone shows that it is shared: a
// field that is selected twice on one object with equal arguments, under any aliases
// and in any fragments; the load of an object, for all of its fields; the items of a
// page under nodes and under edges. Work that is only shared for some responses, such
// as the load of one uploader for two cloudcasts, is counted separately.
//
// # When the bound holds
//
// The estimate assumes an empty cache, full pages and no retries. If Mixcloud returns shorter
// pages, an operation can make more calls. Calls are also counted while the operation runs, against
// the same budget.
package cost
