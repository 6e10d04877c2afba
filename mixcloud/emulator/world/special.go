package world

import "slices"

// These users and cloudcasts exist for every seed, so that a test can name the edge
// case that it covers.
const (
	// DemoUser has more than 40 each of cloudcasts, followers, following,
	// favorites, listens, listen later, comments, activities and playlists.
	DemoUser = "demo"
	// DocumentedUser is the user in the examples of the API documentation.
	DocumentedUser = "spartacus"
	// DocumentedCloudcast is the show in the examples of the API documentation.
	DocumentedCloudcast = "/spartacus/party-time/"
	// StationUser has more than 150 public cloudcasts.
	StationUser = "HarbourFM"
	// BurstUser gained BurstSize followers within one second, and listened to
	// BurstSize cloudcasts within one second.
	BurstUser = "ParallaxRadio"
	// BurstSize is the number of entries with the same time in BurstUser's lists.
	BurstSize = 150
	// EmptyUser has only empty lists, and no biog, city, country, picture and
	// cover.
	EmptyUser = "tidewrack"
	// ListenerUser has no cloudcasts and no picture, but listens and follows.
	ListenerUser = "OldFolksAtHome"
	// TwentyFollowersUser has exactly 20 followers: one full page.
	TwentyFollowersUser = "petra_kolar"
	// TwentyOneCloudcastsUser has exactly 21 public cloudcasts: one more than a
	// page.
	TwentyOneCloudcastsUser = "SundayMatinee"
	// HiddenListensUser hides their listens.
	HiddenListensUser = "maren-ostberg"
	// GreekUser has a user name that must be percent-encoded in a key.
	GreekUser = "νυχτερινό-τραμ"

	// EmptyCloudcast has no comments, favorites, listeners, reposts, similar
	// shows, tags, description, sections, picture or audio length.
	EmptyCloudcast = "/demo/room-tone/"
	// BusyCloudcast has more than 100 each of comments, favorites and listeners.
	BusyCloudcast = "/HarbourFM/low-tide-live-from-the-last-ferry/"
	// UnlistedCloudcast is in no list.
	UnlistedCloudcast = "/demo/rough-mix-for-friends/"
	// DraftCloudcast is a cloudcast of DemoUser that is not published.
	DraftCloudcast = "/demo/second-sleep-untitled-sketch/"
	// ScheduledCloudcast is a cloudcast of DemoUser that will be published after Now.
	ScheduledCloudcast = "/demo/second-sleep-autumn-equinox/"
	// HiddenStatsCloudcast hides its counts.
	HiddenStatsCloudcast = "/konrad-weiss/kellerlicht-closing-six-hours/"
	// ExclusiveCloudcast is for subscribers.
	ExclusiveCloudcast = "/MissCrackle/dubplates-only-for-select-ears/"
	// HostedCloudcast has two hosts.
	HostedCloudcast = "/HarbourFM/the-breakfast-boat-christmas-morning/"
	// TracklistCloudcast has chapters and tracks; some have no start time.
	TracklistCloudcast = "/demo/lunch-break-a-tracklist-with-holes/"
	// TalkCloudcast has only chapters.
	TalkCloudcast = "/SlowInterview/the-slow-interview-live-ask-me-anything/"
	// GreekCloudcast has an owner and a slug that must be percent-encoded.
	GreekCloudcast = "/%CE%BD%CF%85%CF%87%CF%84%CE%B5%CF%81%CE%B9%CE%BD%CF%8C-%CF%84%CF%81%CE%B1%CE%BC/" +
		"%CF%84%CE%B5%CE%BB%CE%B5%CF%85%CF%84%CE%B1%CE%AF%CE%B1-%CF%83%CF%84%CE%AC%CF%83%CE%B7-%CE%BA%CF%85%CF%88%CE%AD%CE%BB%CE%B7/"
	// TrailingSpaceCloudcast has a name that ends in a space.
	TrailingSpaceCloudcast = "/BayouSwitchboard/channel-4/"
)

// UsersWithTies returns the users in whose date-paged lists (cloudcasts, comments,
// favorites, feed, followers, following, listens) the items 18, 19 and 20, counted
// from 0, have the same time, so that a page of 20 ends between them.
func UsersWithTies() []string { return []string{DemoUser, StationUser} }

