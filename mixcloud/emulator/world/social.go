package world

import "slices"

// addFollows makes who follows whom: few follow many, and many follow the
// famous.
func (g *generator) addFollows() {
	fame := weights{}
	for _, m := range g.members {
		weight := 4 + m.fame
		if m.kind == silent || m.Username == TwentyFollowersUser || m.Username == DemoUser {
			weight = 0
		}
		fame.add(weight)
	}
	follows := newEdgeSet(len(g.members), len(g.members), 24*len(g.members))
	for i, m := range g.members {
		s := newSource(g.w.Seed, "follows "+m.Username, 0)
		n := s.skew(1, 90)
		switch {
		case m.kind == silent:
			n = 0
		case m.Username == DemoUser:
			n = 118
		case m.Username == StationUser:
			n = 64
		case m.Username == DocumentedUser:
			n = 101 // observed
		}
		for range n {
			g.follow(s, follows, i, fame.pick(s))
		}
	}
	g.followSpecials(follows)
	ties := g.indexes(TiesUsers())
	follows.tie(ties, ties)
	from, to := follows.counts(len(g.members))
	following, followers := room[UserEdge](from), room[UserEdge](to)
	for _, e := range follows.edges {
		a, b := g.members[e.from].User, g.members[e.to].User
		following[e.from] = append(following[e.from], UserEdge{b, instant(e.at)})
		followers[e.to] = append(followers[e.to], UserEdge{a, instant(e.at)})
	}
	for i, m := range g.members {
		m.Following, m.Followers = following[i], followers[i]
	}
}

// follow makes one member follow another, some time after both have joined.
func (g *generator) follow(s *source, follows *edgeSet, from, to int) bool {
	a, b := g.members[from], g.members[to]
	if from == to {
		return false
	}
	since := max(a.joined, b.joined)
	return follows.add(from, to, since+1+int64(s.n(int(now-since))))
}

// addListening makes the listens, favorites, reposts and listen-later lists.
func (g *generator) addListening() {
	fame := weights{}
	for _, sh := range g.public {
		weight := sh.weight
		if sh.quiet {
			weight = 0
		}
		fame.add(weight)
	}
	users, shows := len(g.members), len(g.public)
	listens, favorites, reposts := newEdgeSet(users, shows, 44*users), newEdgeSet(users, shows, 20*users), newEdgeSet(users, shows, 6*users)
	for i, m := range g.members {
		if m.kind == silent {
			continue
		}
		s := newSource(g.w.Seed, "listening "+m.Username, 0)
		n := s.skew(6, 120)
		switch m.Username {
		case DemoUser:
			n = 240
		case StationUser, DocumentedUser:
			n = 180
		}
		for range n {
			to := fame.pick(s)
			if s.chance(18) { // somebody close rather than somebody famous
				to = g.anyOf(s, m)
			}
			sh := g.public[to]
			if sh.owner == m {
				continue
			}
			at := g.after(s, m, sh)
			if !listens.add(i, to, at) {
				continue
			}
			if s.chance(38) || m.Username == DemoUser && s.chance(20) {
				favorites.add(i, to, min(now-1, at+int64(s.n(3*hour))))
				if s.chance(22) {
					reposts.add(i, to, min(now-1, at+int64(s.n(4*hour))))
				}
			}
		}
	}
	g.listenSpecials(listens, favorites)
	ties := g.indexes(TiesUsers())
	listens.tie(ties, nil)
	favorites.tie(ties, nil)
	reposts.sort()
	g.fileListens(listens)
	g.fileFavorites(favorites)
	g.fileReposts(reposts)
	g.addListenLater(fame)
}

// anyOf picks a public show of a member's own shelf.
func (g *generator) anyOf(s *source, m *member) int {
	sh := pick(s, m.shelves)
	for range 8 {
		if i := s.n(len(g.public)); g.public[i].shelf == sh && !g.public[i].quiet {
			return i
		}
	}
	for {
		if i := s.n(len(g.public)); !g.public[i].quiet {
			return i
		}
	}
}

