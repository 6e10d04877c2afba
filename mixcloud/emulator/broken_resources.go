package emulator

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// Deviations that change the resources of a response. See [rule]. Their functions are
// called with a read lock on the emulator's data.

// The members with which each kind of resource ends. A new member is inserted before
// them.
var (
	endOfResource = []string{"listen_time", "type", "metadata"}
	viewerOfShow  = append([]string{"favorited", "reposted", "is_listen_later"}, endOfResource...)
	endOfShow     = append([]string{"sections", "picture_primary_color"}, viewerOfShow...)
	viewerOfUser  = append([]string{"following", "follower", "is_current_user"}, endOfResource...)
	endOfUser     = append([]string{"created_time", "updated_time"}, viewerOfUser...)
)

// resources changes all resources of kinds, or of every kind if there are none.
func resources(f func(c *call, o *object), kinds ...string) deviation {
	return matchingResources(func(*document, *object) bool { return true }, f, kinds)
}

// roots changes the resource that was requested: the root of the JSON document.
func roots(f func(c *call, o *object), kinds ...string) deviation {
	return matchingResources(func(d *document, o *object) bool { return o == d.root }, f, kinds)
}

// nestedResources changes the resources in lists and inside other resources.
func nestedResources(f func(c *call, o *object), kinds ...string) deviation {
	return matchingResources(func(d *document, o *object) bool { return o != d.root }, f, kinds)
}

func matchingResources(which func(*document, *object) bool, f func(c *call, o *object), kinds []string) deviation {
	return changeJSON(func(c *call, d *document) {
		d.objects(func(o *object) {
			kind := o.kind()
			if kind != "" && (len(kinds) == 0 || slices.Contains(kinds, kind)) && which(d, o) {
				f(c, o)
			}
		})
	})
}

// dropMembers removes members.
func dropMembers(names ...string) func(*call, *object) {
	return func(_ *call, o *object) { o.delete(names...) }
}

// setMember sets a member. A new one is inserted before those in before.
func setMember(name string, value any, before ...string) func(*call, *object) {
	return func(_ *call, o *object) { o.put(name, value, before...) }
}

func renameMember(from, to string) func(*call, *object) {
	return func(_ *call, o *object) { o.rename(from, to) }
}

// changeText changes members that are strings.
func changeText(f func(c *call, o *object, text string) string, names ...string) func(*call, *object) {
	return func(c *call, o *object) {
		for _, name := range names {
			if text, ok := o.get(name).(string); ok {
				o.put(name, f(c, o, text))
			}
		}
	}
}

// Lookups of the users, shows and playlists that the resources represent.

func (c *call) userOf(o *object) *world.User {
	u, _, _ := c.keyOf(o)
	return u
}

func (c *call) showOf(o *object) *world.Cloudcast {
	if u, rest, ok := c.keyOf(o); ok && len(rest) == 1 {
		return c.world.Cloudcast(u.Username, rest[0])
	}
	return nil
}

func (c *call) playlistOf(o *object) *world.Playlist {
	if u, rest, ok := c.keyOf(o); ok && len(rest) == 2 {
		return c.world.Playlist(u.Username, rest[1])
	}
	return nil
}

// keyOf parses the key of o. It returns the user, and the unescaped segments after the
// user name.
func (c *call) keyOf(o *object) (*world.User, []string, bool) {
	segments := split(o.text("key"))
	for i, s := range segments {
		segments[i], _ = url.PathUnescape(s)
	}
	u := c.world.User(segments[0])
	return u, segments[1:], u != nil
}

// Keys.

func decodeKeyText(_ *call, _ *object, text string) string {
	plain, err := url.PathUnescape(text)
	if err != nil {
		return text
	}
	return plain
}

func encodeKeyText(_ *call, _ *object, text string) string { return world.Escape(text) }

func atAPI(c *call, _ *object, text string) string { return c.base + strings.TrimPrefix(text, site) }

