package emulator

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// The orders of lists of cloudcasts.
const (
	orderPopular = "popular"
	orderLatest  = "latest"
	orderNew     = "new"
	orderHot     = "hot"
)

// A userList is a connection of a user.
type userList struct {
	connection, doc string
	list            func(*call, *world.User) list
	own             bool // visible only with its owner's token
}

// userLists are all connections of a user; the first seven are paged by date
// (observed 2018: the recordings user_…_2018.json).
var userLists = []userList{
	{"cloudcasts", "a user's shows, newest first", (*call).userCloudcasts, false},
	{"favorites", "shows that a user favorited", (*call).userFavorites, false},
	{"listens", "shows that a user listened to", (*call).userListens, false},
	{"followers", "the followers of a user", (*call).userFollowers, false},
	{"following", "the users that a user follows", (*call).userFollowing, false},
	{"comments", "comments on a user's profile", (*call).userComments, false},
	{"feed", "a user's activities", (*call).userFeed, false},
	{"playlists", "a user's playlists", (*call).userPlaylists, false},
	{"listen-later", "a user's listen-later list", (*call).userListenLater, true},
}

func (c *call) userList(l userList) error {
	u, err := c.findUser()
	if err != nil {
		return err
	}
	if l.own && u != c.viewer {
		return notFound(noCloudcast)
	}
	c.page(l.list(c, u))
	return nil
}

// findUser returns the user of the path; for /me/ the viewer.
func (c *call) findUser() (*world.User, error) {
	if len(c.args) == 0 {
		if c.viewer != nil {
			return c.viewer, nil
		}
		return nil, oauthException("An access_token is required to access this resource.")
	}
	u := c.world.User(c.args[0])
	if u == nil {
		return nil, notFound(noUser)
	}
	return u, nil
}

func (c *call) user() error {
	u, err := c.findUser()
	if err != nil {
		return err
	}
	c.open('{')
	c.writeUser(u, full, time.Time{})
	c.close('}')
	return nil
}

func (c *call) userCloudcasts(u *world.User) list {
	l := c.cloudcasts(u.Cloudcasts)
	l.name = u.Name + "'s Cloudcasts"
	l.time = func(i int) time.Time { return u.Cloudcasts[i].Created }
	return l
}

func (c *call) userFavorites(u *world.User) list {
	return c.cloudcastEdges(u.Favorites, u.Name+"'s favorites", false)
}

// userListens returns an empty list for other viewers if the user hides their listens
// (inferred: there is no recording).
func (c *call) userListens(u *world.User) list {
	edges := u.Listens
	if c.hidesListens(u) {
		edges = nil
	}
	return c.cloudcastEdges(edges, u.Name+"'s listens", true)
}

func (c *call) hidesListens(u *world.User) bool { return u.HideListens && u != c.viewer }

func (c *call) userFollowers(u *world.User) list {
	return c.userEdges(u.Followers, u.Name+"'s followers", false)
}

// userFollowing returns a list without a name (observed 2018:
// user_following_2018.json).
func (c *call) userFollowing(u *world.User) list {
	return c.userEdges(u.Following, "", false)
}

func (c *call) userComments(u *world.User) list {
	return c.comments(u.Comments, "Comments on "+u.Name+"'s profile")
}

func (c *call) userFeed(u *world.User) list {
	feed := filter(u.Feed, func(a *world.Activity) bool {
		if a.Kind == "listen" && c.hidesListens(u) {
			return false
		}
		return !slices.ContainsFunc(a.Cloudcasts, (*world.Cloudcast).Private)
	})
	return list{
		name: u.Name + "'s feed",
		n:    len(feed),
		time: func(i int) time.Time { return feed[i].At },
		write: func(i int) {
			c.element()
			c.writeActivity(u, feed[i])
			c.close('}')
		},
	}
}

// userPlaylists returns a list with a name (client code: generated from responses of
// 2021), whose wording is inferred.
func (c *call) userPlaylists(u *world.User) list {
	return list{n: len(u.Playlists), name: u.Name + "'s playlists", write: func(i int) {
		c.element()
		c.writePlaylist(u.Playlists[i], nested)
		c.close('}')
	}}
}

