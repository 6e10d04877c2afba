package ideal

// The facts below are from docs/mixcloud-api.md: the members of nested and listed resources, and the
// lists that exist.

// fullMembers are the members that only the full form of a resource contains (observed 2018 to
// 2023; compare user_full_metadata_2018.json and others with any list).
var fullMembers = members(
	"User.biog", "User.createdAt", "User.updatedAt", "User.followerCount", "User.followingCount",
	"User.cloudcastCount", "User.favoriteCount", "User.listenCount", "User.isPro", "User.isPremium",
	"User.city", "User.country", "User.picturePrimaryColor", "User.pictureColorHex", "User.coverPictures",
	"Cloudcast.description", "Cloudcast.sections", "Cloudcast.picturePrimaryColor", "Cloudcast.pictureColorHex",
)

// fullMembersForViewers are the additional members that, in responses to requests with a token,
// only the full form contains: nested users show whether the viewer follows them, but not whether
// they follow the viewer (observed 2017).
var fullMembersForViewers = members("User.followsViewer")

// subresources are paths below a resource's key that do not depend on the resource's members.
var subresources = map[string]string{
	"Cloudcast.embedHtml": "embed-html/",
	"Cloudcast.embedJson": "embed-json/",
}

// A list describes the list of the REST API that a connection of the schema reads.
type list struct {
	name     string // below the owner's path
	items    string // their type
	counter  counter
	unpaged  bool // one response contains all items, for any arguments
	hasTimes bool // items have the time at which they were added
}

// A counter determines which responses contain the number of a list's items.
type counter int

const (
	uncounted   counter = iota
	inEveryForm         // in every form of the owner
	inFullForm          // in the full form of the owner
)

var lists = map[string]list{
	"User.cloudcasts": {name: "cloudcasts/", items: "Cloudcast", counter: inFullForm, hasTimes: true},
	"User.favorites":  {name: "favorites/", items: "Cloudcast", counter: inFullForm},
	"User.followers":  {name: "followers/", items: "User", counter: inFullForm},
	"User.following":  {name: "following/", items: "User", counter: inFullForm},
	"User.listens":    {name: "listens/", items: "Cloudcast", hasTimes: true},
	"User.comments":   {name: "comments/", items: "Comment", hasTimes: true},
	"User.feed":       {name: "feed/", items: "Activity", hasTimes: true},
	"User.playlists":  {name: "playlists/", items: "Playlist"},

	"Cloudcast.comments":  {name: "comments/", items: "Comment", counter: inEveryForm, hasTimes: true},
	"Cloudcast.favorites": {name: "favorites/", items: "User", counter: inEveryForm},
	"Cloudcast.listeners": {name: "listeners/", items: "User", counter: inEveryForm},
	"Cloudcast.similar":   {name: "similar/", items: "Cloudcast"},

	"Playlist.cloudcasts": {name: "cloudcasts/", items: "Cloudcast", counter: inEveryForm},

	"Category.cloudcasts":         {name: "cloudcasts/", items: "Cloudcast", unpaged: true},
	"Category.users":              {name: "users/", items: "User", unpaged: true},
	"Category.userpickCloudcasts": {name: "userpick-cloudcasts/", items: "Cloudcast", unpaged: true},
	"Category.userpickUsers":      {name: "userpick-users/", items: "User", unpaged: true},

	"Query.popular": {name: "popular/", items: "Cloudcast"},
	"Query.hot":     {name: "popular/hot/", items: "Cloudcast"},
	"Query.new":     {name: "new/", items: "Cloudcast"},
}

func init() {
	for _, owner := range []string{"Tag", "City", "Discovery", "Artist", "Track"} {
		newest := "latest/" // since about 2023; artists and tracks are older
		if owner == "Artist" || owner == "Track" {
			newest = "new/"
		}
		lists[owner+".popular"] = list{name: "popular/", items: "Cloudcast"}
		lists[owner+".hot"] = list{name: "hot/", items: "Cloudcast"}
		lists[owner+".latest"] = list{name: newest, items: "Cloudcast"}
	}
}

// searches are the lists of a search, with the value of the type parameter.
var searches = map[string]struct{ items, word string }{
	"Search.cloudcasts": {"Cloudcast", "cloudcast"},
	"Search.users":      {"User", "user"},
	"Search.tags":       {"Tag", "tag"},
}

// lookups are the root fields that fetch a resource by name or key.
var lookups = map[string]struct{ argument, prefix, items string }{
	"Query.user":      {"username", "", "User"},
	"Query.tag":       {"name", "genres/", "Tag"},
	"Query.city":      {"name", "genres/city:", "City"},
	"Query.category":  {"slug", "categories/", "Category"},
	"Query.cloudcast": {"key", "", "Cloudcast"},
	"Query.playlist":  {"key", "", "Playlist"},
	"Query.artist":    {"key", "", "Artist"},
	"Query.track":     {"key", "", "Track"},
	"Query.resource":  {"key", "", ""},
}

// activities are the types of activities, by Mixcloud's name.
var activities = map[string]string{
	"upload":   "UploadActivity",
	"listen":   "ListenActivity",
	"favorite": "FavoriteActivity",
	"follow":   "FollowActivity",
}

func members(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}
