package world

import "slices"

// addFollows adds the follows: few members follow many, and popular members have
// many followers.
func (g *generator) addFollows() {
	popularity := weights{}
	for _, m := range g.members {
		weight := 4 + m.popularity
		if m.kind == inactive || m.Username == TwentyFollowersUser || m.Username == DemoUser {
			weight = 0
		}
		popularity.add(weight)
	}
	follows := newEdgeSet(len(g.members), len(g.members), 24*len(g.members))
	for i, m := range g.members {
		s := newSource(g.w.Seed, "follows "+m.Username, 0)
		n := s.skew(1, 90)
		switch {
		case m.kind == inactive:
			n = 0
		case m.Username == DemoUser:
			n = 118
		case m.Username == StationUser:
			n = 64
		case m.Username == DocumentedUser:
			n = 101 // observed
		}
		for range n {
			g.follow(s, follows, i, popularity.pick(s))
		}
	}
	g.followSpecials(follows)
	ties := g.indexes(UsersWithTies())
	follows.shareSecond(ties, ties)
	from, to := follows.counts(len(g.members))
	following, followers := allocateLists[UserEdge](from), allocateLists[UserEdge](to)
	for _, e := range follows.edges {
		a, b := g.members[e.from].User, g.members[e.to].User
		following[e.from] = append(following[e.from], UserEdge{b, timeAt(e.at)})
		followers[e.to] = append(followers[e.to], UserEdge{a, timeAt(e.at)})
	}
	for i, m := range g.members {
		m.Following, m.Followers = following[i], followers[i]
	}
}

// follow makes one member follow another at a time after both have joined.
func (g *generator) follow(s *source, follows *edgeSet, from, to int) bool {
	a, b := g.members[from], g.members[to]
	if from == to {
		return false
	}
	since := max(a.joined, b.joined)
	return follows.add(from, to, since+1+int64(s.n(int(now-since))))
}

// addListening adds the listens, favorites, reposts and listen-later lists.
func (g *generator) addListening() {
	popularity := weights{}
	for _, sh := range g.public {
		weight := sh.weight
		if sh.empty {
			weight = 0
		}
		popularity.add(weight)
	}
	users, shows := len(g.members), len(g.public)
	listens, favorites, reposts := newEdgeSet(users, shows, 44*users), newEdgeSet(users, shows, 20*users), newEdgeSet(users, shows, 6*users)
	for i, m := range g.members {
		if m.kind == inactive {
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
			to := popularity.pick(s)
			if s.chance(18) { // from their own categories instead of by popularity
				to = g.showFromOwnCategories(s, m)
			}
			sh := g.public[to]
			if sh.owner == m {
				continue
			}
			at := g.activityTime(s, m, sh)
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
	ties := g.indexes(UsersWithTies())
	listens.shareSecond(ties, nil)
	favorites.shareSecond(ties, nil)
	reposts.sort()
	g.setListens(listens)
	g.setFavorites(favorites)
	g.setReposts(reposts)
	g.addListenLater(popularity)
}

// showFromOwnCategories picks a public show of a member's categories, or any if it
// finds none in 8 attempts.
func (g *generator) showFromOwnCategories(s *source, m *member) int {
	c := pick(s, m.categories)
	for range 8 {
		if i := s.n(len(g.public)); g.public[i].category == c && !g.public[i].empty {
			return i
		}
	}
	for {
		if i := s.n(len(g.public)); !g.public[i].empty {
			return i
		}
	}
}

// activityTime picks the time of a member's activity on a show, often soon after
// the show was published or the member joined.
func (g *generator) activityTime(s *source, m *member, sh *show) int64 {
	since := max(m.joined, sh.at) + 1
	left := int(now - since)
	if s.chance(55) {
		return since + int64(s.skew(0, left-1))
	}
	return since + int64(s.n(left))
}

func (g *generator) setListens(e *edgeSet) {
	from, to := e.counts(len(g.members))
	lists, listeners := allocateLists[CloudcastEdge](from), allocateLists[UserEdge](to)
	for _, x := range e.edges {
		m, sh, at := g.members[x.from], g.public[x.to], timeAt(x.at)
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

func (g *generator) setFavorites(e *edgeSet) {
	from, to := e.counts(len(g.members))
	lists, fans := allocateLists[CloudcastEdge](from), allocateLists[UserEdge](to)
	for _, x := range e.edges {
		m, sh, at := g.members[x.from], g.public[x.to], timeAt(x.at)
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

func (g *generator) setReposts(e *edgeSet) {
	from, to := e.counts(len(g.members))
	lists, by := allocateLists[CloudcastEdge](from), allocateLists[UserEdge](to)
	for _, x := range e.edges {
		m, sh, at := g.members[x.from], g.public[x.to], timeAt(x.at)
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

// addListenLater adds the listen-later lists.
func (g *generator) addListenLater(popularity weights) {
	for _, m := range g.members {
		if m.kind == inactive {
			continue
		}
		s := newSource(g.w.Seed, "listen later "+m.Username, 0)
		n := s.skew(0, 14)
		if m.Username == DemoUser {
			n = 64
		}
		later := make([]CloudcastEdge, 0, n)
		for range n {
			sh := g.public[popularity.pick(s)]
			if sh.owner != m && !slices.ContainsFunc(later, func(e CloudcastEdge) bool { return e.Cloudcast == sh.Cloudcast }) {
				later = append(later, CloudcastEdge{sh.Cloudcast, timeAt(g.activityTime(s, m, sh))})
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

// member finds a fixed user by user name.
func (g *generator) member(username string) *member {
	for _, m := range g.members {
		if m.Username == username {
			return m
		}
	}
	panic("world: cast.txt has no user " + username) // a test checks the file
}
