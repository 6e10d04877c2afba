package emulator

import (
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

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
	c.page(c.cloudcasts(c.sorted("artist:"+a.Slug, order, publicOnly(a.Cloudcasts))))
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
	c.page(c.cloudcasts(c.sorted("track:"+t.Artist.Slug+"/"+t.Slug, order, publicOnly(t.Cloudcasts))))
	return nil
}

// categories writes all categories. The list has no pages (client code).
func (c *call) categories() error {
	c.page(list{n: len(c.world.Categories), unpaged: true, write: func(i int) {
		c.element()
		c.writeCategory(c.world.Categories[i], nested)
		c.close('}')
	}})
	return nil
}

func (c *call) findCategory() (*world.Category, error) {
	g := c.world.Category(c.args[0])
	if g == nil {
		return nil, notFound("Category does not exist.")
	}
	return g, nil
}

func (c *call) category() error {
	g, err := c.findCategory()
	if err != nil {
		return err
	}
	c.open('{')
	c.writeCategory(g, full)
	c.close('}')
	return nil
}

// categoryList writes a list of a category. It ignores limit and offset (according
// to a client's author).
func (c *call) categoryList(of func(*world.Category) list) error {
	g, err := c.findCategory()
	if err != nil {
		return err
	}
	l := of(g)
	l.unpaged = true
	c.page(l)
	return nil
}

func (c *call) categoryCloudcasts() error {
	return c.categoryList(func(g *world.Category) list { return c.cloudcasts(publicOnly(g.Cloudcasts)) })
}

func (c *call) categoryUserpickCloudcasts() error {
	return c.categoryList(func(g *world.Category) list { return c.cloudcasts(publicOnly(g.UserpickCloudcasts)) })
}

func (c *call) categoryUsers() error {
	return c.categoryList(func(g *world.Category) list { return c.userNodes(g.Users) })
}

func (c *call) categoryUserpickUsers() error {
	return c.categoryList(func(g *world.Category) list { return c.userNodes(g.UserpickUsers) })
}

// userNodes returns a list of users, paged by offset.
func (c *call) userNodes(users []*world.User) list {
	return list{n: len(users), write: func(i int) {
		c.element()
		c.writeUser(users[i], nested, time.Time{})
		c.close('}')
	}}
}

func (c *call) findPlaylist() (*world.Playlist, error) {
	if _, err := c.findUser(); err != nil {
		return nil, err
	}
	p := c.world.Playlist(c.args[0], c.args[1])
	if p == nil {
		return nil, notFound("Playlist does not exist.")
	}
	return p, nil
}

func (c *call) playlist() error {
	p, err := c.findPlaylist()
	if err != nil {
		return err
	}
	c.open('{')
	c.writePlaylist(p, full)
	c.close('}')
	return nil
}

func (c *call) playlistCloudcasts() error {
	p, err := c.findPlaylist()
	if err != nil {
		return err
	}
	c.page(c.cloudcasts(publicOnly(p.Cloudcasts)))
	return nil
}
