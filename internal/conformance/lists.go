package conformance

import (
	"context"
	"net/http"
	"strings"
)

// userLists are a user's lists.
var userLists = []struct {
	name   string
	ends   string // the suffix of the list's name; "" for a list without a name
	member string // a member of every item
}{
	{"cloudcasts", "'s Cloudcasts", "play_count"},
	{"favorites", "'s favorites", "play_count"},
	{"listens", "'s listens", "play_count"},
	{"followers", "'s followers", "username"},
	{"following", "", "username"},
	{"comments", "'s profile", "comment"},
	{"feed", "'s feed", "from"},
}

var listProbes = []probe{
	{
		name: "user-lists-have-their-kind", section: "lists", confidence: Observed,
		paths: []string{"/{user}/{list}/"},
		rule:  "A user has cloudcasts, favorites and listens of cloudcasts, followers and following of users, comments and a feed.",
		check: func(ctx context.Context, s *session) error {
			empty := true
			for _, l := range userLists {
				a, err := s.get(ctx, "/"+exampleUser+"/"+l.name+"/?limit=5")
				if err != nil {
					return err
				}
				if a.status == http.StatusNotFound {
					return differs("the list %s does not exist", l.name)
				}
				p, err := parsePage(a, nil)
				if err != nil {
					return err
				}
				for _, o := range p.items {
					if !has(o, l.member) {
						return differs("%s in /%s/%s/ has no %s", text(o, "key"), exampleUser, l.name, l.member)
					}
					empty = false
				}
			}
			if empty {
				return inconclusive("all lists of /%s/ are empty", exampleUser)
			}
			return nil
		},
	},
	{
		name: "lists-have-names", section: "lists", confidence: Observed, paths: []string{"/{user}/{list}/"},
		rule: "The lists of users, the chart and the newest cloudcasts have a name.",
		check: func(ctx context.Context, s *session) error {
			for _, l := range userLists {
				if l.ends == "" {
					continue
				}
				p, err := s.page(ctx, "/"+exampleUser+"/"+l.name+"/?limit=5")
				if err != nil {
					if s.fatal != nil {
						return err
					}
					continue // another probe checks this
				}
				if got := text(p.envelope, "name"); !strings.HasSuffix(got, l.ends) {
					return differs("the name of /%s/%s/ is %q", exampleUser, l.name, got)
				}
			}
			for _, l := range []struct{ ref, name string }{{chartPath, "Popular Cloudcasts"}, {cloudcastLists[1], "New Cloudcasts"}} {
				p, err := s.page(ctx, l.ref)
				if err != nil {
					return err
				}
				if got := text(p.envelope, "name"); got != l.name {
					return differs("the name of %s is %q", l.ref, got)
				}
			}
			return nil
		},
	},
	{
		name: "following-has-no-name", section: "lists", confidence: Observed, paths: []string{"/{user}/following/"},
		rule: "The list of the users that a user follows has no name.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.page(ctx, "/"+exampleUser+"/following/?limit=5")
			if err == nil && has(p.envelope, "name") {
				return differs("its name is %v", p.envelope["name"])
			}
			return err
		},
	},
	{
		name: "hot-is-a-separate-list", section: "unknown", confidence: Unknown, paths: []string{"/popular/hot/"},
		rule: "/popular/hot/ is a different list than /popular/ and /new/.",
		check: func(ctx context.Context, s *session) error {
			hot, err := s.page(ctx, "/popular/hot/?limit=10")
			if err != nil {
				return err
			}
			if len(hot.items) < 5 {
				return inconclusive("the list has only %d cloudcasts", len(hot.items))
			}
			for _, ref := range cloudcastLists[:2] {
				other, err := s.page(ctx, ref)
				if err != nil {
					return err
				}
				if strings.HasPrefix(strings.Join(other.keys(), " ")+" ", strings.Join(hot.keys(), " ")+" ") {
					return differs("the list begins with the same items as %s", ref)
				}
			}
			return nil
		},
	},
	{
		name: "hot-is-named-hot", section: "unknown", confidence: ClientCode, paths: []string{"/popular/hot/"},
		rule: "The name of /popular/hot/ is Hot Cloudcasts.",
		check: func(ctx context.Context, s *session) error {
			hot, err := s.page(ctx, "/popular/hot/?limit=10")
			if err != nil {
				return err
			}
			switch name := text(hot.envelope, "name"); name {
			case "":
				return inconclusive("the list has no name")
			case "Hot Cloudcasts":
				return nil
			default:
				return differs("its name is %q", name)
			}
		},
	},
}

