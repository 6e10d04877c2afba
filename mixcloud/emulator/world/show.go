package world

import (
	"slices"
	"strings"
)

// A show is a cloudcast with the data that only the generator needs.
type show struct {
	*Cloudcast
	at       int64 // created
	owner    *member
	category *category
	weight   int // relative probability of a listen
	empty    bool
	oldName  string // the title before a rename; "" without one
}

// A series is a member's series: its episodes share title templates, a weekday,
// hosts, tags and a length.
type series struct {
	name         string
	category     *category
	titles       []string // templates: for most episodes, and for those with a guest
	dateStyle    string
	cadence      int64
	last         int64 // start of the newest episode
	firstEpisode int
	length       int
	hosts        []*member
	tags         []*Tag
	guests       int // percentage of episodes that have one
	topics       []string
	family       int // of the pictures
}

// addShows adds the uploads of all members.
func (g *generator) addShows() {
	for _, m := range g.members {
		if m.kind == dj || m.kind == label {
			g.guestPool = append(g.guestPool, m)
		}
	}
	for _, m := range g.members {
		if m.uploads > 0 {
			g.addUploads(m)
		}
		g.shows = append(g.shows, m.all...)
	}
	newestFirst(g.shows, func(sh **show) int64 { return (*sh).at })
	s := newSource(g.w.Seed, "cloudcast ids", 0)
	id := 1_000_000
	for _, sh := range slices.Backward(g.shows) {
		id += s.between(1, 9000)
		sh.ID = id
	}
	g.w.lastCloudcastID = id
	tags := make(map[*Tag]int, len(g.w.Tags))
	for _, sh := range g.shows {
		sh.category.shows = append(sh.category.shows, sh)
		for _, t := range sh.Tags {
			tags[t]++
		}
	}
	for _, t := range g.w.Tags {
		t.Cloudcasts = make([]*Cloudcast, 0, tags[t])
	}
	for _, sh := range g.shows {
		if sh.Private() {
			sh.Owner.Private = append(sh.Owner.Private, sh.Cloudcast)
			continue
		}
		g.public = append(g.public, sh)
		g.w.Latest = append(g.w.Latest, sh.Cloudcast)
		sh.Owner.Cloudcasts = append(sh.Owner.Cloudcasts, sh.Cloudcast)
		for _, t := range sh.Tags {
			t.Cloudcasts = append(t.Cloudcasts, sh.Cloudcast)
		}
		for i, section := range sh.Sections {
			track := section.Track
			if track == nil || slices.ContainsFunc(sh.Sections[:i], func(e Section) bool { return e.Track == track }) {
				continue
			}
			track.Cloudcasts = append(track.Cloudcasts, sh.Cloudcast)
			artist := track.Artist
			if n := len(artist.Cloudcasts); n == 0 || artist.Cloudcasts[n-1] != sh.Cloudcast {
				artist.Cloudcasts = append(artist.Cloudcasts, sh.Cloudcast)
			}
		}
	}
}

// addUploads adds the uploads of one member.
func (g *generator) addUploads(m *member) {
	s := newSource(g.w.Seed, "uploads "+m.Username, 0)
	m.all = make([]*show, 0, m.uploads)
	g.addSpecials(m)
	left := m.uploads - len(m.all)
	single := left
	if left >= 4 {
		single = left * s.between(5, 25) / 100
		if m.kind == dj {
			single = left * s.between(15, 60) / 100
		}
		if len(m.series) == 0 {
			m.series = append(m.series, g.unusedSeries(s, m.locale))
			if left > 9 && s.chance(50) {
				m.series = append(m.series, g.unusedSeries(s, m.locale))
			}
		}
	}
	end := int64(now)
	if m.popularity < 200 && s.chance(45) { // many members stop uploading
		end -= int64(s.n(int(now-m.joined) * 3 / 4))
	}
	episodes := left - single
	for i, name := range m.series {
		n := episodes / (len(m.series) - i)
		episodes -= n
		if n > 0 {
			g.addEpisodes(s, m, g.newSeries(s, m, name, n, end), n)
		}
	}
	for range single {
		at := m.joined + int64(s.n(int(end-m.joined)))
		if s.chance(60) {
			at = max(at, m.joined+int64(s.n(int(end-m.joined))))
		}
		g.addSingle(s, m, at)
	}
	newestFirst(m.all, func(sh **show) int64 { return (*sh).at })
	if slices.Contains(UsersWithTies(), m.Username) {
		public := slices.DeleteFunc(slices.Clone(m.all), func(sh *show) bool { return sh.Private() })
		shareSecond(len(public), func(i, j int) { public[i].at = public[j].at })
		newestFirst(m.all, func(sh **show) int64 { return (*sh).at }) // private shows can have times between them
	}
	slugs := make(map[string]bool, len(m.all))
	for _, sh := range slices.Backward(m.all) {
		g.setDatesAndSlug(sh, slugs)
	}
}

