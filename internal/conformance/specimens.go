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

// The user and the show of the developer page's own samples.
const (
	example     = "spartacus"
	exampleShow = "/spartacus/party-time/"
)

// mostOwners is how many users are tried for a list that shows something.
const mostOwners = 4

// chart is the site's chart, where most shows are found.
const chart = "/popular/?limit=50"

// shelves are where shows with something rare are looked for, one after another.
var shelves = []string{chart, "/new/?limit=100", "/new/?limit=100&offset=100", "/new/?limit=100&offset=200"}

var plainKey = regexp.MustCompile(`^/[A-Za-z0-9_.-]+/$`)

// charted is the chart.
func (s *session) charted(ctx context.Context) (page, error) { return showing(s.page(ctx, chart)) }

// showing wants a page of shows, at least one.
func showing(p page, err error) (page, error) {
	switch {
	case err != nil:
		return page{}, err
	case len(p.items) == 0:
		return page{}, unsure("it is empty: %s", p.answer)
	case slices.ContainsFunc(p.items, func(o object) bool { return !isCloudcast(o) }):
		return page{}, unsure("it holds something else than cloudcasts: %s", p.answer)
	}
	return p, nil
}

// users are whom to look at: the documented example, then who owns what the
// chart lists. Their names need no escaping.
func (s *session) users(ctx context.Context) ([]string, error) {
	names := []string{example}
	p, err := s.charted(ctx)
	if err != nil {
		return names, s.fatal
	}
	for _, o := range p.items {
		key := text(inside(o, "user"), "key")
		if name := strings.Trim(key, "/"); plainKey.MatchString(key) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names[:min(len(names), mostOwners)], nil
}

// owner finds a user whose list fills a page of n, and gives that page.
func (s *session) owner(ctx context.Context, list string, n int) (string, page, error) {
	users, err := s.users(ctx)
	if err != nil {
		return "", page{}, err
	}
	why := unsure("no user was found with %d %s", n, list)
	for _, u := range users {
		p, err := s.page(ctx, "/"+u+"/"+list+"/?limit="+strconv.Itoa(n))
		if s.fatal != nil {
			return "", page{}, err
		}
		if err != nil {
			why = err
			continue
		}
		if len(p.items) == n {
			return u, p, nil
		}
	}
	return "", page{}, why
}

// filled is the list that most probes of paging by date look at: it has a time
// on its items, and its links go by that time.
const filled = "cloudcasts"

// dated gives a user's page of n shows with their times, newest first whatever
// the order they came in.
func (s *session) dated(ctx context.Context, n int) (user string, p page, times []time.Time, err error) {
	user, p, err = s.owner(ctx, filled, n)
	if err != nil {
		return "", page{}, nil, err
	}
	times, err = p.times()
	return user, p, times, err
}

// times are the created times of a page's items, newest first.
func (p page) times() ([]time.Time, error) {
	times := make([]time.Time, 0, len(p.items))
	for _, o := range p.items {
		t, ok := instant(o, "created_time")
		if !ok {
			return nil, unsure("an item has no created_time to go by")
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

// short finds a user's list that is shorter than a page of 100 and not empty.
func (s *session) short(ctx context.Context) (list string, p page, err error) {
	users, err := s.users(ctx)
	if err != nil {
		return "", page{}, err
	}
	for _, u := range users {
		for _, name := range []string{filled, "following"} {
			p, err := s.page(ctx, "/"+u+"/"+name+"/?limit=100")
			if s.fatal != nil {
				return "", page{}, err
			}
			if err != nil || len(p.items) == 0 || len(p.items) >= 100 {
				continue
			}
			// A lower cap on pages makes them short too: ask how many there are.
			o, err := s.object(ctx, "/"+u+"/")
			if s.fatal != nil {
				return "", page{}, err
			}
			count := map[string]string{filled: "cloudcast_count", "following": "following_count"}[name]
			if n, ok := number(o, count); err == nil && ok && n < len(p.items)+10 {
				return "/" + u + "/" + name + "/", p, nil
			}
		}
	}
	return "", page{}, unsure("no list shorter than 100 was found")
}

// shows visits listed shows until found; nil when it was.
func (s *session) shows(ctx context.Context, found func(object) bool) error {
	why := unsure("none was found among the cloudcasts that are listed")
	for _, ref := range shelves {
		p, err := s.page(ctx, ref)
		if s.fatal != nil {
			return err
		}
		if err != nil {
			why = err
			continue
		}
		if slices.ContainsFunc(p.items, found) {
			return nil
		}
	}
	return why
}

// show is the path of a show to look at: the best of the chart that satisfies
// want; nil wants any.
func (s *session) show(ctx context.Context, want func(object) bool) (string, error) {
	p, err := s.charted(ctx)
	if err != nil {
		return "", err
	}
	for _, o := range p.items {
		key := text(o, "key")
		if owner, ok := plainPath(key); ok && owner != "" && (want == nil || want(o)) {
			return key, nil
		}
	}
	return "", unsure("no cloudcast that fits was found in the chart")
}

// plainPath says whether a show's key needs no escaping, and whose it is.
func plainPath(key string) (owner string, ok bool) {
	parts := strings.Split(strings.Trim(key, "/"), "/")
	if len(parts) != 2 || key != "/"+parts[0]+"/"+parts[1]+"/" || !plainKey.MatchString("/"+parts[0]+"/") || !plainKey.MatchString("/"+parts[1]+"/") {
		return "", false
	}
	return parts[0], true
}

// tagOf is the slug of the tag that most of the chart's shows have.
func (s *session) tagOf(ctx context.Context) (string, error) {
	slugs, err := s.tagSlugs(ctx)
	if err != nil {
		return "", err
	}
	return slugs[0], nil
}

// tagSlugs are the tags of the chart's shows, the commonest first; at least one.
func (s *session) tagSlugs(ctx context.Context) ([]string, error) {
	p, err := s.charted(ctx)
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
		return nil, unsure("no cloudcast of the chart has a tag")
	}
	slices.SortStableFunc(slugs, func(a, b string) int { return count[b] - count[a] })
	return slugs, nil
}

// clock spells a time as the parameters since and until take it.
func clock(t time.Time) string { return url.QueryEscape(t.UTC().Format(time.DateTime)) }

// canonical is a user's name in the case that its key has.
func (s *session) canonical(ctx context.Context) (string, error) {
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
	return "", unsure("no user was found")
}
