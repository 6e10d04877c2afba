package emulator

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// form says how much of a resource is written.
type form int

const (
	full   form = iota // looked up by its key
	nested             // inside another, or on a list
)

const site = "https://www.mixcloud.com"

// head writes the members with which every resource begins. A key that came out
// of this package is plain ASCII.
func (c *call) head(key, name string) {
	name = c.marked(name)
	if c.breaks(decodedKeys) {
		key, _ = url.PathUnescape(key)
	}
	if c.breaks(namesFirst) {
		c.string("name", name)
	}
	c.string("key", key)
	host := site
	if c.breaks(urlsOnAPI) {
		host = c.base
	}
	c.join("url", host, key, "")
	if !c.breaks(namesFirst) {
		c.string("name", name)
	}
}

// plainText writes a slug or a user name, which is not percent-encoded
// (observed 2026: user_cloudcasts_date_page1_2026_subset.json).
func (c *call) plainText(name, value string) {
	if c.breaks(encodedSlugs) {
		value = world.Escape(value)
	}
	c.string(name, value)
}

// optional writes a member that is absent when it is empty: no recording holds
// a null (observed).
func (c *call) optional(name, value string) {
	switch {
	case value != "":
		c.string(name, value)
	case c.breaks(nulls):
		c.null(name)
	}
}

// color writes the main color of a picture: six hexadecimal digits (observed).
func (c *call) color(value string) {
	if value != "" && c.breaks(hashColors) {
		value = "#" + value
	}
	c.optional("picture_primary_color", value)
}

// foot writes the members that metadata=1 adds: a type to every resource, and
// URLs of connections to the root (observed 2018: user_full_metadata_2018.json).
func (c *call) foot(f form, kind, path string, connections []string) {
	untyped := f == full && c.breaks(noRootType) || f != full && c.breaks(noNestedType)
	if c.metadata && !untyped || !c.metadata && c.breaks(typeWithoutMetadata) {
		c.string("type", kind)
	}
	if !c.metadata || f != full && !c.breaks(metadataOnItems) || c.breaks(noConnections) || len(connections) == 0 {
		return
	}
	c.object("metadata")
	c.object("connections")
	for _, name := range connections {
		if kind == "user" && c.breaks(fiveConnections) && !slices.Contains(documentedConnections, name) {
			continue
		}
		c.join(name, c.base, path, name+"/")
	}
	if kind == "cloudcast" && c.breaks(repostersConnection) {
		c.join("reposters", c.base, path, "reposters/")
	}
	c.close('}')
	c.close('}')
}

// documentedConnections are those of a user that the documentation still names
// (2024).
var documentedConnections = []string{"cloudcasts", "favorites", "followers", "following", "listens"}

var userConnections = []string{"cloudcasts", "comments", "favorites", "feed", "followers", "following", "listens", "playlists"}

// writeUser writes a user's members (observed 2018 and 2017:
// user_full_metadata_2018.json, me_with_token_2017.json; their order from a
// client of the newer server). A time of listening stands on the listeners of a
// cloudcast (client code: generated from answers of 2021); zero leaves it out.
func (c *call) writeUser(u *world.User, f form, listened time.Time) {
	key := u.Key()
	if f == full && len(c.args) == 0 && c.breaks(meKey) {
		key = "/me/"
	}
	c.head(key, u.Name)
	c.plainText("username", u.Username)
	c.userPictures(u)
	if f == full || c.breaks(fullNestedUsers) {
		c.string("biog", c.marked(u.Biog))
	}
	if f == full {
		c.time("created_time", u.Created)
		c.time("updated_time", u.Updated)
		c.int("follower_count", len(u.Followers))
		c.int("following_count", len(u.Following))
		c.int("cloudcast_count", len(u.Cloudcasts))
		c.int("favorite_count", len(u.Favorites))
		c.int("listen_count", len(u.Listens))
		if !c.breaks(leanUsers) {
			c.bool("is_pro", u.IsPro)
			c.bool("is_premium", u.IsPremium)
		}
		c.optional("city", u.City)
		c.optional("country", u.Country)
		if u.Cover != "" {
			c.pictureSet("cover_pictures", coverSizes, u.Cover)
		}
		c.color(u.PrimaryColor)
	}
	c.viewerOfUser(u, f)
	if !listened.IsZero() && !c.breaks(untimedListeners) {
		c.time("listen_time", listened)
	}
	c.foot(f, "user", key, userConnections)
}