func underDiscover(_ *call, _ *object, text string) string {
	return strings.Replace(text, "/genres/", "/discover/", 1)
}

// changeKey changes the key of a resource, and its URL and connections accordingly.
func changeKey(o *object, key string) {
	old := o.text("key")
	o.put("key", key)
	o.put("url", site+key)
	connections := o.object("metadata").object("connections")
	for _, m := range connections.all() {
		connections.put(m.name, strings.Replace(m.value.(string), old, key, 1))
	}
}

func keyByNumber(c *call, o *object) {
	if cast := c.showOf(o); cast != nil {
		changeKey(o, cast.Owner.Key()+strconv.Itoa(cast.ID)+"/")
	}
}

func keyOfMe(_ *call, o *object) { changeKey(o, "/me/") }

func nameFirst(_ *call, o *object) { o.move("name", "key") }

// Types and connections.

func addType(_ *call, o *object) {
	if !o.has("type") {
		o.put("type", o.kind())
	}
}

// connectionsOf contains the connections that metadata=1 adds to each kind of
// resource.
var connectionsOf = map[string][]string{
	kindUser:      userConnections,
	kindCloudcast: cloudcastConnections,
	kindTrack:     artistConnections,
	kindArtist:    artistConnections,
	kindCategory:  categoryConnections,
	kindPlaylist:  playlistConnections,
}

func addConnections(c *call, o *object) {
	var connections object
	for _, name := range connectionsOf[o.kind()] {
		connections.put(name, c.base+o.text("key")+name+"/")
	}
	if len(connections.members) > 0 {
		o.put("metadata", &object{members: []member{{"connections", &connections}}})
	}
}

// changeConnections changes the connections that metadata=1 adds.
func changeConnections(f func(c *call, connections *object)) func(*call, *object) {
	return func(c *call, o *object) {
		if connections := o.object("metadata").object("connections"); connections != nil {
			f(c, connections)
		}
	}
}

// addConnection adds connections with the given names. Their URLs differ from that of
// the connection known in the name only.
func addConnection(known string, names ...string) func(*call, *object) {
	return changeConnections(func(_ *call, connections *object) {
		for _, name := range names {
			connections.put(name, strings.TrimSuffix(connections.text(known), known+"/")+name+"/")
		}
	})
}

func connectionsUnderGenres(c *call, connections *object) {
	for _, m := range connections.all() {
		connections.put(m.name, c.base+"/genres/"+world.Escape(c.selected())+"/"+m.name+"/")
	}
}

// Users.

func addBiog(c *call, o *object) {
	if u := c.userOf(o); u != nil {
		o.put("biog", c.marked(u.Biog), endOfUser...)
	}
}

func addFollower(c *call, o *object) {
	if u := c.userOf(o); u != nil {
		o.put("follower", hasUser(u.Following, c.viewer), endOfResource...)
	}
}

// Cloudcasts.

func addDescription(c *call, o *object) {
	if cast := c.showOf(o); cast != nil && cast.Description != "" {
		o.put("description", c.marked(cast.Description), endOfShow...)
	}
}

func falseHiddenStats(_ *call, o *object) {
	if !o.has("hidden_stats") {
		o.put("hidden_stats", false, append([]string{"is_exclusive", "audio_length", "description"}, endOfShow...)...)
	}
}

func showCounts(c *call, o *object) {
	cast := c.showOf(o)
	if cast == nil || !o.has("hidden_stats") {
		return
	}
	for name, count := range map[string]int{
		"play_count": cast.PlayCount, "favorite_count": len(cast.Favorites),
		"listener_count": cast.ListenerCount, "repost_count": len(cast.Reposts),
	} {
		o.put(name, json.Number(strconv.Itoa(count)))
	}
}

func zeroComments(_ *call, o *object) {
	if o.has("hidden_stats") {
		o.put("comment_count", json.Number("0"))
	}
}

func dropPictures(_ *call, o *object) {
	for _, s := range cloudcastSizes[len(userSizes):] {
		o.object("pictures").delete(s.name)
	}
}

