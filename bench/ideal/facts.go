package ideal

// The facts below are those of docs/mixcloud-api.md: what a resource looks like
// where it is nested or listed, and which lists there are.

// onlyFull are the members that a resource has at its own address only
// (observed 2018 to 2023; user_full_metadata_2018.json and others beside any
// list).
var onlyFull = members(
	"User.biog", "User.createdAt", "User.updatedAt", "User.followerCount", "User.followingCount",
	"User.cloudcastCount", "User.favoriteCount", "User.listenCount", "User.isPro", "User.isPremium",
	"User.city", "User.country", "User.picturePrimaryColor", "User.pictureColorHex", "User.coverPictures",
	"Cloudcast.description", "Cloudcast.sections", "Cloudcast.picturePrimaryColor", "Cloudcast.pictureColorHex",
)

// onlyFullForViewers are the same, but mean nothing without a token: nested
// users say whether the viewer follows them, not the opposite (observed 2017).
var onlyFullForViewers = members("User.followsViewer")

// own are the calls that hang on a resource's key and on nothing else of it.
var own = map[string]string{
	"Cloudcast.embedHtml": "embed-html/",
	"Cloudcast.embedJson": "embed-json/",
}

// A list is a connection of the graph and its list in REST.
type list struct {
	name    string // below the owner's path
	items   string // their type
	counter counter
	whole   bool // gives all it has at once, whatever is asked for
	dated   bool // items say when they came onto it
}

// A counter says where Mixcloud keeps the number of a list's items.
type counter int

const (
	uncounted counter = iota
	cameAlong         // in every form of the owner
	inFull            // in the full form of the owner
)

var lists = map[string]list{
	"User.cloudcasts": {name: "cloudcasts/", items: "Cloudcast", counter: inFull, dated: true},
	"User.favorites":  {name: "favorites/", items: "Cloudcast", counter: inFull},
	"User.followers":  {name: "followers/", items: "User", counter: inFull},
	"User.following":  {name: "following/", items: "User", counter: inFull},
	"User.listens":    {name: "listens/", items: "Cloudcast", dated: true},
	"User.comments":   {name: "comments/", items: "Comment", dated: true},
	"User.feed":       {name: "feed/", items: "Activity", dated: true},
	"User.playlists":  {name: "playlists/", items: "Playlist"},

	"Cloudcast.comments":  {name: "comments/", items: "Comment", counter: cameAlong, dated: true},
	"Cloudcast.favorites": {name: "favorites/", items: "User", counter: cameAlong},
	"Cloudcast.listeners": {name: "listeners/", items: "User", counter: cameAlong},
	"Cloudcast.similar":   {name: "similar/", items: "Cloudcast"},

	"Playlist.cloudcasts": {name: "cloudcasts/", items: "Cloudcast", counter: cameAlong},

	"Category.cloudcasts":         {name: "cloudcasts/", items: "Cloudcast", whole: true},
	"Category.users":              {name: "users/", items: "User", whole: true},
	"Category.userpickCloudcasts": {name: "userpick-cloudcasts/", items: "Cloudcast", whole: true},
	"Category.userpickUsers":      {name: "userpick-users/", items: "User", whole: true},

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

// searches are the lists of a search, and their words for the type.
var searches = map[string]struct{ items, word string }{
	"Search.cloudcasts": {"Cloudcast", "cloudcast"},
	"Search.users":      {"User", "user"},
	"Search.tags":       {"Tag", "tag"},
}

// lookups are the root fields that fetch the resource they name.
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

// activities are the types of the lines of a feed, by Mixcloud's word.
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
