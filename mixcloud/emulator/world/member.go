package world

import (
	"slices"
	"strconv"
	"strings"
)

// A kind is what somebody does on Mixcloud; it decides how much they upload,
// listen and follow.
type kind string

const (
	station  kind = "station"
	label    kind = "label"
	dj       kind = "dj"
	talk     kind = "talk"
	listener kind = "listener"
	silent   kind = "silent" // no list holds anything of theirs
)

// A member is a user together with what only the generator needs to know.
type member struct {
	*User
	index   int
	kind    kind
	locale  *locale
	shelves []*shelf // what they play, the commonest first
	fame    int      // weighs plays, followers and comments; about 1 to 2500
	joined  int64
	family  int      // of their pictures
	sign    bool     // shows a sign, not a person
	series  []string // names of their series, if the cast says so
	uploads int
	all     []*show // their uploads, newest first
}

// addMembers makes the cast and then the generated users around it.
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
		if i < 2*len(locales()) { // nobody stays the only one who speaks a language
			l = locales()[i%len(locales())]
		}
		g.addMember(g.newMember(s, l))
	}
	for _, m := range g.members {
		g.dress(m)
	}
}

// castMember reads a block of the cast.
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
			panic("world: cast: " + one("username") + ": " + err.Error()) // compiled in, and tested
		}
		return n
	}
	m := &member{
		User: &User{Username: one("username"), Name: one("name"), Biog: one("biog")},
		kind: kind(one("kind")), fame: number("fame"), uploads: number("uploads"), series: block["series"],
	}
	m.sign = m.kind != dj && m.kind != listener
	g.used[m.Name] = true // nobody else calls a show like that
	for _, name := range m.series {
		g.used[name] = true
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
	for name := range strings.SplitSeq(one("shelves"), ", ") {
		if sh := g.shelf(name); sh != nil {
			m.shelves = append(m.shelves, sh)
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
	m.joined = unix(number("since"), 1, 1) + int64(s.n(300*day))
	return m
}

// newMember makes up somebody who speaks a language.
func (g *generator) newMember(s *source, l *locale) *member {
	m := &member{User: &User{}, locale: l}
	switch roll := s.n(100); {
	case roll < 8:
		m.kind, m.uploads, m.fame = talk, s.between(4, 26), s.skew(3, 300)
	case roll < 52:
		m.kind, m.uploads, m.fame = dj, s.skew(1, 31), s.skew(2, 420)
	default:
		m.kind, m.fame = listener, s.skew(1, 12)
		if s.chance(15) {
			m.uploads = s.between(1, 3)
		}
	}
	m.sign = m.kind == talk || s.chance(12)
	m.joined = unix(2010, 3, 1) + int64(s.n(15*365*day)) + int64(s.n(day))
	home := g.music
	if m.kind == talk {
		home = g.talk
		if name := g.fresh(s, l.own["talk series"]); name != "" {
			m.series = []string{name}
		} else {
			home, m.kind = g.music, dj // every talk show of the language is on air
		}
	}
	m.shelves = append(m.shelves, pick(s, home))
	for range s.between(0, 2) { // people stay close to what they know
		sh := pick(s, home)
		if near := sh.family == m.shelves[0].family; (near || s.chance(25)) && !slices.Contains(m.shelves, sh) {
			m.shelves = append(m.shelves, sh)
		}
	}
	if len(l.places) > 0 && !s.chance(14) {
		at := pick(s, l.places)
		m.City, m.Country = at.city, at.country
	}
	g.name(s, m)
	if roll := s.n(100); roll < 80 || m.uploads > 0 && roll < 94 {
		m.Picture = "profile/"
	}
	if m.uploads > 0 && s.chance(60) || s.chance(12) {
		m.Cover = "profile_cover/"
	}
	m.IsPro = m.uploads > 12 && s.chance(45) || s.chance(3)
	m.IsPremium = s.chance(9)
	m.HideListens = m.IsPro && s.chance(6)
	if s.chance(70) || m.fame > 60 {
		m.Biog = g.biog(s, m)
	}
	return m
}

// name gives a member a display name and a user name that fits it.
func (g *generator) name(s *source, m *member) {
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
		if alias := g.freshAlias(s, m.locale); alias != "" {
			m.Name, m.sign = alias, s.chance(60)
			compact := compactName(toASCII.Replace(alias))
			names = []string{compact, lower(compact), Slugify(toASCII.Replace(alias))}
		}
	case m.kind == dj && roll < 60:
		names = []string{"dj" + lower(f), "DJ" + f, "dj-" + lower(f) + "-" + lower(l), f + "Selects", lower(f) + "sounds", f + "OnTheRadio", "selector-" + lower(f)}
	case first.name != first.ascii && roll < 75, roll < 8:
		names = []string{Slugify(m.Name)} // in their own script
	case roll > 90:
		m.Name = first.name
		names = []string{lower(f) + "listens", lower(f) + year, lower(f + l[:1]), "its" + lower(f), lower(f) + "-in-" + Slugify(toASCII.Replace(m.City))}
		if m.City == "" {
			names = names[:4]
		}
	}
	shuffle(s, names)
	m.Username = g.freeName(names, year)
}

// compactName writes a name as one word: "Loose Change" is LooseChange.
func compactName(name string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" -–—!?:()", r) }) {
		b.WriteString(capital(word))
	}
	return b.String()
}