func addPictures(_ *call, o *object) {
	last := userSizes[len(userSizes)-1]
	pictures := o.object("pictures")
	if pictures == nil {
		return
	}
	for _, s := range cloudcastSizes[len(userSizes):] {
		pictures.put(s.name, strings.Replace(pictures.text(last.name), last.path, s.path, 1))
	}
}

// absentAsNull adds the members that the emulator omits because they are empty, with
// the value null.
func absentAsNull(c *call, d *document) {
	d.objects(func(o *object) {
		full := o == d.root
		null := func(name string, before ...string) {
			if !o.has(name) {
				o.put(name, nil, before...)
			}
		}
		switch o.kind() {
		case kindUser:
			if full {
				null("city", append([]string{"country", "cover_pictures", "picture_primary_color"}, viewerOfUser...)...)
				null("country", append([]string{"cover_pictures", "picture_primary_color"}, viewerOfUser...)...)
				null("picture_primary_color", viewerOfUser...)
			}
		case kindCloudcast:
			null("audio_length", append([]string{"description"}, endOfShow...)...)
			if full {
				null("description", endOfShow...)
				null("picture_primary_color", viewerOfShow...)
			}
		case kindSection:
			null("start_time", "section_type")
		}
	})
}

// Tags, playlists, comments and activities.

func plainTagName(c *call, o *object) {
	if t := c.world.Tag(c.selected()); t != nil {
		o.put("name", c.marked(t.Name))
	}
}

func withShowsSuffix(_ *call, _ *object, name string) string { return name + " shows" }

func countPlaylist(c *call, o *object) {
	if p := c.playlistOf(o); p != nil {
		o.put("cloudcast_count", json.Number(strconv.Itoa(len(p.Cloudcasts))), endOfResource...)
	}
}

// oldMemberOrder moves members to the positions that they had in old responses.
func oldMemberOrder(_ *call, o *object) {
	switch o.kind() {
	case kindComment:
		o.move("key", endOfResource...)
	case kindActivity:
		o.move("url", "key")
	case kindCloudcast:
		o.move("is_exclusive", viewerOfShow...)
	}
}

// Values of every kind.

func quoteNumbers(_ *call, d *document) {
	d.objects(func(o *object) {
		for i, m := range o.members {
			if n, ok := m.value.(json.Number); ok {
				o.members[i].value = n.String()
			}
		}
	})
}

func fractionalTimes(_ *call, d *document) {
	d.objects(func(o *object) {
		for i, m := range o.members {
			if !strings.HasSuffix(m.name, "_time") && m.name != "submit_date" {
				continue
			}
			text, _ := m.value.(string)
			if t, err := time.Parse(time.RFC3339, text); err == nil {
				o.members[i].value = t.Format("2006-01-02T15:04:05.000Z")
			}
		}
	})
}

func withHash(_ *call, _ *object, color string) string { return "#" + color }

// dropViewer removes the members that a token adds.
func dropViewer(_ *call, o *object) {
	switch o.kind() {
	case kindUser:
		o.delete("following", "follower", "is_current_user")
	case kindCloudcast:
		o.delete("favorited", "reposted", "is_listen_later")
	}
}

func notCurrentUser(_ *call, o *object) {
	if !o.has("is_current_user") {
		o.put("is_current_user", false, endOfResource...)
	}
}

// namedKinds are the kinds whose first members are key, URL and name.
var namedKinds = []string{kindUser, kindCloudcast, kindTag, kindTrack, kindArtist, kindCategory, kindPlaylist}

// typedKinds are the kinds to which metadata=1 adds a type.
var typedKinds = append([]string{kindComment, kindSection}, namedKinds...)

// noLatest removes the list latest of tags, and its connection.
var noLatest = roots(changeConnections(dropMembers(orderLatest)), kindTag).and(changeRequest(func(c *call) {
	if onTags(orderLatest)(c) {
		respondSelectionNotFound.request(c)
	}
}))
