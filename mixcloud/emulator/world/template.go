package world

import (
	"strconv"
	"time"
)

// A templateData contains the values for the slots in the templates of titles,
// descriptions, biogs and comments.
type templateData struct {
	g        *generator
	s        *source
	m        *member // the owner of the show or the profile
	category *category

	series    string
	episode   int
	aired     time.Time
	dateStyle string
	host      string // the presenter; the member's own name if empty
	guest     string
	topic     string
	tracks    []*Track // the tracklist
	family    int      // the picture's family
}

// slotValue returns the value of a slot in a text about a member.
func (g *generator) slotValue(s *source, m *member, slot string) string {
	t := templateData{g: g, s: s, m: m, category: m.categories[0]}
	if len(m.series) > 0 {
		t.series = m.series[0]
	}
	return t.value(slot)
}

func (t *templateData) value(slot string) string {
	switch slot {
	case "name":
		if t.host != "" {
			return t.host
		}
		return t.m.Name
	case "username":
		return t.m.Username
	case "path":
		return Escape(t.m.Username)
	case "city":
		if t.m.City == "" {
			return pick(t.s, locales()[0].places).city
		}
		return t.m.City
	case "country":
		return t.m.Country
	case "genre":
		return t.genre(0)
	case "Genre":
		return t.category.tags[0].Name
	case "Genre2":
		return t.category.tags[1+t.s.n(min(4, len(t.category.tags)-1))].Name
	case "genre2":
		return t.genre(1)
	case "series":
		return t.series
	case "n":
		return strconv.Itoa(t.episode)
	case "nnn":
		return padTo3Digits(t.episode)
	case "date":
		return t.m.locale.date(t.dateStyle, t.aired)
	case "year":
		if t.aired.IsZero() {
			return strconv.Itoa(t.s.between(1994, 2022))
		}
		return strconv.Itoa(t.aired.Year())
	case "weekday":
		days := t.m.locale.section("weekdays")
		if t.aired.IsZero() {
			return pick(t.s, days)
		}
		return days[t.aired.Weekday()]
	case "season":
		return t.m.locale.section("seasons")[int(t.aired.Month())%12/3]
	case "guest":
		if t.guest == "" {
			t.guest = t.g.pickGuest(t.s, t.m).Name
		}
		return t.guest
	case "station":
		return pick(t.s, t.g.stations).Name
	case "venue":
		return pick(t.s, t.m.locale.section("venues"))
	case "topic":
		if t.topic == "" {
			t.topic = pick(t.s, t.m.locale.section("topics"))
		}
		return t.topic
	case "artist":
		return t.artist(0)
	case "artist2":
		return t.artist(1)
	case "track":
		if len(t.tracks) > 0 {
			return t.tracks[t.s.n(len(t.tracks))].Name
		}
		return pick(t.s, trackTitles()["common"])
	}
	panic("world: unknown slot {" + slot + "} in a template") // a test checks all templates
}

// genre returns a tag's name as it is written in a sentence: the first tag, or
// one of the next four for n > 0.
func (t *templateData) genre(n int) string {
	tags := t.category.tags
	if n == 0 {
		return lowerUnlessAcronym(tags[0].Name)
	}
	return lowerUnlessAcronym(tags[1+t.s.n(min(4, len(tags)-1))].Name)
}

// artist returns the name of the nth artist of the tracklist, or of a random
// artist of the category.
func (t *templateData) artist(n int) string {
	if len(t.tracks) > n {
		return t.tracks[n].Artist.Name
	}
	if len(t.category.artists) == 0 {
		return pick(t.s, t.g.w.Artists).Name
	}
	return pick(t.s, t.category.artists).Name
}

// pickGuest picks a guest for m's shows, preferably one with the same language.
func (g *generator) pickGuest(s *source, m *member) *member {
	best := pick(s, g.guestPool)
	for range 12 {
		if best.locale == m.locale && best != m {
			break
		}
		if c := pick(s, g.guestPool); c != m && (c.locale == m.locale || best == m) {
			best = c
		}
	}
	return best
}
