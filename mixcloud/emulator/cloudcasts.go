package emulator

import (
	"strconv"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

var cloudcastConnections = []string{"comments", "favorites", "listeners", "similar"}

// writeCloudcast writes a cloudcast's members in the order of the newer server
// (observed 2021-26: tag_popular_limit5_2021.json,
// user_cloudcasts_date_page1_2026_subset.json). Where the token's members stand
// in that order is inferred.
func (c *call) writeCloudcast(cast *world.Cloudcast, f form, listened time.Time) {
	key := cast.Key()
	if f == full && c.breaks(otherFullKeys) {
		key = cast.Owner.Key() + strconv.Itoa(cast.ID) + "/"
	}
	c.head(key, cast.Name)
	c.list("tags")
	for _, t := range cast.Tags {
		c.element()
		c.writeTag(t, "genres")
		c.close('}')
	}
	c.close(']')
	c.time("created_time", cast.Created)
	c.time("updated_time", cast.Updated)
	c.counts(cast)
	sizes := cloudcastSizes
	if c.breaks(fewShowPictures) {
		sizes = userSizes
	}
	c.pictureSet("pictures", sizes, pictureOf(cast))
	c.plainText("slug", cast.Slug)
	c.object("user")
	c.writeUser(cast.Owner, nested, time.Time{})
	c.close('}')
	if !c.breaks(noHosts) {
		c.users("hosts", cast.Hosts)
	}
	if cast.HiddenStats || c.breaks(falseHiddenStats) {
		c.bool("hidden_stats", cast.HiddenStats)
	}
	if cast.Exclusive && !c.breaks(oldMemberOrder) {
		c.bool("is_exclusive", true)
	}
	if cast.AudioLength > 0 {
		c.int("audio_length", cast.AudioLength)
	} else if c.breaks(nulls) {
		c.null("audio_length")
	}
	if f == full && !c.breaks(noDescription) || c.breaks(descriptionInLists) {
		c.optional("description", c.marked(cast.Description))
	}
	if f == full {
		switch {
		case c.breaks(noSections):
		case c.breaks(emptySections):
			c.sections(nil)
		default:
			c.sections(cast.Sections)
		}
		c.color(cast.PrimaryColor)
	}
	if cast.Exclusive && c.breaks(oldMemberOrder) {
		c.bool("is_exclusive", true)
	}
	if c.viewer != nil && !c.breaks(noViewerMembers) {
		c.bool("favorited", hasCloudcast(c.viewer.Favorites, cast))
		c.bool("reposted", hasCloudcast(c.viewer.Reposts, cast))
		c.bool("is_listen_later", hasCloudcast(c.viewer.ListenLater, cast))
	}
	if !listened.IsZero() && !c.breaks(noListenTime) {
		c.time("listen_time", listened)
	}
	c.foot(f, "cloudcast", key, cloudcastConnections)
}

// counts writes a cloudcast's numbers; hidden ones are 0, but that of comments
// stays (observed 2021: tag_popular_limit5_2021.json).
func (c *call) counts(cast *world.Cloudcast) {
	shown := func(n int) int {
		if cast.HiddenStats && !c.breaks(realHiddenStats) {
			return 0
		}
		return n
	}
	comments := len(cast.Comments)
	if cast.HiddenStats && c.breaks(zeroHiddenComments) {
		comments = 0
	}
	c.int("play_count", shown(cast.PlayCount))
	c.int("favorite_count", shown(len(cast.Favorites)))
	c.int("comment_count", comments)
	c.int("listener_count", shown(cast.ListenerCount))
	c.int("repost_count", shown(len(cast.Reposts)))
}

// sections writes a tracklist (observed 2014: cloudcast_full_sections_2014.json:
// positions from 0, start_time may be missing). A chapter was never recorded;
// its member is named as in the upload form.
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
		} else if c.breaks(nulls) {
			c.null("start_time")
		}
		c.string("section_type", kind)
		c.foot(nested, "section", "", nil)
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
