package world

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// A User is a user of Mixcloud.
type User struct {
	ID                   int
	Username             string // canonical case, plain text, any script
	Name                 string // display name
	Biog                 string
	City, Country        string // "" when not set
	PrimaryColor         string // six lower-case hex digits, "" without a picture
	Picture              string // path of the picture, after the size segment; "" for a default picture
	Cover                string // path of the wide cover, like Picture; "" for none
	Created, Updated     time.Time
	IsPro, IsPremium     bool
	HideListens          bool         // the listens are visible with the user's own token only (Pro users)
	Cloudcasts           []*Cloudcast // the public ones
	Private              []*Cloudcast // unlisted uploads, drafts and scheduled ones
	Favorites, Listens   []CloudcastEdge
	ListenLater          []CloudcastEdge
	Reposts              []CloudcastEdge
	Followers, Following []UserEdge
	Comments             []*Comment // on the profile
	Feed                 []*Activity
	Playlists            []*Playlist
}

// Key returns the percent-encoded path of the user, such as "/spartacus/".
func (u *User) Key() string { return "/" + escape(u.Username) + "/" }

// A kind is a type of user; it determines how much they upload, listen and
// follow.
type kind string

const (
	station  kind = "station"
	label    kind = "label"
	dj       kind = "dj"
	talk     kind = "talk"
	listener kind = "listener"
	inactive kind = "inactive" // in no list, with empty lists
)

// A member is a user with the data that only the generator needs.
type member struct {
	*User
	index      int
	kind       kind
	locale     *locale
	categories []*category // of their shows, the main one first
	popularity int         // weight for plays, followers and comments; about 1 to 2500
	joined     int64
	family     int      // of their pictures
	logo       bool     // the picture is a logo, not a person
	series     []string // names of their series
	uploads    int
	all        []*show // their uploads, newest first
}

// addMembers adds the fixed users, then the generated ones.
func (g *generator) addMembers() {
	for _, block := range cast() {
		g.addMember(g.castMember(block))
	}
	shares := weights{}
	for _, l := range locales() {
		shares.add(l.share)
	}
	for i := range population - len(g.members) {
		s := newSource(g.w.Seed, "member", i)
		l := locales()[shares.pick(s)]
		if i < 2*len(locales()) { // every language has at least two users
			l = locales()[i%len(locales())]
		}
		g.addMember(g.newMember(s, l))
	}
	for _, m := range g.members {
		g.setIDAndPictures(m)
	}
}

