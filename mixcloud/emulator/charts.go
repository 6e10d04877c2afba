package emulator

import (
	"strings"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// popular, hot and latest write the site's charts, paged by offset (observed 2017:
// popular_with_token_2017.json, new_2017.json).

func (c *call) popular() error { return c.chart("Popular Cloudcasts", c.world.Popular) }

func (c *call) hot() error { return c.chart("Hot Cloudcasts", c.world.Hot) }

func (c *call) latest() error { return c.chart("New Cloudcasts", c.world.Latest) }

func (c *call) chart(name string, casts []*world.Cloudcast) error {
	l := c.cloudcasts(cached(&c.listCache, c.path, func() []*world.Cloudcast { return publicOnly(casts) }))
	l.name = name
	c.page(l)
	return nil
}

func publicOnly(casts []*world.Cloudcast) []*world.Cloudcast {
	return filter(casts, func(cast *world.Cloudcast) bool { return !cast.Private() })
}

// A selection is the set of cloudcasts that the segment after /genres/ selects: all,
// or those that have all of the given tags and cities.
type selection struct {
	segment string // escaped, as in keys
	name    string
	casts   []*world.Cloudcast // newest first
	tag     bool               // a single tag
	city    bool               // a single city
}

// parseSelection parses a segment such as "funk", "city:athens", "funk+city:athens"
// or "all" (documented; all: client code).
func (c *call) parseSelection(segment string) (selection, error) {
	s := selection{segment: world.Escape(segment)}
	if segment == "all" {
		s.name = "All"
		s.casts = cached(&c.listCache, "all", func() []*world.Cloudcast { return publicOnly(c.world.Latest) })
		return s, nil
	}
	parts := strings.Split(segment, "+")
	var names []string
	for i, part := range parts {
		var casts []*world.Cloudcast
		if slug, isCity := strings.CutPrefix(part, "city:"); isCity {
			city := c.world.City(slug)
			if city == nil {
				return s, notFound(noCity)
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
			s.casts = publicOnly(casts)
			continue
		}
		with := make(map[*world.Cloudcast]bool, len(casts))
		for _, cast := range casts {
			with[cast] = true
		}
		s.casts = filter(s.casts, func(cast *world.Cloudcast) bool { return with[cast] })
	}
	s.name, s.tag = strings.Join(names, " + "), s.tag && len(names) == 1
	return s, nil
}

// tag writes a tag or a city. Its key has the current prefix, and its connections have
// the requested path (observed 2018: tag_metadata_2018.json). A tag's name has no
// suffix under /tag/ and ends in " shows" elsewhere (documented:
// docs_tag_genres_funk.json); the names of cities and joined tags are inferred.
func (c *call) tag() error {
	s, err := c.parseSelection(c.args[0])
	if err != nil {
		return err
	}
	prefix, _, _ := strings.Cut(c.path[1:], "/")
	name := s.name
	if s.tag && prefix != "tag" {
		name += " shows"
	}
	c.open('{')
	c.commonMembers("/genres/"+s.segment+"/", name)
	c.metadataMembers(full, kindTag, c.path, tagConnections)
	c.close('}')
	return nil
}

// tagCloudcasts writes the cloudcasts of a selection (observed 2021:
// tag_popular_limit5_2021.json).
func (c *call) tagCloudcasts(order string) error {
	s, err := c.parseSelection(c.args[0])
	if err != nil {
		return err
	}
	c.page(c.cloudcasts(c.sorted("tag:"+s.segment, order, s.casts)))
	return nil
}