// freeName takes the first name that nobody has, or else adds a year of birth.
func (g *generator) freeName(names []string, year string) string {
	for _, suffix := range []string{"", year, "-" + year} {
		for _, name := range names {
			if name += suffix; len(name) > 2 && !g.taken[fold(name)] {
				return name
			}
		}
	}
	for n := 1; ; n++ {
		if name := names[0] + "_" + strconv.Itoa(1900+n); !g.taken[fold(name)] {
			return name
		}
	}
}

// freshAlias takes an unused stage name of a language; "" when all are gone.
func (g *generator) freshAlias(s *source, l *locale) string {
	return g.fresh(s, l.own["aliases"])
}

// freshSeries takes a name for a series of music that nobody has yet; when all
// of a language are gone, an English one or one that comes twice.
func (g *generator) freshSeries(s *source, l *locale) string {
	const section = "music series"
	if name := g.fresh(s, l.own[section]); name != "" {
		return name
	}
	if s.chance(50) {
		if name := g.fresh(s, locales()[0].own[section]); name != "" {
			return name
		}
	}
	return pick(s, l.list(section))
}

func (g *generator) fresh(s *source, list []string) string {
	if len(list) == 0 {
		return ""
	}
	for start, i := s.n(len(list)), 0; i < len(list); i++ {
		name := list[(start+i)%len(list)]
		if !g.used[name] {
			g.used[name] = true
			return name
		}
	}
	return ""
}

// biog writes what a member says about themselves.
func (g *generator) biog(s *source, m *member) string {
	section := "listener biogs"
	switch {
	case m.kind == talk:
		section = "talk biogs"
	case m.uploads > 0:
		section = "dj biogs"
	}
	list := m.locale.list(section)
	for range 8 { // one that needs no city, for those who have none
		line := pick(s, list)
		if m.City == "" && (strings.Contains(line, "{city}") || strings.Contains(line, "{country}")) {
			continue
		}
		if strings.Contains(line, "{series}") && len(m.series) == 0 {
			m.series = []string{g.freshSeries(s, m.locale)}
		}
		return capital(expand(line, func(slot string) string { return g.slot(s, m, slot) }))
	}
	return ""
}

// addMember gives a member a place in the world.
func (g *generator) addMember(m *member) {
	m.index = len(g.members)
	g.taken[fold(m.Username)] = true
	g.members = append(g.members, m)
	g.byUser[m.User] = m
	g.w.Users = append(g.w.Users, m.User)
	if m.kind == station {
		g.stations = append(g.stations, m)
	}
}

// dress gives a member an ID, dates and pictures.
func (g *generator) dress(m *member) {
	s := newSource(g.w.Seed, "dress "+m.Username, 0)
	m.ID = 1000 + int(m.joined-unix(2009, 1, 1))/40 + m.index // grows with the day of joining
	if m.Username == DocumentedUser {
		m.ID, m.joined = 28, unix(2009, 3, 10)+7*hour+32*60+56 // observed
	}
	m.Created = instant(m.joined)
	m.Updated = m.Created
	if s.chance(85) {
		m.Updated = instant(m.joined + int64(s.n(int(now-m.joined))))
	}
	m.family = s.n(1<<15) << 1
	if m.Picture != "" {
		family := m.family | familyOfPeople
		if m.sign {
			family ^= 1
		}
		m.Picture += pictureID(s, family)
		m.PrimaryColor = primaryColor(m.Picture)
	}
	if m.Cover != "" {
		m.Cover += pictureID(s, m.family)
	}
}

// pictureID is a path as pictures have it, 6/2/4/c/cdae-6e61-411c-adb6-9d9cd3e9112c.
// Its four leading digits are the family of the picture.
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