// newSeries returns a series of n episodes whose last one is before end.
func (g *generator) newSeries(s *source, m *member, name string, n int, end int64) *series {
	l := m.locale
	r := &series{
		name: name, category: pick(s, m.categories), dateStyle: pick(s, l.section("dates")),
		cadence:      int64(pick(s, []int{7, 7, 14, 14, 28, 28})) * day,
		firstEpisode: 1,
		length:       pick(s, []int{3600, 3600, 3600, 7200, 7200, 5400, 10800}),
		guests:       s.between(0, 60),
		family:       s.n(1 << 16),
	}
	titles, guests := l.section("music titles"), l.section("guest titles")
	if r.category.Format == "talk" {
		titles, guests = l.section("talk titles"), nil
		r.length = pick(s, []int{1800, 2700, 3600})
	}
	if m.kind == station && s.chance(55) {
		for range s.between(1, 2) {
			if h := g.pickGuest(s, m); h != m && !slices.Contains(r.hosts, h) {
				r.hosts = append(r.hosts, h)
			}
		}
	}
	form := pick(s, titles)
	for len(r.hosts) == 0 && (m.kind == station || m.kind == label) && strings.Contains(form, "{name}") {
		form = pick(s, titles) // {name} would be the station, which cannot be the presenter
	}
	r.titles = append(r.titles, form)
	if len(guests) > 0 {
		r.titles = append(r.titles, pick(s, guests))
	}
	if r.category.Format == "talk" {
		r.topics = slices.Clone(l.section("topics"))
		shuffle(s, r.topics)
	}
	if s.chance(30) {
		r.firstEpisode += s.n(160)
	}
	weekday := int64(s.n(7)) * day
	start := end - end%day - weekday + int64(s.between(8, 23))*hour
	if start > end-9*hour {
		start -= 7 * day
	}
	r.last = start
	if room := (r.last - m.joined) / int64(n) / day * day; r.cadence > room {
		r.cadence = max(room, hour) // a young account with many uploads
	}
	if m.kind == station || m.kind == label {
		r.tags = append(r.tags, g.tag(m.Name))
	}
	r.tags = append(r.tags, r.category.tags[0])
	for range s.between(0, 2) {
		r.tags = append(r.tags, pick(s, r.category.tags))
	}
	if len(m.categories) > 1 && s.chance(30) {
		r.tags = append(r.tags, pick(s, m.categories).tags[0])
	}
	return r
}

