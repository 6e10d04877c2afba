package emulator

import (
	"net/url"
	"slices"
	"strings"
)

// A Route is a method and path that the emulator serves.
type Route struct {
	Method  string // such as GET
	Pattern string // such as /{user}/cloudcasts/; a parameter in braces matches one segment
	Doc     string // a short description
}

type route struct {
	Route
	list  bool // responds with a page of a list
	body  bool // reads an upload form
	serve func(*call) error
}

// A router finds routes by path. If several match, the first of the table is used.
type router struct {
	table    []route
	segments map[int][]candidate // by number of segments
}

type candidate struct {
	route    *route
	segments []string // "" for a parameter
}

func newRouter(table []route) *router {
	r := &router{table: table, segments: make(map[int][]candidate)}
	for i := range table {
		segments := split(table[i].Pattern)
		for j, s := range segments {
			if strings.HasPrefix(s, "{") {
				segments[j] = ""
			}
		}
		r.segments[len(segments)] = append(r.segments[len(segments)], candidate{&table[i], segments})
	}
	return r
}

func split(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// find returns the route of an escaped path, and its unescaped parameters.
func (r *router) find(path string) (*route, []string, bool) {
	have := split(path)
next:
	for _, c := range r.segments[len(have)] {
		for i, s := range c.segments {
			if s != "" && s != have[i] {
				continue next
			}
		}
		var args []string
		for i, s := range c.segments {
			if s != "" {
				continue
			}
			arg, err := url.PathUnescape(have[i])
			if err != nil || arg == "" {
				return nil, nil, false
			}
			args = append(args, arg)
		}
		return c.route, args, true
	}
	return nil, nil, false
}

// Routes returns the routes of the API in matching order, then those of OAuth. Other
// paths get status 404, or 405 if a route has another method.
func Routes() []Route {
	list := make([]Route, 0, len(routes.table))
	for _, r := range slices.Concat(routes.table, allWrites()) {
		list = append(list, r.Route)
	}
	return append(list,
		Route{"GET", "/www/oauth/authorize/", "the page on which a user authorizes an application"},
		Route{"POST", "/www/oauth/authorize/", "submit the form of that page"},
		Route{"GET", "/www/oauth/access_token/", "exchange a code for a token"},
		Route{"POST", "/www/oauth/access_token/", "exchange a code for a token"})
}

var routes *router

func init() { routes = newRouter(allRoutes()) }

// allRoutes returns the GET routes of the API, and oEmbed.
func allRoutes() []route {
	get := func(pattern, doc string, serve func(*call) error) route {
		return route{Route: Route{"GET", pattern, doc}, serve: serve}
	}
	page := func(pattern, doc string, serve func(*call) error) route {
		return route{Route: Route{"GET", pattern, doc}, serve: serve, list: true}
	}
	table := []route{
		get("/www/oembed/", "oEmbed of a site URL", (*call).oEmbed),
		page("/popular/", "the popular shows", (*call).popular),
		page("/popular/hot/", "the hot shows", (*call).hot),
		page("/new/", "the newest shows", (*call).latest),
		page("/search/", "search by q and type", (*call).search),
		page("/categories/", "all categories", (*call).categories),
		get("/categories/{category}/", "a category", (*call).category),
		page("/categories/{category}/cloudcasts/", "a category's shows", (*call).categoryCloudcasts),
		page("/categories/{category}/users/", "a category's users", (*call).categoryUsers),
		page("/categories/{category}/userpick-cloudcasts/", "shows picked by users", (*call).categoryUserpickCloudcasts),
		page("/categories/{category}/userpick-users/", "users picked by users", (*call).categoryUserpickUsers),
		get("/artist/{artist}/", "an artist in tracklists", (*call).artist),
		get("/track/{artist}/{track}/", "a track in tracklists", (*call).track),
	}
	for _, order := range []string{orderPopular, orderNew, orderHot} {
		table = append(table,
			page("/artist/{artist}/"+order+"/", "shows with the artist", func(c *call) error { return c.artistCloudcasts(order) }),
			page("/track/{artist}/{track}/"+order+"/", "shows with the track", func(c *call) error { return c.trackCloudcasts(order) }))
	}
	for _, prefix := range []string{"genres", "discover", "tag"} {
		table = append(table, get("/"+prefix+"/{tags}/", "a tag, a city, several joined by +, or all", (*call).tag))
		for _, order := range []string{orderPopular, orderLatest, orderNew, orderHot} {
			table = append(table, page("/"+prefix+"/{tags}/"+order+"/", "shows with all of the tags", func(c *call) error { return c.tagCloudcasts(order) }))
		}
	}
	table = append(table, get("/me/", "the user of the token", (*call).user))
	for _, at := range []string{"/me/", "/{user}/"} {
		for _, l := range userLists {
			table = append(table, page(at+l.connection+"/", l.doc, func(c *call) error { return c.userList(l) }))
		}
	}
	return slices.Concat(table, []route{
		get("/{user}/playlists/{playlist}/", "a playlist", (*call).playlist),
		page("/{user}/playlists/{playlist}/cloudcasts/", "a playlist's shows", (*call).playlistCloudcasts),
		get("/{user}/", "a user", (*call).user),
		get("/{user}/{cloudcast}/", "a show", (*call).cloudcast),
		page("/{user}/{cloudcast}/comments/", "comments on a show", (*call).cloudcastComments),
		page("/{user}/{cloudcast}/favorites/", "the users who favorited a show", (*call).cloudcastFavorites),
		page("/{user}/{cloudcast}/listeners/", "the listeners of a show", (*call).cloudcastListeners),
		page("/{user}/{cloudcast}/similar/", "similar shows", (*call).cloudcastSimilar),
		get("/{user}/{cloudcast}/embed-html/", "the player as HTML", (*call).embedHTML),
		get("/{user}/{cloudcast}/embed-json/", "the player in JSON", (*call).embedJSON),
	})
}