// viewerOfUser writes what a token adds to a user: following everywhere,
// follower and, on oneself, is_current_user on the full form (observed 2017:
// me_with_token_2017.json, popular_with_token_2017.json).
func (c *call) viewerOfUser(u *world.User, f form) {
	if c.viewer == nil || c.breaks(noViewerMembers) {
		return
	}
	c.bool("following", hasUser(c.viewer.Following, u))
	if f == full || c.breaks(followerOnNested) {
		c.bool("follower", hasUser(u.Following, c.viewer))
	}
	if f == full && (u == c.viewer || c.breaks(currentUserOnOthers)) {
		c.bool("is_current_user", u == c.viewer)
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
	tagConnections    = []string{orderPopular, orderLatest} // new and hot still answer (client code: generated from answers of 2021)
	oldTagConnections = []string{orderPopular, orderLatest, orderNew, orderHot}
)

// writeTrack writes a track's members (observed 2013: track_metadata_2013.json).
func (c *call) writeTrack(t *world.Track, f form) {
	key := t.Key()
	c.head(key, t.Name)
	c.plainText("slug", t.Slug)
	c.object("artist")
	c.writeArtist(t.Artist, nested)
	c.close('}')
	c.foot(f, "track", key, artistConnections)
}

// writeArtist writes an artist's members (observed 2013:
// artist_metadata_2013.json).
func (c *call) writeArtist(a *world.Artist, f form) {
	key := a.Key()
	c.head(key, a.Name)
	c.plainText("slug", a.Slug)
	c.foot(f, "artist", key, artistConnections)
}

// writeTag writes a tag as it stands in a cloudcast or among search results:
// its plain name, its key of today (observed 2026:
// user_cloudcasts_date_page1_2026_subset.json).
func (c *call) writeTag(t *world.Tag, prefix string) {
	name := t.Name
	if c.breaks(suffixedNestedTags) {
		name += " shows"
	}
	if c.breaks(discoverKeys) {
		prefix = "discover"
	}
	c.head("/"+prefix+"/"+world.Escape(t.Slug)+"/", name)
	c.foot(nested, "tag", "", nil)
}

var categoryConnections = []string{"cloudcasts", "userpick-cloudcasts", "userpick-users", "users"}

// writeCategory writes a category's members (observed 2013:
// category_metadata_2013.json).
func (c *call) writeCategory(g *world.Category, f form) {
	key := "/categories/" + world.Escape(g.Slug) + "/"
	c.head(key, g.Name)
	c.string("format", g.Format)
	c.pictureSet("pictures", categorySizes, g.Picture)
	c.plainText("slug", g.Slug)
	c.foot(f, "category", key, categoryConnections)
}

// writePlaylist writes a playlist's members: key, url, name, owner, slug, and no
// count (client code: generated from answers of 2021). That a full one has no
// more is inferred.
func (c *call) writePlaylist(p *world.Playlist, f form) {
	key := p.Key()
	c.head(key, p.Name)
	c.object("owner")
	c.writeUser(p.Owner, nested, time.Time{})
	c.close('}')
	c.plainText("slug", p.Slug)
	if c.breaks(countedPlaylists) {
		c.int("cloudcast_count", len(p.Cloudcasts))
	}
	c.foot(f, "playlist", key, []string{"cloudcasts"})
}

// writeComment writes a comment (observed 2018: user_comments_2018.json; its
// members in the order of 2021, client code). Its url has a fragment where its
// key has a segment.
func (c *call) writeComment(m *world.Comment) {
	id := "c" + strconv.Itoa(m.ID)
	thread := "/comments/cr/" + m.Thread + "/"
	if !c.breaks(oldMemberOrder) {
		c.join("key", thread, id, "/")
	}
	c.join("url", site, thread, "#"+id)
	c.object("user")
	c.writeUser(m.Author, nested, time.Time{})
	c.close('}')
	when := "submit_date"
	if c.breaks(oldCommentTime) {
		when = "created_time"
	}
	c.time(when, m.At)
	c.string("comment", m.Text)
	if c.breaks(oldMemberOrder) {
		c.join("key", thread, id, "/")
	}
	c.foot(nested, "comment", "", nil)
}

// writeActivity writes a line of a feed; its type says what happened, with or
// without metadata=1 (observed 2018:
// user_feed_offset_last_page_2018_subset.json; its members in the order of 2021,
// client code).
func (c *call) writeActivity(owner *world.User, a *world.Activity) {
	feed, id := owner.Key()+"feed/", strconv.Itoa(a.ID)
	if c.breaks(oldMemberOrder) {
		c.join("url", site, feed, "#"+id)
		c.join("key", feed, id, "/")
	} else {
		c.join("key", feed, id, "/")
		c.join("url", site, feed, "#"+id)
	}
	c.object("from")
	c.writeUser(a.From, nested, time.Time{})
	c.close('}')
	if c.metadata || !c.breaks(untypedActivities) {
		c.string("type", a.Kind)
	}
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
