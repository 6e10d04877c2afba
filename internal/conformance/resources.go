package conformance

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// The picture sizes of the current server.
var (
	userSizes = []string{"small", "thumbnail", "medium_mobile", "medium", "large", "320wx320h", "extra_large", "640wx640h"}
	showSizes = append(slices.Clone(userSizes), "768wx768h", "1024wx1024h")
)

var fullUser = []string{
	"biog", "created_time", "updated_time", "follower_count", "following_count", "cloudcast_count", "favorite_count",
	"listen_count", "is_pro", "is_premium",
}

var color = regexp.MustCompile(`^[0-9a-f]{6}$`)

// missing returns the names that an object does not have.
func missing(o object, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return has(o, n) })
}

// present returns the names that an object has.
func present(o object, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !has(o, n) })
}

// sameSizes checks that a pictures object has exactly the wanted sizes.
func sameSizes(pictures object, want []string) error {
	if lacks := missing(pictures, want); len(lacks) > 0 {
		return differs("no picture is called %s", strings.Join(lacks, ", "))
	}
	return onlyThese(pictures, want)
}

// onlyThese checks that an object has no other members than the known ones.
func onlyThese(o object, known []string) error {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(known, name) {
			return differs("there is %s", name)
		}
	}
	return nil
}

// findHiddenStats calls judge with listed shows with hidden stats until it is done or
// returns a difference.
func findHiddenStats(ctx context.Context, s *session, judge func(object) (done bool, err error)) error {
	var seen error
	err := s.findCloudcast(ctx, func(o object) bool {
		if o["hidden_stats"] != true {
			return false
		}
		done, err := judge(o)
		seen = err
		return done || err != nil
	})
	if seen != nil {
		return seen
	}
	return err
}

