package conformance

import (
	"context"
	"strings"
)

// chartWithMetadata is the path of a page of the chart with metadata=1.
const chartWithMetadata = "/popular/?limit=5&metadata=1"

// connections returns metadata.connections of a resource: URLs by name.
func connections(ctx context.Context, s *session, path string) (object, error) {
	o, err := s.object(ctx, path+"?metadata=1")
	if err != nil {
		return nil, err
	}
	c := member(member(o, "metadata"), "connections")
	if len(c) == 0 {
		return nil, inconclusive("%s has no metadata.connections", path)
	}
	return c, nil
}

var metadataProbes = []probe{
	{
		name: "no-type-without-metadata", section: "metadata", confidence: Observed, paths: []string{"/{user}/"},
		rule: "Without metadata=1 no resource has a type.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.chartPage(ctx)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				for _, r := range append(objects(o["tags"]), o, member(o, "user")) {
					if has(r, "type") {
						return differs("%s has the type %v", text(r, "key"), r["type"])
					}
				}
			}
			o, err := s.object(ctx, "/"+exampleUser+"/")
			if err == nil && has(o, "type") {
				return differs("/%s/ has the type %v", exampleUser, o["type"])
			}
			return err
		},
	},
	{
		name: "metadata-types-root", section: "metadata", confidence: Observed, paths: []string{"/{user}/"},
		rule: "With metadata=1 the requested resource has a type.",
		check: func(ctx context.Context, s *session) error {
			o, err := s.object(ctx, "/"+exampleUser+"/?metadata=1")
			if err == nil && o["type"] != "user" {
				return differs("the type of /%s/ is %v", exampleUser, o["type"])
			}
			return err
		},
	},
	{
		name: "metadata-types-nested", section: "metadata", confidence: Observed, paths: []string{"/popular/"},
		rule: "With metadata=1 every listed and nested resource has a type.",
		check: func(ctx context.Context, s *session) error {
			p, err := cloudcastPage(s.page(ctx, chartWithMetadata))
			if err != nil {
				return err
			}
			for _, o := range p.items {
				for _, kind := range []struct {
					name string
					list []object
				}{{"cloudcast", []object{o}}, {"user", []object{member(o, "user")}}, {"tag", objects(o["tags"])}} {
					for _, r := range kind.list {
						if r["type"] != kind.name {
							return differs("the type of %s is %v", text(r, "key"), r["type"])
						}
					}
				}
			}
			return nil
		},
	},
	{
		name: "metadata-connections", section: "metadata", confidence: Observed, paths: []string{"/{user}/"},
		rule: "With metadata=1 the requested resource has the URLs of its connections.",
		check: func(ctx context.Context, s *session) error {
			o, err := s.object(ctx, "/"+exampleUser+"/?metadata=1")
			if err == nil && len(member(member(o, "metadata"), "connections")) == 0 {
				return differs("/%s/ has no connections", exampleUser)
			}
			return err
		},
	},
	{
		name: "metadata-connections-of-users", section: "metadata", confidence: Observed, paths: []string{"/{user}/"},
		rule: "A user's connections are cloudcasts, comments, favorites, feed, followers, following, listens and playlists.",
		check: func(ctx context.Context, s *session) error {
			c, err := connections(ctx, s, "/"+exampleUser+"/")
			if err != nil {
				return err
			}
			lacking := missing(c, []string{"cloudcasts", "comments", "favorites", "feed", "followers", "following", "listens", "playlists"})
			if len(lacking) > 0 {
				return differs("these connections are missing: %s", strings.Join(lacking, ", "))
			}
			return nil
		},
	},
	{
		name: "metadata-connections-of-cloudcasts", section: "metadata", confidence: Observed, paths: []string{"/{user}/{cloudcast}/"},
		rule: "A cloudcast's connections are comments, favorites, listeners and similar.",
		check: func(ctx context.Context, s *session) error {
			key, err := s.cloudcastKey(ctx, nil)
			if err != nil {
				return err
			}
			c, err := connections(ctx, s, key)
			if err != nil {
				return err
			}
			known := []string{"comments", "favorites", "listeners", "similar"}
			if lacking := missing(c, known); len(lacking) > 0 {
				return differs("these connections are missing: %s", strings.Join(lacking, ", "))
			}
			return onlyThese(c, known)
		},
	},
	{
		name: "metadata-not-on-items", section: "metadata", confidence: Observed, paths: []string{"/popular/"},
		rule: "Listed and nested resources have no metadata, even with metadata=1.",
		check: func(ctx context.Context, s *session) error {
			p, err := cloudcastPage(s.page(ctx, chartWithMetadata))
			if err != nil {
				return err
			}
			for _, o := range p.items {
				for _, r := range append(objects(o["tags"]), o, member(o, "user")) {
					if has(r, "metadata") {
						return differs("%s has metadata", text(r, "key"))
					}
				}
			}
			return nil
		},
	},
	{
		name: "metadata-not-in-envelopes", section: "metadata", confidence: Observed, paths: []string{"/popular/"},
		rule: "The members of a list are data, paging and name, even with metadata=1.",
		check: func(ctx context.Context, s *session) error {
			p, err := cloudcastPage(s.page(ctx, chartWithMetadata))
			if err != nil {
				return err
			}
			return onlyThese(p.envelope, []string{"data", "paging", "name"})
		},
	},
}
