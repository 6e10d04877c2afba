package world

import (
	"slices"
)

// addFeeds adds the feeds: uploads, listens, favorites and follows of each member.
// A feed omits some listens and has the newest entries only.
func (g *generator) addFeeds() {
	const longest = 240
	var all []*Activity
	for _, m := range g.members {
		s := newSource(g.w.Seed, "feed "+m.Username, 0)
		n := len(m.Cloudcasts) + len(m.Listens) + len(m.User.Favorites) + len(m.Following)
		acts := make([]Activity, 0, n)
		shows := make([]*Cloudcast, 0, n)
		onShow := func(kind, title string, e CloudcastEdge) {
			shows = append(shows, e.Cloudcast)
			acts = append(acts, Activity{
				Kind: kind, Title: title, From: m.User, At: e.At, Cloudcasts: shows[len(shows)-1 : len(shows) : len(shows)],
			})
		}
		for _, c := range m.Cloudcasts {
			onShow("upload", "uploaded", CloudcastEdge{c, c.Created})
		}
		for _, e := range m.Listens {
			if !m.HideListens && s.chance(60) {
				onShow("listen", "listened to", e)
			}
		}
		for _, e := range m.User.Favorites {
			onShow("favorite", "favorited", e)
		}
		users := make([]*User, 0, len(m.Following))
		for _, e := range m.Following {
			users = append(users, e.User)
			acts = append(acts, Activity{
				Kind: "follow", Title: "is now following", From: m.User, At: e.At, Users: users[len(users)-1 : len(users) : len(users)],
			})
		}
		feed := make([]*Activity, len(acts))
		for i := range acts {
			feed[i] = &acts[i]
		}
		newestFirst(feed, func(a **Activity) int64 { return (*a).At.Unix() })
		feed = slices.Clip(feed[:min(len(feed), longest)])
		if slices.Contains(UsersWithTies(), m.Username) {
			shareSecond(len(feed), func(i, j int) { feed[i].At = feed[j].At })
		}
		m.Feed = feed
		all = append(all, feed...)
	}
	newestFirst(all, func(a **Activity) int64 { return (*a).At.Unix() })
	id := 231_000_000
	s := newSource(g.w.Seed, "feed ids", 0)
	for _, a := range slices.Backward(all) {
		id += s.between(1, 9000)
		a.ID = id
	}
}

// addPlaylists adds playlists of some members.
func (g *generator) addPlaylists() {
	for _, m := range g.members {
		s := newSource(g.w.Seed, "playlists "+m.Username, 0)
		n := 0
		switch {
		case m.kind == inactive:
			continue
		case m.Username == DemoUser:
			n = 44
		case m.kind == station:
			n = s.between(2, 6)
		case s.chance(30):
			n = s.between(1, 4)
		}
		seen := make(map[string]bool, n)
		for tries := 0; len(m.Playlists) < n && tries < 40*n; tries++ {
			t := templateData{g: g, s: s, m: m, category: pick(s, g.music), aired: timeAt(now - int64(s.n(6*365*day)))}
			p := &Playlist{Owner: m.User, Name: capitalize(expand(pick(s, m.locale.section("playlists")), t.value))}
			p.Slug = Slugify(p.Name)
			if seen[p.Slug] {
				continue
			}
			seen[p.Slug] = true
			size := s.skew(3, 40)
			if m.Username == DemoUser && len(m.Playlists) == 0 {
				size = 60
			}
			for range size {
				if c := pick(s, g.playlistCandidates(s, m, t.category)).Cloudcast; !c.Private() && !slices.Contains(p.Cloudcasts, c) {
					p.Cloudcasts = append(p.Cloudcasts, c)
				}
			}
			m.Playlists = append(m.Playlists, p)
		}
	}
}

// playlistCandidates returns the shows from which the next entry of a playlist is
// picked: mostly those of one category.
func (g *generator) playlistCandidates(s *source, m *member, c *category) []*show {
	switch {
	case m.kind == station && len(m.all) > 0:
		return m.all
	case s.chance(80) && len(c.shows) > 0:
		return c.shows
	}
	return g.public
}

