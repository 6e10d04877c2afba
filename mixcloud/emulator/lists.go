package emulator

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// The orders in which cloudcasts are listed.
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
	own             bool // found with its owner's token only
}

// userLists are all of them; the first seven are paged by date (observed 2018:
// the fixtures named user_…_2018.json).
var userLists = []userList{
	{"cloudcasts", "a user's shows, newest first", (*call).userCloudcasts, false},
	{"favorites", "shows that a user favorited", (*call).userFavorites, false},
	{"listens", "shows that a user listened to", (*call).userListens, false},
	{"followers", "who follows a user", (*call).userFollowers, false},
	{"following", "whom a user follows", (*call).userFollowing, false},
	{"comments", "comments on a user's profile", (*call).userComments, false},
	{"feed", "what a user did", (*call).userFeed, false},
	{"playlists", "a user's playlists", (*call).userPlaylists, false},
	{"listen-later", "what a user wants to listen to", (*call).userListenLater, true},
}

func (c *call) userList(l userList) error {
	u, err := c.wantUser()
	if err != nil {
		return err
	}
	if l.own && u != c.viewer {
		return notFound(noCloudcast)
	}
	c.page(l.list(c, u))
	return nil
}

// wantUser finds the user at the root of the path: me is the token's.
func (c *call) wantUser() (*world.User, error) {
	if len(c.args) == 0 {
		switch {
		case c.viewer != nil:
			return c.viewer, nil
		case c.breaks(meNeedsNoToken):
			return nil, notFound(noUser)
		}
		return nil, refused("An access_token is required to access this resource.")
	}
	u := c.world.User(c.args[0])
	if u == nil || c.breaks(caseSensitiveUsers) && u.Username != c.args[0] {
		return nil, notFound(noUser)
	}
	return u, nil
}

func (c *call) user() error {
	u, err := c.wantUser()
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
	l.at = func(i int) time.Time { return u.Cloudcasts[i].Created }
	return l
}

func (c *call) userFavorites(u *world.User) list {
	return c.cloudcastEdges(u.Favorites, u.Name+"'s favorites", false)
}

// userListens hides a user's listens from all others where the user chose so
// (what they get instead was never recorded: inferred).
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

// userFollowing has no name (observed 2018: user_following_2018.json).
func (c *call) userFollowing(u *world.User) list {
	name := ""
	if c.breaks(namedFollowing) {
		name = u.Name + "'s following"
	}
	return c.userEdges(u.Following, name, false)
}

func (c *call) userComments(u *world.User) list {
	return c.comments(u.Comments, "Comments on "+u.Name+"'s profile")
}

func (c *call) userFeed(u *world.User) list {
	feed := keep(u.Feed, func(a *world.Activity) bool {
		if a.Kind == "listen" && c.hidesListens(u) {
			return false
		}
		return !slices.ContainsFunc(a.Cloudcasts, (*world.Cloudcast).Private)
	})
	return list{
		name: u.Name + "'s feed",
		n:    len(feed),
		at:   func(i int) time.Time { return feed[i].At },
		item: func(i int) {
			c.element()
			c.writeActivity(u, feed[i])
			c.close('}')
		},
	}
}

// userPlaylists has a name (client code: generated from answers of 2021); its
// wording is inferred.
func (c *call) userPlaylists(u *world.User) list {
	return list{n: len(u.Playlists), name: u.Name + "'s playlists", item: func(i int) {
		c.element()
		c.writePlaylist(u.Playlists[i], nested)
		c.close('}')
	}}
}

func (c *call) userListenLater(u *world.User) list {
	return c.cloudcastEdges(u.ListenLater, "", false)
}

// cloudcasts is a list of cloudcasts, paged by offset.
func (c *call) cloudcasts(casts []*world.Cloudcast) list {
	return list{n: len(casts), item: func(i int) {
		c.element()
		c.writeCloudcast(casts[i], nested, time.Time{})
		c.close('}')
	}}
}

// cloudcastEdges is a list of cloudcasts paged by when they came onto it.
func (c *call) cloudcastEdges(edges []world.CloudcastEdge, name string, tell bool) list {
	edges = keep(edges, func(e world.CloudcastEdge) bool { return !e.Cloudcast.Private() })
	return list{
		name: name,
		n:    len(edges),
		at:   func(i int) time.Time { return edges[i].At },
		item: func(i int) {
			var at time.Time
			if tell {
				at = edges[i].At
			}
			c.element()
			c.writeCloudcast(edges[i].Cloudcast, nested, at)
			c.close('}')
		},
	}
}

// userEdges is a list of users paged by when they came onto it. With tell, the
// time is on the user.
func (c *call) userEdges(edges []world.UserEdge, name string, tell bool) list {
	return list{
		name: name,
		n:    len(edges),
		at:   func(i int) time.Time { return edges[i].At },
		item: func(i int) {
			var at time.Time
			if tell {
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
		at:   func(i int) time.Time { return comments[i].At },
		item: func(i int) {
			c.element()
			c.writeComment(comments[i])
			c.close('}')
		},
	}
}

// keep gives the elements that are wanted: the list itself when it is all.
func keep[T any](in []T, wanted func(T) bool) []T {
	for i := range in {
		if wanted(in[i]) {
			continue
		}
		out := slices.Clone(in[:i])
		for _, v := range in[i+1:] {
			if wanted(v) {
				out = append(out, v)
			}
		}
		return out
	}
	return in
}

// orders remembers sorted lists until the world changes.
type orders struct {
	mu    sync.Mutex
	lists map[string]any
}

func (o *orders) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lists = nil
}

// forgetUsers drops what is sorted by followers.
func (o *orders) forgetUsers() {
	o.mu.Lock()
	defer o.mu.Unlock()
	maps.DeleteFunc(o.lists, func(name string, _ any) bool { return strings.HasPrefix(name, "search:user:") })
}

// remember gives the list of a name, made once. Strangers choose the names, so
// their number has a bound.
func remember[T any](o *orders, name string, build func() []T) []T {
	o.mu.Lock()
	have, ok := o.lists[name]
	o.mu.Unlock()
	if ok {
		return have.([]T)
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

// ordered sorts cloudcasts that stand newest first. What the live service ranks
// by is not known: plays for popular, and for hot plays that are weighed down by
// age (inferred).
func (c *call) ordered(name, order string, newestFirst []*world.Cloudcast) []*world.Cloudcast {
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
	return remember(&c.orders, order+":"+name, func() []*world.Cloudcast {
		casts := slices.Clone(newestFirst)
		slices.SortStableFunc(casts, func(a, b *world.Cloudcast) int { return rank(b) - rank(a) })
		return casts
	})
}
