// Package ideal computes the minimum cost of a query: the minimum number of calls of the REST API,
// and the minimum number of rounds in which they can be made.
//
// It uses the facts about the API that determine the cost (facts.go), the schema, and an emulator
// that responds to the calls. It is independent of the server's resolvers, loaders, paging and
// client, so that it does not repeat their mistakes. It walks the query over the responses, and
// records each call that cannot be avoided.
//
// # Number of calls
//
//   - A member that lists and nested resources contain costs nothing. Any number of other members
//     of a resource cost one call, however often the resource appears, in any spelling.
//   - A page of a list is one call. The same page twice is one call; pages of one list with
//     different sizes or positions are several. (The items of a page could be taken from a longer
//     page, but then the server would have to examine the whole query first.)
//   - since is not sent for a list whose items have the time at which they were added: the page is
//     read without it and filtered, and is the same call as the page without a bound. until is
//     sent, in whole seconds, and is a different page of the list.
//   - A look-up by name or key is one call. So is the look-up of an owner of which only lists are
//     selected: it determines whether the owner exists.
//   - totalCount costs nothing if the page is the whole list, or if every form of the owner
//     contains the number. Otherwise it costs the owner's call. With since or until it is null and
//     costs nothing, because Mixcloud counts whole lists.
//
// # Critical path
//
// Each call takes one unit of time. It starts when the calls that it depends on have finished, as
// the fields of the query are nested. A list of a resource that a root field looks up does not
// depend on the resource, since the arguments of the root field determine its path; with a token it
// does, because the path of the viewer's own lists is different. At most a fixed number of calls
// run in parallel, first come, first served. The critical path is the time at which the last call
// ends. So a hundred independent calls, 32 in parallel, are four rounds.
package ideal