// addSimilar adds 10 to 20 similar shows per show, of the same category or tag.
func (g *generator) addSimilar() {
	for i, sh := range g.public {
		if sh.empty {
			continue
		}
		s := newSource(g.w.Seed, "similar", i)
		want := s.between(10, 20)
		list := make([]*Cloudcast, 0, want)
		for tries := 0; len(list) < want && tries < 6*want; tries++ {
			c := pick(s, sh.category.shows).Cloudcast
			if len(sh.Tags) > 0 && s.chance(50) {
				c = pick(s, pick(s, sh.Tags).Cloudcasts)
			}
			if c != sh.Cloudcast && !c.Private() && !slices.Contains(list, c) {
				list = append(list, c)
			}
		}
		for len(list) < 10 {
			if c := pick(s, g.public).Cloudcast; c != sh.Cloudcast && !slices.Contains(list, c) {
				list = append(list, c)
			}
		}
		sh.Similar = list
	}
}

// addCities adds the cities of all members.
func (g *generator) addCities() {
	cities := make(map[string]*City, 128)
	for _, m := range g.members {
		if slug := Slugify(m.City); slug != "" && cities[slug] == nil {
			cities[slug] = &City{Slug: slug, Name: m.City}
			g.w.Cities = append(g.w.Cities, cities[slug])
		}
	}
	slices.SortFunc(g.w.Cities, func(a, b *City) int {
		if a.Slug < b.Slug {
			return -1
		}
		return 1
	})
	for _, sh := range g.public {
		if c := cities[Slugify(sh.Owner.City)]; c != nil {
			c.Cloudcasts = append(c.Cloudcasts, sh.Cloudcast)
		}
	}
}

// addCharts adds the charts and the lists of the categories.
func (g *generator) addCharts() {
	byPlays := func(shows []*show) []*Cloudcast {
		slices.SortStableFunc(shows, func(a, b *show) int { return b.PlayCount - a.PlayCount })
		list := make([]*Cloudcast, len(shows))
		for i, c := range shows {
			list[i] = c.Cloudcast
		}
		return list
	}
	since := func(shows []*show, age int64) []*show {
		recent := make([]*show, 0, len(shows))
		for _, c := range shows {
			if now-c.at < age && !c.Private() && !c.empty {
				recent = append(recent, c)
			}
		}
		return recent
	}
	g.w.Popular = byPlays(since(g.public, 120*day))
	hot := since(g.public, 21*day)
	slices.SortStableFunc(hot, func(a, b *show) int { return g.hotScore(b) - g.hotScore(a) })
	for _, c := range hot {
		g.w.Hot = append(g.w.Hot, c.Cloudcast)
	}
	byFollowers := slices.Clone(g.members)
	slices.SortStableFunc(byFollowers, func(a, b *member) int { return len(b.Followers) - len(a.Followers) })
	for i, c := range g.categories {
		s := newSource(g.w.Seed, "category", i)
		list := byPlays(since(c.shows, 400*day))
		c.Cloudcasts = slices.Clip(list[:min(40, len(list))])
		for _, m := range byFollowers {
			if len(c.Users) < 40 && len(m.Cloudcasts) > 0 && slices.Contains(m.categories, c) {
				c.Users = append(c.Users, m.User)
			}
		}
		for _, cast := range c.Cloudcasts {
			if len(c.UserpickCloudcasts) < 12 && s.chance(40) {
				c.UserpickCloudcasts = append(c.UserpickCloudcasts, cast)
			}
		}
		for _, u := range c.Users {
			if len(c.UserpickUsers) < 12 && s.chance(40) {
				c.UserpickUsers = append(c.UserpickUsers, u)
			}
		}
	}
}

// hotScore returns 1000 times the plays per hour, with 12 hours added to the age.
func (g *generator) hotScore(sh *show) int { return sh.PlayCount * 1000 / int((now-sh.at)/hour+12) }
