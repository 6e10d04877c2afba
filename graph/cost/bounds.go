package cost

import "mixcloud-graphql/graph/paging"

// bounds says how many objects a list has at most that has no pages. A list is
// missing here only if nothing can cost a call below it, which New checks.
var bounds = map[string]int64{
	"Cloudcast.tags":     5,  // documented
	"Cloudcast.hosts":    2,  // documented
	"Cloudcast.sections": 40, // recorded: up to 20, and none in what Mixcloud gives since 2017
	"Query.categories":   40, // recorded: 38

	// Every line that was recorded is about one.
	"UploadActivity.cloudcasts":   1,
	"ListenActivity.cloudcasts":   1,
	"FavoriteActivity.cloudcasts": 1,
	"FollowActivity.users":        1,
	"OtherActivity.cloudcasts":    1,
	"OtherActivity.users":         1,
	"UploadActivity.subjects":     1,
	"ListenActivity.subjects":     1,
	"FavoriteActivity.subjects":   1,
	"FollowActivity.subjects":     1,
	"OtherActivity.subjects":      2,
}

// dated are the lists whose items say when they came onto them. On the others a
// lower bound in time takes a second look.
var dated = map[string]bool{
	"User.cloudcasts":    true,
	"User.listens":       true,
	"User.comments":      true,
	"User.feed":          true,
	"Cloudcast.comments": true,
}

// counted are the lists whose length only the owner's full form tells: totals
// of the others come along, or nobody knows them.
var counted = map[string]bool{
	"User.cloudcasts": true,
	"User.favorites":  true,
	"User.followers":  true,
	"User.following":  true,
}

// renamed are the types whose newest cloudcasts Mixcloud had under another name
// until about 2018: what is not found under today's is asked for once more.
var renamed = map[string]bool{"Tag": true, "City": true, "Discovery": true}

// corrected are the viewer's counts that are corrected for writes which reads
// do not show yet, by a look at each target.
var corrected = map[string]bool{"User.followingCount": true, "User.favoriteCount": true}

// ownLists are the lists of the viewer that are corrected for the viewer's latest
// writes.
var ownLists = map[string]bool{"User.favorites": true, "User.following": true, "User.listenLater": true}

// ownListCalls are those that such a correction adds to a page, beside the loads
// of the items: the first hundred of the list, and a page that makes up for items
// that are left out.
const ownListCalls = 1 + 6

// How many calls a page can take, where it is more than one.
const (
	sinceCalls  = 2 // of an undated list: which end of it Mixcloud gives is not known beforehand
	renameCalls = 2
	beforeCalls = 5
	writeCalls  = 2 // by a cursor of a written item: the first hundred of the list and those of its time, beside the page
)

// afterCalls is how many calls a page after a cursor takes at most. The item
// that the cursor marks may have moved or gone, so finding its place may take
// several pages. Not counted are the further calls for lists in which Mixcloud
// hides items, or gives smaller pages than asked for: the schema says so.
var afterCalls = map[paging.Kind]int64{paging.ByOffset: 1, paging.ByTime: 3, paging.ByPage: 6, paging.ByWindow: 2, paging.ByWrite: writeCalls + 6}
