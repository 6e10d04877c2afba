package emulator

import (
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

var cloudcastConnections = []string{"comments", "favorites", "listeners", "similar"}

// writeCloudcast writes a cloudcast's members in the order of the API since 2021
// (observed 2021-26: tag_popular_limit5_2021.json,
// user_cloudcasts_date_page1_2026_subset.json). The position of the members that
// need a token is inferred.
func (c *call) writeCloudcast(cast *world.Cloudcast, f representation, listened time.Time) {
	key := cast.Key()
	c.commonMembers(key, cast.Name)
	c.list("tags")
	for _, t := range cast.Tags {
		c.element()
		c.writeTag(t)
		c.close('}')
	}
	c.close(']')
	c.time("created_time", cast.Created)
	c.time("updated_time", cast.Updated)
	c.counts(cast)
	c.pictureSet("pictures", cloudcastSizes, pictureOf(cast))
	c.string("slug", cast.Slug)
	c.object("user")
	c.writeUser(cast.Owner, nested, time.Time{})
	c.close('}')
	c.users("hosts", cast.Hosts)
	if cast.HiddenStats {
		c.bool("hidden_stats", true)
	}
	if cast.Exclusive {
		c.bool("is_exclusive", true)
	}
	if cast.AudioLength > 0 {
		c.int("audio_length", cast.AudioLength)
	}
	if f == full {
		c.optional("description", c.marked(cast.Description))
		c.sections(cast.Sections)
		c.optional("picture_primary_color", cast.PrimaryColor) // six hexadecimal digits (observed)
	}
	if c.viewer != nil {
		c.bool("favorited", hasCloudcast(c.viewer.Favorites, cast))
		c.bool("reposted", hasCloudcast(c.viewer.Reposts, cast))
		c.bool("is_listen_later", hasCloudcast(c.viewer.ListenLater, cast))
	}
	if !listened.IsZero() {
		c.time("listen_time", listened)
	}
	c.metadataMembers(f, kindCloudcast, key, cloudcastConnections)
}

// counts writes a cloudcast's counts; hidden ones are 0, except the comment count
// (observed 2021: tag_popular_limit5_2021.json).
func (c *call) counts(cast *world.Cloudcast) {
	shown := func(n int) int {
		if cast.HiddenStats {
			return 0
		}
		return n
	}
	c.int("play_count", shown(cast.PlayCount))
	c.int("favorite_count", shown(len(cast.Favorites)))
	c.int("comment_count", len(cast.Comments))
	c.int("listener_count", shown(cast.ListenerCount))
	c.int("repost_count", shown(len(cast.Reposts)))
}

// sections writes a tracklist (observed 2014: cloudcast_full_sections_2014.json:
// positions from 0, start_time may be absent). There is no recording of a chapter;
// its member has the name of the upload form's field.
func (c *call) sections(list []world.Section) {
	c.list("sections")
	for i, s := range list {
		c.element()
		kind := "chapter"
		if s.Track != nil {
			kind = "track"
			c.object("track")
			c.writeTrack(s.Track, nested)
			c.close('}')
		} else {
			c.string("chapter", s.Chapter)
		}
		c.int("position", i)
		if s.StartTime >= 0 {
			c.int("start_time", s.StartTime)
		}
		c.string("section_type", kind)
		c.metadataMembers(nested, kindSection, "", nil)
		c.close('}')
	}
	c.close(']')
}

func hasCloudcast(list []world.CloudcastEdge, cast *world.Cloudcast) bool {
	for i := range list {
		if list[i].Cloudcast == cast {
			return true
		}
	}
	return false
}

// findCloudcast returns the cloudcast of the path. An unlisted cloudcast is visible
// to all clients; a draft or a scheduled cloudcast only to its owner (documented
// for the site).
func (c *call) findCloudcast() (*world.Cloudcast, error) {
	u, err := c.findUser()
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
	cast, err := c.findCloudcast()
	if err != nil {
		return err
	}
	c.open('{')
	c.writeCloudcast(cast, full, time.Time{})
	c.close('}')
	return nil
}

func (c *call) cloudcastList(of func(*world.Cloudcast) list) error {
	cast, err := c.findCloudcast()
	if err != nil {
		return err
	}
	c.page(of(cast))
	return nil
}

// The lists of a cloudcast have names, except its favorites (client code: generated
// from responses of 2021). Their wording is inferred.

func (c *call) cloudcastComments() error {
	return c.cloudcastList(func(cast *world.Cloudcast) list {
		return c.comments(cast.Comments, "Comments on "+cast.Name)
	})
}

func (c *call) cloudcastFavorites() error {
	return c.cloudcastList(func(cast *world.Cloudcast) list { return c.userEdges(cast.Favorites, "", false) })
}

// cloudcastListeners writes the listeners, paged by listen time, without users who
// hide their listens.
func (c *call) cloudcastListeners() error {
	return c.cloudcastList(func(cast *world.Cloudcast) list {
		seen := filter(cast.Listeners, func(e world.UserEdge) bool { return !c.hidesListens(e.User) })
		return c.userEdges(seen, "Listeners of "+cast.Name, true)
	})
}

func (c *call) cloudcastSimilar() error {
	return c.cloudcastList(func(cast *world.Cloudcast) list {
		l := c.cloudcasts(publicOnly(cast.Similar))
		l.name = "Cloudcasts similar to " + cast.Name
		return l
	})
}