// after picks a moment at which a member met a show: soon after it was out or
// after they joined, and seldom years later.
func (g *generator) after(s *source, m *member, sh *show) int64 {
	since := max(m.joined, sh.at) + 1
	left := int(now - since)
	if s.chance(55) {
		return since + int64(s.skew(0, left-1))
	}
	return since + int64(s.n(left))
}

func (g *generator) fileListens(e *edgeSet) {
	from, to := e.counts(len(g.members))
	lists, listeners := room[CloudcastEdge](from), room[UserEdge](to)
	for _, x := range e.edges {
		m, sh, at := g.members[x.from], g.public[x.to], instant(x.at)
		lists[x.from] = append(lists[x.from], CloudcastEdge{sh.Cloudcast, at})
		listeners[x.to] = append(listeners[x.to], UserEdge{m.User, at})
	}
	for i, m := range g.members {
		m.Listens = lists[i]
	}
	for i, sh := range g.public {
		sh.Listeners = listeners[i]
		sh.ListenerCount = max(sh.ListenerCount, len(sh.Listeners))
		sh.PlayCount = max(sh.PlayCount, sh.ListenerCount)
	}
}

func (g *generator) fileFavorites(e *edgeSet) {
	from, to := e.counts(len(g.members))
	lists, fans := room[CloudcastEdge](from), room[UserEdge](to)
	for _, x := range e.edges {
		m, sh, at := g.members[x.from], g.public[x.to], instant(x.at)
		lists[x.from] = append(lists[x.from], CloudcastEdge{sh.Cloudcast, at})
		fans[x.to] = append(fans[x.to], UserEdge{m.User, at})
	}
	for i, m := range g.members {
		m.User.Favorites = lists[i]
	}
	for i, sh := range g.public {
		sh.Cloudcast.Favorites = fans[i]
	}
}

func (g *generator) fileReposts(e *edgeSet) {
	from, to := e.counts(len(g.members))
	lists, by := room[CloudcastEdge](from), room[UserEdge](to)
	for _, x := range e.edges {
		m, sh, at := g.members[x.from], g.public[x.to], instant(x.at)
		lists[x.from] = append(lists[x.from], CloudcastEdge{sh.Cloudcast, at})
		by[x.to] = append(by[x.to], UserEdge{m.User, at})
	}
	for i, m := range g.members {
		m.User.Reposts = lists[i]
	}
	for i, sh := range g.public {
		sh.Cloudcast.Reposts = by[i]
	}
}

// addListenLater gives everybody a pile for later.
func (g *generator) addListenLater(fame weights) {
	for _, m := range g.members {
		if m.kind == silent {
			continue
		}
		s := newSource(g.w.Seed, "listen later "+m.Username, 0)
		n := s.skew(0, 14)
		if m.Username == DemoUser {
			n = 64
		}
		later := make([]CloudcastEdge, 0, n)
		for range n {
			sh := g.public[fame.pick(s)]
			if sh.owner != m && !slices.ContainsFunc(later, func(e CloudcastEdge) bool { return e.Cloudcast == sh.Cloudcast }) {
				later = append(later, CloudcastEdge{sh.Cloudcast, instant(g.after(s, m, sh))})
			}
		}
		newestFirst(later, func(e *CloudcastEdge) int64 { return e.At.Unix() })
		m.ListenLater = later
	}
}

// indexes finds members by user name.
func (g *generator) indexes(usernames []string) []int {
	list := make([]int, 0, len(usernames))
	for _, name := range usernames {
		list = append(list, g.member(name).index)
	}
	return list
}

// member finds a member of the cast.
func (g *generator) member(username string) *member {
	for _, m := range g.members {
		if m.Username == username {
			return m
		}
	}
	panic("world: the cast lacks " + username) // compiled in, and tested
}
