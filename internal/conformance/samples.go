package conformance

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The user and the show of the examples in Mixcloud's API documentation.
const (
	exampleUser      = "spartacus"
	exampleCloudcast = "/spartacus/party-time/"
)

// maxUsers is the maximum number of users whose lists are fetched to find a suitable one.
const maxUsers = 4

// chartPath is the path of the site's chart, which most probes use.
const chartPath = "/popular/?limit=50"

// cloudcastLists are the lists that are searched for rare cloudcasts, in this order.
var cloudcastLists = []string{chartPath, "/new/?limit=100", "/new/?limit=100&offset=100", "/new/?limit=100&offset=200"}

var plainKey = regexp.MustCompile(`^/[A-Za-z0-9_.-]+/$`)

// chartPage fetches the chart.
func (s *session) chartPage(ctx context.Context) (page, error) {
	return cloudcastPage(s.page(ctx, chartPath))
}

// cloudcastPage requires a page of cloudcasts, with at least one.
func cloudcastPage(p page, err error) (page, error) {
	switch {
	case err != nil:
		return page{}, err
	case len(p.items) == 0:
		return page{}, inconclusive("the list is empty: %s", p.response)
	case slices.ContainsFunc(p.items, func(o object) bool { return !isCloudcast(o) }):
		return page{}, inconclusive("the list has items that are not cloudcasts: %s", p.response)
	}
	return p, nil
}