// addEpisodes adds the episodes of a series, newest first.
func (g *generator) addEpisodes(s *source, m *member, sr *series, n int) {
	l, aired := m.locale, sr.last
	for i := range n {
		if i > 0 {
			aired -= sr.cadence
			if sr.cadence >= 7*day && s.chance(8) && aired-sr.cadence*int64(n-i+1) > m.joined {
				aired -= sr.cadence // a skipped week
			}
		}
		t := &templateData{
			g: g, s: s, m: m, category: sr.category, series: sr.name, episode: sr.firstEpisode + n - 1 - i,
			aired: timeAt(aired), dateStyle: sr.dateStyle, family: sr.family,
		}
		if len(sr.hosts) > 0 {
			t.host = sr.hosts[0].Name
		}
		if len(sr.topics) > 0 { // a topic or the name of a guest
			if t.topic = l.person(s); s.chance(100 * len(sr.topics) / (len(sr.topics) + n - i)) {
				t.topic, sr.topics = sr.topics[0], sr.topics[1:]
			}
		} else if sr.category.Format == "talk" {
			t.topic = l.person(s)
		}
		title := sr.titles[0]
		if len(sr.titles) > 1 && s.chance(sr.guests) {
			title = sr.titles[1]
		}
		sh := g.newShow(s, t, expand(title, t.value), aired+int64(sr.length)+int64(s.n(600)+s.skew(60, 5*hour)))
		sh.AudioLength = s.between(sr.length-sr.length/20, sr.length+sr.length/12)
		sh.Tags = g.showTags(s, sr.category, sr.tags)
		for _, h := range sr.hosts {
			sh.Hosts = append(sh.Hosts, h.User)
		}
		g.describe(s, t, sh)
	}
}

// addSingle adds an upload that belongs to no series.
func (g *generator) addSingle(s *source, m *member, at int64) {
	t := &templateData{
		g: g, s: s, m: m, category: pick(s, m.categories), episode: s.between(1, 12),
		aired: timeAt(at - int64(s.n(4*day))), dateStyle: pick(s, m.locale.section("dates")),
		family: s.n(1 << 16),
	}
	if len(m.series) > 0 {
		t.series = m.series[0]
	}
	section := "one-offs"
	if t.category.Format == "talk" {
		section = "talk titles"
		if t.series == "" {
			m.series = append(m.series, g.unusedSeries(s, m.locale))
			t.series = m.series[0]
		}
	}
	sh := g.newShow(s, t, g.singleTitle(s, t, section), at)
	if newSource(g.w.Seed, "renamed "+m.Username, int(at)).chance(2) { // the slug does not change, and the name can contain two spaces (recorded 2021-22)
		sh.oldName, sh.Name = sh.Name, m.Name+"  "+sh.Name
	}
	sh.AudioLength = s.between(1230, 4000)
	if t.category.Format == "music" && s.chance(75) {
		sh.AudioLength = s.between(3200, 7500) + s.n(2)*s.n(6900)
	}
	sh.Tags = g.showTags(s, t.category, []*Tag{t.category.tags[0], pick(s, t.category.tags)})
	if m.IsPro && s.chance(8) {
		sh.Hosts = []*User{g.pickGuest(s, m).User}
	}
	g.describe(s, t, sh)
}

// maxSameTitle is the maximum number of shows with one title.
const maxSameTitle = 5

// singleTitle returns a title that fewer than maxSameTitle shows have. Retries use a
// separate source, so that their number does not affect other shows.
func (g *generator) singleTitle(s *source, t *templateData, section string) string {
	title := capitalize(expand(pick(s, t.m.locale.section(section)), t.value))
	again := *t
	again.s = newSource(g.w.Seed, "another title "+t.m.Username, int(t.aired.Unix()))
	for tries := 0; g.titleCounts[Slugify(title)] >= maxSameTitle; tries++ {
		if tries == 20 {
			return title + " (" + t.value("date") + ")"
		}
		title = capitalize(expand(pick(again.s, t.m.locale.section(section)), again.value))
	}
	return title
}

// showTags returns the fixed tags and possibly others: at most 5 distinct ones,
// sometimes none.
func (g *generator) showTags(s *source, c *category, fixed []*Tag) []*Tag {
	if s.chance(4) {
		return nil
	}
	tags := make([]*Tag, 0, 5)
	add := func(t *Tag) {
		if len(tags) < 5 && !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
	}
	for _, t := range fixed {
		add(t)
	}
	for range s.n(3) {
		add(c.tags[min(s.n(len(c.tags)), s.n(len(c.tags)))])
	}
	if c.Format == "music" && s.chance(45) {
		add(pick(s, g.general))
	}
	return tags
}

// shareSecond sets the items 18, 19 and 20 of a list to the same time, so that a
// page of 20 ends between them.
func shareSecond(length int, same func(i, j int)) {
	if length > 20 {
		same(19, 18)
		same(20, 18)
	}
}
