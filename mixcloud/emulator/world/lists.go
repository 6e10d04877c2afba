package world

import (
	"slices"
)

// addFeeds writes everybody's feed: what they uploaded, listened to, favorited
// and whom they followed. A feed may leave listens out, and keeps the newest
// entries only.
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
		if slices.Contains(TiesUsers(), m.Username) { // entries may be filed a little late
			tie(len(feed), func(i, j int) { feed[i].At = feed[j].At })
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

// addPlaylists gives some members playlists.
func (g *generator) addPlaylists() {
	for _, m := range g.members {
		s := newSource(g.w.Seed, "playlists "+m.Username, 0)
		n := 0
		switch {
		case m.kind == silent:
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
			t := teller{g: g, s: s, m: m, shelf: pick(s, g.music), aired: instant(now - int64(s.n(6*365*day)))}
			p := &Playlist{Owner: m.User, Name: capital(expand(pick(s, m.locale.list("playlists")), t.value))}
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
				if c := pick(s, g.playlistSource(s, m, t.shelf)).Cloudcast; !c.Private() && !slices.Contains(p.Cloudcasts, c) {
					p.Cloudcasts = append(p.Cloudcasts, c)
				}
			}
			m.Playlists = append(m.Playlists, p)
		}
	}
}

// playlistSource is where the next entry of a playlist comes from: mostly one shelf.
func (g *generator) playlistSource(s *source, m *member, sh *shelf) []*show {
	switch {
	case m.kind == station && len(m.all) > 0:
		return m.all
	case s.chance(80) && len(sh.shows) > 0:
		return sh.shows
	}
	return g.public
}

// addSimilar lists 10 to 20 shows of the same shelf, a few of the same tag.
func (g *generator) addSimilar() {
	for i, sh := range g.public {
		if sh.quiet {
			continue
		}
		s := newSource(g.w.Seed, "similar", i)
		want := s.between(10, 20)
		list := make([]*Cloudcast, 0, want)
		for tries := 0; len(list) < want && tries < 6*want; tries++ {
			c := pick(s, sh.shelf.shows).Cloudcast
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

// addCities makes a city of every place that a member gives.
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

// addCharts ranks what is popular and what is rising, and fills the categories.
func (g *generator) addCharts() {
	byPlays := func(shows []*show) []*Cloudcast {
		slices.SortStableFunc(shows, func(a, b *show) int { return b.PlayCount - a.PlayCount })
		list := make([]*Cloudcast, len(shows))
		for i, sh := range shows {
			list[i] = sh.Cloudcast
		}
		return list
	}
	since := func(shows []*show, age int64) []*show {
		recent := make([]*show, 0, len(shows))
		for _, sh := range shows {
			if now-sh.at < age && !sh.Private() && !sh.quiet {
				recent = append(recent, sh)
			}
		}
		return recent
	}
	g.w.Popular = byPlays(since(g.public, 120*day))
	hot := since(g.public, 21*day)
	slices.SortStableFunc(hot, func(a, b *show) int { return g.heat(b) - g.heat(a) })
	for _, sh := range hot {
		g.w.Hot = append(g.w.Hot, sh.Cloudcast)
	}
	famous := slices.Clone(g.members)
	slices.SortStableFunc(famous, func(a, b *member) int { return len(b.Followers) - len(a.Followers) })
	for i, sh := range g.shelves {
		s := newSource(g.w.Seed, "category", i)
		list := byPlays(since(sh.shows, 400*day))
		sh.Cloudcasts = slices.Clip(list[:min(40, len(list))])
		for _, m := range famous {
			if len(sh.Users) < 40 && len(m.Cloudcasts) > 0 && slices.Contains(m.shelves, sh) {
				sh.Users = append(sh.Users, m.User)
			}
		}
		for _, c := range sh.Cloudcasts {
			if len(sh.UserpickCloudcasts) < 12 && s.chance(40) {
				sh.UserpickCloudcasts = append(sh.UserpickCloudcasts, c)
			}
		}
		for _, u := range sh.Users {
			if len(sh.UserpickUsers) < 12 && s.chance(40) {
				sh.UserpickUsers = append(sh.UserpickUsers, u)
			}
		}
	}
}

// heat is plays per day out, in thousandths.
func (g *generator) heat(sh *show) int { return sh.PlayCount * 1000 / int((now-sh.at)/hour+12) }