// castMember returns the member of a block of cast.txt.
func (g *generator) castMember(block map[string][]string) *member {
	one := func(key string) string {
		if v := block[key]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	number := func(key string) int {
		n, err := strconv.Atoi(one(key))
		if err != nil {
			panic("world: cast: " + one("username") + ": " + err.Error()) // a test checks the file
		}
		return n
	}
	m := &member{
		User: &User{Username: one("username"), Name: one("name"), Biog: one("biog")},
		kind: kind(one("kind")), popularity: number("fame"), uploads: number("uploads"), series: block["series"],
	}
	m.logo = m.kind != dj && m.kind != listener
	g.usedNames[m.Name] = true // no other series has this name
	for _, name := range m.series {
		g.usedNames[name] = true
	}
	m.City, m.Country, _ = strings.Cut(one("place"), ", ")
	for _, l := range locales() {
		if l.lang == one("lang") {
			m.locale = l
		}
	}
	if m.locale == nil {
		m.locale = locales()[0]
	}
	for name := range strings.SplitSeq(one("categories"), ", ") {
		if c := g.categoryNamed(name); c != nil {
			m.categories = append(m.categories, c)
		}
	}
	flags := strings.Fields(one("flags"))
	m.IsPro, m.IsPremium = slices.Contains(flags, "pro"), slices.Contains(flags, "premium")
	m.HideListens = slices.Contains(flags, "private")
	if !slices.Contains(flags, "plain") {
		m.Picture = "profile/"
		if m.kind != listener {
			m.Cover = "profile_cover/"
		}
	}
	s := newSource(g.w.Seed, "cast", len(g.members))
	m.joined = midnight(number("since"), 1, 1) + int64(s.n(300*day))
	return m
}

// newMember generates a member who speaks the language of l.
func (g *generator) newMember(s *source, l *locale) *member {
	m := &member{User: &User{}, locale: l}
	switch roll := s.n(100); {
	case roll < 8:
		m.kind, m.uploads, m.popularity = talk, s.between(4, 26), s.skew(3, 300)
	case roll < 52:
		m.kind, m.uploads, m.popularity = dj, s.skew(1, 31), s.skew(2, 420)
	default:
		m.kind, m.popularity = listener, s.skew(1, 12)
		if s.chance(15) {
			m.uploads = s.between(1, 3)
		}
	}
	m.logo = m.kind == talk || s.chance(12)
	m.joined = midnight(2010, 3, 1) + int64(s.n(15*365*day)) + int64(s.n(day))
	pool := g.music
	if m.kind == talk {
		pool = g.talk
		if name := g.unusedName(s, l.entries["talk series"]); name != "" {
			m.series = []string{name}
		} else {
			pool, m.kind = g.music, dj // all talk series of the language are in use
		}
	}
	m.categories = append(m.categories, pick(s, pool))
	for range s.between(0, 2) { // mostly of the same artist family
		c := pick(s, pool)
		if sameFamily := c.artistFamily == m.categories[0].artistFamily; (sameFamily || s.chance(25)) && !slices.Contains(m.categories, c) {
			m.categories = append(m.categories, c)
		}
	}
	if len(l.places) > 0 && !s.chance(14) {
		at := pick(s, l.places)
		m.City, m.Country = at.city, at.country
	}
	g.setNames(s, m)
	if roll := s.n(100); roll < 80 || m.uploads > 0 && roll < 94 {
		m.Picture = "profile/"
	}
	if m.uploads > 0 && s.chance(60) || s.chance(12) {
		m.Cover = "profile_cover/"
	}
	m.IsPro = m.uploads > 12 && s.chance(45) || s.chance(3)
	m.IsPremium = s.chance(9)
	m.HideListens = m.IsPro && s.chance(6)
	if s.chance(70) || m.popularity > 60 {
		m.Biog = g.biog(s, m)
	}
	return m
}

// setNames sets a display name and a matching user name.
func (g *generator) setNames(s *source, m *member) {
	people := m.locale.women
	if s.chance(50) {
		people = m.locale.men
	}
	first := pick(s, people)
	last := pick(s, first.families)
	m.Name = m.locale.fullName(first, last)
	f, l := strings.ReplaceAll(first.ascii, " ", ""), strings.ReplaceAll(last.ascii, " ", "")
	lower := strings.ToLower
	year := strconv.Itoa(s.between(68, 99))
	names := []string{
		f + l, lower(f + l), lower(f) + "-" + lower(l), lower(f) + "_" + lower(l), lower(f[:1] + l),
		lower(l) + lower(f[:1]), lower(f) + lower(l[:1]), f + "-" + l,
	}
	switch roll := s.n(100); {
	case m.kind == talk && roll < 75:
		m.Name = m.series[0]
		compact := compactName(toASCII.Replace(m.Name))
		names = []string{compact, lower(compact), Slugify(m.Name)}
	case m.kind == dj && roll < 45:
		if alias := g.unusedAlias(s, m.locale); alias != "" {
			m.Name, m.logo = alias, s.chance(60)
			compact := compactName(toASCII.Replace(alias))
			names = []string{compact, lower(compact), Slugify(toASCII.Replace(alias))}
		}
	case m.kind == dj && roll < 60:
		names = []string{"dj" + lower(f), "DJ" + f, "dj-" + lower(f) + "-" + lower(l), f + "Selects", lower(f) + "sounds", f + "OnTheRadio", "selector-" + lower(f)}
	case first.name != first.ascii && roll < 75, roll < 8:
		names = []string{Slugify(m.Name)} // in its own script
	case roll > 90:
		m.Name = first.name
		names = []string{lower(f) + "listens", lower(f) + year, lower(f + l[:1]), "its" + lower(f), lower(f) + "-in-" + Slugify(toASCII.Replace(m.City))}
		if m.City == "" {
			names = names[:4]
		}
	}
	shuffle(s, names)
	m.Username = g.unusedUsername(names, year)
}

// compactName joins the words of a name: "Loose Change" is LooseChange.
func compactName(name string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" -–—!?:()", r) }) {
		b.WriteString(capitalize(word))
	}
	return b.String()
}

