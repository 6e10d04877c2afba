package world

import (
	"strconv"
	"time"
)

// A teller fills the slots of titles, descriptions and biogs with what they
// are about.
type teller struct {
	g     *generator
	s     *source
	m     *member // whose page it is
	shelf *shelf

	series    string
	episode   int
	aired     time.Time
	dateStyle string
	host      string // who presents it, the member's own name if empty
	guest     string
	topic     string
	tracks    []*Track // played in it
	family    int      // of the picture
}

// slot fills a slot of a text about a member.
func (g *generator) slot(s *source, m *member, slot string) string {
	t := teller{g: g, s: s, m: m, shelf: m.shelves[0]}
	if len(m.series) > 0 {
		t.series = m.series[0]
	}
	return t.value(slot)
}

func (t *teller) value(slot string) string {
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
		return t.shelf.tags[0].Name
	case "Genre2":
		return t.shelf.tags[1+t.s.n(min(4, len(t.shelf.tags)-1))].Name
	case "genre2":
		return t.genre(1)
	case "series":
		return t.series
	case "n":
		return strconv.Itoa(t.episode)
	case "nnn":
		return padded(t.episode)
	case "date":
		return t.m.locale.date(t.dateStyle, t.aired)
	case "year":
		if t.aired.IsZero() {
			return strconv.Itoa(t.s.between(1994, 2022))
		}
		return strconv.Itoa(t.aired.Year())
	case "weekday":
		days := t.m.locale.list("weekdays")
		if t.aired.IsZero() {
			return pick(t.s, days)
		}
		return days[t.aired.Weekday()]
	case "season":
		return t.m.locale.list("seasons")[int(t.aired.Month())%12/3]
	case "guest":
		if t.guest == "" {
			t.guest = t.g.guest(t.s, t.m).Name
		}
		return t.guest
	case "station":
		return pick(t.s, t.g.stations).Name
	case "venue":
		return pick(t.s, t.m.locale.list("venues"))
	case "topic":
		if t.topic == "" {
			t.topic = pick(t.s, t.m.locale.list("topics"))
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
	panic("world: a text asks for {" + slot + "}") // the texts are compiled in, and tested
}

// genre names what is played, the way it stands in a sentence.
func (t *teller) genre(n int) string {
	tags := t.shelf.tags
	if n == 0 {
		return inSentence(tags[0].Name)
	}
	return inSentence(tags[1+t.s.n(min(4, len(tags)-1))].Name)
}

// artist names somebody who is played, or could be.
func (t *teller) artist(n int) string {
	if len(t.tracks) > n {
		return t.tracks[n].Artist.Name
	}
	if len(t.shelf.artists) == 0 {
		return pick(t.s, t.g.w.Artists).Name
	}
	return pick(t.s, t.shelf.artists).Name
}

// guest picks somebody who could be invited, rather a neighbour.
func (g *generator) guest(s *source, m *member) *member {
	best := pick(s, g.players)
	for range 12 {
		if best.locale == m.locale && best != m {
			break
		}
		if c := pick(s, g.players); c != m && (c.locale == m.locale || best == m) {
			best = c
		}
	}
	return best
}
