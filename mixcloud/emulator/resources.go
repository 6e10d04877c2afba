package emulator

import (
	"strconv"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// A representation is the set of members that a response contains of a resource.
type representation int

const (
	full   representation = iota // requested by its key
	nested                       // inside another resource, or in a list
)

const site = "https://www.mixcloud.com"

// commonMembers writes the members with which every resource begins. Keys are plain
// ASCII.
func (c *call) commonMembers(key, name string) {
	c.string("key", key)
	c.join("url", site, key, "")
	c.string("name", c.marked(name))
}

// optional writes a member unless its value is empty: no recording contains a null
// (observed).
func (c *call) optional(name, value string) {
	if value != "" {
		c.string(name, value)
	}
}

// metadataMembers writes the members that metadata=1 adds: the type of every resource,
// and the URLs of the connections of the requested resource (observed 2018:
// user_full_metadata_2018.json).
func (c *call) metadataMembers(f representation, kind, path string, connections []string) {
	if !c.metadata {
		return
	}
	c.string("type", kind)
	if f != full || len(connections) == 0 {
		return
	}
	c.object("metadata")
	c.object("connections")
	for _, name := range connections {
		c.join(name, c.base, path, name+"/")
	}
	c.close('}')
	c.close('}')
}

var userConnections = []string{"cloudcasts", "comments", "favorites", "feed", "followers", "following", "listens", "playlists"}

// writeUser writes a user's members (observed 2018 and 2017:
// user_full_metadata_2018.json, me_with_token_2017.json; their order: client code).
// The listeners of a cloudcast have a listen_time (client code: generated from
// responses of 2021); zero omits it.
func (c *call) writeUser(u *world.User, f representation, listened time.Time) {
	key := u.Key()
	c.commonMembers(key, u.Name)
	c.string("username", u.Username)
	c.pictureSet("pictures", userSizes, userPicture(u))
	if f == full {
		c.string("biog", c.marked(u.Biog))
		c.time("created_time", u.Created)
		c.time("updated_time", u.Updated)
		c.int("follower_count", len(u.Followers))
		c.int("following_count", len(u.Following))
		c.int("cloudcast_count", len(u.Cloudcasts))
		c.int("favorite_count", len(u.Favorites))
		c.int("listen_count", len(u.Listens))
		c.bool("is_pro", u.IsPro)
		c.bool("is_premium", u.IsPremium)
		c.optional("city", u.City)
		c.optional("country", u.Country)
		if u.Cover != "" {
			c.pictureSet("cover_pictures", coverSizes, u.Cover)
		}
		c.optional("picture_primary_color", u.PrimaryColor)
	}
	c.viewerOfUser(u, f)
	if !listened.IsZero() {
		c.time("listen_time", listened)
	}
	c.metadataMembers(f, kindUser, key, userConnections)
}

// viewerOfUser writes the members of a user that need a token: following, and in the
// full representation follower and, for the viewer, is_current_user (observed 2017:
// me_with_token_2017.json, popular_with_token_2017.json).
func (c *call) viewerOfUser(u *world.User, f representation) {
	if c.viewer == nil {
		return
	}
	c.bool("following", hasUser(c.viewer.Following, u))
	if f == full {
		c.bool("follower", hasUser(u.Following, c.viewer))
		if u == c.viewer {
			c.bool("is_current_user", true)
		}
	}
}

func hasUser(list []world.UserEdge, u *world.User) bool {
	for i := range list {
		if list[i].User == u {
			return true
		}
	}
	return false
}

// users writes a member that is a list of partial users.
func (c *call) users(name string, list []*world.User) {
	c.list(name)
	for _, u := range list {
		c.element()
		c.writeUser(u, nested, time.Time{})
		c.close('}')
	}
	c.close(']')
}

var (
	artistConnections = []string{orderPopular, orderNew, orderHot}
	tagConnections    = []string{orderPopular, orderLatest} // new and hot exist too (client code: generated from responses of 2021)
)

// writeTrack writes a track's members (observed 2013: track_metadata_2013.json).
func (c *call) writeTrack(t *world.Track, f representation) {
	key := t.Key()
	c.commonMembers(key, t.Name)
	c.string("slug", t.Slug)
	c.object("artist")
	c.writeArtist(t.Artist, nested)
	c.close('}')
	c.metadataMembers(f, kindTrack, key, artistConnections)
}

// writeArtist writes an artist's members (observed 2013:
// artist_metadata_2013.json).
func (c *call) writeArtist(a *world.Artist, f representation) {
	key := a.Key()
	c.commonMembers(key, a.Name)
	c.string("slug", a.Slug)
	c.metadataMembers(f, kindArtist, key, artistConnections)
}

// writeTag writes a tag as in a cloudcast or in search results: the name without a
// suffix, the key with the current prefix (observed 2026:
// user_cloudcasts_date_page1_2026_subset.json).
func (c *call) writeTag(t *world.Tag) {
	c.commonMembers("/genres/"+world.Escape(t.Slug)+"/", t.Name)
	c.metadataMembers(nested, kindTag, "", nil)
}

var playlistConnections = []string{"cloudcasts"}

var categoryConnections = []string{"cloudcasts", "userpick-cloudcasts", "userpick-users", "users"}

// writeCategory writes a category's members (observed 2013:
// category_metadata_2013.json).
func (c *call) writeCategory(g *world.Category, f representation) {
	key := "/categories/" + world.Escape(g.Slug) + "/"
	c.commonMembers(key, g.Name)
	c.string("format", g.Format)
	c.pictureSet("pictures", categorySizes, g.Picture)
	c.string("slug", g.Slug)
	c.metadataMembers(f, kindCategory, key, categoryConnections)
}

// writePlaylist writes a playlist's members: key, url, name, owner, slug, and no count
// (client code: generated from responses of 2021). That the full representation has
// the same members is inferred.
func (c *call) writePlaylist(p *world.Playlist, f representation) {
	key := p.Key()
	c.commonMembers(key, p.Name)
	c.object("owner")
	c.writeUser(p.Owner, nested, time.Time{})
	c.close('}')
	c.string("slug", p.Slug)
	c.metadataMembers(f, kindPlaylist, key, playlistConnections)
}

// writeComment writes a comment (observed 2018: user_comments_2018.json; its
// members in the order of 2021, client code). Its url has a fragment where its
// key has a segment.
func (c *call) writeComment(m *world.Comment) {
	id := "c" + strconv.Itoa(m.ID)
	thread := "/comments/cr/" + m.Thread + "/"
	c.join("key", thread, id, "/")
	c.join("url", site, thread, "#"+id)
	c.object("user")
	c.writeUser(m.Author, nested, time.Time{})
	c.close('}')
	c.time("submit_date", m.At)
	c.string("comment", m.Text)
	c.metadataMembers(nested, kindComment, "", nil)
}

// writeActivity writes an entry of a feed. Its type is the kind of activity, with or
// without metadata=1 (observed 2018:
// user_feed_offset_last_page_2018_subset.json; its members in the order of 2021,
// client code).
func (c *call) writeActivity(owner *world.User, a *world.Activity) {
	feed, id := owner.Key()+"feed/", strconv.Itoa(a.ID)
	c.join("key", feed, id, "/")
	c.join("url", site, feed, "#"+id)
	c.object("from")
	c.writeUser(a.From, nested, time.Time{})
	c.close('}')
	c.string("type", a.Kind)
	c.time("created_time", a.At)
	if len(a.Users) > 0 {
		c.users("users", a.Users)
	} else {
		c.list("cloudcasts")
		for _, cast := range a.Cloudcasts {
			c.element()
			c.writeCloudcast(cast, nested, time.Time{})
			c.close('}')
		}
		c.close(']')
	}
	c.string("title", a.Title)
}