// users returns the users to check: the documented example, then owners of shows in the
// chart. Their names need no escaping.
func (s *session) users(ctx context.Context) ([]string, error) {
	names := []string{exampleUser}
	p, err := s.chartPage(ctx)
	if err != nil {
		return names, s.fatal
	}
	for _, o := range p.items {
		key := text(member(o, "user"), "key")
		if name := strings.Trim(key, "/"); plainKey.MatchString(key) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names[:min(len(names), maxUsers)], nil
}

// userWithList returns a user whose list has at least n items, and a page of n.
func (s *session) userWithList(ctx context.Context, list string, n int) (string, page, error) {
	users, err := s.users(ctx)
	if err != nil {
		return "", page{}, err
	}
	reason := inconclusive("no user with %d %s was found", n, list)
	for _, u := range users {
		p, err := s.page(ctx, "/"+u+"/"+list+"/?limit="+strconv.Itoa(n))
		if s.fatal != nil {
			return "", page{}, err
		}
		if err != nil {
			reason = err
			continue
		}
		if len(p.items) == n {
			return u, p, nil
		}
	}
	return "", page{}, reason
}

// datedList is the list for most probes of paging by date. Its items have the times that
// are in its links.
const datedList = "cloudcasts"

// datedPage returns a page of n shows of a user, and their times sorted newest first.
func (s *session) datedPage(ctx context.Context, n int) (user string, p page, times []time.Time, err error) {
	user, p, err = s.userWithList(ctx, datedList, n)
	if err != nil {
		return "", page{}, nil, err
	}
	times, err = p.times()
	return user, p, times, err
}

// times returns the creation times of a page's items, sorted newest first.
func (p page) times() ([]time.Time, error) {
	times := make([]time.Time, 0, len(p.items))
	for _, o := range p.items {
		t, ok := timeOf(o, "created_time")
		if !ok {
			return nil, inconclusive("an item has no created_time")
		}
		times = append(times, t.Truncate(time.Second))
	}
	slices.SortStableFunc(times, func(a, b time.Time) int { return b.Compare(a) })
	return times, nil
}

func (p page) keys() []string {
	keys := make([]string, 0, len(p.items))
	for _, o := range p.items {
		keys = append(keys, text(o, "key"))
	}
	return keys
}

// shortList returns a user's list with 1 to 99 items.
func (s *session) shortList(ctx context.Context) (list string, p page, err error) {
	users, err := s.users(ctx)
	if err != nil {
		return "", page{}, err
	}
	for _, u := range users {
		for _, name := range []string{datedList, "following"} {
			p, err := s.page(ctx, "/"+u+"/"+name+"/?limit=100")
			if s.fatal != nil {
				return "", page{}, err
			}
			if err != nil || len(p.items) == 0 || len(p.items) >= 100 {
				continue
			}
			// A page can also be short because of a lower page cap, so compare the count.
			o, err := s.object(ctx, "/"+u+"/")
			if s.fatal != nil {
				return "", page{}, err
			}
			count := map[string]string{datedList: "cloudcast_count", "following": "following_count"}[name]
			if n, ok := number(o, count); err == nil && ok && n < len(p.items)+10 {
				return "/" + u + "/" + name + "/", p, nil
			}
		}
	}
	return "", page{}, inconclusive("no list with fewer than 100 items was found")
}

// findCloudcast calls found with listed cloudcasts until found returns true. It returns
// an inconclusive error if found never does.
func (s *session) findCloudcast(ctx context.Context, found func(object) bool) error {
	reason := inconclusive("no suitable cloudcast was found in the lists")
	for _, ref := range cloudcastLists {
		p, err := s.page(ctx, ref)
		if s.fatal != nil {
			return err
		}
		if err != nil {
			reason = err
			continue
		}
		if slices.ContainsFunc(p.items, found) {
			return nil
		}
	}
	return reason
}

// cloudcastKey returns the key of the first cloudcast of the chart that satisfies want;
// a nil want accepts any.
func (s *session) cloudcastKey(ctx context.Context, want func(object) bool) (string, error) {
	p, err := s.chartPage(ctx)
	if err != nil {
		return "", err
	}
	for _, o := range p.items {
		key := text(o, "key")
		if owner, ok := plainPath(key); ok && owner != "" && (want == nil || want(o)) {
			return key, nil
		}
	}
	return "", inconclusive("no suitable cloudcast was found in the chart")
}

// plainPath reports whether a show's key needs no escaping, and returns its owner.
func plainPath(key string) (owner string, ok bool) {
	parts := strings.Split(strings.Trim(key, "/"), "/")
	if len(parts) != 2 || key != "/"+parts[0]+"/"+parts[1]+"/" || !plainKey.MatchString("/"+parts[0]+"/") || !plainKey.MatchString("/"+parts[1]+"/") {
		return "", false
	}
	return parts[0], true
}

// commonTag returns the slug of the chart's most common tag.
func (s *session) commonTag(ctx context.Context) (string, error) {
	slugs, err := s.tagSlugs(ctx)
	if err != nil {
		return "", err
	}
	return slugs[0], nil
}

// tagSlugs returns the tags of the chart's shows, most common first; at least one.
func (s *session) tagSlugs(ctx context.Context) ([]string, error) {
	p, err := s.chartPage(ctx)
	if err != nil {
		return nil, err
	}
	var slugs []string
	count := make(map[string]int)
	for _, o := range p.items {
		for _, t := range objects(o["tags"]) {
			parts := strings.Split(strings.Trim(text(t, "key"), "/"), "/")
			slug := parts[len(parts)-1]
			if plainKey.MatchString("/" + slug + "/") {
				if count[slug]++; count[slug] == 1 {
					slugs = append(slugs, slug)
				}
			}
		}
	}
	if len(slugs) == 0 {
		return nil, inconclusive("no cloudcast of the chart has a tag")
	}
	slices.SortStableFunc(slugs, func(a, b string) int { return count[b] - count[a] })
	return slugs, nil
}

// boundText formats a time for the parameters since and until.
func boundText(t time.Time) string { return url.QueryEscape(t.UTC().Format(time.DateTime)) }

// canonicalName returns a user's name in the case of the key.
func (s *session) canonicalName(ctx context.Context) (string, error) {
	users, err := s.users(ctx)
	if err != nil {
		return "", err
	}
	for _, u := range users {
		o, err := s.object(ctx, "/"+u+"/")
		if s.fatal != nil {
			return "", err
		}
		if err == nil && plainKey.MatchString(text(o, "key")) {
			return strings.Trim(text(o, "key"), "/"), nil
		}
	}
	return "", inconclusive("no user was found")
}