// unusedUsername returns the first unused name, if necessary with a year of birth.
func (g *generator) unusedUsername(names []string, year string) string {
	for _, suffix := range []string{"", year, "-" + year} {
		for _, name := range names {
			if name += suffix; len(name) > 2 && !g.usernames[fold(name)] {
				return name
			}
		}
	}
	for n := 1; ; n++ {
		if name := names[0] + "_" + strconv.Itoa(1900+n); !g.usernames[fold(name)] {
			return name
		}
	}
}

// unusedAlias returns an unused stage name of a language, or "".
func (g *generator) unusedAlias(s *source, l *locale) string {
	return g.unusedName(s, l.entries["aliases"])
}

// unusedSeries returns an unused name for a music series. If all names of the
// language are in use, it returns an unused English name or a used one.
func (g *generator) unusedSeries(s *source, l *locale) string {
	const section = "music series"
	if name := g.unusedName(s, l.entries[section]); name != "" {
		return name
	}
	if s.chance(50) {
		if name := g.unusedName(s, locales()[0].entries[section]); name != "" {
			return name
		}
	}
	return pick(s, l.section(section))
}

func (g *generator) unusedName(s *source, list []string) string {
	if len(list) == 0 {
		return ""
	}
	for start, i := s.n(len(list)), 0; i < len(list); i++ {
		name := list[(start+i)%len(list)]
		if !g.usedNames[name] {
			g.usedNames[name] = true
			return name
		}
	}
	return ""
}

// biog returns a member's biog.
func (g *generator) biog(s *source, m *member) string {
	section := "listener biogs"
	switch {
	case m.kind == talk:
		section = "talk biogs"
	case m.uploads > 0:
		section = "dj biogs"
	}
	list := m.locale.section(section)
	for range 8 { // without a city, skip lines that name one
		line := pick(s, list)
		if m.City == "" && (strings.Contains(line, "{city}") || strings.Contains(line, "{country}")) {
			continue
		}
		if strings.Contains(line, "{series}") && len(m.series) == 0 {
			m.series = []string{g.unusedSeries(s, m.locale)}
		}
		return capitalize(expand(line, func(slot string) string { return g.slotValue(s, m, slot) }))
	}
	return ""
}

// addMember adds a member to the data.
func (g *generator) addMember(m *member) {
	m.index = len(g.members)
	g.usernames[fold(m.Username)] = true
	g.members = append(g.members, m)
	g.byUser[m.User] = m
	g.w.Users = append(g.w.Users, m.User)
	if m.kind == station {
		g.stations = append(g.stations, m)
	}
}

// setIDAndPictures sets a member's ID, dates and pictures.
func (g *generator) setIDAndPictures(m *member) {
	s := newSource(g.w.Seed, "dress "+m.Username, 0)
	m.ID = 1000 + int(m.joined-midnight(2009, 1, 1))/40 + m.index // increases with the time of joining
	if m.Username == DocumentedUser {
		m.ID, m.joined = 28, midnight(2009, 3, 10)+7*hour+32*60+56 // observed
	}
	m.Created = timeAt(m.joined)
	m.Updated = m.Created
	if s.chance(85) {
		m.Updated = timeAt(m.joined + int64(s.n(int(now-m.joined))))
	}
	m.family = s.n(1<<15) << 1
	if m.Picture != "" {
		family := m.family | familyOfPeople
		if m.logo {
			family ^= 1
		}
		m.Picture += pictureID(s, family)
		m.PrimaryColor = primaryColor(m.Picture)
	}
	if m.Cover != "" {
		m.Cover += pictureID(s, m.family)
	}
}

// pictureID returns a path such as 6/2/4/c/cdae-6e61-411c-adb6-9d9cd3e9112c. Its
// first four digits are the family of the picture.
func pictureID(s *source, family int) string {
	const hex = "0123456789abcdef"
	bits, more := s.pcg.Uint64(), s.pcg.Uint64()
	b := make([]byte, 0, 48)
	for shift := 12; shift >= 0; shift -= 4 {
		b = append(b, hex[family>>shift&15], '/')
	}
	for i := range 28 {
		if i == 14 {
			bits = more
		}
		if i == 4 || i == 8 || i == 12 || i == 16 {
			b = append(b, '-')
		}
		b = append(b, hex[bits&15])
		bits >>= 4
	}
	return string(b)
}