var tagProbes = []probe{
	{
		name: "tag-keys-under-genres", section: "lists", confidence: Observed,
		rule: "A tag's key begins with /genres/.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.chartPage(ctx)
			if err != nil {
				return err
			}
			none := true
			for _, o := range p.items {
				for _, t := range objects(o["tags"]) {
					none = false
					if key := text(t, "key"); !strings.HasPrefix(key, "/genres/") {
						return differs("the key of a tag is %q", key)
					}
				}
			}
			if none {
				return inconclusive("no cloudcast of the chart has a tag")
			}
			return nil
		},
	},
	{
		name: "nested-tag-names-plain", section: "lists", confidence: Observed,
		rule: "A cloudcast's tags have their plain names.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.chartPage(ctx)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				for _, t := range objects(o["tags"]) {
					if name := text(t, "name"); strings.HasSuffix(name, " shows") {
						return differs("the name of a tag is %q", name)
					}
				}
			}
			return nil
		},
	},
	tagProbe("tag-name-ends-in-shows", Documented, []string{"/genres/{tag}/"},
		"The name of a tag fetched under /genres/ ends in \"shows\".",
		func(ctx context.Context, s *session, tag string) error {
			o, err := s.object(ctx, "/genres/"+tag+"/")
			if err == nil && !strings.HasSuffix(text(o, "name"), " shows") {
				return differs("the name of the tag is %q", text(o, "name"))
			}
			return err
		}),
	tagProbe("old-tag-paths-exist", Observed, []string{"/tag/{tag}/", "/discover/{tag}/"},
		"The older paths of a tag, /tag/ and /discover/, still exist.",
		func(ctx context.Context, s *session, tag string) error {
			for _, path := range []string{"/tag/" + tag + "/", "/discover/" + tag + "/"} {
				if err := checkExists(ctx, s, path); err != nil {
					return err
				}
			}
			return nil
		}),
	tagProbe("tag-connections-keep-path", Observed, []string{"/tag/{tag}/"},
		"The connections of a tag have the requested path.",
		func(ctx context.Context, s *session, tag string) error {
			c, err := connections(ctx, s, "/tag/"+tag+"/")
			if err != nil {
				return err
			}
			if got := text(c, "popular"); !strings.Contains(got, "/tag/"+tag+"/popular/") {
				return differs("the connection popular is %q", got)
			}
			return nil
		}),
	tagProbe("tag-popular", Observed, []string{"/genres/{tag}/popular/"},
		"A tag has a list popular of its cloudcasts.",
		func(ctx context.Context, s *session, tag string) error {
			return checkCloudcasts(ctx, s, "/genres/"+tag+"/popular/?limit=5")
		}),
	tagProbe("tag-latest", ClientCode, []string{"/genres/{tag}/latest/"},
		"A tag has a list latest of its cloudcasts.",
		func(ctx context.Context, s *session, tag string) error {
			return checkCloudcasts(ctx, s, "/genres/"+tag+"/latest/?limit=5")
		}),
	tagProbe("tag-new-and-hot", Observed, []string{"/genres/{tag}/new/", "/genres/{tag}/hot/"},
		"A tag has the lists new and hot of its cloudcasts.",
		func(ctx context.Context, s *session, tag string) error {
			if err := checkCloudcasts(ctx, s, "/genres/"+tag+"/new/?limit=5"); err != nil {
				return err
			}
			return checkCloudcasts(ctx, s, "/genres/"+tag+"/hot/?limit=5")
		}),
	{
		name: "all-cloudcasts", section: "lists", confidence: ClientCode, paths: []string{"/discover/all/popular/"},
		rule: "/discover/all/popular/ lists the cloudcasts of the whole site.",
		check: func(ctx context.Context, s *session) error {
			return checkCloudcasts(ctx, s, "/discover/all/popular/?limit=5")
		},
	},
	{
		name: "joined-tags", section: "lists", confidence: Inferred, paths: []string{"/genres/{tags}/popular/"},
		rule: "Tags joined by + select the cloudcasts that have all of them.",
		check: func(ctx context.Context, s *session) error {
			pair, err := s.tagPair(ctx)
			if err != nil {
				return err
			}
			return checkCloudcasts(ctx, s, "/genres/"+pair+"/popular/?limit=5")
		},
	},
	{
		name: "city-is-like-a-tag", section: "unknown", confidence: Unknown, paths: []string{"/genres/{city}/"},
		rule: "A city has key, url and name, like a tag.",
		check: func(ctx context.Context, s *session) error {
			a, err := s.get(ctx, "/genres/city:london/")
			if err != nil {
				return err
			}
			if a.status == http.StatusNotFound {
				return differs("the city was not found: %s", a)
			}
			o, err := parseResource(a, nil)
			if err != nil {
				return err
			}
			if lacking := missing(o, []string{"key", "url", "name"}); len(lacking) > 0 {
				return differs("these members are missing: %s", strings.Join(lacking, ", "))
			}
			return nil
		},
	},
	{
		name: "city-lists-cloudcasts", section: "lists", confidence: Documented, paths: []string{"/genres/{city}/popular/"},
		rule: "A city has a list popular of its cloudcasts.",
		check: func(ctx context.Context, s *session) error {
			return checkCloudcasts(ctx, s, "/genres/city:london/popular/?limit=5")
		},
	},
}

