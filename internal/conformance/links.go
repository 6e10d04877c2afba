package conformance

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// linkForm probes look at the links of a user's shows, asked for with a limit
// and metadata=1.
func linkForm(ctx context.Context, s *session) ([]string, error) {
	user, _, _, err := s.dated(ctx, 7)
	if err != nil {
		return nil, err
	}
	return links(s.page(ctx, "/"+user+"/"+filled+"/?limit=3&metadata=1"))
}

// links are a page's paging links, at least one.
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
		return nil, unsure("there is no link")
	}
	return urls, nil
}

func query(link string) string {
	_, raw, _ := strings.Cut(link, "?")
	return raw
}

var linkTime = regexp.MustCompile(`(^|&)(since|until)=\d{4}-\d\d-\d\d\+\d\d%3A\d\d%3A\d\d(&|$)`)

// eachLink is a probe of the form of links.
func eachLink(name string, rule string, check func(link string) error) probe {
	return probe{
		name: name, rule: rule, section: "paging", sure: Observed, asks: []string{"/{user}/cloudcasts/"},
		judge: func(ctx context.Context, s *session) error {
			urls, err := linkForm(ctx, s)
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
	eachLink("links-are-sorted", "The parameters of a link stand in alphabetical order.", func(link string) error {
		var names []string
		for part := range strings.SplitSeq(query(link), "&") {
			name, _, _ := strings.Cut(part, "=")
			names = append(names, name)
		}
		if !slices.IsSorted(names) {
			return differs("%s", query(link))
		}
		return nil
	}),
	eachLink("links-repeat-metadata", "A link repeats metadata=1.", func(link string) error {
		if !strings.Contains("&"+query(link)+"&", "&metadata=1&") {
			return differs("%s", query(link))
		}
		return nil
	}),
	eachLink("link-times-in-utc-text", "A time in a link is spelled 2015-04-29+18%3A59%3A19.", func(link string) error {
		if !linkTime.MatchString(query(link)) {
			if !strings.Contains(query(link), "since=") && !strings.Contains(query(link), "until=") {
				return unsure("the link has no time")
			}
			return differs("%s", query(link))
		}
		return nil
	}),
	{
		name: "links-spell-the-limit", section: "paging", sure: Observed, asks: []string{"/{user}/cloudcasts/"},
		rule: "A link has a limit even where the request had none.",
		judge: func(ctx context.Context, s *session) error {
			user, _, _, err := s.dated(ctx, 7)
			if err != nil {
				return err
			}
			urls, err := links(s.page(ctx, "/"+user+"/"+filled+"/"))
			if err != nil {
				return err
			}
			for _, u := range urls {
				if !strings.Contains("&"+query(u), "&limit=") {
					return differs("%s", query(u))
				}
			}
			return nil
		},
	},
	{
		name: "links-keep-the-requested-path", section: "paging", sure: Observed, asks: []string{"/{user}/cloudcasts/"},
		rule: "A link has the user's name in the case in which it was asked for.",
		judge: func(ctx context.Context, s *session) error {
			user, _, _, err := s.dated(ctx, 7)
			if err != nil {
				return err
			}
			path := "/" + swapCase(user) + "/" + filled + "/"
			urls, err := links(s.page(ctx, path+"?limit=3"))
			if err != nil {
				return err
			}
			for _, link := range urls {
				if u, err := url.Parse(link); err != nil || !strings.HasSuffix(u.EscapedPath(), path) {
					return differs("%s", link)
				}
			}
			return nil
		},
	},
	{
		name: "links-follow-the-scheme", section: "paging", sure: Observed, asks: []string{"/{user}/cloudcasts/"},
		rule: "A link has the scheme of the request.",
		judge: func(ctx context.Context, s *session) error {
			urls, err := linkForm(ctx, s)
			if err != nil {
				return err
			}
			want, _, _ := strings.Cut(s.bases[onAPI], "://")
			for _, link := range urls {
				if got, _, _ := strings.Cut(link, "://"); got != want {
					return differs("%s", link)
				}
			}
			return nil
		},
	},
}

var limitProbes = []probe{
	{
		name: "default-limit-is-20", section: "paging", sure: Observed, asks: []string{"/popular/"},
		rule: "A page has 20 items unless its limit says otherwise.",
		judge: func(ctx context.Context, s *session) error {
			p, err := s.page(ctx, "/popular/")
			switch n := len(p.items); {
			case err != nil:
				return err
			case n == 20:
				return nil
			default:
				if _, _, more := p.link("next"); !more && n < 20 {
					return unsure("the list has %d items", n)
				}
				return differs("%d items", n)
			}
		},
	},
	{
		name: "limit-of-100-is-honoured", section: "paging", sure: Observed, asks: []string{"/new/"},
		rule: "limit=100 gives 100 items.",
		judge: func(ctx context.Context, s *session) error {
			p, err := s.page(ctx, shelves[1])
			if err != nil {
				return err
			}
			if n := len(p.items); n != 100 {
				if _, _, more := p.link("next"); !more && n < 100 {
					return unsure("the list has %d items", n)
				}
				return differs("%d items", n)
			}
			return nil
		},
	},
	{
		name: "limit-above-100-is-100", section: "unknown", sure: ClientCode, asks: []string{"/new/"},
		rule: "A limit above 100 gives 100 items.",
		judge: func(ctx context.Context, s *session) error {
			a, err := s.get(ctx, "/new/?limit=110")
			if err != nil {
				return err
			}
			p, err := listed(a, nil)
			switch n := len(p.items); {
			case err != nil:
				return differs("%s", err)
			case n > 100:
				return differs("%d items", n)
			case n < 100:
				return unsure("%d items", n)
			}
			return nil
		},
	},
	{
		name: "limit-zero-is-the-default", section: "unknown", sure: Unknown, asks: []string{"/popular/"},
		rule: "limit=0 gives as many items as no limit.",
		judge: func(ctx context.Context, s *session) error {
			return likeDefault(ctx, s, "/popular/?limit=0")
		},
	},
	{
		name: "negative-limit-is-the-default", section: "unknown", sure: Unknown, asks: []string{"/popular/"},
		rule: "A negative limit gives as many items as no limit.",
		judge: func(ctx context.Context, s *session) error {
			return likeDefault(ctx, s, "/popular/?limit=-3")
		},
	},
}

// likeDefault wants a page as long as the one without a limit.
func likeDefault(ctx context.Context, s *session, ref string) error {
	whole, err := showing(s.page(ctx, "/popular/"))
	if err != nil {
		return err
	}
	a, err := s.get(ctx, ref)
	if err != nil {
		return err
	}
	p, err := listed(a, nil)
	switch {
	case err != nil:
		return differs("%s", err)
	case len(p.items) != len(whole.items):
		return differs("%d items instead of %d", len(p.items), len(whole.items))
	}
	return nil
}
