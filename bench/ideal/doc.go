// Package ideal says what a query costs at best: how few calls of the REST API
// answer it, and in how many rounds they can be made.
//
// It knows the facts of the API that decide about cost (facts.go), the shape of
// the graph, and a Mixcloud to look at; it knows nothing of the server's
// resolvers, loaders, paging or client, so that a mistake there cannot hide
// here. It walks the query over what that Mixcloud holds and notes each call
// that cannot be avoided.
//
// # What counts as the least
//
//   - A member that comes along with a list or a nested resource costs nothing.
//     Any number of members that do not come along cost one call for the
//     resource, however often and under whatever spelling it appears.
//   - A page of a list is one call: the same page asked for twice is one, and
//     pages of one list that differ in size or place are several. (One that
//     holds another could stand for it, but nobody can know that before the
//     whole of a query was looked at.)
//   - since is not sent where items say when they came onto their list: the page
//     without it is cut, and is the same call as the page without a bound. until
//     is sent, in whole seconds, and makes another page of the list.
//   - A look-up by name or key is one call, and so is the look-up of an owner
//     whose lists alone are asked for: it says whether the owner exists.
//   - totalCount costs nothing when the page is the whole list or the number
//     came along, and the owner's call otherwise. With since or until it is null
//     and costs nothing: Mixcloud counts whole lists.
//
// # What counts as the critical path
//
// All calls take one unit of time. A call is made when what it depends on has
// arrived, as the fields of a query nest; at most a fixed number is under way,
// first come, first served. The path is the time at which the last one ends. So
// a hundred independent calls at 32 at once are four rounds.
package ideal
