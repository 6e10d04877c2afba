package conformance

import (
	"context"
	"strings"
)

// described is a page of the chart with metadata=1.
const described = "/popular/?limit=5&metadata=1"

// connections are a root's metadata.connections, as URLs by name.
func connections(ctx context.Context, s *session, path string) (object, error) {
	o, err := s.object(ctx, path+"?metadata=1")
	if err != nil {
		return nil, err
	}
	c := inside(inside(o, "metadata"), "connections")
	if len(c) == 0 {
		return nil, unsure("%s has no metadata.connections", path)
	}
	return c, nil
}

var metadataProbes = []probe{
	{
		name: "no-type-without-metadata", section: "metadata", sure: Observed, asks: []string{"/{user}/"},
		rule: "Without metadata=1 no resource tells its type.",
		judge: func(ctx context.Context, s *session) error {
			p, err := s.charted(ctx)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				for _, r := range append(objects(o["tags"]), o, inside(o, "user")) {
					if has(r, "type") {
						return differs("%s has the type %v", text(r, "key"), r["type"])
					}
				}
			}
			o, err := s.object(ctx, "/"+example+"/")
			if err == nil && has(o, "type") {
				return differs("/%s/ has the type %v", example, o["type"])
			}
			return err
		},
	},
	{
		name: "metadata-types-root", section: "metadata", sure: Observed, asks: []string{"/{user}/"},
		rule: "With metadata=1 the resource asked for tells its type.",
		judge: func(ctx context.Context, s *session) error {
			o, err := s.object(ctx, "/"+example+"/?metadata=1")
			if err == nil && o["type"] != "user" {
				return differs("the type of /%s/ is %v", example, o["type"])
			}
			return err
		},
	},
	{
		name: "metadata-types-nested", section: "metadata", sure: Observed, asks: []string{"/popular/"},
		rule: "With metadata=1 every listed and nested resource tells its type.",
		judge: func(ctx context.Context, s *session) error {
			p, err := showing(s.page(ctx, described))
			if err != nil {
				return err
			}
			for _, o := range p.items {
				for _, kind := range []struct {
					name string
					list []object
				}{{"cloudcast", []object{o}}, {"user", []object{inside(o, "user")}}, {"tag", objects(o["tags"])}} {
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
		name: "metadata-connections", section: "metadata", sure: Observed, asks: []string{"/{user}/"},
		rule: "With metadata=1 the resource asked for has the URLs of its connections.",
		judge: func(ctx context.Context, s *session) error {
			o, err := s.object(ctx, "/"+example+"/?metadata=1")
			if err == nil && len(inside(inside(o, "metadata"), "connections")) == 0 {
				return differs("/%s/ has none", example)
			}
			return err
		},
	},
	{
		name: "metadata-connections-of-users", section: "metadata", sure: Observed, asks: []string{"/{user}/"},
		rule: "A user's connections are cloudcasts, comments, favorites, feed, followers, following, listens and playlists.",
		judge: func(ctx context.Context, s *session) error {
			c, err := connections(ctx, s, "/"+example+"/")
			if err != nil {
				return err
			}
			lacks := missing(c, []string{"cloudcasts", "comments", "favorites", "feed", "followers", "following", "listens", "playlists"})
			if len(lacks) > 0 {
				return differs("there is no %s", strings.Join(lacks, ", "))
			}
			return nil
		},
	},
	{
		name: "metadata-connections-of-cloudcasts", section: "metadata", sure: Observed, asks: []string{"/{user}/{cloudcast}/"},
		rule: "A cloudcast's connections are comments, favorites, listeners and similar.",
		judge: func(ctx context.Context, s *session) error {
			key, err := s.show(ctx, nil)
			if err != nil {
				return err
			}
			c, err := connections(ctx, s, key)
			if err != nil {
				return err
			}
			known := []string{"comments", "favorites", "listeners", "similar"}
			if lacks := missing(c, known); len(lacks) > 0 {
				return differs("there is no %s", strings.Join(lacks, ", "))
			}
			return onlyThese(c, known)
		},
	},
	{
		name: "metadata-not-on-items", section: "metadata", sure: Observed, asks: []string{"/popular/"},
		rule: "Listed and nested resources have no metadata, even with metadata=1.",
		judge: func(ctx context.Context, s *session) error {
			p, err := showing(s.page(ctx, described))
			if err != nil {
				return err
			}
			for _, o := range p.items {
				for _, r := range append(objects(o["tags"]), o, inside(o, "user")) {
					if has(r, "metadata") {
						return differs("%s has some", text(r, "key"))
					}
				}
			}
			return nil
		},
	},
	{
		name: "metadata-not-in-envelopes", section: "metadata", sure: Observed, asks: []string{"/popular/"},
		rule: "A list's own members are data, paging and name, with metadata=1 too.",
		judge: func(ctx context.Context, s *session) error {
			p, err := showing(s.page(ctx, described))
			if err != nil {
				return err
			}
			return onlyThese(p.envelope, []string{"data", "paging", "name"})
		},
	},
}
