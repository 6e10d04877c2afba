package conformance

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// datedPageLinks returns the links of a page of a user's shows, with a limit and
// metadata=1.
func datedPageLinks(ctx context.Context, s *session) ([]string, error) {
	user, _, _, err := s.datedPage(ctx, 7)
	if err != nil {
		return nil, err
	}
	return links(s.page(ctx, "/"+user+"/"+datedList+"/?limit=3&metadata=1"))
}

// links returns the paging links of a page, at least one.
func links(p page, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	var urls []string
	for _, name := range []string{"next", "previous"} {
		if u := p.linkURL(name); u != "" {
			urls = append(urls, u)
		}
	}
	if len(urls) == 0 {
		return nil, inconclusive("the page has no links")
	}
	return urls, nil
}

func query(link string) string {
	_, raw, _ := strings.Cut(link, "?")
	return raw
}

var linkTime = regexp.MustCompile(`(^|&)(since|until)=\d{4}-\d\d-\d\d\+\d\d%3A\d\d%3A\d\d(&|$)`)

// linkProbe returns a probe of the form of links.
func linkProbe(name string, rule string, check func(link string) error) probe {
	return probe{
		name: name, rule: rule, section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		check: func(ctx context.Context, s *session) error {
			urls, err := datedPageLinks(ctx, s)
			if err != nil {
				return err
			}
			for _, u := range urls {
				if err := check(u); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

var linkProbes = []probe{
	linkProbe("links-are-sorted", "The parameters of a link are in alphabetical order.", func(link string) error {
		var names []string
		for part := range strings.SplitSeq(query(link), "&") {
			name, _, _ := strings.Cut(part, "=")
			names = append(names, name)
		}
		if !slices.IsSorted(names) {
			return differs("the query of a link is %s", query(link))
		}
		return nil
	}),
	linkProbe("links-repeat-metadata", "A link repeats metadata=1.", func(link string) error {
		if !strings.Contains("&"+query(link)+"&", "&metadata=1&") {
			return differs("the query of a link is %s", query(link))
		}
		return nil
	}),
	linkProbe("link-times-in-utc-text", "A time in a link has the form 2015-04-29+18%3A59%3A19.", func(link string) error {
		if !linkTime.MatchString(query(link)) {
			if !strings.Contains(query(link), "since=") && !strings.Contains(query(link), "until=") {
				return inconclusive("the link has no time")
			}
			return differs("the query of a link is %s", query(link))
		}
		return nil
	}),
	{
		name: "links-have-a-limit", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "A link has a limit even if the request had none.",
		check: func(ctx context.Context, s *session) error {
			user, _, _, err := s.datedPage(ctx, 7)
			if err != nil {
				return err
			}
			urls, err := links(s.page(ctx, "/"+user+"/"+datedList+"/"))
			if err != nil {
				return err
			}
			for _, u := range urls {
				if !strings.Contains("&"+query(u), "&limit=") {
					return differs("the query of a link is %s", query(u))
				}
			}
			return nil
		},
	},
	{
		name: "links-keep-the-requested-path", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "A link has the user name in the case of the request.",
		check: func(ctx context.Context, s *session) error {
			user, _, _, err := s.datedPage(ctx, 7)
			if err != nil {
				return err
			}
			path := "/" + swapCase(user) + "/" + datedList + "/"
			urls, err := links(s.page(ctx, path+"?limit=3"))
			if err != nil {
				return err
			}
			for _, link := range urls {
				if u, err := url.Parse(link); err != nil || !strings.HasSuffix(u.EscapedPath(), path) {
					return differs("a link is %s", link)
				}
			}
			return nil
		},
	},
	{
		name: "links-follow-the-scheme", section: "paging", confidence: Observed, paths: []string{"/{user}/cloudcasts/"},
		rule: "A link has the scheme of the request.",
		check: func(ctx context.Context, s *session) error {
			urls, err := datedPageLinks(ctx, s)
			if err != nil {
				return err
			}
			want, _, _ := strings.Cut(s.bases[onAPI], "://")
			for _, link := range urls {
				if got, _, _ := strings.Cut(link, "://"); got != want {
					return differs("a link is %s", link)
				}
			}
			return nil
		},
	},
}

var limitProbes = []probe{
	{
		name: "default-limit-is-20", section: "paging", confidence: Observed, paths: []string{"/popular/"},
		rule: "A page has 20 items by default.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.page(ctx, "/popular/")
			switch n := len(p.items); {
			case err != nil:
				return err
			case n == 20:
				return nil
			default:
				if _, _, more := p.link("next"); !more && n < 20 {
					return inconclusive("the list has only %d items", n)
				}
				return differs("the page has %d items", n)
			}
		},
	},
	{
		name: "limit-of-100-is-applied", section: "paging", confidence: Observed, paths: []string{"/new/"},
		rule: "limit=100 returns 100 items.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.page(ctx, cloudcastLists[1])
			if err != nil {
				return err
			}
			if n := len(p.items); n != 100 {
				if _, _, more := p.link("next"); !more && n < 100 {
					return inconclusive("the list has only %d items", n)
				}
				return differs("the page has %d items", n)
			}
			return nil
		},
	},
	{
		name: "limit-above-100-is-100", section: "unknown", confidence: ClientCode, paths: []string{"/new/"},
		rule: "A limit above 100 returns 100 items.",
		check: func(ctx context.Context, s *session) error {
			a, err := s.get(ctx, "/new/?limit=110")
			if err != nil {
				return err
			}
			p, err := parsePage(a, nil)
			switch n := len(p.items); {
			case err != nil:
				return differs("the response is not a page: %s", err)
			case n > 100:
				return differs("the page has %d items", n)
			case n < 100:
				return inconclusive("the page has only %d items", n)
			}
			return nil
		},
	},
	{
		name: "limit-zero-is-the-default", section: "unknown", confidence: Unknown, paths: []string{"/popular/"},
		rule: "limit=0 returns as many items as no limit.",
		check: func(ctx context.Context, s *session) error {
			return checkDefaultLength(ctx, s, "/popular/?limit=0")
		},
	},
	{
		name: "negative-limit-is-the-default", section: "unknown", confidence: Unknown, paths: []string{"/popular/"},
		rule: "A negative limit returns as many items as no limit.",
		check: func(ctx context.Context, s *session) error {
			return checkDefaultLength(ctx, s, "/popular/?limit=-3")
		},
	},
}

// checkDefaultLength checks that a page has as many items as the page without a limit.
func checkDefaultLength(ctx context.Context, s *session, ref string) error {
	whole, err := cloudcastPage(s.page(ctx, "/popular/"))
	if err != nil {
		return err
	}
	a, err := s.get(ctx, ref)
	if err != nil {
		return err
	}
	p, err := parsePage(a, nil)
	switch {
	case err != nil:
		return differs("the response is not a page: %s", err)
	case len(p.items) != len(whole.items):
		return differs("the page has %d items instead of %d", len(p.items), len(whole.items))
	}
	return nil
}