// tagProbe returns a probe of a tag of the chart's shows.
func tagProbe(name string, confidence Confidence, paths []string, rule string, check func(context.Context, *session, string) error) probe {
	return probe{name: name, rule: rule, section: "lists", confidence: confidence, paths: paths, check: func(ctx context.Context, s *session) error {
		tag, err := s.commonTag(ctx)
		if err != nil {
			return err
		}
		return check(ctx, s, tag)
	}}
}

// checkExists checks that a resource exists.
func checkExists(ctx context.Context, s *session, ref string) error {
	a, err := s.get(ctx, ref)
	if err != nil {
		return err
	}
	if a.status == http.StatusNotFound {
		return differs("the resource was not found: %s", a)
	}
	_, err = parseResource(a, nil)
	return err
}

// checkCloudcasts checks that a path is a list of cloudcasts.
func checkCloudcasts(ctx context.Context, s *session, ref string) error {
	return checkList(ctx, s, ref, "cloudcasts", isCloudcast)
}

// checkList checks that a path is a list with at least one item, and that all items are
// of a kind.
func checkList(ctx context.Context, s *session, ref, kind string, is func(object) bool) error {
	a, err := s.get(ctx, ref)
	if err != nil {
		return err
	}
	return checkItems(a, kind, is)
}

func checkItems(a *response, kind string, is func(object) bool) error {
	if a.status == http.StatusNotFound {
		return differs("the list was not found: %s", a)
	}
	p, err := parsePage(a, nil)
	if err != nil {
		return err
	}
	for _, o := range p.items {
		if !is(o) {
			return differs("an item is not one of %s: %s", kind, text(o, "key"))
		}
	}
	if len(p.items) == 0 {
		return inconclusive("the list is empty: %s", a)
	}
	return nil
}

// tagPair returns two tags of one show of the chart, joined by +.
func (s *session) tagPair(ctx context.Context) (string, error) {
	p, err := s.chartPage(ctx)
	if err != nil {
		return "", err
	}
	for _, o := range p.items {
		var pair []string
		for _, t := range objects(o["tags"]) {
			parts := strings.Split(strings.Trim(text(t, "key"), "/"), "/")
			if slug := parts[len(parts)-1]; plainKey.MatchString("/" + slug + "/") {
				pair = append(pair, slug)
			}
		}
		if len(pair) >= 2 {
			return pair[0] + "+" + pair[1], nil
		}
	}
	return "", inconclusive("no cloudcast of the chart has two tags")
}
