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

// existing returns the names that an object has.
func existing(o object, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !has(o, n) })
}

// sameSizes checks that a pictures object has exactly the wanted sizes.
func sameSizes(pictures object, want []string) error {
	if lacking := missing(pictures, want); len(lacking) > 0 {
		return differs("these picture sizes are missing: %s", strings.Join(lacking, ", "))
	}
	return onlyThese(pictures, want)
}

// onlyThese checks that an object has no other members than the known ones.
func onlyThese(o object, known []string) error {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(known, name) {
			return differs("there is an unexpected member %s", name)
		}
	}
	return nil
}

// findHiddenStats calls check with listed shows that have hidden stats, until check
// returns true or an error.
func findHiddenStats(ctx context.Context, s *session, check func(object) (done bool, err error)) error {
	var failure error
	err := s.findCloudcast(ctx, func(o object) bool {
		if o["hidden_stats"] != true {
			return false
		}
		done, err := check(o)
		failure = err
		return done || err != nil
	})
	if failure != nil {
		return failure
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
			if lacking := missing(o, fullUser); len(lacking) > 0 {
				return differs("these members are missing: %s", strings.Join(lacking, ", "))
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
				if extra := existing(member(o, "user"), fullUser); len(extra) > 0 {
					return differs("a nested user has %s", strings.Join(extra, ", "))
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
					return true, differs("the color is %q", c)
				}
				return c != "", nil
			})
		},
	},
	{
		name: "full-cloudcast-description", section: "resources", confidence: Observed, paths: []string{"/{user}/{cloudcast}/"},
		rule: "A cloudcast fetched by key has its description.",
		check: func(ctx context.Context, s *session) error {
			checked := 0
			err := findFullCloudcast(ctx, s, func(o object) (bool, error) {
				checked++
				return has(o, "description"), nil
			})
			if err != nil && checked >= maxCloudcasts {
				return differs("none of %d cloudcasts has a description", checked)
			}
			return err
		},
	},
	{
		name: "full-cloudcast-sections", section: "resources", confidence: Observed, paths: []string{"/{user}/{cloudcast}/"},
		rule: "A cloudcast fetched by key has a list of sections, which may be empty.",
		check: func(ctx context.Context, s *session) error {
			return findFullCloudcast(ctx, s, func(o object) (bool, error) {
				if _, ok := o["sections"].([]any); !ok {
					return true, differs("%s has no list of sections", text(o, "key"))
				}
				return true, nil
			})
		},
	},
	{
		name: "listed-cloudcasts-partial", section: "resources", confidence: Observed,
		rule: "A listed cloudcast has no description, no sections and no primary color.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.chartPage(ctx)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if extra := existing(o, []string{"description", "sections", "picture_primary_color"}); len(extra) > 0 {
					return differs("a listed cloudcast has %s", strings.Join(extra, ", "))
				}
			}
			return nil
		},
	},
	{
		name: "cloudcasts-have-hosts", section: "resources", confidence: Observed,
		rule: "Every cloudcast has a list of hosts, which is usually empty.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.chartPage(ctx)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if _, ok := o["hosts"].([]any); !ok {
					return differs("%s has no list of hosts", text(o, "key"))
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
						return differs("hidden_stats is %v in %s", o["hidden_stats"], text(o, "key"))
					}
				}
			}
			return nil
		},
	},
	{
		name: "hidden-stats-zero-counts", section: "resources", confidence: Observed,
		rule: "With hidden_stats, the counts of plays, favorites, listeners and reposts are 0.",
		check: func(ctx context.Context, s *session) error {
			return findHiddenStats(ctx, s, func(o object) (bool, error) {
				for _, name := range []string{"play_count", "favorite_count", "listener_count", "repost_count"} {
					if n, ok := number(o, name); !ok || n != 0 {
						return true, differs("%s is %v in %s", name, o[name], text(o, "key"))
					}
				}
				return true, nil
			})
		},
	},
	{
		name: "hidden-stats-keep-comments", section: "resources", confidence: Observed,
		rule: "With hidden_stats, the count of comments is correct.",
		check: func(ctx context.Context, s *session) error {
			checked := 0
			return findHiddenStats(ctx, s, func(o object) (bool, error) {
				if n, ok := number(o, "comment_count"); ok && n > 0 {
					return true, nil
				}
				if _, ok := plainPath(text(o, "key")); !ok || checked == maxCloudcasts {
					return false, nil
				}
				checked++
				p, err := s.page(ctx, text(o, "key")+"comments/?limit=5")
				if err == nil && len(p.items) > 0 {
					return true, differs("%s has comments, but its comment_count is 0", text(o, "key"))
				}
				return false, s.fatal
			})
		},
	},
	{
		name: "listens-have-listen-time", section: "resources", confidence: Observed, paths: []string{"/{user}/listens/"},
		rule: "The cloudcasts in a user's listens have a listen_time.",
		check: func(ctx context.Context, s *session) error {
			_, p, err := s.userWithList(ctx, "listens", 5)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if !has(o, "listen_time") {
					return differs("%s has no listen_time", text(o, "key"))
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
				if lacking := missing(o, []string{"comment", "submit_date", "user", "key", "url"}); len(lacking) > 0 {
					return differs("%s has no %s", text(o, "key"), strings.Join(lacking, ", "))
				}
			}
			return nil
		},
	},
	{
		name: "activities-have-a-type", section: "resources", confidence: Observed, paths: []string{"/{user}/feed/"},
		rule: "An activity of a feed has its kind in type, even without metadata=1.",
		check: func(ctx context.Context, s *session) error {
			_, p, err := s.userWithList(ctx, "feed", 5)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				switch kind := text(o, "type"); kind {
				case "":
					return differs("%s has no type", text(o, "key"))
				case "activity", "cloudcast", "user":
					return differs("the type is %q in %s", kind, text(o, "key"))
				}
			}
			return nil
		},
	},
}

// maxCloudcasts is the maximum number of shows that a search fetches by key.
const maxCloudcasts = 5

// findFullCloudcast fetches shows of the chart by key and calls check with them, until
// check returns true or an error.
func findFullCloudcast(ctx context.Context, s *session, check func(object) (done bool, err error)) error {
	p, err := s.chartPage(ctx)
	if err != nil {
		return err
	}
	reason := inconclusive("no suitable cloudcast was found in the chart")
	fetched := 0
	for _, listed := range p.items {
		key := text(listed, "key")
		if _, ok := plainPath(key); !ok || fetched == maxCloudcasts {
			continue
		}
		fetched++
		o, err := s.object(ctx, key)
		if err != nil {
			reason = err
			continue
		}
		if done, err := check(o); done || err != nil {
			return err
		}
	}
	return reason
}
