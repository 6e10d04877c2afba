package emulator

import (
	"strings"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// popular, hot and latest are the lists of the whole site, paged by offset
// (observed 2017: popular_with_token_2017.json, new_2017.json).

func (c *call) popular() error { return c.shelf("Popular Cloudcasts", c.world.Popular) }

func (c *call) hot() error {
	switch {
	case c.breaks(hotIsNew):
		return c.shelf("Hot Cloudcasts", c.world.Latest)
	case c.breaks(hotNamedNew):
		return c.shelf("New Cloudcasts", c.world.Hot)
	}
	return c.shelf("Hot Cloudcasts", c.world.Hot)
}

func (c *call) latest() error { return c.shelf("New Cloudcasts", c.world.Latest) }

func (c *call) shelf(name string, casts []*world.Cloudcast) error {
	l := c.cloudcasts(remember(&c.orders, c.path, func() []*world.Cloudcast { return public(casts) }))
	l.name = name
	c.page(l)
	return nil
}

func public(casts []*world.Cloudcast) []*world.Cloudcast {
	return keep(casts, func(cast *world.Cloudcast) bool { return !cast.Private() })
}

// A selection is what the segment after /genres/ asks for: everything, or what
// has all of some tags and cities.
type selection struct {
	segment string // escaped, as keys have it
	name    string
	casts   []*world.Cloudcast // newest first
	tag     bool               // a single tag
	city    bool               // a single city
}

// choose reads a segment such as "funk", "city:athens", "funk+city:athens" or
// "all" (documented; all: client code).
func (c *call) choose(segment string) (selection, error) {
	s := selection{segment: world.Escape(segment)}
	if segment == "all" && !c.breaks(noAll) {
		s.name = "All"
		s.casts = remember(&c.orders, "all", func() []*world.Cloudcast { return public(c.world.Latest) })
		return s, nil
	}
	parts := strings.Split(segment, "+")
	if len(parts) > 1 && c.breaks(noJoinedTags) {
		return s, notFound(noTag)
	}
	var names []string
	for i, part := range parts {
		var casts []*world.Cloudcast
		if slug, isCity := strings.CutPrefix(part, "city:"); isCity {
			city := c.world.City(slug)
			if city == nil {
				return s, notFound("City does not exist.")
			}
			names, casts = append(names, city.Name), city.Cloudcasts
			s.city = len(parts) == 1
		} else {
			tag := c.world.Tag(part)
			if tag == nil {
				return s, notFound(noTag)
			}
			names, casts = append(names, tag.Name), tag.Cloudcasts
			s.tag = true
		}
		if i == 0 {
			s.casts = public(casts)
			continue
		}
		with := make(map[*world.Cloudcast]bool, len(casts))
		for _, cast := range casts {
			with[cast] = true
		}
		s.casts = keep(s.casts, func(cast *world.Cloudcast) bool { return with[cast] })
	}
	s.name, s.tag = strings.Join(names, " + "), s.tag && len(names) == 1
	return s, nil
}

// tag answers for a tag or a city. Its key is that of today, its connections
// have the path as requested (observed 2018: tag_metadata_2018.json). A tag's
// name is plain under /tag/ and ends in " shows" elsewhere (documented:
// docs_tag_genres_funk.json); what cities and joined tags are called is
// inferred.
func (c *call) tag() error {
	s, err := c.choose(c.args[0])
	if err != nil {
		return err
	}
	if s.city && c.breaks(noCityPages) {
		return notFound("City does not exist.")
	}
	prefix, _, _ := strings.Cut(c.path[1:], "/")
	name := s.name
	if s.tag && prefix != "tag" && !c.breaks(plainTagNames) {
		name += " shows"
	}
	key := "/genres/" + s.segment + "/"
	if c.breaks(discoverKeys) {
		key = "/discover/" + s.segment + "/"
	}
	c.open('{')
	c.head(key, name)
	connections := tagConnections
	switch {
	case c.breaks(noLatest):
		connections = tagConnections[:1]
	case c.breaks(fourTagConnections):
		connections = oldTagConnections
	}
	path := c.path
	if c.breaks(tagConnectionsOfToday) {
		path = "/genres/" + s.segment + "/"
	}
	c.foot(full, "tag", path, connections)
	c.close('}')
	return nil
}

// tagCloudcasts lists a selection (observed 2021: tag_popular_limit5_2021.json).
func (c *call) tagCloudcasts(order string) error {
	s, err := c.choose(c.args[0])
	if err != nil {
		return err
	}
	missing := false
	switch order {
	case orderPopular:
		missing = s.tag && c.breaks(noTagPopular)
	case orderLatest:
		missing = c.breaks(noLatest)
	default:
		missing = c.breaks(noTagNewAndHot)
	}
	if missing || s.city && c.breaks(noCityLists) {
		return notFound("Resource does not exist.")
	}
	c.page(c.cloudcasts(c.ordered("tag:"+s.segment, order, s.casts)))
	return nil
}

func (c *call) artist() error {
	a := c.world.Artist(c.args[0])
	if a == nil {
		return notFound("Artist does not exist.")
	}
	c.open('{')
	c.writeArtist(a, full)
	c.close('}')
	return nil
}

func (c *call) artistCloudcasts(order string) error {
	a := c.world.Artist(c.args[0])
	if a == nil {
		return notFound("Artist does not exist.")
	}
	c.page(c.cloudcasts(c.ordered("artist:"+a.Slug, order, public(a.Cloudcasts))))
	return nil
}

func (c *call) track() error {
	t := c.world.Track(c.args[0], c.args[1])
	if t == nil {
		return notFound("Track does not exist.")
	}
	c.open('{')
	c.writeTrack(t, full)
	c.close('}')
	return nil
}

func (c *call) trackCloudcasts(order string) error {
	t := c.world.Track(c.args[0], c.args[1])
	if t == nil {
		return notFound("Track does not exist.")
	}
	c.page(c.cloudcasts(c.ordered("track:"+t.Artist.Slug+"/"+t.Slug, order, public(t.Cloudcasts))))
	return nil
}

// categories lists all of them; it has no pages, as far as is known.
func (c *call) categories() error {
	c.page(list{n: len(c.world.Categories), whole: true, item: func(i int) {
		c.element()
		c.writeCategory(c.world.Categories[i], nested)
		c.close('}')
	}})
	return nil
}

func (c *call) wantCategory() (*world.Category, error) {
	g := c.world.Category(c.args[0])
	if g == nil {
		return nil, notFound("Category does not exist.")
	}
	return g, nil
}

func (c *call) category() error {
	g, err := c.wantCategory()
	if err != nil {
		return err
	}
	c.open('{')
	c.writeCategory(g, full)
	c.close('}')
	return nil
}

// categoryLists ignore limit and offset (a client's author says so).
func (c *call) categoryList(of func(*world.Category) list) error {
	g, err := c.wantCategory()
	if err != nil {
		return err
	}
	l := of(g)
	l.whole = !c.breaks(categoryLimits)
	c.page(l)
	return nil
}

func (c *call) categoryCloudcasts() error {
	return c.categoryList(func(g *world.Category) list { return c.cloudcasts(public(g.Cloudcasts)) })
}

func (c *call) categoryUserpickCloudcasts() error {
	return c.categoryList(func(g *world.Category) list { return c.cloudcasts(public(g.UserpickCloudcasts)) })
}

func (c *call) categoryUsers() error {
	return c.categoryList(func(g *world.Category) list { return c.userNodes(g.Users) })
}

func (c *call) categoryUserpickUsers() error {
	return c.categoryList(func(g *world.Category) list { return c.userNodes(g.UserpickUsers) })
}

// userNodes is a list of users, paged by offset.
func (c *call) userNodes(users []*world.User) list {
	return list{n: len(users), item: func(i int) {
		c.element()
		c.writeUser(users[i], nested, time.Time{})
		c.close('}')
	}}
}

func (c *call) wantPlaylist() (*world.Playlist, error) {
	if _, err := c.wantUser(); err != nil {
		return nil, err
	}
	p := c.world.Playlist(c.args[0], c.args[1])
	if p == nil {
		return nil, notFound("Playlist does not exist.")
	}
	return p, nil
}

func (c *call) playlist() error {
	p, err := c.wantPlaylist()
	if err != nil {
		return err
	}
	c.open('{')
	c.writePlaylist(p, full)
	c.close('}')
	return nil
}

func (c *call) playlistCloudcasts() error {
	p, err := c.wantPlaylist()
	if err != nil {
		return err
	}
	c.page(c.cloudcasts(public(p.Cloudcasts)))
	return nil
}

// wantCloudcast finds a cloudcast by its key. One that is unlisted is found by
// whoever knows the key; a draft, or one that waits for its day, by its owner
// only (documented for the site).
func (c *call) wantCloudcast() (*world.Cloudcast, error) {
	u, err := c.wantUser()
	if err != nil {
		return nil, err
	}
	cast := c.world.Cloudcast(u.Username, c.args[1])
	if cast == nil || (cast.Draft || c.scheduled(cast)) && cast.Owner != c.viewer {
		return nil, notFound(noCloudcast)
	}
	return cast, nil
}

func (c *call) cloudcast() error {
	cast, err := c.wantCloudcast()
	if err != nil {
		return err
	}
	c.open('{')
	c.writeCloudcast(cast, full, time.Time{})
	c.close('}')
	return nil
}

func (c *call) cloudcastList(of func(*world.Cloudcast) list) error {
	cast, err := c.wantCloudcast()
	if err != nil {
		return err
	}
	c.page(of(cast))
	return nil
}

// The lists of a cloudcast have names, but for that of its favorites (client
// code: generated from answers of 2021). Their wording is inferred.

func (c *call) cloudcastComments() error {
	return c.cloudcastList(func(cast *world.Cloudcast) list {
		return c.comments(cast.Comments, c.cloudcastListName("Comments on ", cast))
	})
}

func (c *call) cloudcastFavorites() error {
	return c.cloudcastList(func(cast *world.Cloudcast) list { return c.userEdges(cast.Favorites, "", false) })
}

// cloudcastListeners are paged by when they listened. Those who hide their
// listens are left out.
func (c *call) cloudcastListeners() error {
	return c.cloudcastList(func(cast *world.Cloudcast) list {
		seen := keep(cast.Listeners, func(e world.UserEdge) bool { return !c.hidesListens(e.User) })
		return c.userEdges(seen, c.cloudcastListName("Listeners of ", cast), true)
	})
}

func (c *call) cloudcastSimilar() error {
	return c.cloudcastList(func(cast *world.Cloudcast) list {
		l := c.cloudcasts(public(cast.Similar))
		l.name = c.cloudcastListName("Cloudcasts similar to ", cast)
		return l
	})
}

func (c *call) cloudcastListName(what string, cast *world.Cloudcast) string {
	if c.breaks(unnamedCloudcastLists) {
		return ""
	}
	return what + cast.Name
}
