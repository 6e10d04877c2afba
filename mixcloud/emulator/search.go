package emulator

import (
	"slices"
	"strings"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// search writes search results, paged by offset, without a name (observed 2013-22:
// search_user_2013.json and others). The order, most popular first, is inferred.
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
		name = "search:cloudcast:" + strings.Join(words, " ") // the three types have the same results
		l = c.cloudcasts(c.searchCloudcasts(name, match))
	case "user":
		l = c.userNodes(cached(&c.listCache, name, func() []*world.User {
			users := filter(c.world.Users, func(u *world.User) bool { return match(u.Username + " " + u.Name) })
			users = slices.Clone(users)
			slices.SortStableFunc(users, func(a, b *world.User) int { return len(b.Followers) - len(a.Followers) })
			return users
		}))
	case "tag":
		tags := cached(&c.listCache, name, func() []*world.Tag {
			tags := slices.Clone(filter(c.world.Tags, func(t *world.Tag) bool { return match(t.Name + " " + t.Slug) }))
			slices.SortStableFunc(tags, func(a, b *world.Tag) int { return len(b.Cloudcasts) - len(a.Cloudcasts) })
			return tags
		})
		l = list{n: len(tags), write: func(i int) {
			c.element()
			c.writeTag(tags[i])
			c.close('}')
		}}
	}
	c.page(l)
	return nil
}

func (c *call) searchCloudcasts(name string, match func(string) bool) []*world.Cloudcast {
	found := cached(&c.listCache, name, func() []*world.Cloudcast {
		return filter(publicOnly(c.world.Latest), func(cast *world.Cloudcast) bool {
			text := cast.Name + " " + cast.Owner.Name
			for _, t := range cast.Tags {
				text += " " + t.Name
			}
			return match(text)
		})
	})
	return c.sorted(name, orderPopular, found)
}