func (c *call) userListenLater(u *world.User) list {
	return c.cloudcastEdges(u.ListenLater, "", false)
}

// cloudcasts returns a list of cloudcasts, paged by offset.
func (c *call) cloudcasts(casts []*world.Cloudcast) list {
	return list{n: len(casts), write: func(i int) {
		c.element()
		c.writeCloudcast(casts[i], nested, time.Time{})
		c.close('}')
	}}
}

// cloudcastEdges returns a list of cloudcasts, paged by the time at which they were
// added. If withTime is true, the cloudcasts have that time as listen_time.
func (c *call) cloudcastEdges(edges []world.CloudcastEdge, name string, withTime bool) list {
	edges = filter(edges, func(e world.CloudcastEdge) bool { return !e.Cloudcast.Private() })
	return list{
		name: name,
		n:    len(edges),
		time: func(i int) time.Time { return edges[i].At },
		write: func(i int) {
			var at time.Time
			if withTime {
				at = edges[i].At
			}
			c.element()
			c.writeCloudcast(edges[i].Cloudcast, nested, at)
			c.close('}')
		},
	}
}

// userEdges returns a list of users, paged by the time at which they were added. If
// withTime is true, the users have that time as listen_time.
func (c *call) userEdges(edges []world.UserEdge, name string, withTime bool) list {
	return list{
		name: name,
		n:    len(edges),
		time: func(i int) time.Time { return edges[i].At },
		write: func(i int) {
			var at time.Time
			if withTime {
				at = edges[i].At
			}
			c.element()
			c.writeUser(edges[i].User, nested, at)
			c.close('}')
		},
	}
}

func (c *call) comments(comments []*world.Comment, name string) list {
	return list{
		name: name,
		n:    len(comments),
		time: func(i int) time.Time { return comments[i].At },
		write: func(i int) {
			c.element()
			c.writeComment(comments[i])
			c.close('}')
		},
	}
}

// filter returns the elements that match. If all match, it returns the list itself.
func filter[T any](in []T, match func(T) bool) []T {
	for i := range in {
		if match(in[i]) {
			continue
		}
		out := slices.Clone(in[:i])
		for _, v := range in[i+1:] {
			if match(v) {
				out = append(out, v)
			}
		}
		return out
	}
	return in
}

// A listCache caches filtered and sorted lists until the data changes.
type listCache struct {
	mu    sync.Mutex
	lists map[string]any
}

func (o *listCache) clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lists = nil
}

// clearUserSearches removes the cached results of user searches, which are sorted by
// follower count.
func (o *listCache) clearUserSearches() {
	o.mu.Lock()
	defer o.mu.Unlock()
	maps.DeleteFunc(o.lists, func(name string, _ any) bool { return strings.HasPrefix(name, "search:user:") })
}

// cached returns the cached list with a name, or builds and caches it. Names can
// contain text from requests, so the number of cached lists is limited.
func cached[T any](o *listCache, name string, build func() []T) []T {
	o.mu.Lock()
	list, ok := o.lists[name]
	o.mu.Unlock()
	if ok {
		return list.([]T)
	}
	built := build()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lists == nil || len(o.lists) >= 1024 {
		o.lists = make(map[string]any)
	}
	o.lists[strings.Clone(name)] = built
	return built
}

// sorted returns cloudcasts in an order. The live service's ranking is not known;
// popular sorts by plays, and hot by plays divided by a function of the age (inferred).
func (c *call) sorted(name, order string, newestFirst []*world.Cloudcast) []*world.Cloudcast {
	var rank func(*world.Cloudcast) int
	switch order {
	case orderPopular:
		rank = func(cast *world.Cloudcast) int { return cast.PlayCount }
	case orderHot:
		rank = func(cast *world.Cloudcast) int {
			days := max(0, int(c.world.Now.Sub(cast.Created)/(24*time.Hour)))
			return cast.PlayCount * 1000 / ((days + 3) * (days + 3))
		}
	default:
		return newestFirst
	}
	return cached(&c.listCache, order+":"+name, func() []*world.Cloudcast {
		casts := slices.Clone(newestFirst)
		slices.SortStableFunc(casts, func(a, b *world.Cloudcast) int { return rank(b) - rank(a) })
		return casts
	})
}
