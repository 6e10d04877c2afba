package world

import (
	"slices"
	"strings"
)

// A show is a cloudcast in the making.
type show struct {
	*Cloudcast
	at     int64 // created
	owner  *member
	shelf  *shelf
	weight int // how likely it is found
	quiet  bool
	former string // the title before it was renamed; "" if it never was
}

// A run is a series of a member: the episodes share a title's form, a day of
// the week, hosts, tags and a length.
type run struct {
	name         string
	shelf        *shelf
	titles       []string // one form for all, another with a guest
	dateStyle    string
	cadence      int64
	last         int64 // start of the newest episode
	firstEpisode int
	length       int
	hosts        []*member
	tags         []*Tag
	guests       int // percent
	topics       []string
	family       int // of the pictures
}

// addShows makes everybody's uploads.
func (g *generator) addShows() {
	for _, m := range g.members {
		if m.kind == dj || m.kind == label {
			g.players = append(g.players, m)
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
		sh.shelf.shows = append(sh.shelf.shows, sh)
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

// addUploads makes the uploads of one member.
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
			m.series = append(m.series, g.freshSeries(s, m.locale))
			if left > 9 && s.chance(50) {
				m.series = append(m.series, g.freshSeries(s, m.locale))
			}
		}
	}
	end := int64(now)
	if m.fame < 200 && s.chance(45) { // many stop one day
		end -= int64(s.n(int(now-m.joined) * 3 / 4))
	}
	episodes := left - single
	for i, name := range m.series {
		n := episodes / (len(m.series) - i)
		episodes -= n
		if n > 0 {
			g.addRun(s, m, g.newRun(s, m, name, n, end), n)
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
	if slices.Contains(TiesUsers(), m.Username) {
		public := slices.DeleteFunc(slices.Clone(m.all), func(sh *show) bool { return sh.Private() })
		tie(len(public), func(i, j int) { public[i].at = public[j].at })
		newestFirst(m.all, func(sh **show) int64 { return (*sh).at }) // a private one may have stood between
	}
	slugs := make(map[string]bool, len(m.all))
	for _, sh := range slices.Backward(m.all) {
		g.finish(sh, slugs)
	}
}

// newRun plans n episodes of a series up to an end.
func (g *generator) newRun(s *source, m *member, name string, n int, end int64) *run {
	l := m.locale
	r := &run{
		name: name, shelf: pick(s, m.shelves), dateStyle: pick(s, l.list("dates")),
		cadence:      int64(pick(s, []int{7, 7, 14, 14, 28, 28})) * day,
		firstEpisode: 1,
		length:       pick(s, []int{3600, 3600, 3600, 7200, 7200, 5400, 10800}),
		guests:       s.between(0, 60),
		family:       s.n(1 << 16),
	}
	titles, guests := l.list("music titles"), l.list("guest titles")
	if r.shelf.Format == "talk" {
		titles, guests = l.list("talk titles"), nil
		r.length = pick(s, []int{1800, 2700, 3600})
	}
	if m.kind == station && s.chance(55) {
		for range s.between(1, 2) {
			if h := g.guest(s, m); h != m && !slices.Contains(r.hosts, h) {
				r.hosts = append(r.hosts, h)
			}
		}
	}
	form := pick(s, titles)
	for len(r.hosts) == 0 && (m.kind == station || m.kind == label) && strings.Contains(form, "{name}") {
		form = pick(s, titles) // a station does not present itself
	}
	r.titles = append(r.titles, form)
	if len(guests) > 0 {
		r.titles = append(r.titles, pick(s, guests))
	}
	if r.shelf.Format == "talk" {
		r.topics = slices.Clone(l.list("topics"))
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
	r.tags = append(r.tags, r.shelf.tags[0])
	for range s.between(0, 2) {
		r.tags = append(r.tags, pick(s, r.shelf.tags))
	}
	if len(m.shelves) > 1 && s.chance(30) {
		r.tags = append(r.tags, pick(s, m.shelves).tags[0])
	}
	return r
}

// addRun makes the episodes of a series, from the newest back.
func (g *generator) addRun(s *source, m *member, r *run, n int) {
	l, aired := m.locale, r.last
	for i := range n {
		if i > 0 {
			aired -= r.cadence
			if r.cadence >= 7*day && s.chance(8) && aired-r.cadence*int64(n-i+1) > m.joined {
				aired -= r.cadence // a holiday
			}
		}
		t := &teller{
			g: g, s: s, m: m, shelf: r.shelf, series: r.name, episode: r.firstEpisode + n - 1 - i,
			aired: instant(aired), dateStyle: r.dateStyle, family: r.family,
		}
		if len(r.hosts) > 0 {
			t.host = r.hosts[0].Name
		}
		if len(r.topics) > 0 { // a subject, or somebody who is interviewed
			if t.topic = l.person(s); s.chance(100 * len(r.topics) / (len(r.topics) + n - i)) {
				t.topic, r.topics = r.topics[0], r.topics[1:]
			}
		} else if r.shelf.Format == "talk" {
			t.topic = l.person(s)
		}
		title := r.titles[0]
		if len(r.titles) > 1 && s.chance(r.guests) {
			title = r.titles[1]
		}
		sh := g.newShow(s, t, expand(title, t.value), aired+int64(r.length)+int64(s.n(600)+s.skew(60, 5*hour)))
		sh.AudioLength = s.between(r.length-r.length/20, r.length+r.length/12)
		sh.Tags = g.showTags(s, r.shelf, r.tags)
		for _, h := range r.hosts {
			sh.Hosts = append(sh.Hosts, h.User)
		}
		g.describe(s, t, sh)
	}
}

// addSingle makes an upload that belongs to no series.
func (g *generator) addSingle(s *source, m *member, at int64) {
	t := &teller{
		g: g, s: s, m: m, shelf: pick(s, m.shelves), episode: s.between(1, 12),
		aired: instant(at - int64(s.n(4*day))), dateStyle: pick(s, m.locale.list("dates")),
		family: s.n(1 << 16),
	}
	if len(m.series) > 0 {
		t.series = m.series[0]
	}
	section := "one-offs"
	if t.shelf.Format == "talk" {
		section = "talk titles"
		if t.series == "" {
			m.series = append(m.series, g.freshSeries(s, m.locale))
			t.series = m.series[0]
		}
	}
	sh := g.newShow(s, t, g.singleTitle(s, t, section), at)
	if newSource(g.w.Seed, "renamed "+m.Username, int(at)).chance(2) { // the slug stays, and two blanks can meet (recorded 2021-22)
		sh.former, sh.Name = sh.Name, m.Name+"  "+sh.Name
	}
	sh.AudioLength = s.between(1230, 4000)
	if t.shelf.Format == "music" && s.chance(75) {
		sh.AudioLength = s.between(3200, 7500) + s.n(2)*s.n(6900)
	}
	sh.Tags = g.showTags(s, t.shelf, []*Tag{t.shelf.tags[0], pick(s, t.shelf.tags)})
	if m.IsPro && s.chance(8) {
		sh.Hosts = []*User{g.guest(s, m).User}
	}
	g.describe(s, t, sh)
}

// mostTitles is how many shows may have the same title.
const mostTitles = 5

// singleTitle makes a title that not too many other shows have. It tries again
// with a source of its own, so that one title more or less changes no other show.
func (g *generator) singleTitle(s *source, t *teller, section string) string {
	title := capital(expand(pick(s, t.m.locale.list(section)), t.value))
	again := *t
	again.s = newSource(g.w.Seed, "another title "+t.m.Username, int(t.aired.Unix()))
	for tries := 0; g.titles[Slugify(title)] >= mostTitles; tries++ {
		if tries == 20 {
			return title + " (" + t.value("date") + ")"
		}
		title = capital(expand(pick(again.s, t.m.locale.list(section)), again.value))
	}
	return title
}

// showTags are a series' tags and perhaps some more: at most 5, none twice,
// now and then none at all.
func (g *generator) showTags(s *source, sh *shelf, fixed []*Tag) []*Tag {
	if s.chance(4) {
		return nil
	}
	tags := make([]*Tag, 0, 5)
	put := func(t *Tag) {
		if len(tags) < 5 && !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
	}
	for _, t := range fixed {
		put(t)
	}
	for range s.n(3) {
		put(sh.tags[min(s.n(len(sh.tags)), s.n(len(sh.tags)))])
	}
	if sh.Format == "music" && s.chance(45) {
		put(pick(s, g.general))
	}
	return tags
}

// newShow files an upload under its owner.
func (g *generator) newShow(s *source, t *teller, name string, at int64) *show {
	m := t.m
	c := &Cloudcast{Owner: m.User, Name: name}
	g.titles[Slugify(name)]++
	sh := &show{Cloudcast: c, at: min(max(at, m.joined+hour), now-hour), owner: m, shelf: t.shelf}
	if s.chance(1) {
		c.Name += " " // observed: titles keep a trailing space
	}
	if s.chance(93) {
		c.Picture = "extaudio/" + pictureID(s, t.family)
		c.PrimaryColor = primaryColor(c.Picture)
	}
	switch roll := s.n(1000); {
	case roll < 6:
		c.Unlisted = true
	case roll < 22:
		c.Exclusive = m.IsPro
	case roll < 60:
		c.HiddenStats = m.IsPro
	case roll < 72:
		c.DisableComments = m.IsPro
	}
	g.popularity(s, sh)
	m.all = append(m.all, sh)
	return sh
}

// popularity gives an upload its plays: a long tail around its owner's fame,
// less for what is hardly out.
func (g *generator) popularity(s *source, sh *show) {
	plays := 2 + sh.owner.fame*s.between(20, 160)/100 + s.skew(0, 60)
	switch roll := s.n(1000); {
	case roll < 12:
		plays *= s.between(8, 30)
	case roll < 90:
		plays *= s.between(2, 5)
	}
	if age := now - sh.at; age < 10*day {
		plays = int(int64(plays) * (age + day) / (11 * day))
	}
	sh.PlayCount = plays
	sh.ListenerCount = plays * s.between(45, 85) / 100
	sh.weight = 1 + plays
}

// finish gives an upload the dates and the slug that its place among the
// others decides.
func (g *generator) finish(sh *show, slugs map[string]bool) {
	s := newSource(g.w.Seed, "finish "+sh.Name, int(sh.at))
	sh.Created = instant(sh.at)
	if sh.Updated.IsZero() {
		sh.Updated = sh.Created
		switch roll := s.n(100); {
		case roll < 22: // uploaded ahead, published later
			sh.Updated = instant(max(sh.owner.joined, sh.at-int64(s.skew(hour, 6*day))))
		case roll < 75:
			sh.Updated = instant(min(now, sh.at+int64(s.skew(60, 400*day))))
		}
	}
	if s.chance(3) {
		sh.AudioLength = 0
	}
	first := sh.Name
	if sh.former != "" {
		first = sh.former
	}
	sh.Slug = uniqueSlug(Slugify(first), func(slug string) bool { return slugs[slug] })
	slugs[sh.Slug] = true
}

// tie makes the items 18, 19 and 20 of a list share their second, so that they
// stand across the border of a page of 20.
func tie(length int, same func(i, j int)) {
	if length > 20 {
		same(19, 18)
		same(20, 18)
	}
}