var resourceProbes = []probe{
	{
		name: "full-user-members", section: "resources", confidence: Observed, paths: []string{"/{user}/"},
		rule: "A user fetched by key has a biography, times, counts and flags.",
		check: func(ctx context.Context, s *session) error {
			o, err := s.object(ctx, "/"+exampleUser+"/")
			if err != nil {
				return err
			}
			if lacks := missing(o, fullUser); len(lacks) > 0 {
				return differs("there is no %s", strings.Join(lacks, ", "))
			}
			return nil
		},
	},
	{
		name: "nested-users-partial", section: "resources", confidence: Observed,
		rule: "A user inside a cloudcast has none of the members of a full user.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.chartPage(ctx)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if extra := present(member(o, "user"), fullUser); len(extra) > 0 {
					return differs("there is %s", strings.Join(extra, ", "))
				}
			}
			return nil
		},
	},
	{
		name: "user-picture-sizes", section: "resources", confidence: Observed,
		rule: "A user has pictures of exactly eight sizes.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.chartPage(ctx)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if err := sameSizes(member(member(o, "user"), "pictures"), userSizes); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "cloudcast-picture-sizes", section: "resources", confidence: Observed,
		rule: "A cloudcast has pictures of exactly ten sizes.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.chartPage(ctx)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if err := sameSizes(member(o, "pictures"), showSizes); err != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "primary-color-is-bare-hex", section: "resources", confidence: Observed, paths: []string{"/{user}/{cloudcast}/"},
		rule: "A picture_primary_color is six hexadecimal digits in lower case, without #.",
		check: func(ctx context.Context, s *session) error {
			return findFullCloudcast(ctx, s, func(o object) (bool, error) {
				c := text(o, "picture_primary_color")
				if c != "" && !color.MatchString(c) {
					return true, differs("%q", c)
				}
				return c != "", nil
			})
		},
	},
	{
		name: "full-cloudcast-description", section: "resources", confidence: Observed, paths: []string{"/{user}/{cloudcast}/"},
		rule: "A cloudcast fetched by key has its description.",
		check: func(ctx context.Context, s *session) error {
			looked := 0
			err := findFullCloudcast(ctx, s, func(o object) (bool, error) {
				looked++
				return has(o, "description"), nil
			})
			if err != nil && looked >= maxCloudcasts {
				return differs("none of %d cloudcasts has one", looked)
			}
			return err
		},
	},
	{
		name: "full-cloudcast-sections", section: "resources", confidence: Observed, paths: []string{"/{user}/{cloudcast}/"},
		rule: "A cloudcast fetched by key has a list of sections, be it empty.",
		check: func(ctx context.Context, s *session) error {
			return findFullCloudcast(ctx, s, func(o object) (bool, error) {
				if _, ok := o["sections"].([]any); !ok {
					return true, differs("%s has no list of that name", text(o, "key"))
				}
				return true, nil
			})
		},
	},
	{
		name: "listed-cloudcasts-partial", section: "resources", confidence: Observed,
		rule: "A listed cloudcast has no description, sections or primary colour.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.chartPage(ctx)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if extra := present(o, []string{"description", "sections", "picture_primary_color"}); len(extra) > 0 {
					return differs("there is %s", strings.Join(extra, ", "))
				}
			}
			return nil
		},
	},
	{
		name: "cloudcasts-have-hosts", section: "resources", confidence: Observed,
		rule: "Every cloudcast has a list of hosts, mostly empty.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.chartPage(ctx)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if _, ok := o["hosts"].([]any); !ok {
					return differs("%s has none", text(o, "key"))
				}
			}
			return nil
		},
	},
	{
		name: "hidden-stats-only-true", section: "resources", confidence: Observed,
		rule: "The member hidden_stats is true or absent, never false.",
		check: func(ctx context.Context, s *session) error {
			for _, ref := range cloudcastLists[:2] {
				p, err := cloudcastPage(s.page(ctx, ref))
				if err != nil {
					return err
				}
				for _, o := range p.items {
					if has(o, "hidden_stats") && o["hidden_stats"] != true {
						return differs("it is %v at %s", o["hidden_stats"], text(o, "key"))
					}
				}
			}
			return nil
		},
	},
	{
		name: "hidden-stats-zero-counts", section: "resources", confidence: Observed,
		rule: "Where stats are hidden, the counts of plays, favorites, listeners and reposts are 0.",
		check: func(ctx context.Context, s *session) error {
			return findHiddenStats(ctx, s, func(o object) (bool, error) {
				for _, name := range []string{"play_count", "favorite_count", "listener_count", "repost_count"} {
					if n, ok := number(o, name); !ok || n != 0 {
						return true, differs("%s is %v at %s", name, o[name], text(o, "key"))
					}
				}
				return true, nil
			})
		},
	},
	{
		name: "hidden-stats-keep-comments", section: "resources", confidence: Observed,
		rule: "Where stats are hidden, the count of comments stays.",
		check: func(ctx context.Context, s *session) error {
			looked := 0
			return findHiddenStats(ctx, s, func(o object) (bool, error) {
				if n, ok := number(o, "comment_count"); ok && n > 0 {
					return true, nil
				}
				if _, ok := plainPath(text(o, "key")); !ok || looked == maxCloudcasts {
					return false, nil
				}
				looked++
				p, err := s.page(ctx, text(o, "key")+"comments/?limit=5")
				if err == nil && len(p.items) > 0 {
					return true, differs("%s has comments and counts none", text(o, "key"))
				}
				return false, s.fatal
			})
		},
	},
	{
		name: "listens-tell-their-time", section: "resources", confidence: Observed, paths: []string{"/{user}/listens/"},
		rule: "A user's listens tell when each was, in the listen_time of the cloudcast.",
		check: func(ctx context.Context, s *session) error {
			_, p, err := s.userWithList(ctx, "listens", 5)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if !has(o, "listen_time") {
					return differs("%s has none", text(o, "key"))
				}
			}
			return nil
		},
	},
	{
		name: "comments-have-submit-date", section: "resources", confidence: Observed, paths: []string{"/{user}/comments/"},
		rule: "A comment has its text in comment and its time in submit_date.",
		check: func(ctx context.Context, s *session) error {
			_, p, err := s.userWithList(ctx, "comments", 5)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if lacks := missing(o, []string{"comment", "submit_date", "user", "key", "url"}); len(lacks) > 0 {
					return differs("%s has no %s", text(o, "key"), strings.Join(lacks, ", "))
				}
			}
			return nil
		},
	},
	{
		name: "activities-tell-their-kind", section: "resources", confidence: Observed, paths: []string{"/{user}/feed/"},
		rule: "A feed's activity has a type without metadata=1, and it says what happened.",
		check: func(ctx context.Context, s *session) error {
			_, p, err := s.userWithList(ctx, "feed", 5)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				switch kind := text(o, "type"); kind {
				case "":
					return differs("%s has none", text(o, "key"))
				case "activity", "cloudcast", "user":
					return differs("it is %q at %s", kind, text(o, "key"))
				}
			}
			return nil
		},
	},
}

// maxCloudcasts is the maximum number of shows that a search fetches by key.
const maxCloudcasts = 5

// findFullCloudcast fetches shows of the chart by key and calls judge with them until it
// is done or returns a difference.
func findFullCloudcast(ctx context.Context, s *session, judge func(object) (done bool, err error)) error {
	p, err := s.chartPage(ctx)
	if err != nil {
		return err
	}
	why := inconclusive("none was found among the cloudcasts looked at")
	looked := 0
	for _, listed := range p.items {
		key := text(listed, "key")
		if _, ok := plainPath(key); !ok || looked == maxCloudcasts {
			continue
		}
		looked++
		o, err := s.object(ctx, key)
		if err != nil {
			why = err
			continue
		}
		if done, err := judge(o); done || err != nil {
			return err
		}
	}
	return why
}
