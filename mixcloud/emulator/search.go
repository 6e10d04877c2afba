package emulator

import (
	"slices"
	"strings"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// searchRules are broken when a kind of search finds nothing.
var searchRules = map[string]rule{
	"": searchNeedsType, "cloudcast": noCloudcastSearch, "upload": noUploadSearch, "user": noUserSearch, "tag": noTagSearch,
}

// search is paged by offset and has no name (observed 2013-22:
// search_user_2013.json and others). Which matches come first is inferred: the
// more popular ones.
func (c *call) search() error {
	words := strings.Fields(strings.ToLower(c.query.Get("q")))
	kind := c.query.Get("type")
	name := "search:" + kind + ":" + strings.Join(words, " ")
	match := func(text string) bool {
		text = strings.ToLower(text)
		return len(words) > 0 && !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
	}
	l := list{}
	switch kind {
	case "", "cloudcast", "upload":
		name = "search:cloudcast:" + strings.Join(words, " ") // the three find the same
		l = c.cloudcasts(c.searchCloudcasts(name, match))
		if c.breaks(searchPagedByDate) {
			l = c.userCloudcasts(&world.User{Cloudcasts: c.searchCloudcasts(name, match)})
			l.name = ""
		}
	case "user":
		l = c.userNodes(remember(&c.orders, name, func() []*world.User {
			users := keep(c.world.Users, func(u *world.User) bool { return match(u.Username + " " + u.Name) })
			users = slices.Clone(users)
			slices.SortStableFunc(users, func(a, b *world.User) int { return len(b.Followers) - len(a.Followers) })
			return users
		}))
	case "tag":
		tags := remember(&c.orders, name, func() []*world.Tag {
			tags := slices.Clone(keep(c.world.Tags, func(t *world.Tag) bool { return match(t.Name + " " + t.Slug) }))
			slices.SortStableFunc(tags, func(a, b *world.Tag) int { return len(b.Cloudcasts) - len(a.Cloudcasts) })
			return tags
		})
		l = list{n: len(tags), item: func(i int) {
			c.element()
			c.writeTag(tags[i], "genres")
			c.close('}')
		}}
	}
	if r, ok := searchRules[kind]; ok && c.breaks(r) {
		l = list{}
	}
	if c.breaks(searchNamed) {
		l.name = "Search results"
	}
	c.page(l)
	return nil
}

func (c *call) searchCloudcasts(name string, match func(string) bool) []*world.Cloudcast {
	found := remember(&c.orders, name, func() []*world.Cloudcast {
		return keep(public(c.world.Latest), func(cast *world.Cloudcast) bool {
			text := cast.Name + " " + cast.Owner.Name
			for _, t := range cast.Tags {
				text += " " + t.Name
			}
			return match(text)
		})
	})
	return c.ordered(name, orderPopular, found)
}