// addSpecials adds the special cloudcasts of a member.
func (g *generator) addSpecials(m *member) {
	add := func(name string, at int64, shape func(*show)) {
		s := newSource(g.w.Seed, "special "+name, 0)
		t := &templateData{g: g, s: s, m: m, category: m.categories[0], series: m.firstSeries(), aired: timeAt(at), dateStyle: "ordinal", episode: 1, family: s.n(1 << 16)}
		sh := g.newShow(s, t, name, at)
		c := sh.Cloudcast
		c.Name, c.Unlisted, c.Exclusive, c.HiddenStats, c.DisableComments = name, false, false, false, false
		sh.AudioLength = s.between(3000, 7000)
		sh.Tags = []*Tag{m.categories[0].tags[0], m.categories[0].tags[1]}
		g.describe(s, t, sh)
		sh.Sections = nil
		shape(sh)
	}
	switch m.Username {
	case DemoUser:
		add("Room Tone", midnight(2021, 2, 14)+9*hour, func(sh *show) {
			*sh.Cloudcast = Cloudcast{Owner: m.User, Name: sh.Name, PlayCount: 3, ListenerCount: 2}
			sh.empty = true
		})
		add("Rough Mix for Friends", midnight(2025, 6, 3)+20*hour, func(sh *show) { sh.Unlisted = true })
		add("Second Sleep - Untitled Sketch", midnight(2026, 8, 28)+22*hour, func(sh *show) { sh.Draft = true })
		add("Second Sleep - Autumn Equinox", midnight(2026, 8, 30)+18*hour, func(sh *show) {
			sh.PublishAt = timeAt(midnight(2026, 9, 23) + 6*hour)
		})
		add("Lunch Break: a Tracklist with Holes", midnight(2026, 5, 12)+12*hour, func(sh *show) {
			s := newSource(g.w.Seed, "special sections", 0)
			track := func(start int) Section { return Section{pick(s, pick(s, sh.category.artists).Tracks), "", start} }
			sh.Sections = []Section{
				{nil, "Starters", 0},
				track(65), track(485), track(-1), track(1130),
				{nil, "Coffee", -1},
				track(1560), track(-1), track(2405),
			}
		})
	case DocumentedUser:
		add("Party Time", midnight(2009, 6, 17)+10*hour, func(sh *show) {
			sh.Description = "An hour or so of funky music to get you ready for going out. Enjoy the tunes, ignore the mixing."
			sh.Tags = []*Tag{g.tag("Funky house"), g.tag("Funk")}
			sh.AudioLength = 3064
			s := newSource(g.w.Seed, "special party", 0)
			for i := range 9 {
				sh.Sections = append(sh.Sections, Section{Track: pick(s, pick(s, sh.category.artists).Tracks), StartTime: i * 331})
			}
		})
	case StationUser:
		add("Low Tide - Live from the Last Ferry", midnight(2025, 11, 22)+21*hour, func(sh *show) {
			sh.PlayCount, sh.ListenerCount, sh.weight = 48210, 21877, 9000
			g.busy = sh
		})
		add("The Breakfast Boat: Christmas Morning", midnight(2025, 12, 25)+7*hour, func(sh *show) {
			sh.Hosts = []*User{g.member("MissCrackle").User, g.member("AdaezeOkonjo").User}
		})
	case "konrad-weiss":
		add("Kellerlicht: Closing Six Hours", midnight(2026, 4, 5)+8*hour, func(sh *show) { sh.HiddenStats, sh.AudioLength = true, 14400 })
	case "MissCrackle":
		add("Dubplates Only (for Select Ears)", midnight(2026, 3, 20)+19*hour, func(sh *show) { sh.Exclusive = true })
	case "SlowInterview":
		add("The Slow Interview Live: Ask Me Anything", midnight(2026, 7, 2)+19*hour, func(sh *show) {
			sh.Sections = []Section{
				{Chapter: "Hello, and where the coats came from", StartTime: 0},
				{Chapter: "Questions from the stalls", StartTime: 640},
				{Chapter: "The one about the lighthouse", StartTime: 1985},
				{Chapter: "Goodnight", StartTime: 3120},
			}
		})
	case GreekUser:
		add("Τελευταία στάση: Κυψέλη", midnight(2026, 6, 6)+21*hour, func(*show) {})
	case "BayouSwitchboard":
		add("Channel 4 ", midnight(2024, 9, 9)+3*hour, func(*show) {})
	}
}

func (m *member) firstSeries() string {
	if len(m.series) > 0 {
		return m.series[0]
	}
	return ""
}

// followSpecials adds the follows that the comments on the special users describe.
func (g *generator) followSpecials(follows *edgeSet) {
	s := newSource(g.w.Seed, "special follows", 0)
	order := make([]int, 0, len(g.members))
	for i, m := range g.members {
		if m.kind != inactive {
			order = append(order, i)
		}
	}
	shuffle(s, order)
	fill := func(username string, n int) {
		to := g.member(username).index
		for _, from := range order {
			if n > 0 && g.follow(s, follows, from, to) {
				n--
			}
		}
	}
	fill(TwentyFollowersUser, 20)
	fill(DemoUser, 163)
	shuffle(s, order)
	burst := g.member(BurstUser)
	at := midnight(2025, 3, 1) + 20*hour
	n := 0
	for _, from := range order {
		if m := g.members[from]; n < BurstSize && m.joined < at && m != burst && follows.add(from, burst.index, at) {
			n++
		}
	}
	for i, e := range follows.edges { // move other follows out of that second
		if int(e.to) == burst.index && e.at == at && i < len(follows.edges)-n {
			follows.edges[i].at++
		}
	}
}

// listenSpecials adds the listens and favorites that the comments on the special users
// and cloudcasts describe.
func (g *generator) listenSpecials(listens, favorites *edgeSet) {
	s := newSource(g.w.Seed, "special listens", 0)
	burst := g.member(BurstUser)
	at, n := midnight(2026, 1, 10)+4*hour, 0
	for i := range listens.edges {
		if e := &listens.edges[i]; int(e.from) == burst.index && e.at == at {
			e.at++
		}
	}
	for n < BurstSize {
		to := s.n(len(g.public))
		if sh := g.public[to]; sh.at < at && sh.owner != burst && !sh.empty && listens.add(burst.index, to, at) {
			n++
		}
	}
	busy := slices.Index(g.public, g.busy)
	for i, m := range g.members {
		sh := g.busy
		if m.kind == inactive || m == sh.owner || s.chance(60) {
			continue
		}
		at := g.activityTime(s, m, sh)
		listens.add(i, busy, at)
		if s.chance(70) {
			favorites.add(i, busy, min(now-1, at+int64(s.n(hour))))
		}
	}
}
